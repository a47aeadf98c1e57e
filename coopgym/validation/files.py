"""The validation's own data: case studies, rubrics and recorded figures, as JSON inside the package."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any


def read_data(name: str) -> Any:
    """The content of ``data/<name>.json``."""
    return json.loads((files("coopgym.validation") / "data" / f"{name}.json").read_text(encoding="utf-8"))
