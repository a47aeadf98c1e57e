"""What an episode looks like: a panel of text, or a picture of contributions, trust and payoffs."""

from __future__ import annotations

from typing import Any

import numpy as np

from coopgym.envs.episode import Episode
from coopgym.envs.game import Game
from coopgym.extras import explained
from coopgym.mechanisms.base import State

SHOWN = 12  # agents that a text panel or the labels of a picture list one by one
BAR = 24  # characters of a full bar
SHADES = " .:-=+*#%@"  # trust from 0 to 1
COLOURS = ("#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377")  # Paul Tol's bright scheme


def render(episode: Episode, mode: str) -> str | np.ndarray:
    """The running episode as text ("ansi") or as ``uint8[height, width, 3]`` ("rgb_array").

    Raises gymnasium.error.ResetNeeded before a reset, and ImportError naming the extra where matplotlib is missing.
    """
    state = episode.current("render()")
    payoffs = np.array(episode.history or []).reshape(-1, episode.game.n)
    return text(episode.game, state, payoffs) if mode == "ansi" else picture(episode.game, state, payoffs)


def text(game: Game, state: State, payoffs: np.ndarray) -> str:
    """A panel with a line for each agent. payoffs ``[T, N]`` of the steps so far."""
    step = int(state.time)
    lines = [f"{game.id}   step {step} of {game.horizon}"]
    width = max(len(agent) for agent in game.agents)
    head = f"{'agent':{width}}  {'contribution (| baseline)':{BAR + 2}}"
    lines.append(f"{head}  {'of endowment':>15}  {'payoff':>9}  trust in")
    trust = _mean_trust(game, state)
    for i, agent in enumerate(game.agents[:SHOWN]):
        amount = f"{state.actions[i]:.1f}/{game.endowment[i]:g}" if step else "-"
        payoff = f"{payoffs[-1, i]:.2f}" if len(payoffs) else "-"
        bar = _bar(game, state, i)
        lines.append(f"{agent:{width}}  {bar}  {amount:>15}  {payoff:>9}  {trust[i]:8.2f}")
    if game.n > SHOWN:
        lines.append(f"... and {game.n - SHOWN} more agents")
    rate = f"{(state.actions / game.endowment).mean():.0%} of endowment" if step else "-"
    total = f"{payoffs[-1].mean():.2f}" if len(payoffs) else "-"
    lines.append(f"mean contribution {rate}, payoff {total}, trust {trust.mean():.2f}")
    key = "" if game.n <= 6 else f" ({SHADES[0]!r} none to {SHADES[-1]!r} full)"
    lines += [f"trust of row in column{key}", *_shades(game, state, width)]
    return "\n".join(lines)


def _mean_trust(game: Game, state: State) -> np.ndarray:
    """Mean trust of the others in each agent, ``[N]``."""
    others: np.ndarray = (state.trust.sum(0) - np.diagonal(state.trust)) / (game.n - 1)
    return others


def _bar(game: Game, state: State, agent: int) -> str:
    filled = round(BAR * float(state.actions[agent] / game.endowment[agent])) if state.time > 0 else 0
    mark = min(BAR - 1, round(BAR * float(game.baseline[agent] / game.endowment[agent])))
    cells = ["#" if k < filled else "." for k in range(BAR)]
    cells[mark] = "|"
    return f"[{''.join(cells)}]"


def _shades(game: Game, state: State, width: int) -> list[str]:
    few, rows = game.n <= 6, []
    for agent, row in zip(game.agents[:SHOWN], state.trust, strict=False):
        marks = " ".join(f"{v:.2f}" for v in row) if few else "".join(SHADES[min(9, int(10 * v))] for v in row)
        rows.append(f"{agent:{width}}  {marks}")
    return rows


def picture(game: Game, state: State, payoffs: np.ndarray) -> np.ndarray:
    """Contributions against endowment, the trust matrix, and payoffs over time. payoffs ``[T, N]``."""
    with explained('render_mode="rgb_array"'):
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    figure = Figure(figsize=(9.6, 5.4), dpi=100, facecolor="white")
    canvas = FigureCanvasAgg(figure)
    grid = figure.add_gridspec(
        2, 2, left=0.13, right=0.93, bottom=0.1, top=0.86, hspace=0.5, wspace=0.32, width_ratios=(1.25, 1.0)
    )
    figure.suptitle(f"{game.id}: step {int(state.time)} of {game.horizon}", fontsize=14, x=0.03, ha="left")
    _contributions(figure.add_subplot(grid[0, 0]), game, state)
    _trust(figure, figure.add_subplot(grid[:, 1]), game, state)
    _payoffs(figure.add_subplot(grid[1, 0]), game, payoffs)
    canvas.draw()  # type: ignore[no-untyped-call]
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()  # type: ignore[no-untyped-call]


def _contributions(axes: Any, game: Game, state: State) -> None:
    places = np.arange(game.n)
    played = state.actions if state.time > 0 else np.zeros(game.n)
    few = game.n <= SHOWN
    height = 0.8 if few else 1.0
    axes.barh(places, game.endowment, height=height, color="#e4e4e4")
    axes.barh(places, played, height=height, color=[_colour(game, i) for i in range(game.n)])
    axes.vlines(game.baseline, places - 0.5, places + 0.5, color="black", linewidth=1.5)
    axes.set(xlim=(0, 1.02 * game.endowment.max()), ylim=(game.n - 0.4, -0.6), xlabel="units of endowment")
    axes.set_title("contribution (grey: endowment, black: baseline)", fontsize=10, loc="left")
    _name(axes.yaxis, game)
    _plain(axes)


def _trust(figure: Any, axes: Any, game: Game, state: State) -> None:
    image = axes.imshow(state.trust, vmin=0.0, vmax=1.0, cmap="viridis")
    axes.set_title("trust of row in column", fontsize=10, loc="left")
    _name(axes.xaxis, game)
    _name(axes.yaxis, game)
    if game.n <= SHOWN:
        axes.tick_params(axis="x", rotation=90 if game.n > 3 else 0)
    if game.n <= 6:
        for (i, j), value in np.ndenumerate(state.trust):
            colour = "black" if value > 0.6 else "white"
            axes.text(j, i, f"{value:.2f}", ha="center", va="center", color=colour, fontsize=10)
    figure.colorbar(image, ax=axes, shrink=0.6, pad=0.03).ax.tick_params(labelsize=8)


def _payoffs(axes: Any, game: Game, payoffs: np.ndarray) -> None:
    steps = np.arange(1, len(payoffs) + 1)
    few = game.n <= len(COLOURS)
    for i in range(game.n):
        colour = _colour(game, i) if few else "#9fb6cd"
        axes.plot(steps, payoffs[:, i], color=colour, linewidth=1.5 if few else 0.6, marker="o" if few else None,
                  markersize=2)  # fmt: skip
    if not few and len(payoffs):
        axes.plot(steps, payoffs.mean(-1), color="black", linewidth=1.8)
    axes.set_xlim(0, game.horizon)
    axes.set_xlabel("step", fontsize=9)
    title = "payoff per step" if few else "payoff per step (black: mean of all agents)"
    axes.set_title(title, fontsize=10, loc="left")
    if few:  # the bars above name the colours, but only where the names stand beside them
        for i, agent in enumerate(game.agents if len(payoffs) else ()):
            axes.annotate(agent, (steps[-1], payoffs[-1, i]), (4, 0), textcoords="offset points", va="center",
                          fontsize=7, color=_colour(game, i))  # fmt: skip
    _plain(axes)


def _colour(game: Game, agent: int) -> str:
    return COLOURS[agent % len(COLOURS)] if game.n <= len(COLOURS) else COLOURS[0]


def _name(axis: Any, game: Game) -> None:
    """Agents' ids at an axis; every fifth index where there are too many to read."""
    if game.n <= SHOWN:
        axis.set_ticks(np.arange(game.n), game.agents, fontsize=8)
    else:
        axis.set_ticks(np.arange(0, game.n, 5))
        axis.set_tick_params(labelsize=8)
        axis.set_label_text(f"{game.agents[0]} to {game.agents[-1]}", fontsize=8)


def _plain(axes: Any) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)
    axes.xaxis.label.set_fontsize(8)
