"""The page as one text: its style and program stand in it, each known to the browser by its hash."""

from __future__ import annotations

import base64
import functools
import hashlib
import importlib
import json
from importlib.resources import files
from typing import Any, NamedTuple

ASSETS = files("coopgym.explore") / "assets"
POLICY = (
    "default-src 'none'; script-src 'self' '{script}'; style-src 'unsafe-inline'; img-src data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)  # charts carry style attributes, so styles cannot be told by a hash; no text of others ever becomes markup


class Page(NamedTuple):
    """The HTML, and the Content-Security-Policy under which it works."""

    html: str
    policy: str


def page(start: dict[str, Any]) -> Page:
    """``start``: what the program is given at its start, as plain data."""
    script, style = _asset("draw.js") + _asset("page.js"), _asset("page.css")
    data = json.dumps(start, allow_nan=False).replace("<", "\\u003c")
    html = _asset("page.html").replace("/* style */", style).replace("/* start */", data).replace("/* page */", script)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return Page(html, POLICY.format(script=f"sha256-{digest}"))


@functools.cache
def charts() -> str:
    """The library of charts, as its package keeps it."""
    return str(importlib.import_module("plotly.offline").get_plotlyjs())


def _asset(name: str) -> str:
    return (ASSETS / name).read_text(encoding="utf-8")
