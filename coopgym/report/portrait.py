"""One picture of a game: its landscape, who depends on whom, and a scripted episode."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import PercentFormatter
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from coopgym.envs.catalogue import game as make_game
from coopgym.envs.game import Game
from coopgym.files import PICTURE, check_picture, write_picture
from coopgym.report import network
from coopgym.report.animation import SHADED, grouped
from coopgym.report.plots import COLOURS, INK, STYLE, save
from coopgym.report.scripts import Course, course
from coopgym.report.surface import Surface, surface

SIZE = (9.0, 8.7)  # inches, at 100 dots each
TEXT = 15.0
CONTOURS = (0.5, 0.8, 0.9, 0.95, 0.98, 0.99)  # shares of the best welfare
SHADES = ("#F7FBFF", "#E3EEF8", "#CFE1F2", "#B5D4E9", "#93C3DF", "#6DAED5", "#4B97C9")  # light to dark with welfare
PALETTE = 160
FORMATS = (".png", ".pdf", ".svg")


def plot_game(game: Game | str, path: str | Path, **game_options: object) -> Path:
    """Save the picture of a game and return its path.

    Raises:
        ValueError: For a suffix other than .png, .pdf or .svg.
        OverwriteError: If a file is in the way that is no picture of ours.
    """
    made, target = make_game(game, **game_options), Path(path)
    if target.suffix not in FORMATS:
        raise ValueError(f"path={str(path)!r} must end in {', '.join(FORMATS)}: a picture is stored as one of them")
    check_picture(target)
    with matplotlib.rc_context({**STYLE, "font.size": TEXT, "axes.titlesize": TEXT, "axes.labelsize": TEXT}):
        figure = _figure(made)
        if target.suffix != ".png":
            return save(figure, target)
        drawn = io.BytesIO()
        figure.savefig(drawn, format="png", dpi=100)
    few = Image.open(drawn).convert("RGB").quantize(PALETTE, dither=Image.Dither.NONE)
    kept, told = io.BytesIO(), PngInfo()
    told.add_text("Software", PICTURE)
    few.save(kept, format="PNG", optimize=True, pnginfo=told)
    write_picture(target, kept.getvalue())
    return target


def _figure(game: Game) -> Figure:
    played = course(game)
    figure = Figure(figsize=SIZE, dpi=100, facecolor="white")
    figure.text(0.02, 0.985, game.id, va="top", fontsize=19, fontweight="bold")
    _draw_surface(figure.add_axes((0.13, 0.53, 0.36, 0.34)), game, surface(game))
    _draw_network(figure.add_axes((0.53, 0.485, 0.46, 0.385)), game)
    figure.text(0.02, 0.409, "An episode", va="bottom", fontweight="bold")
    figure.text(0.19, 0.41, _acts(played), va="bottom", color=network.FIRST, fontsize=TEXT - 2)
    _draw_course(figure.add_axes((0.09, 0.075, 0.38, 0.285)), played)
    _draw_payoffs(figure.add_axes((0.59, 0.075, 0.38, 0.285)), played)
    return figure


def _acts(played: Course) -> str:
    """What the first agent does, in words."""
    acts = [act.words for act in played.acts]
    return f"{played.game.agents[0]} {', then '.join(filter(None, (', '.join(acts[:-1]), acts[-1])))}"


def _draw_surface(axes: Axes, game: Game, found: Surface) -> None:
    levels = [found.welfare.min() - 1.0, *CONTOURS, 1.01]
    axes.contourf(found.rates, found.rates, found.welfare, levels=levels, colors=SHADES)
    lines = axes.contour(found.rates, found.rates, found.welfare, levels=CONTOURS, colors="white", linewidths=0.8)
    axes.clabel(lines, fmt=lambda x: f"{x:.0%}", fontsize=TEXT - 5, colors=INK)
    axes.plot(found.reply, found.rates, color=network.FIRST, linewidth=2.0, linestyle=(0, (4, 2)))
    for place, mark in zip(_marked(found), MARKS.values(), strict=True):
        axes.plot(*place, clip_on=False, zorder=4, **mark)
    axes.set(xlim=(0, 1), ylim=(0, 1), xlabel=f"effort of {game.agents[0]}", ylabel=f"effort of {_short(game)}")
    axes.set(xticks=(0, 0.5, 1), yticks=(0, 0.5, 1))
    axes.xaxis.set_major_formatter(PercentFormatter(1.0))
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.grid(False)
    axes.set_title("Welfare of one step", loc="left")
    _draw_key(axes, game)


def _short(game: Game) -> str:
    return "the others" if 2 < game.n <= network.NAMED else network.others(game)


def _draw_key(axes: Axes, game: Game) -> None:
    """What the marks are, in a row below the name of the game."""
    handles = [Line2D([], [], label=name, **mark) for name, mark in MARKS.items()]
    words = f"best reply of {game.agents[0]}"
    handles.append(Line2D([], [], color=network.FIRST, linewidth=2.0, linestyle=(0, (4, 2)), label=words))
    axes.figure.legend(
        handles=handles, loc="upper left", bbox_to_anchor=(0.0, 0.956), ncols=4, frameon=False, fontsize=TEXT - 1.5,
        handlelength=1.5, columnspacing=1.1, handletextpad=0.4,
    )  # fmt: skip


MARKS: dict[str, Any] = {
    "optimum": {
        "marker": "*", "color": COLOURS["cooperative"], "markersize": 19, "markeredgecolor": "white", "linestyle": "",
    },
    "best constant": {
        "marker": "D", "color": INK, "markersize": 10, "markerfacecolor": "none", "markeredgewidth": 2.0,
        "linestyle": "",
    },
    "Nash": {
        "marker": "o", "color": COLOURS["private"], "markersize": 11, "markeredgecolor": "white", "linestyle": "",
    },
}  # fmt: skip


def _marked(found: Surface) -> tuple[tuple[float, float], ...]:
    return found.optimum, (found.constant, found.constant), found.nash


def _draw_network(axes: Axes, game: Game) -> None:
    network.frame(axes, game)
    axes.apply_aspect()
    network.draw_arcs(axes, game, game.interdependence)
    network.draw_agents(axes, game, game.baseline / game.endowment)
    network.name_agents(axes, game, TEXT)
    axes.figure.text(0.76, 0.88, "Who depends on whom", ha="center", va="bottom", fontweight="bold")
    words = f"arrows: {network.dependence(game)}; discs: baseline {(game.baseline / game.endowment).mean():.0%}"
    axes.figure.text(0.76, 0.468, words, ha="center", va="bottom", fontsize=TEXT - 3)


def _draw_course(axes: Axes, played: Course) -> None:
    shown, times = played.watched, np.arange(played.steps + 1)
    _shade_acts(axes, played)
    for level in played.marks:
        axes.axhline(level, color=INK, linewidth=1.3, linestyle=(0, (1, 2)))
    if played.of_trust:
        axes.plot(times, played.ceiling[:, 0], color=network.FIRST, linewidth=1.2, linestyle=(0, (3, 2)))
    axes.plot(times, shown[:, 1:].mean(-1), color=network.OTHERS, linewidth=2.5)
    axes.plot(times, shown[:, 0], color=network.FIRST, linewidth=2.5)
    axes.set(xlim=(0, played.steps), ylim=(-0.03, 1.03), yticks=(0, 0.5, 1), xlabel="step")
    axes.set_title(f"{played.label[0].upper()}{played.label[1:]} each", loc="left")
    axes.grid(False)


def _draw_payoffs(axes: Axes, played: Course) -> None:
    shown, times = grouped(played), np.arange(1, played.steps + 1)
    _shade_acts(axes, played)
    for i in range(shown.shape[1] - 1, -1, -1):
        axes.step(times, shown[:, i], where="mid", color=network.colour(i), linewidth=2.5)
    axes.set(xlim=(0, played.steps), xlabel="step")
    few = played.game.n <= network.NAMED
    axes.set_title("Payoff of each" if few else "Payoff (others: mean)", loc="left")
    axes.grid(False)


def _shade_acts(axes: Axes, played: Course) -> None:
    for act in played.acts:
        axes.axvspan(act.start - 1, act.end, color=SHADED, linewidth=0.0)
