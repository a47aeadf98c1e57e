"""Pictures of audits, made from their stored rows: answers to shocks, conditional cooperation, fingerprints."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from coopgym.report.plots import DASHES, FAINT, INK, STYLE, look_of, save
from coopgym.statistics import mean_interval, sentence
from coopgym.study.identity import labels
from coopgym.study.summary import SHARE, mode_label

Row = Mapping[str, Any]
PANELS = {  # metric: title, label of x, label of y
    "answer_defection": ("A partner defects for a step", "steps since", "change of rate / size of the shock"),
    "answer_gift": ("A partner gives more for a step", "steps since", "change of rate / size of the shock"),
    "conditional_curve": ("Partners play at random", "a partner's rate before", "rate"),
}
BOUNDS = {"conditional_curve": SHARE}  # what means of a metric cannot leave


def plot_responses(rows: Sequence[Row], curves: Sequence[Row], path: str | Path) -> Path:
    """Save a PNG of how each algorithm answers its partners, and return its path; a colour for each reward mode.

    rows and curves: of the tables ``audits`` and ``audit_curves``, one game. Lines are means over seeds, bands 95%
    t intervals; changes are 0 once an episode is over. Raises ValueError where there are rows of several games,
    or none.
    """
    rows = _named(rows)
    game, algorithms, modes = _design(rows)
    look = look_of(modes)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(11.0, 1.2 + 2.5 * len(algorithms)), dpi=110, layout="constrained")
        grid: Any = figure.subplots(len(algorithms), len(PANELS), squeeze=False, sharex="col", sharey="col")
        for (a, algorithm), (m, metric) in itertools.product(enumerate(algorithms), enumerate(PANELS)):
            for mode in modes:
                _draw(grid[a, m], _values(rows, curves, algorithm, mode, metric), look[mode][0], BOUNDS.get(metric))
            _dress(grid[a, m], metric, algorithm, first=a == 0, last=a == len(algorithms) - 1)
        handles = [Line2D([], [], color=look[mode][0], label=mode) for mode in modes]
        key = f"Colour: reward mode trained on. Bands: {sentence()}"
        figure.suptitle(f"{game}: how partners are answered", fontsize=14, fontweight="bold")
        figure.legend(
            handles=handles, loc="outside lower center", ncols=6, frameon=False, title=key, title_fontsize=9
        )  # fmt: skip
        return save(figure, path)


def plot_fingerprints(rows: Sequence[Row], curves: Sequence[Row], path: str | Path) -> Path:
    """Save a PNG of fingerprints, means over seeds: algorithms by reward modes, in Ashlock's manner.

    Each triangle shows what a strategy earns among probes that give everything for a part x of their rate, nothing for
    a part y, and answer in kind with the rest. Raises ValueError as ``plot_responses`` does.
    """
    rows = _named(rows)
    game, algorithms, modes = _design(rows)
    cells = {(a, m): _values(rows, curves, a, m, "fingerprint") for a in algorithms for m in modes}
    shown = {key: (x, y, z.mean(0)) for key, (x, y, z) in cells.items() if len(z)}
    away = max((float(np.nanmax(np.abs(z - 1.0))) for *_, z in shown.values()), default=0.0) or 1e-3
    with matplotlib.rc_context(STYLE):
        size = (1.6 + 2.5 * len(modes), 1.3 + 2.3 * len(algorithms))
        figure = Figure(figsize=size, dpi=110, layout="constrained")
        grid: Any = figure.subplots(len(algorithms), len(modes), squeeze=False, sharex=True, sharey=True)
        image = None
        for (a, algorithm), (m, mode) in itertools.product(enumerate(algorithms), enumerate(modes)):
            if (algorithm, mode) in shown:
                image = _triangle(grid[a, m], *shown[algorithm, mode], away)
            _frame(grid[a, m], mode if a == 0 else "", algorithm if m == 0 else "", last=a == len(algorithms) - 1)
        if image is not None:
            figure.colorbar(image, ax=grid, label="payoff among probes / among own partners", shrink=0.8)
        figure.suptitle(f"{game}: fingerprints", fontsize=14, fontweight="bold")
        return save(figure, path)


def _named(rows: Sequence[Row]) -> list[Row]:
    """The same, with game and algorithm by what differs: see ``coopgym.study.identity``."""
    named = labels(rows)
    return [{**row, "game": named.game(row), "algorithm": named.player(row)} for row in rows]


def _design(rows: Sequence[Row]) -> tuple[str, list[str], list[str]]:
    games = sorted({row["game"] for row in rows})
    if len(games) != 1:
        raise ValueError(f"rows are of {games or 'no game'}; a picture shows exactly one game")
    return games[0], list(dict.fromkeys(r["algorithm"] for r in rows)), list(dict.fromkeys(mode_label(r) for r in rows))


def _values(
    rows: Sequence[Row], curves: Sequence[Row], algorithm: str, mode: str, metric: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(x, y, values ``[seeds, K]``) of the runs of one cell; what is missing in a curve is NaN."""
    own = [row for row in rows if row["algorithm"] == algorithm and mode_label(row) == mode]
    runs = {(row["run_id"], row.get("effort")) for row in own}
    found = [c for c in curves if (c["run_id"], c.get("effort")) in runs and c["metric"] == metric]
    if not found:
        return np.zeros(0), np.zeros(0), np.zeros((0, 0))
    x, y = (np.array(found[0][name] or [], dtype=np.float64) for name in ("x", "y"))
    values = np.array([[np.nan if v is None else v for v in c["value"]] for c in found])
    return x, y, values[~np.isnan(values).any(1)]


def _draw(
    axis: Axes, found: tuple[np.ndarray, np.ndarray, np.ndarray], colour: str, bounds: tuple[float, float] | None
) -> None:
    x, _, values = found
    if not len(values):
        return
    mean, low, high = mean_interval(values, bounds=bounds)
    axis.fill_between(x, low, high, color=colour, alpha=0.18, linewidth=0.0)
    axis.plot(x, mean, color=colour, linewidth=1.8)


def _dress(axis: Axes, metric: str, algorithm: str, *, first: bool, last: bool) -> None:
    title, across, up = PANELS[metric]
    if metric == "conditional_curve":
        axis.plot([0.0, 1.0], [0.0, 1.0], color=FAINT, linewidth=1.0, linestyle=DASHES)  # in kind
        axis.set_ylim(-0.03, 1.03)
    else:
        axis.axhline(0.0, color=FAINT, linewidth=1.0, linestyle=DASHES)
    if first:
        axis.set_title(title, loc="left")
    if last:
        axis.set_xlabel(across)
    axis.set_ylabel(f"{algorithm}\n{up}" if metric == next(iter(PANELS)) else up, color=INK)


def _triangle(axis: Axes, x: np.ndarray, y: np.ndarray, z: np.ndarray, away: float) -> Any:
    """A tile for each probe."""
    axis.grid(False)
    levels = np.unique(x)
    tiles = np.full((len(levels), len(levels)), np.nan)
    tiles[np.searchsorted(levels, y - 1e-9), np.searchsorted(levels, x - 1e-9)] = z
    return axis.pcolormesh(
        levels, levels, tiles, shading="nearest", cmap="RdBu", vmin=1.0 - away, vmax=1.0 + away
    )  # fmt: skip


def _frame(axis: Axes, mode: str, algorithm: str, *, last: bool) -> None:
    axis.set_aspect("equal")
    if mode:
        axis.set_title(mode, loc="left")
    if algorithm:
        axis.set_ylabel(f"{algorithm}\npart y that gives nothing")
    if last:
        axis.set_xlabel("part x that gives all")
