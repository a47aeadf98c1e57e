"""Runs the examples of pages and writes what they print: ``python docs/worked.py [--write] [PAGE ...]``.

Each ```python block of a page is run, in order and in one namespace; the ```text block that follows one holds what it
printed. Without pages: all of ``PAGES``. Without ``--write`` it says whether they are up to date (exit code 1 if not).
"""

from __future__ import annotations

import argparse
import contextlib
import io
import re
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parent
PAGES = sorted((DOCS / "theory").glob("*.md")) + sorted(DOCS.glob("moving.md"))
EXAMPLE = re.compile(r"```python\n(.*?)```(?:\n\n```text\n(.*?)```)?", re.DOTALL)


def printed(code: str, names: dict[str, Any], where: str = "<example>") -> str:
    """What a block prints; it leaves its names in ``names``."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(code, where, "exec"), names)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


def worked(text: str, where: str = "<page>") -> str:
    """The page with the output of every example that has a place for it."""
    names: dict[str, Any] = {"__name__": "page"}

    def run(found: re.Match[str]) -> str:
        said = printed(found[1], names, where)
        if found[2] is None:
            return found[0]
        return f"```python\n{found[1]}```\n\n```text\n{said}\n```"

    return EXAMPLE.sub(run, text)


def main() -> None:
    """Check, or with --write replace."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pages", nargs="*", type=Path, metavar="PAGE")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    old = []
    for page in options.pages or PAGES:
        before = page.read_text()
        after = worked(before, str(page))
        if options.write:
            page.write_text(after)
        elif before != after:
            old.append(page.name)
    if old:
        raise SystemExit(f"{', '.join(old)} out of date; run `python docs/worked.py --write`")


if __name__ == "__main__":
    main()
