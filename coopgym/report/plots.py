"""The picture of an ablation: learning curves above, outcomes below, the best constant policy as yardstick."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import EngFormatter, PercentFormatter

from coopgym.files import PICTURE, write_picture
from coopgym.statistics import MEAN, mean_interval
from coopgym.study.identity import labels
from coopgym.study.summary import Line, cooperation_rate, mode_label, summarise

Row = Mapping[str, Any]

COLOURS = {"private": "#D55E00", "integrated": "#0072B2", "cooperative": "#009E73"}  # Okabe and Ito (2008)
MARKERS = "osD^vPX*"
INK, FAINT = "#333333", "#8A8A8A"
DASHES = (0, (5, 3))
STYLE: Any = {
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.labelsize": 10,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#E6E6E6",
    "xtick.color": INK,
    "ytick.color": INK,
    "text.color": INK,
    "svg.hashsalt": "coopgym",  # ids in an SVG are drawn from it
    "svg.fonttype": "none",  # text stays text
    "pdf.fonttype": 42,  # TrueType: journals refuse Type 3
    "ps.fonttype": 42,
}
TOLD: dict[str, dict[str, Any]] = {  # what a file says of its making: the program, no date, so the same bytes each time
    ".png": {"metadata": {"Software": PICTURE}},
    ".svg": {"metadata": {"Creator": PICTURE, "Date": None}},
    ".pdf": {"metadata": {"Creator": PICTURE, "Producer": None, "CreationDate": None}},
    ".eps": {"metadata": {"Creator": PICTURE}},
    ".jpg": {"pil_kwargs": {"comment": PICTURE.encode()}},
    ".tif": {"pil_kwargs": {"software": PICTURE}},
    ".webp": {"pil_kwargs": {"xmp": PICTURE.encode()}},
}
SAME = {".jpeg": ".jpg", ".tiff": ".tif"}


def plot_ablation(runs: Sequence[Row], curves: Sequence[Row], path: str | Path) -> Path:
    """Save a picture made from the records of one game, and return its path.

    runs and curves are rows of the tables of those names. Raises ValueError when no run succeeded, or when the runs are
    of several games.
    """
    lines, named = summarise(runs), labels(runs)
    runs = [{**row, "game": named.game(row), "algorithm": named.player(row)} for row in runs]
    games = sorted({line.game for line in lines})
    if len(games) != 1:
        raise ValueError(f"runs are of {games or 'no finished game'}; a picture shows exactly one game")
    modes = list(dict.fromkeys(line.reward_mode for line in lines))
    algorithms = list(dict.fromkeys(line.algorithm for line in lines))
    trained = {row["algorithm"] for row in runs if row["kind"] == "learner"}
    learners = [name for name in algorithms if name in trained]
    look = look_of(modes)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(11.0, 7.6 if learners else 4.0), dpi=110, layout="constrained")
        halves: Any = figure.subfigures(2, 1, height_ratios=(1.15, 1.0)) if learners else (None, figure)
        top, bottom = halves
        if learners:
            _draw_curves(top.subplots(1, len(learners), sharey=True, squeeze=False)[0], learners, runs, curves, look)
        _draw_outcomes(bottom.subplots(1, 3), lines, runs, algorithms, look)
        _draw_heading(figure, games[0], lines, look)
        return save(figure, path)


def save(figure: Figure, path: str | Path) -> Path:
    """Write a picture of the kind that its ending says; it replaces a picture of ours only.

    Raises:
        ValueError: For another ending.
        OverwriteError: If something else has this name.
    """
    target = Path(path)
    ending = SAME.get(target.suffix.lower(), target.suffix.lower())
    if ending not in TOLD:
        known = ", ".join([*TOLD, *SAME])
        raise ValueError(f"path={str(path)!r} must end in {known}: a picture is stored as one of them")
    kept = io.BytesIO()
    figure.savefig(kept, format=ending[1:], **TOLD[ending])
    write_picture(target, kept.getvalue())
    return target


def look_of(modes: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Colour and marker of each reward mode; a sweep of mutuality runs along a colour scale instead."""
    if all(mode in COLOURS for mode in modes):
        return {mode: (COLOURS[mode], MARKERS[list(COLOURS).index(mode)]) for mode in modes}
    scale = matplotlib.colormaps["viridis"](np.linspace(0.0, 0.9, len(modes)))
    return {
        mode: (matplotlib.colors.to_hex(colour), MARKERS[i % len(MARKERS)])
        for i, (mode, colour) in enumerate(zip(modes, scale, strict=True))
    }


def _draw_curves(
    axes: Sequence[Axes], algorithms: Sequence[str], runs: Sequence[Row], curves: Sequence[Row], look: Mapping[str, Any]
) -> None:
    points = {row["run_id"]: row for row in curves if row["metric"] == "welfare_eval" and row["agent"] == -1}
    best = runs[0]["best_constant_welfare"]
    for axis, algorithm in zip(axes, algorithms, strict=True):
        for mode, (colour, _) in look.items():
            chosen = [points[row["run_id"]] for row in _of(runs, algorithm, mode) if row["run_id"] in points]
            if chosen:
                shortest = min(len(row["value"]) for row in chosen)
                mean, low, high = mean_interval(np.array([row["value"][:shortest] for row in chosen]))
                steps = chosen[0]["env_steps"][:shortest]
                axis.plot(steps, mean, color=colour, linewidth=2.0)
                axis.fill_between(steps, low, high, color=colour, alpha=0.18, linewidth=0.0)
        if best is not None:
            axis.axhline(best, color=INK, linewidth=1.2, linestyle=DASHES)
        axis.set_title(f"{algorithm} learning", loc="left")
        axis.set_xlabel("environment steps per seed")
        axis.xaxis.set_major_formatter(EngFormatter(sep=""))
        axis.margins(x=0.01)
    axes[0].set_ylabel("welfare per episode\n[payoff, sum over agents]")
    axes[0].yaxis.set_major_formatter(EngFormatter(sep=""))


def _draw_outcomes(
    axes: Sequence[Axes], lines: Sequence[Line], runs: Sequence[Row], algorithms: Sequence[str], look: Mapping[str, Any]
) -> None:
    welfare, cooperation, trust = axes
    best = lines[0].best_constant
    _draw_dots(
        welfare, lines, runs, algorithms, look, "welfare", lambda row: row["welfare"], 1.0 / best if best else 1.0
    )
    _draw_dots(cooperation, lines, runs, algorithms, look, "cooperation", cooperation_rate, 1.0)
    _draw_dots(trust, lines, runs, algorithms, look, "trust", lambda row: row["final_trust"], 1.0)
    welfare.set_title("Final welfare", loc="left")
    welfare.set_ylabel("share of the best constant" if best else "payoff, sum over agents")
    if best:
        welfare.axhline(1.0, color=INK, linewidth=1.2, linestyle=DASHES)
        welfare.yaxis.set_major_formatter(PercentFormatter(1.0))
    cooperation.set_title("Cooperation", loc="left")
    cooperation.set_ylabel("share of endowment given")
    trust.set_title("Final trust", loc="left")
    trust.set_ylabel("mean over pairs of agents")
    cooperation.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    for axis in (cooperation, trust):
        axis.set_ylim(-0.03, 1.03)


def _draw_dots(
    axis: Axes,
    lines: Sequence[Line],
    runs: Sequence[Row],
    algorithms: Sequence[str],
    look: Mapping[str, tuple[str, str]],
    quantity: str,
    value: Any,
    factor: float,
) -> None:
    """Means with intervals, and beside each its seeds as small dots; algorithms along x, reward modes by colour."""
    modes = list(look)
    width = 0.7 / len(modes)
    for line in lines:
        colour, marker = look[line.reward_mode]
        centre = algorithms.index(line.algorithm) + (modes.index(line.reward_mode) - (len(modes) - 1) / 2) * width
        own = [factor * value(row) for row in _of(runs, line.algorithm, line.reward_mode)]
        axis.scatter(np.full(len(own), centre + 0.32 * width), own, s=10, color=colour, alpha=0.45, linewidths=0.0)
        found = getattr(line, quantity) * factor
        if found.low is not None:
            axis.vlines(centre, found.low, found.high, color=colour, linewidth=3.0, alpha=0.75)
        axis.plot(centre, found.mean, marker=marker, markersize=7, color=colour, markeredgecolor="white")
    axis.set_xticks(range(len(algorithms)), algorithms)
    axis.set_xlim(-0.6, len(algorithms) - 0.4)
    axis.grid(False, axis="x")


def _draw_heading(figure: Figure, game: str, lines: Sequence[Line], look: Mapping[str, tuple[str, str]]) -> None:
    handles = [
        Line2D([], [], color=colour, marker=marker, markersize=7, markeredgecolor="white", label=mode)
        for mode, (colour, marker) in look.items()
    ]
    handles.append(Line2D([], [], color=INK, linewidth=1.2, linestyle=DASHES, label="best constant policy"))
    fewest, most = min(line.runs for line in lines), max(line.runs for line in lines)
    seeds = f"{most}" if fewest == most else f"{fewest} to {most}"
    key = f"Colour: reward mode trained on. Bands and bars: {MEAN} of the mean"
    figure.suptitle(f"{game}: the same game, trained on {len(look)} reward modes", fontsize=14, fontweight="bold")
    figure.legend(
        handles=handles,
        loc="outside lower center",
        ncols=min(len(handles), 6),
        frameon=False,
        title=f"{key} of {seeds} seeds; small dots: single seeds",
        title_fontsize=9,
    )


def _of(runs: Sequence[Row], algorithm: str, mode: str) -> list[Row]:
    return [r for r in runs if r["algorithm"] == algorithm and mode_label(r) == mode and r["status"] == "ok"]
