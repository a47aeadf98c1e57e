"""What the panels on behaviour draw beside ``figures``: courses with bands, points of learners, marks of references."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from coopgym.report.page import figures
from coopgym.report.page.colours import colour, symbol
from coopgym.report.page.figures import Figure
from coopgym.report.page.strata import Spread, rounded, short
from coopgym.report.plots import FAINT
from coopgym.study.summary import Estimate

CROWDED = 4  # reward modes beyond which bands would hide each other
HEIGHT = 320
MARK = "#CC79A7"  # Okabe and Ito (2008): what is no learner
SHARES = {"range": [-0.03, 1.03], "tickformat": ".0%"}  # of an axis of rates
Where = tuple[str, float, float]  # what a point is called, x and y


def courses(series: Mapping[str, tuple[Sequence[float], Spread]], title: str, across: str, up: str) -> Figure:
    """``figures.lines`` without what is not known, and without bands where they would hide each other."""
    known = {mode: _known(x, found) for mode, (x, found) in series.items()}
    drawn = figures.lines({mode: pair for mode, pair in known.items() if pair[0]}, title, across, up)
    if len(series) > CROWDED:
        drawn["data"] = [trace for trace in drawn["data"] if trace["line"]["width"]]
    return drawn


def _known(x: Sequence[float], found: Spread) -> tuple[list[float], list[Estimate]]:
    pairs = [(place, e) for k, place in enumerate(x) if (e := found.at(k)) is not None]
    return [place for place, _ in pairs], [
        Estimate(rounded(e.mean) or 0.0, rounded(e.low), rounded(e.high)) for _, e in pairs
    ]


def curve(name: str, x: Sequence[float], y: Sequence[float], look: Figure) -> Figure:
    """A line without a band."""
    return {
        "type": "scatter", "mode": "lines", "x": short(np.asarray(x)), "y": short(np.asarray(y)), "name": name,
        "legendgroup": name, "line": {"width": 2} | look,
    }  # fmt: skip


def points(name: str, where: Sequence[Where], marker: Figure, **changes: Any) -> Figure:
    """Markers with a word on each where it is pointed at. changes: entries of the trace."""
    words, x, y = (list(part) for part in zip(*where, strict=True)) if where else ([], [], [])
    return {
        "type": "scatter", "mode": "markers", "x": short(np.array(x)), "y": short(np.array(y)), "name": name,
        "legendgroup": name, "text": words, "hovertemplate": "%{text}<br>%{x}, %{y}<extra></extra>",
        "marker": {"size": 9} | marker, **changes,
    }  # fmt: skip


def of_mode(mode: str) -> Figure:
    """The marker of a reward mode."""
    return {"color": colour(mode), "symbol": symbol(mode)}


def bars(found: Sequence[Estimate], mode: str) -> Figure:
    """Intervals of what ``points`` draws, as its ``error_x`` or ``error_y``."""
    up = [0.0 if e.high is None else e.high - e.mean for e in found]
    down = [0.0 if e.low is None else e.mean - e.low for e in found]
    look = {"thickness": 1.5, "width": 0, "color": colour(mode, 0.6)}
    return {
        "type": "data",
        "symmetric": False,
        "array": short(np.array(up)),
        "arrayminus": short(np.array(down)),
        **look,
    }


def mark(name: str, shape: str, where: Sequence[Where]) -> Figure:
    """References: an oracle's answer, the best constant policy."""
    return points(name, where, {"color": MARK, "symbol": shape, "size": 11, "line": {"width": 2, "color": MARK}})


def faint() -> Figure:
    """The line of what all learners are compared with."""
    return {"color": FAINT}


def layout(title: str, across: str, up: str, **changes: Any) -> Figure:
    """Of a chart of its own. changes: entries of the layout, of which those of the axes are added to these."""
    axes = {"xaxis": {"title": {"text": across}}, "yaxis": {"title": {"text": up}}}
    return {
        "title": {"text": title}, "height": HEIGHT,
        **{name: axis | changes.pop(name, {}) for name, axis in axes.items()}, **changes,
    }  # fmt: skip
