"""A short animation of a scripted episode: what agents give, how far they trust each other, what it pays."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from PIL import Image

from coopgym.envs.catalogue import game as make_game
from coopgym.envs.game import Game
from coopgym.files import PICTURE, check_picture, write_picture
from coopgym.report import network
from coopgym.report.plots import FAINT, INK, STYLE
from coopgym.report.scripts import Course, course

SIZE = (6.4, 5.0)  # inches, at 100 dots each
PACE, REST = 130, 2500  # milliseconds of a frame, and of the last one
LOOPS = 3
SHADED = "#F6E8DC"  # where the first agent acts
TEXT = 14.5
KEY = "arrows: trust; discs: effort; dashes: step 1"
FORMATS = (".webp", ".gif")
Colour = tuple[float, float, float]


def animate_game(game: Game | str, path: str | Path, *, steps: int | None = None, **game_options: Any) -> Path:
    """Save an animated WebP or GIF of the game's script, one frame a step, and return its path.

    steps: of the episode, fewer than the script's. Raises ValueError for another suffix, and OverwriteError where a
    file is in the way that is no picture of ours.
    """
    target = Path(path)
    if target.suffix not in FORMATS:
        raise ValueError(
            f"path={str(path)!r} must end in {' or '.join(FORMATS)}: an animation is stored as one of them"
        )
    check_picture(target)
    frames = list(pictures(course(make_game(game, **game_options), steps)))
    times = [PACE] * (len(frames) - 1) + [REST]
    how: dict[str, Any] = (
        {"format": "WEBP", "lossless": True, "quality": 100, "method": 4, "xmp": PICTURE.encode()}
        if target.suffix == ".webp"
        else {"format": "GIF", "disposal": 1, "comment": PICTURE.encode()}
    )
    kept = io.BytesIO()
    frames[0].save(kept, save_all=True, append_images=frames[1:], duration=times, loop=LOOPS, **how)
    write_picture(target, kept.getvalue())
    return target


def pictures(played: Course) -> Iterator[Image.Image]:
    """A frame for each step, all on one palette."""
    palette = Image.new("P", (1, 1))
    palette.putpalette([round(255 * x) for colour in colours() for x in colour])
    for step in range(1, played.steps + 1):
        yield _picture(played, step).quantize(palette=palette, dither=Image.Dither.NONE)


def colours() -> list[Colour]:
    """What frames are drawn with, each also paler: on white, and some on the shade behind a course."""
    white, shaded = (1.0, 1.0, 1.0), to_rgb(SHADED)
    strong = [to_rgb(one) for one in (INK, network.FIRST, network.OTHERS)]
    bonds = [to_rgb(network.shade(level)) for level in np.linspace(0.0, 1.0, 11)]
    paler = [_blend(one, white, part) for one in strong for part in (0.2, 0.4, 0.6, 0.8)]
    paler += [_blend(one, white, 0.5) for one in bonds[::3]]
    paler += [_blend(one, shaded, part) for one in strong for part in (0.35, 0.65)]
    return [white, shaded, to_rgb(FAINT), *strong, *bonds, *paler]


def _blend(colour: Colour, ground: Colour, part: float) -> Colour:
    red, green, blue = (part * x + (1.0 - part) * y for x, y in zip(colour, ground, strict=True))
    return red, green, blue


def _picture(played: Course, step: int) -> Image.Image:
    with matplotlib.rc_context({**STYLE, "axes.grid": False, "font.size": TEXT, "axes.titlesize": TEXT}):
        figure = Figure(figsize=SIZE, dpi=100, facecolor="white")
        canvas = FigureCanvasAgg(figure)
        _draw_words(figure, played, step)
        _draw_network(figure.add_axes((0.0, 0.31, 0.6, 0.53)), played, step)
        _draw_payoffs(figure.add_axes((0.63, 0.37, 0.36, 0.41)), played, step)
        _draw_course(figure.add_axes((0.07, 0.08, 0.9, 0.17)), played, step)
        canvas.draw()  # type: ignore[no-untyped-call]
        return Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3])  # type: ignore[no-untyped-call]


def caption(played: Course, step: int) -> str:
    """What the first agent does in a step."""
    rate, words = played.rates[step - 1, 0], played.script.words(step) or "cooperates"
    return f"{played.game.agents[0]} {words}: {rate:.0%}"


def _draw_words(figure: Figure, played: Course, step: int) -> None:
    game = played.game
    figure.text(0.97, 0.262, KEY, va="bottom", ha="right", fontsize=TEXT - 3.5, color=INK)
    figure.text(0.02, 0.97, game.name, va="top", fontsize=17, fontweight="bold")
    figure.text(0.98, 0.965, f"step {step} of {game.horizon}", va="top", ha="right", color=INK)
    acting = bool(played.script.words(step))
    figure.text(0.02, 0.885, caption(played, step), va="top", color=network.FIRST if acting else INK)
    event = "the game ends" if played.ended and step == played.steps else "" if played.inside[step, 0] else "expelled"
    figure.text(0.98, 0.885, event, va="top", ha="right", fontweight="bold")


def _draw_network(axes: Axes, played: Course, step: int) -> None:
    game = played.game
    network.frame(axes, game)
    axes.apply_aspect()
    network.draw_arcs(axes, game, played.trust[step])
    network.draw_agents(axes, game, played.rates[step - 1], played.inside[step])
    network.name_agents(axes, game, TEXT)


def _draw_payoffs(axes: Axes, played: Course, step: int) -> None:
    """A bar for each of few agents; of more, the first's and the others' mean. Dashes: in the first step."""
    shown = grouped(played)
    for i, value in enumerate(shown[step - 1]):
        axes.bar(i, value, width=0.66, color=network.colour(i))
        axes.plot([i - 0.42, i + 0.42], [shown[0, i]] * 2, color=INK, linewidth=1.5, linestyle=(0, (3, 2)))
        axes.text(i, 1.2 * shown.max(), f"{value:.0f}", ha="center", va="top", color=network.colour(i))
        axes.text(i, min(0.0, shown.min()), bar_name(played.game, i), ha="center", va="top", fontsize=TEXT - 3.5)
    axes.axhline(0.0, color=FAINT, linewidth=1.0)
    axes.set(xlim=(-0.6, shown.shape[1] - 0.4), ylim=(min(0.0, shown.min()), 1.2 * shown.max()))
    axes.axis("off")
    words = "payoff" if played.game.n <= network.NAMED else "payoff (others: mean)"
    axes.set_title(words, fontsize=TEXT, fontweight="normal", color=INK)


def grouped(played: Course) -> np.ndarray:
    """Payoffs ``[T, N]`` of few agents; of more ``[T, 2]``: the first's, and the mean of the others'."""
    if played.game.n <= network.NAMED:
        return played.payoffs
    return np.column_stack([played.payoffs[:, 0], played.payoffs[:, 1:].mean(-1)])


def bar_name(game: Game, bar: int) -> str:
    """What stands below a bar of ``grouped``."""
    return "others" if bar and game.n > network.NAMED else game.agents[bar]


def _draw_course(axes: Axes, played: Course, step: int) -> None:
    """What the script looks at, so far: of the first agent, and the mean of the others'."""
    shown, times = played.watched, np.arange(step + 1)
    for act in played.acts:
        axes.axvspan(act.start - 1, act.end, color=SHADED, linewidth=0.0)
    for level in played.marks:
        axes.axhline(level, color=INK, linewidth=1.2, linestyle=(0, (1, 2)))
    axes.plot(times, shown[: step + 1, 1:].mean(-1), color=network.OTHERS, linewidth=2.5)
    axes.plot(times, shown[: step + 1, 0], color=network.FIRST, linewidth=2.5)
    axes.plot([step] * 2, [shown[step, 0], shown[step, 1:].mean()], "o", color=INK, markersize=4)
    axes.set(xlim=(0, played.steps + 0.5), ylim=(-0.04, 1.06), yticks=(0, 1), xticks=(0, played.steps))
    axes.set_title(f"{played.label} each", fontsize=TEXT, fontweight="normal", loc="left", pad=3)
    axes.tick_params(labelsize=TEXT - 2, length=0)
