"""Figures of Plotly as plain mappings: dots with intervals, lines with bands. Fonts and grounds are the page's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from coopgym.report.page.cells import Cell
from coopgym.report.page.colours import colour, symbol
from coopgym.report.plots import FAINT
from coopgym.study.summary import Estimate

Figure = dict[str, Any]
Dot = tuple[str, float, float | None, float | None]  # where, value and its interval
LINE = {"color": FAINT, "width": 1.2, "dash": "dash"}


def dots(
    series: Mapping[str, Sequence[Dot]],
    rows: Sequence[str],
    title: str,
    unit: str,
    seeds: Mapping[str, Sequence[tuple[str, float]]] | None = None,
    mark: float | None = None,
) -> Figure:
    """Values along x with intervals, a row for each name, reward modes (the series) side by side in it.

    seeds: single values by series, drawn small. mark: where a dashed line stands.
    """
    data = []
    for mode, points in (seeds or {}).items():
        data.append(_trace(mode, [(name, x, None, None) for name, x in points], small=True))
    data += [_trace(mode, points, small=False) for mode, points in series.items()]
    layout: Figure = {
        "title": {"text": title}, "height": 130 + len(rows) * max(30, 15 * len(series)), "scattermode": "group",
        "scattergap": 0.3, "xaxis": {"title": {"text": unit}, "range": _reach(data, mark)},
        "yaxis": {"type": "category", "categoryarray": list(rows), "autorange": "reversed", "automargin": True},
    }  # fmt: skip
    if mark is not None:
        layout["shapes"] = [line(x=mark)]
    return {"data": data, "layout": layout}


def _reach(data: Sequence[Figure], mark: float | None) -> list[float]:
    """Ends of an axis on which everything is seen."""
    ends = [] if mark is None else [mark]
    for trace in data:
        bars = trace.get("error_x", {})
        for i, x in enumerate(trace["x"]):
            ends += [x - (bars["arrayminus"][i] if bars else 0.0), x + (bars["array"][i] if bars else 0.0)]
    low, high = min(ends, default=0.0), max(ends, default=1.0)
    room = 0.06 * (high - low) or 0.06 * abs(high) or 1.0
    return [low - room, high + room]


def _trace(mode: str, points: Sequence[Dot], small: bool) -> Figure:
    names, values = [p[0] for p in points], [p[1] for p in points]
    shared = {
        "type": "scatter", "mode": "markers", "orientation": "h", "x": values, "y": names, "name": mode,
        "offsetgroup": mode, "legendgroup": mode,
    }  # fmt: skip
    if small:
        look = {"color": colour(mode), "size": 4, "opacity": 0.45}
        return shared | {"marker": look, "showlegend": False, "hoverinfo": "skip"}
    known = all(p[2] is not None for p in points)
    bars = {
        "type": "data", "symmetric": False, "thickness": 2, "width": 0, "color": colour(mode),
        "array": [0.0 if p[3] is None else p[3] - p[1] for p in points],
        "arrayminus": [0.0 if p[2] is None else p[1] - p[2] for p in points],
    }  # fmt: skip
    shape = symbol(mode) if known else f"{symbol(mode)}-open"
    return shared | {"marker": {"color": colour(mode), "size": 9, "symbol": shape}, "error_x": bars}


def of_cells(own: Sequence[Cell], quantity: str, title: str, unit: str, seeds: bool, mark: float | None) -> Figure:
    """``dots`` of a quantity of cells."""
    series: dict[str, list[Dot]] = {}
    single: dict[str, list[tuple[str, float]]] = {}
    for cell in own:
        found = cell.found[quantity]
        if found is not None:
            series.setdefault(cell.mode, []).append((cell.player, found.mean, found.low, found.high))
            single.setdefault(cell.mode, []).extend((cell.player, x) for x in cell.values[quantity])
    rows = list(dict.fromkeys(cell.player for cell in own))
    return dots(series, rows, title, unit, single if seeds else None, mark)


def lines(series: Mapping[str, tuple[Sequence[float], Sequence[Estimate]]], title: str, across: str, up: str) -> Figure:
    """Means over x with bands of their intervals, a colour for each reward mode (the series)."""
    data: list[Figure] = []
    for mode, (x, found) in series.items():
        shared = {"type": "scatter", "mode": "lines", "x": list(x), "name": mode, "legendgroup": mode}
        edge = shared | {"line": {"width": 0}, "showlegend": False, "hoverinfo": "skip"}
        data.append(edge | {"y": [e.mean if e.low is None else e.low for e in found]})
        high = [e.mean if e.high is None else e.high for e in found]
        data.append(edge | {"y": high, "fill": "tonexty", "fillcolor": colour(mode, 0.18)})
        data.append(shared | {"y": [e.mean for e in found], "line": {"color": colour(mode), "width": 2}})
    layout = {
        "title": {"text": title}, "height": 320, "hovermode": "x unified", "xaxis": {"title": {"text": across}},
        "yaxis": {"title": {"text": up}},
    }  # fmt: skip
    return {"data": data, "layout": layout}


def line(x: float | None = None, y: float | None = None) -> Figure:
    """A dashed line across the whole figure, at an x or at a y."""
    if x is not None:
        return {"type": "line", "xref": "x", "yref": "paper", "x0": x, "x1": x, "y0": 0, "y1": 1, "line": LINE}
    return {"type": "line", "xref": "paper", "yref": "y", "x0": 0, "x1": 1, "y0": y, "y1": y, "line": LINE}
