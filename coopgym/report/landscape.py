"""The picture of a game's landscape: what constants earn, and what leaving them pays, late and at every lower level."""

from __future__ import annotations

from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, PercentFormatter

from coopgym.audit.landscape.corrected import LOWER
from coopgym.audit.landscape.deviations import Deviations
from coopgym.audit.landscape.whole import Landscape
from coopgym.report.plots import COLOURS, DASHES, FAINT, INK, STYLE, save

ZERO, SELFISH, OTHERS = COLOURS["private"], COLOURS["integrated"], COLOURS["cooperative"]


def plot_landscape(found: Landscape, path: str | Path) -> Path:
    """Save a PNG with three panels, and return its path."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(13.0, 4.4), dpi=110, layout="constrained")
        surface, late, scan = figure.subplots(1, 3)
        _draw_surface(surface, found)
        _draw_late(late, found)
        _draw_scan(scan, found.corrected.scan)
        figure.suptitle(f"{found.game}: constants, and leaving them ({found.reward_mode} rewards)", fontweight="bold")
        return save(figure, path)


def _draw_surface(axis: Axes, found: Landscape) -> None:
    """Mean return at each common level; arrows from the tested levels to what the first agent gets alone at half."""
    static = found.static
    axis.plot(static.surface.levels, static.mean_returns, color=INK, linewidth=2.0, label="all at the level, mean")
    left = static.deviations
    flags, position = left.effects().exploitative[0, :, 0], left.positions[0]
    alone, level, own = (
        left.alone.rewards[0, :, 0, position],
        0.5 * left.levels,
        static.surface.base.rewards[:, position],
    )
    if not np.allclose(own, static.mean_returns):
        axis.plot(static.surface.levels, own, color=FAINT, linewidth=1.2, label=f"the same, {left.agents[0]}")
    for flagged, label in ((True, "alone: gains, the others lose"), (False, "alone: does not")):
        chosen = flags == flagged
        if chosen.any():
            face = ZERO if flagged else "white"
            axis.scatter(level[chosen], alone[chosen], s=42, color=face, edgecolor=ZERO, zorder=3, label=label)
    for x, start, end in zip(left.levels, left.base.rewards[:, position], alone, strict=True):
        axis.annotate("", (0.5 * x, end), (x, start), arrowprops={"arrowstyle": "->", "color": FAINT})
    axis.axvline(static.optimal_level, color=INK, linewidth=1.0, linestyle=DASHES, label="best common level")
    axis.set_title("Response surface", loc="left")
    axis.set_xlabel(f"common level; arrows: {left.agents[0]} alone at half")
    axis.set_ylabel("return of an agent over an episode")
    axis.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axis.yaxis.set_major_formatter(EngFormatter(sep=""))
    axis.legend(frameon=False, fontsize=8)


def _draw_late(axis: Axes, found: Landscape) -> None:
    """Changes by the step at which the first agent leaves for good: to zero, and to the selfish answer."""
    cases = (
        (found.temporal.deviations, ZERO, "to zero"),
        (found.corrected.middle.deviations, SELFISH, "to the selfish answer"),
    )
    for played, colour, label in cases:
        late = [k for k, s in enumerate(played.strategies) if s.name in ("full_defection", "late_defection")]
        starts = [played.strategies[k].parameter for k in late]
        effects, before = played.effects(), played.base.rewards[0]
        own = abs(before[played.positions[0]])
        others = abs(np.delete(before, played.positions[0]).mean())
        axis.plot(starts, effects.gain[0, 0, late] / own, color=colour, marker="o", markersize=4, label=f"own, {label}")
        axis.plot(starts, effects.others[0, 0, late] / others, color=colour, linestyle=DASHES, label=f"others, {label}")
    axis.axhline(0.0, color=INK, linewidth=1.0)
    axis.set_title(f"{played.agents[0]} leaves half, late", loc="left")
    axis.set_xlabel("step from which it does")
    axis.set_ylabel("change of the return")
    axis.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axis.legend(frameon=False, fontsize=8, loc="lower right")


def _draw_scan(axis: Axes, scan: Deviations) -> None:
    """The gain of each role at every lower level of its own, from the first step; dots where the others lose."""
    effects = scan.effects()
    shares = effects.gain[:, :, 0] / np.abs(scan.base.rewards[:, list(scan.positions)].T)
    colours = matplotlib.colormaps["viridis"](np.linspace(0.0, 0.85, len(scan.agents)))
    for share, harmful, agent, colour in zip(shares, effects.exploitative[..., 0], scan.agents, colours, strict=True):
        axis.plot(LOWER, share, color=colour, linewidth=1.5, label=agent)
        axis.scatter(LOWER[harmful], share[harmful], s=14, color=colour)
    axis.axhline(0.0, color=INK, linewidth=1.0)
    top = float(shares.max())
    if top > 0.0:  # what pays is small beside what does not
        axis.set_ylim(-1.5 * top, 1.3 * top)
    axis.set_title("Own level of each role, from the start", loc="left")
    axis.set_xlabel("own level, all others at half; dots: the others lose")
    axis.set_ylabel("own gain")
    axis.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axis.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=1))
    axis.legend(frameon=False, fontsize=8, loc="lower right")
