"""Links out of docs/: to the site's own page of that file, or no link; the site has no address of the repository.

On a page as it stands in the repository they work. A file that is not there is left, for Sphinx to complain about.
"""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

from sphinx.application import Sphinx

ROOT = Path(__file__).parents[2]
PAGES = {"CHANGELOG.md": "/changelog.md", "CITATION.cff": "/cite.md", "CONTRIBUTING.md": "/contributing.md"}
LINK = re.compile(r"\[([^\]]+)\]\(((?:\.\./)+[^)#\s]+)\)")


def turned(page: Path, text: str) -> str:
    """The text of ``page`` with those links turned."""

    def turn(link: re.Match[str]) -> str:
        target = (page.parent / link[2]).resolve()
        if not target.exists() or not target.is_relative_to(ROOT) or target.is_relative_to(ROOT / "docs"):
            return link[0]
        inside = PurePosixPath(target.relative_to(ROOT))
        named = link[1] if str(inside) in link[1] else f"{link[1]} (`{inside}`)"
        return f"[{link[1]}]({PAGES[str(inside)]})" if str(inside) in PAGES else named

    return LINK.sub(turn, text)


def read(app: Sphinx, name: str, text: list[str]) -> None:
    """Hook of Sphinx: rewrite what was read in place."""
    text[0] = turned(Path(app.env.doc2path(name)), text[0])


def setup(app: Sphinx) -> dict[str, bool]:
    """Listen to what is read."""
    app.connect("source-read", read)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
