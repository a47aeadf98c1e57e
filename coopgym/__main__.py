"""``python -m coopgym`` is the command ``coopgym``."""

from coopgym.cli import main

main()
