"""The picture of a comparison: a row of panels for each game, a line for each design."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import PercentFormatter

from coopgym.report.plots import DASHES, INK, STYLE, look_of, save
from coopgym.statistics import OF_THE_SUM

if TYPE_CHECKING:
    from coopgym.report.compare import Comparison, Line

PANELS = {"share_of_best": "Final welfare", "cooperation": "Cooperation", "trust": "Final trust"}
UNITS = {
    "share_of_best": "share of the best constant", "welfare": "payoff, sum over agents",
    "cooperation": "share of endowment given", "trust": "mean over pairs at the end",
}  # fmt: skip


def plot(found: Comparison, path: str | Path) -> Path:
    """Save it; ValueError where no run ended well."""
    lines = [line for line in found.lines if line.runs]
    if not lines:
        raise ValueError("no run ended well, so there is nothing to draw; `coopgym compare` says what was left out")
    games = list(dict.fromkeys(line.game for line in lines))
    modes = list(dict.fromkeys(line.reward_mode for line in lines))
    look = look_of([mode for mode in ("private", "integrated", "cooperative") if mode in modes]
                   + [mode for mode in modes if mode not in ("private", "integrated", "cooperative")])  # fmt: skip
    heights = [0.9 + 0.3 * sum(line.game == game for line in lines) for game in games]
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(12.0, 1.4 + sum(heights)), dpi=110, layout="constrained")
        grid: Any = figure.subplots(len(games), len(PANELS), squeeze=False, height_ratios=heights)
        for row, game in zip(grid, games, strict=True):
            _draw_game(row, [line for line in lines if line.game == game], game, look, found)
        handles = [
            Line2D([], [], color=colour, marker=marker, linestyle="", label=mode)
            for mode, (colour, marker) in look.items()
        ]
        key = "Colour: reward mode trained on. Bars: 95% interval of the mean over seeds; small dots: single runs"
        if any(line.team for line in lines):
            key += f"\n{OF_THE_SUM}"
        figure.legend(
            handles=handles, loc="outside lower center", ncols=6, frameon=False, title=key, title_fontsize=9
        )  # fmt: skip
        return save(figure, path)


def _draw_game(
    axes: Sequence[Axes], lines: Sequence[Line], game: str, look: dict[str, tuple[str, str]], found: Comparison
) -> None:
    """Designs from above, in the order of the table; each with its modes below each other."""
    names = [f"{line.name}, {line.reward_mode}" for line in lines]
    places = -np.arange(len(lines), dtype=float)
    for axis, (measure, title) in zip(axes, PANELS.items(), strict=True):
        shown = measure if any(line.means[measure] for line in lines) else "welfare"
        for y, line in zip(places, lines, strict=True):
            colour, marker = look[line.reward_mode]
            mean = line.means[shown]
            if mean is None:
                continue
            singles = found.singles(line, shown)
            axis.scatter(singles, np.full(len(singles), y - 0.25), s=9, color=colour, alpha=0.45, linewidths=0.0)
            if mean.low is not None and mean.high is not None:
                axis.hlines(y, mean.low, mean.high, color=colour, linewidth=3.0, alpha=0.75)
            axis.plot(mean.mean, y, marker=marker, markersize=7, color=colour, markeredgecolor="white")
        axis.set_yticks(places, names if axis is axes[0] else [""] * len(names))
        axis.set_ylim(places[-1] - 0.6, 0.6)
        axis.set_title(f"{title}: {game}" if axis is axes[0] else title, loc="left")
        axis.set_xlabel(UNITS[shown])
        axis.grid(False, axis="y")
        if shown == "share_of_best":
            axis.axvline(1.0, color=INK, linewidth=1.2, linestyle=DASHES)
        if shown in ("share_of_best", "cooperation"):
            axis.xaxis.set_major_formatter(PercentFormatter(1.0))
        if shown in ("cooperation", "trust"):
            axis.set_xlim(-0.03, 1.03)
