"""Panels as one HTML page. All text is escaped here, and nowhere else; nothing on the page asks for anything outside.

Data of charts stand in the page as JSON. The scripts are allowed by their hashes alone, so that even a text that got
through could not run.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
import unicodedata
from collections.abc import Sequence
from importlib import import_module
from importlib.resources import files
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FunctionLoader
from markupsafe import Markup

from coopgym.report.page.panel import Chart, Panel, Table
from coopgym.report.page.words import number
from coopgym.study.columns import COLUMNS

MOST = 5_600_000  # bytes of a page with Plotly as it is; a larger one holds it compressed
FIGURES = re.compile(r"([-+]?[\d.,]+(e[-+]?\d+)?%?( \[.*\])?|\N{EN DASH})$")  # numbers as text
TURNS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
DIGITS = 6  # of the numbers in charts
TAG = re.compile(r"<(?!/?(?:b|i|br|sub|sup|extra)\s*/?>)")  # Plotly draws a few tags in texts; others are text here
ASSETS = files("coopgym.report.page").joinpath("assets")


def page(title: str, about: str, panels: Sequence[Panel], made: str, files_beside: Sequence[str] = ()) -> bytes:
    """The whole page as UTF-8. about: what it is of, in a line; made: by what and when; files_beside: linked names."""
    code, plotly = asset("page.js"), _plotly()
    parts = {
        "title": title, "about": about, "panels": panels, "made": made, "beside": files_beside,
        "style": asset("style.css"), "code": code, "policy": _policy(code, plotly),
        "charts": any(panel.charts for panel in panels),
    }  # fmt: skip
    template = _environment().get_template("template.html")
    content: bytes = template.render(**parts, plotly=plotly, packed="").encode("utf-8", errors="replace")
    if len(content) > MOST:
        packed = base64.b64encode(gzip.compress(plotly.encode(), mtime=0)).decode()
        content = template.render(**parts, plotly="", packed=packed).encode("utf-8", errors="replace")
    return content


def asset(name: str) -> str:
    """A file of the folder assets/."""
    return ASSETS.joinpath(name).read_text(encoding="utf-8")


def _plotly() -> str:
    """The library that draws, as a browser reads it: its hash is of that text."""
    return str(import_module("plotly.offline").get_plotlyjs()).replace("\r\n", "\n").replace("\r", "\n")


def _environment() -> Environment:
    made = Environment(autoescape=True, loader=FunctionLoader(asset), finalize=visible, trim_blocks=True)
    made.filters |= {
        "cell": number, "figure": figure_json, "heading": heading, "height": _height, "raw": _raw, "json": _json,
        "url": quote, "numeric": numeric,
    }  # fmt: skip
    made.tests["number"] = _is_number
    made.globals["columns"] = COLUMNS["audits"] | COLUMNS["runs"]
    return made


def visible(value: Any) -> Any:
    """A text in which what would be invisible, or turn the text around it, is spelled out."""
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    return "".join(c if c in "\n\t" or not _hidden(c) else f"\\u{ord(c):04x}" for c in value)


def _hidden(char: str) -> bool:
    """Control characters, overrides of direction, lone surrogates; joiners of scripts and emoji stay."""
    return (
        unicodedata.category(char) in ("Cc", "Cs") or char in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
    )


def heading(chart: Chart) -> str:
    """The title of a figure, which the page shows above it."""
    title = chart.figure.get("layout", {}).get("title", "")
    return str(title.get("text", "") if hasattr(title, "get") else title)


def figure_json(chart: Chart) -> Markup:
    """Data and layout as JSON that nothing in it can end."""
    layout = {key: x for key, x in chart.figure.get("layout", {}).items() if key != "title"}
    return _json({"data": chart.figure.get("data", []), "layout": layout})


def _json(value: Any) -> Markup:
    text = json.dumps(_drawn(value), allow_nan=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026").replace("'", "\\u0027"))


def _drawn(value: Any) -> Any:
    """Plain data: numbers with six digits, null for what is not finite, texts in which only plain tags are left."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, dict) or hasattr(value, "items"):
        return {str(key): _drawn(x) for key, x in value.items()}
    if isinstance(value, list | tuple):
        return [_drawn(x) for x in value]
    if isinstance(value, str):
        return visible(TAG.sub("&lt;", value))
    if isinstance(value, bool) or value is None:
        return value
    return _digits(value)


def _digits(value: Any) -> Any:
    try:
        x = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    if not abs(x) < float("inf"):
        return None
    return int(x) if x.is_integer() and abs(x) < 1e15 else float(f"{x:.{DIGITS}g}")


def numeric(table: Table) -> list[bool]:
    """Of each column whether all that stands in it is a number, maybe with an interval: then it is set to the right."""

    def figures(x: Any) -> bool:
        return _is_number(x) or (isinstance(x, str) and FIGURES.match(x) is not None)

    columns = zip(*table.rows, strict=True)
    return [all(x is None or figures(x) for x in column) for column in columns] or [False] * len(table.columns)


def _height(chart: Chart) -> int:
    """Pixels that the page keeps free for a chart that is not drawn yet."""
    height = chart.figure.get("layout", {}).get("height", 420)
    return int(height) if _is_number(height) else 420


def _is_number(x: Any) -> bool:
    return isinstance(x, int | float) and not isinstance(x, bool)


def _raw(value: Any) -> str:
    """A number as it is stored; "" for what its text says in full."""
    if not _is_number(value):
        return ""
    text = repr(value)
    return "" if text == number(value) or len(text) > 320 else text


def _policy(*scripts: str) -> str:
    """What the page may do: these scripts and its own styles and pictures, nothing from outside."""
    hashes = " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(s.encode()).digest()).decode()}'" for s in scripts)
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; "
        "form-action 'none'"
    )
