"""Docstrings are plain prose: ``name: meaning`` after a sentence becomes a row of a list, and no character is markup.

Only double backticks, lists and blank lines mean something. A name is a parameter of what is documented.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any

from sphinx.application import Sphinx
from sphinx.util.inspect import stringify_signature

LITERAL = re.compile(r"(``.*?``)")
MARKUP = re.compile(r"[*|\\]|(?<=\w)_(?!\w)|(?<!`)`(?!`)")
AFTER = re.compile(r"(?<=[.)]) (?=Raises |With |``|A |Runs |Nothing )")  # sentences after a list that are not of its last row
UNSAID = "(*args, **kwargs)"  # of a class whose metaclass hides what making one takes


def plain(text: str) -> str:
    """Text with markup characters escaped, literals left alone."""
    parts = LITERAL.split(text)
    return "".join(part if i % 2 else MARKUP.sub(lambda x: "\\" + x.group(), part) for i, part in enumerate(parts))


def signature(thing: Any) -> inspect.Signature:
    """What calling it takes."""
    found = inspect.signature(thing)
    if str(found) != UNSAID or not inspect.isclass(thing):
        return found
    made = inspect.signature(thing.__init__)
    return made.replace(parameters=list(made.parameters.values())[1:], return_annotation=inspect.Signature.empty)


def names_of(thing: Any) -> list[str]:
    """Parameters of a function or class, in order."""
    try:
        return list(signature(thing).parameters)
    except (TypeError, ValueError):
        return []


def marks_in(text: str, names: list[str]) -> list[re.Match[str]]:
    """Where ``name:`` begins a row. A list begins with a sentence; after a semicolon it can only go on."""
    known = "|".join(re.escape(name) for name in names)
    marks = list(re.finditer(rf"(?:^|(?<=[.;)] ))((?:{known})(?:, (?:{known}))*): ", text)) if names else []
    return [] if marks and text[: marks[0].start()].endswith("; ") else marks


def fields(paragraph: str, names: list[str]) -> Iterator[str]:
    """Lines of a paragraph: the words before the first ``name:``, a row for each, and what comes after them."""
    marks = marks_in(paragraph.replace("\n", " "), names)
    starts = [mark.start() for mark in marks] + [len(paragraph)]
    yield from plain(paragraph[: starts[0]]).strip().splitlines()
    yield ""
    after = []
    for mark, end in zip(marks, starts[1:], strict=True):
        meaning, *more = AFTER.split(" ".join(paragraph[mark.end() : end].split()), maxsplit=1)
        first, *others = mark.group(1).split(", ")
        yield f":param {first}: {plain(meaning.rstrip(';'))}"
        yield from (f":param {name}: see ``{first}``" for name in others)
        after += more
    yield from ("", *map(plain, after))


def render(app: Sphinx, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """Hook of autodoc: rewrite ``lines`` in place."""
    names = names_of(thing) if what in ("function", "method", "class") else []
    paragraphs = re.split(r"\n\s*\n", "\n".join(lines).strip())
    lines[:] = [line for paragraph in paragraphs for line in (*fields(paragraph, names), "")]


def sign(
    app: Sphinx, what: str, name: str, thing: Any, options: Any, arguments: str | None, returns: str | None
) -> Any:
    """Hook of autodoc: what is shown as the call. None of a model that checks itself (pydantic's): nobody makes one."""
    if hasattr(thing, "model_fields"):
        return "", ""
    if arguments == UNSAID and what == "class":
        return stringify_signature(signature(thing), unqualified_typehints=True), returns
    return (arguments.replace("<factory>", "..."), returns) if arguments else None


def setup(app: Sphinx) -> dict[str, bool]:
    """Listen to autodoc."""
    app.connect("autodoc-process-docstring", render)
    app.connect("autodoc-process-signature", sign)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
