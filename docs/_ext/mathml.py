"""Formulas as MathML, which browsers draw by themselves: no script, no font and no request."""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.util import logging

LEFT_OVER = re.compile(r">\s*(?:\\\w+|&)\s*<")  # what the converter does not know, it hands on as text
BAR = '<mo stretchy="false">&#x0007C;</mo>'


def mathml(node: nodes.math | nodes.math_block, display: str) -> str:
    """The formula of a node; a warning if not all of it could be converted."""
    formula = convert(node.astext(), display=display)
    if LEFT_OVER.search(formula):
        logging.getLogger(__name__).warning("latex2mathml does not know all of %r", node.astext(), location=node)
    return formula.replace(BAR, BAR.replace("<mo", '<mo lspace="0" rspace="0"'))


def inline(writer: Any, node: nodes.math) -> None:
    """A formula in a line of text."""
    writer.body.append(mathml(node, "inline"))
    raise nodes.SkipNode


def block(writer: Any, node: nodes.math_block) -> None:
    """A formula of its own, with its number where it has one."""
    number = f'<span class="eqno">({node["number"]})</span>' if node.get("number") else ""
    anchor = f' id="{node["ids"][0]}"' if node["ids"] else ""
    writer.body.append(f'<div class="math"{anchor} tabindex="0">{number}{mathml(node, "block")}</div>\n')
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    """Enter the renderer under the name ``mathml``."""
    app.add_html_math_renderer("mathml", (inline, None), (block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
