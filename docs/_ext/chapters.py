"""An index page of a folder brings the pages that it links to into the menu, in its order, where it has no list itself.

Such a page reads well as it stands in the repository too, where a list for the menu would be shown as code.
"""

from __future__ import annotations

import re

from sphinx.application import Sphinx

NEIGHBOUR = re.compile(r"\]\(([\w-]+)\.md(?:#[\w-]*)?\)")


def listed(text: str) -> str:
    """The page, with a list for the menu at its end."""
    if "{toctree}" in text:
        return text
    return "\n".join([text, "```{toctree}", ":hidden:", "", *dict.fromkeys(NEIGHBOUR.findall(text)), "```", ""])


def read(app: Sphinx, name: str, text: list[str]) -> None:
    """Hook of Sphinx: rewrite what was read in place."""
    if name.endswith("/index"):
        text[0] = listed(text[0])


def setup(app: Sphinx) -> dict[str, bool]:
    """Listen to what is read."""
    app.connect("source-read", read)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
