"""How tables and JSON look, in every command."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

NEVER_CUT = ("concept", "game", "algorithm", "reward mode", "welfare", "mode", "program")


def table(*columns: tuple[str, str]) -> Table:
    """An empty table; a column is a heading and "r" for one of numbers."""
    made = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for name, side in columns:
        made.add_column(name, justify="right" if side else "left", no_wrap=name in NEVER_CUT)
    return made


def console() -> Console:
    """Rich's guess for a terminal; 120 columns where stdout is a file or a pipe."""
    fixed = not sys.stdout.isatty() and "COLUMNS" not in os.environ
    return Console(width=120 if fixed else None)


def as_json(content: Any) -> None:
    """On stdout, where a value that JSON does not know becomes text."""
    print(json.dumps(content, indent=2, default=str, allow_nan=False))
