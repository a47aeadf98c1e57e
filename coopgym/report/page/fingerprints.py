"""Fingerprints in Ashlock's manner: what a strategy earns among probes around TitForTat."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from coopgym.report.page.audited import Audited, audited, modes
from coopgym.report.page.figures import Figure
from coopgym.report.page.material import Material
from coopgym.report.page.panel import Chart, Panel, Table
from coopgym.report.page.slices import Slice, by_learner
from coopgym.report.page.strata import Spread, rounded, short, spread
from coopgym.report.page.words import around, counted, listed

METRIC = "fingerprint"
CORNERS = {"never give": (0.0, 1.0), "TitForTat": (0.0, 0.0), "always give": (1.0, 0.0)}  # of the plane
WIDEST = 4  # reward modes beside each other
LOW, HIGH = 0.02, 1.0  # least and largest distance from 1 that the colours span
Plane = tuple[list[float], list[float]]


def panel(material: Material) -> Panel | None:
    """None where no audit has kept a fingerprint."""
    found = audited(material)
    if found is None or not found.has(METRIC):
        return None
    plane = found.places(found.rows, METRIC)
    if not plane[0] or len(plane[0]) != len(plane[1]):
        return None
    order = modes(material, found.rows)
    drawn, left = by_learner(found)
    each = {(part.name, mode): own for part in drawn for mode in order if (own := _pooled(found, part, mode, plane))}
    away = _away(list(each.values()))
    shown = _few(order)
    charts = [chart for part in drawn if (chart := _chart(part, shown, each, plane, away))]
    notes = [left] if left else []
    if len(shown) < len(order):
        notes.append(f"Drawn are {listed(shown)} of {counted(len(order), 'reward mode')}; the table has all.")
    return Panel(
        "fingerprints", "Fingerprints", _lead(each, drawn[0], order, plane), tuple(charts),
        (_table(drawn, order, each, plane),), tuple(notes),
    )  # fmt: skip


def _pooled(found: Audited, part: Slice, mode: str, plane: Plane) -> Spread | None:
    own = spread([found.values(rows, METRIC, plane[0]) for rows in part.strata(mode)])
    return own if own is not None and np.isfinite(own.mean).any() else None


def _away(all_: Sequence[Spread]) -> float:
    """How far from 1 the colours go: as far as most of what is drawn."""
    distance = np.concatenate([np.abs(own.mean[np.isfinite(own.mean)] - 1.0) for own in all_] or [np.zeros(1)])
    return float(np.clip(np.quantile(distance, 0.98), LOW, HIGH))


def _few(order: Sequence[str]) -> list[str]:
    places = np.linspace(0, len(order) - 1, min(WIDEST, len(order)))
    return [order[k] for k in np.unique(places.round().astype(int))]


def _chart(
    part: Slice, shown: Sequence[str], each: dict[tuple[str, str], Spread], plane: Plane, away: float
) -> Chart | None:
    """A triangle for each mode, beside each other."""
    own = {mode: each[part.name, mode] for mode in shown if (part.name, mode) in each}
    if not own:
        return None
    figure = _triangles(part.name, {mode: found.mean for mode, found in own.items()}, plane, away)
    told = [f"{mode}: {_corners(found, plane)}" for mode, found in own.items()]
    caption = (
        f"Mean payoff of {counted(sum(found.runs for found in own.values()), 'run')} among probes over that among "
        "their own partners: 1 is as much. A probe gives all with its part x (across), nothing with y (up), and "
        "answers in kind with the rest."
    )
    return Chart(figure, f"Fingerprints of {part.name}. {'; '.join(told)}.", caption)


def _triangles(title: str, own: dict[str, np.ndarray], plane: Plane, away: float) -> Figure:
    data: list[Figure] = []
    layout: Figure = {
        "title": {"text": title}, "height": 230,
        "grid": {"rows": 1, "columns": len(own), "pattern": "independent", "xgap": 0.12},
        "coloraxis": {
            "colorscale": "RdBu", "reversescale": True, "cmid": 1.0, "cmin": rounded(1.0 - away),
            "cmax": rounded(1.0 + away), "colorbar": {"thickness": 10, "len": 0.9, "title": {"text": ""}},
        },
    }  # fmt: skip
    levels = sorted(set(plane[0]))
    for k, (mode, values) in enumerate(own.items()):
        end = "" if k == 0 else str(k + 1)
        data.append({
            "type": "heatmap", "x": levels, "y": levels, "z": _tiles(plane, values, levels), "name": mode,
            "showlegend": False, "coloraxis": "coloraxis", "xaxis": f"x{end}", "yaxis": f"y{end}", "xgap": 1, "ygap": 1,
            "hovertemplate": f"{mode}<br>x %{{x}}, y %{{y}}: %{{z}}<extra></extra>",
        })  # fmt: skip
        ticks = {"tickvals": [0.0, 0.5, 1.0], "showgrid": False, "zeroline": False, "range": [-0.12, 1.12]}
        layout[f"xaxis{end}"] = ticks | {"title": {"text": mode, "font": {"size": 10}}}
        layout[f"yaxis{end}"] = ticks | ({"title": {"text": "part y"}} if k == 0 else {"showticklabels": False})
    return {"data": data, "layout": layout}


def _tiles(plane: Plane, values: np.ndarray, levels: Sequence[float]) -> list[list[float | None]]:
    """Rows of y, columns of x."""
    place = {level: k for k, level in enumerate(levels)}
    tiles = np.full((len(levels), len(levels)), np.nan)
    for x, y, value in zip(*plane, values, strict=True):
        near = min(place, key=lambda level: abs(level - y))
        tiles[place[near], place[x]] = value
    return [short(line) for line in tiles]


def _corner(own: Spread, plane: Plane, where: tuple[float, float]) -> str:
    there = [k for k, at in enumerate(zip(*plane, strict=True)) if np.allclose(at, where, atol=1e-6)]
    return around(own.at(there[0]) if there else None, 3)


def _corners(own: Spread, plane: Plane) -> str:
    return ", ".join(f"{name} {_corner(own, plane, where)}" for name, where in CORNERS.items())


def _table(drawn: Sequence[Slice], order: Sequence[str], each: dict[tuple[str, str], Spread], plane: Plane) -> Table:
    rows: list[tuple[str | int, ...]] = []
    links = []
    for part in drawn:
        for mode in order:
            own = each.get((part.name, mode))
            if own is not None:
                rows.append((part.name, mode, own.runs, *(_corner(own, plane, where) for where in CORNERS.values())))
                links.append(part.link | {"reward_mode": mode})
    caption = (
        "Payoff of the audited agent among partners who never give, who play TitForTat, and who always give, over its "
        "payoff among its own partners. Means with 95% intervals over seeds."
    )
    return Table(("learner", "rewards", "runs", *CORNERS), tuple(rows), caption, tuple(links))


def _lead(each: dict[tuple[str, str], Spread], first: Slice, order: Sequence[str], plane: Plane) -> str:
    said = [f"{mode} rewards: {_corners(own, plane)}" for mode in order if (own := each.get((first.name, mode)))]
    about = "Payoff among partners who never give, play TitForTat or always give, over that among own partners."
    return f"{first.lead}{about} {'; '.join(said)}."
