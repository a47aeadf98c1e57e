"""The picture of a game's answers: what each concept plays, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from coopgym.envs.catalogue import game as make_game
from coopgym.oracles.result import Solution
from coopgym.report.plots import STYLE, save

FEW = 6  # agents that get a line of their own


def plot_solutions(solutions: Sequence[Solution], path: str | Path) -> Path:
    """Save a PNG with one panel for each solution (all of one game), and return its path.

    Raises ValueError without a solution, or when they are of several games.
    """
    games = {solution.game for solution in solutions}
    if len(games) != 1:
        raise ValueError(f"solutions are of {sorted(games) or 'no game'}; a picture shows exactly one game")
    columns = min(3, len(solutions))
    rows = -(-len(solutions) // columns)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(4.0 * columns + 1.0, 2.9 * rows + 0.6), dpi=110, layout="constrained")
        axes = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
        for axis, solution in zip(axes, solutions, strict=False):
            _draw(axis, solution)
        for axis in axes[len(solutions) :]:
            axis.set_visible(False)
        figure.suptitle(games.pop(), fontsize=14, fontweight="bold")
        return save(figure, path)


def _draw(axis: Axes, solution: Solution) -> None:
    game = make_game(solution.game, **solution.game_options)
    paths = np.broadcast_to(solution.actions, (game.horizon, game.n))
    different = [i for i in range(game.n) if not any(np.array_equal(paths[:, i], paths[:, j]) for j in range(i))]
    for agent in different[:FEW]:
        same = sum(np.array_equal(paths[:, agent], paths[:, j]) for j in range(game.n))
        label = game.agents[agent] + (f" and {same - 1} more" if same > 1 else "")
        axis.plot(np.arange(1, game.horizon + 1), paths[:, agent], linewidth=1.8, label=label)
    axis.set_title(f"{solution.concept} ({solution.reward_mode})", loc="left")
    axis.text(
        0.99, 0.02, f"{solution.status}, welfare {solution.welfare:,.0f}" + (" a step" * (solution.actions.ndim == 1)),
        transform=axis.transAxes, ha="right", va="bottom", fontsize=8,
    )  # fmt: skip
    axis.set_xlabel("step")
    axis.set_ylabel("action [endowment units]")
    axis.set_ylim(0.0, float(game.endowment.max()) * 1.02)
    axis.legend(frameon=False, fontsize=8)
