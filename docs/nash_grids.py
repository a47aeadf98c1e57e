"""Draws docs/nash_grids.png: how far equilibria on a grid are from those of ``coopgym.solve``, by the grid's levels.

``python docs/nash_grids.py`` writes the picture and prints its numbers.
"""

from __future__ import annotations

from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, ScalarFormatter

import coopgym
from coopgym.oracles.grid_games import MOST, GridGame
from coopgym.oracles.stage import StageGame
from coopgym.report.plots import DASHES, INK, MARKERS, STYLE

PAGE = Path(__file__).parent / "nash_grids.png"
GAMES = (
    "TrustDilemma-v1",
    "SLCD-v1",
    "PartnerHoldUp-v1",
    "GiftExchange-v1",
    "AppleAppStore-v1",
    "IndirectReciprocity-v1",
)
MODES = ("private", "integrated")
LEVELS = (6, 9, 14, 21, 33, 51, 81, 129, 201, 321)
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")  # Okabe and Ito (2008)


def distances(id: str, mode: str) -> list[tuple[int, int, float]]:
    """(K, equilibria found, the largest distance of an action of theirs from ours [endowments]) of each grid."""
    stage, ours = StageGame.of(coopgym.game(id), mode), coopgym.solve(id, "nash", mode).actions
    rows = []
    for levels in LEVELS:
        if levels**stage.n <= MOST:
            grid = GridGame(stage, levels)
            found = grid.at(grid.pure_equilibria())
            rows.append((levels, len(found), float((np.abs(found - ours) / stage.endowment).max())))
    return rows


def draw(axis: Axes, mode: str) -> None:
    """One reward mode: a line for each game, and one cell of the grid as the bound."""
    for k, id in enumerate(GAMES):
        rows = distances(id, mode)
        for levels, count, distance in rows:
            print(f"{mode:10} {id:22} K={levels:<4} {count} found, {distance:.5f} of the endowment"
                  f" = {distance * (levels - 1):.2f} cells")  # fmt: skip
        label = f"{id.removesuffix('-v1')} ({coopgym.game(id).n} agents)"
        axis.plot(*zip(*((n, d) for n, _, d in rows), strict=True), color=COLOURS[k], marker=MARKERS[k], label=label)
    axis.plot(LEVELS, [1.0 / (n - 1) for n in LEVELS], color=INK, linestyle=DASHES, label="one cell, 1/(K - 1)")
    axis.plot(LEVELS, [0.5 / (n - 1) for n in LEVELS], color=INK, linestyle=":", label="half a cell")
    axis.set(xscale="log", yscale="log", xlabel="levels K of each agent", xticks=LEVELS)
    axis.xaxis.set_major_formatter(ScalarFormatter())
    axis.xaxis.set_minor_formatter(NullFormatter())
    axis.set_title(f"{mode} rewards", loc="left")


def main() -> None:
    """Write the picture."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(11.0, 5.2), dpi=110, layout="constrained")
        axes = figure.subplots(1, 2, sharey=True)
        for axis, mode in zip(axes, MODES, strict=True):
            draw(axis, mode)
        axes[0].set_ylabel("largest distance from the solved equilibrium\n[endowments]")
        figure.suptitle("Equilibria on a grid approach the solved ones", fontsize=14, fontweight="bold")
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4, frameon=False)
        figure.savefig(PAGE, metadata={"Software": None})


if __name__ == "__main__":
    main()
