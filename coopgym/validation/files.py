"""The validation's own data: case studies, rubrics and recorded figures, as JSON inside the package."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any


def read_data(name: str) -> Any:
    """The content of ``data/<name>.json``."""
    return json.loads((files("coopgym.validation") / "data" / f"{name}.json").read_text(encoding="utf-8"))


def check_diagonal(name: str, matrix: list[list[float]], value: float) -> None:
    """ValueError if an actor's entry for itself is not ``value``: that contradicts what the matrix means."""
    for i, row in enumerate(matrix):
        if row[i] != value:
            raise ValueError(f"{name}[{i}][{i}]={row[i]} contradicts its meaning; an actor's own entry is {value:g}")
