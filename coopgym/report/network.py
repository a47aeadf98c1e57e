"""Agents as a drawn network: where each stands, discs for what it gives, and arcs between them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgb
from matplotlib.patches import Circle, FancyArrowPatch

from coopgym.envs.game import Game
from coopgym.report.plots import COLOURS

FIRST, OTHERS, BOND = COLOURS["private"], COLOURS["integrated"], COLOURS["cooperative"]
PALE = "#D9D9D9"
FEW = 6  # agents between whom every arc is drawn; of more, only those towards the first
NAMED = 3  # agents that are called by name; of more, the first and the others
REACH = 1.0  # distance of the agents from the middle


def places(game: Game) -> np.ndarray:
    """``[N, 2]``: two side by side; a hub in the middle of those that depend on it alone; else a ring, first on top."""
    if game.n == 2:
        return np.array([[-REACH, 0.0], [REACH, 0.0]])
    hub = not game.interdependence[1:, 1:].any()
    angles = np.pi / 2 - 2.0 * np.pi * np.arange(game.n) / game.n
    if hub:
        angles[1:] = np.pi / 4 - 2.0 * np.pi * np.arange(game.n - 1) / (game.n - 1)
    ring = REACH * np.column_stack([np.cos(angles), np.sin(angles)])
    return np.where(np.arange(game.n)[:, None] == 0, 0.0, ring) if hub else ring


def radii(game: Game) -> np.ndarray:
    """``[N]``: areas of discs are endowments; the largest touches nobody."""
    largest = {2: 0.42, 3: 0.36}.get(game.n, min(0.27, 0.8 * np.pi / game.n))
    return np.asarray(largest * np.sqrt(game.endowment / game.endowment.max()))


def pairs(game: Game) -> list[tuple[int, int]]:
    """Ordered pairs whose arc is drawn: i depends on j; among many, only those towards the first."""
    linked = zip(*np.nonzero(game.interdependence), strict=True)
    return [(int(i), int(j)) for i, j in linked if game.n <= FEW or j == 0]


def colour(agent: int) -> str:
    """The first agent stands out; the others look alike."""
    return FIRST if agent == 0 else OTHERS


def draw_arcs(axes: Axes, game: Game, strength: np.ndarray) -> None:
    """An arc from i to j for each pair, as wide and as dark as ``strength [N, N]`` in [0, 1]."""
    where, size = places(game), radii(game)
    widest = 9.0 if game.n == 2 else 6.0 if game.n <= NAMED else 3.0 if game.n <= FEW else 1.5
    scale = float(axes.get_window_extent().width) / np.diff(axes.get_xlim()).item() * 72.0 / axes.figure.dpi
    for i, j in sorted(pairs(game), key=lambda pair: strength[pair]):
        level = float(np.clip(strength[i, j], 0.0, 1.0))
        axes.add_patch(
            FancyArrowPatch(
                tuple(where[i]), tuple(where[j]), connectionstyle="arc3,rad=0.2", arrowstyle="-|>",
                mutation_scale=7.0 + 1.3 * widest * level, shrinkA=size[i] * scale + 1.0,
                shrinkB=size[j] * scale + 3.0, linewidth=0.8 + widest * level, color=shade(level), capstyle="butt",
                joinstyle="miter", zorder=1.0 + 0.5 * level,
            )
        )  # fmt: skip


def shade(level: float) -> str:
    """From a light grey at 0 to the colour of bonds at 1."""
    low, high = np.array(to_rgb(PALE)), np.array(to_rgb(BOND))
    return to_hex(low + (high - low) * (0.15 + 0.85 * level if level > 0.0 else 0.0))


def draw_agents(axes: Axes, game: Game, filled: np.ndarray, inside: np.ndarray | None = None) -> None:
    """A ring for each endowment, and in it a disc whose area is the share ``filled [N]`` of it.

    inside ``[N]``: who belongs to a coalition; the ring of who does not is dotted.
    """
    for i, ((x, y), size) in enumerate(zip(places(game), radii(game), strict=True)):
        ring = "solid" if inside is None or inside[i] else (0, (1.5, 1.5))
        disc = size * float(np.sqrt(np.clip(filled[i], 0.0, 1.0)))
        axes.add_patch(Circle((x, y), size, facecolor="white", edgecolor="none", zorder=2))
        axes.add_patch(Circle((x, y), disc, facecolor=colour(i), edgecolor="none", zorder=3))
        axes.add_patch(
            Circle((x, y), size, facecolor="none", edgecolor=colour(i), linewidth=1.5, linestyle=ring, zorder=4)
        )


def name_agents(axes: Axes, game: Game, size: float) -> None:
    """Names at few agents; of more, the first's and what the others are called."""
    where, reach = places(game), radii(game)
    for i, name in enumerate(game.agents if game.n <= NAMED else ()):
        above = where[i, 1] > 0.0
        _name(axes, where[i, 0], where[i, 1] + (1 if above else -1) * (reach[i] + 0.05), above, name, i, size)
    if game.n > NAMED:
        top, low = where[:, 1].max() + reach.max() + 0.05, where[:, 1].min() - reach.max() - 0.05
        _name(axes, 0.0, top, True, game.agents[0], 0, size)
        _name(axes, 0.0, low, False, others(game), 1, size)


def _name(axes: Axes, x: float, y: float, above: bool, words: str, agent: int, size: float) -> None:
    side = "bottom" if above else "top"
    axes.text(x, y, words, ha="center", va=side, color=colour(agent), fontsize=size, fontweight="bold", zorder=5)


def others(game: Game) -> str:
    """What the agents but the first are called: by name, or how many of which role."""
    names: Sequence[str] = game.agents[1:]
    if len(names) < NAMED:
        return " and ".join(names)
    roles = {name.rpartition("_")[0] for name in names}
    word = roles.pop() if len(roles) == 1 else "other"
    return f"{len(names)} {word[:-1] + 'ies' if word.endswith('y') else word + 's'}"


def dependence(game: Game) -> str:
    """The numbers of the matrix in words: one, or from the least to the largest."""
    linked = game.interdependence[game.interdependence > 0.0]
    low, high = linked.min(), linked.max()
    return f"{low:.2f}" if low == high else f"{low:.2f} to {high:.2f}"


def frame(axes: Axes, game: Game) -> None:
    """Limits that hold the network and its names; nothing else of the axes is seen."""
    where, size = places(game), radii(game).max()
    named = 0.055 * max(map(len, game.agents)) if game.n == 2 else 0.0  # half the width of a name
    wide, low, high = np.abs(where[:, 0]).max(), where[:, 1].min() - size, where[:, 1].max() + size
    wide += max(size + 0.12, named)
    axes.set(xlim=(-wide, wide), ylim=(low - 0.36, high + (0.36 if game.n > 2 else 0.12)), aspect="equal")
    axes.axis("off")
