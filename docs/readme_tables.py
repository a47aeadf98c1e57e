"""Writes the generated part of README.md, the table of games: ``python docs/readme_tables.py [--write]``.

Without ``--write`` it says whether the README is up to date (exit code 1 if not).
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from coopgym.report import catalogue

README = Path(__file__).resolve().parents[1] / "README.md"
PART = re.compile(r"(<!-- games: made by docs/readme_tables.py -->\n).*?(<!-- /games -->)", re.DOTALL)


def updated(text: str) -> str:
    """The README's text with its table as the catalogue has it now."""
    table = catalogue.markdown()
    new, count = PART.subn(lambda found: f"{found[1]}\n{table}\n\n{found[2]}", text)
    if count != 1:
        raise SystemExit(f"{README.name} must hold the marks of the table of games once; it holds them {count} times")
    return new


def main() -> None:
    """Check, or with --write replace."""
    before = README.read_text()
    after = updated(before)
    if "--write" in sys.argv[1:]:
        README.write_text(after)
    elif before != after:
        raise SystemExit(f"{README.name} is out of date; run `make readme`")


if __name__ == "__main__":
    main()
