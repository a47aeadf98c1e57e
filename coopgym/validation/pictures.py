"""The numbers of the case studies' pictures as stored data: nothing is run again to draw them.

``python -m coopgym.validation.pictures`` makes ``data/case_pictures.json`` anew.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from coopgym.validation.files import read_data
from coopgym.validation.panels import DRAWS, Band, CasePicture, Panel, Stretch

NAME = "case_pictures"
REPORTS = (1, 2, 3, 4)
DIGITS = 5  # that count


def stored() -> dict[str, CasePicture]:
    """By case."""
    return {case: _picture(given) for case, given in read_data(NAME)["cases"].items()}


def made(draws: int = DRAWS) -> dict[str, Any]:
    """What the file holds, computed."""
    rooms = [importlib.import_module(f"coopgym.validation.report{k}.picture") for k in REPORTS]
    about = f"Numbers of the pictures of the four case studies; envelopes are of {draws:,} random models."
    return {
        "about": about,
        "cases": {picture.case: _plain(asdict(picture)) for room in rooms for picture in [room.picture(draws)]},
    }


def _picture(given: Mapping[str, Any]) -> CasePicture:
    phases = tuple(Stretch(**phase) for phase in given["phases"])
    return CasePicture(**{**given, "phases": phases, "panels": tuple(_panel(panel) for panel in given["panels"])})


def _panel(given: Mapping[str, Any]) -> Panel:
    documented = {name: (np.array(x), np.array(y)) for name, (x, y) in (given["documented"] or {}).items()}
    low, high = given["envelope"]
    return Panel(
        title=given["title"], x=np.array(given["x"]), envelope=(np.array(low), np.array(high)),
        models={name: np.array(y) for name, y in given["models"].items()}, forms=tuple(given["forms"]),
        bands=tuple(Band(**band) for band in given["bands"]), documented=documented or None, log=given["log"],
    )  # fmt: skip


def _plain(content: Any) -> Any:
    if isinstance(content, Mapping):
        return {name: _plain(x) for name, x in content.items()}
    if isinstance(content, (list, tuple)):
        return [_plain(x) for x in content]
    if hasattr(content, "tolist"):
        return _plain(content.tolist())
    return float(f"{content:.{DIGITS}g}") if isinstance(content, float) else content


def write(path: str | Path) -> None:
    """As JSON, a case a line."""
    found = made()
    cases = ",\n".join(f"{json.dumps(case)}: {json.dumps(given)}" for case, given in found["cases"].items())
    text = f'{{"about": {json.dumps(found["about"])}, "cases": {{\n{cases}\n}}}}\n'
    Path(path).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write(Path(__file__).parent / "data" / f"{NAME}.json")
