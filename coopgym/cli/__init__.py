"""The command line. ``main`` is all that is here, so that a core-only install can say what is missing."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> None:
    """Run ``coopgym`` with ``arguments`` (those of the process by default); leaves by SystemExit.

    Exit codes: 0 done, 1 the work failed, 2 a value or option is wrong, 130 interrupted.
    """
    try:
        import rich  # noqa: F401
        import typer  # noqa: F401
    except ModuleNotFoundError as missing:
        cure = 'install the command line and the learners with: pip install "coopgym[learn]"'
        sys.exit(f"coopgym: the module {missing.name!r} is not installed; {cure}")
    from coopgym.cli.commands import app

    app(None if arguments is None else list(arguments), prog_name="coopgym")
