"""Docstrings are plain prose: ``name: meaning`` after a sentence becomes a row of a list, and no character is markup.

Only double backticks, lists and blank lines mean something. A name is a parameter of what is documented.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any

from sphinx.application import Sphinx

LITERAL = re.compile(r"(``.*?``)")
MARKUP = re.compile(r"[*|\\]|(?<=\w)_(?!\w)|(?<!`)`(?!`)")


def plain(text: str) -> str:
    """Text with markup characters escaped, literals left alone."""
    parts = LITERAL.split(text)
    return "".join(part if i % 2 else MARKUP.sub(lambda x: "\\" + x.group(), part) for i, part in enumerate(parts))


def names_of(thing: Any) -> list[str]:
    """Parameters of a function or class, in order."""
    try:
        return list(inspect.signature(thing).parameters)
    except (TypeError, ValueError):
        return []


def fields(paragraph: str, names: list[str]) -> Iterator[str]:
    """Lines of a paragraph: the words before the first ``name:``, then a field for each."""
    if not names:
        yield from plain(paragraph).splitlines()
        return
    known = "|".join(re.escape(name) for name in names)
    marks = list(re.finditer(rf"(?:^|(?<=[.;)] ))((?:{known})(?:, (?:{known}))*): ", paragraph.replace("\n", " ")))
    starts = [mark.start() for mark in marks] + [len(paragraph)]
    yield from plain(paragraph[: starts[0]]).strip().splitlines()
    yield ""
    for mark, end in zip(marks, starts[1:], strict=True):
        meaning = " ".join(paragraph[mark.end() : end].split()).rstrip(";")
        for name in mark.group(1).split(", "):
            yield f":param {name}: {plain(meaning)}"
            meaning = f"see ``{name}``" if name == mark.group(1) else meaning


def render(app: Sphinx, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """Hook of autodoc: rewrite ``lines`` in place."""
    names = names_of(thing) if what in ("function", "method", "class") else []
    paragraphs = re.split(r"\n\s*\n", "\n".join(lines).strip())
    lines[:] = [line for paragraph in paragraphs for line in (*fields(paragraph, names), "")]


def sign(app: Sphinx, what: str, name: str, thing: Any, options: Any, arguments: str, returns: str) -> Any:
    """Hook of autodoc: a model that checks itself (of pydantic) is not made by calling it, so no call is shown."""
    return ("", "") if hasattr(thing, "model_fields") else None


def setup(app: Sphinx) -> dict[str, bool]:
    """Listen to autodoc."""
    app.connect("autodoc-process-docstring", render)
    app.connect("autodoc-process-signature", sign)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
