"""``coopgym picture``: a still picture of a game, or a short animation of an episode."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from coopgym.cli import output
from coopgym.cli.parameters import GameName, Json, file


def picture(
    game: GameName,
    animate: Annotated[bool, typer.Option("--animate", help="An animation instead, as WebP or GIF.")] = False,
    out: Annotated[
        Path | None, file("The file; GAME.png by default, GAME.webp with --animate; also PDF and SVG.")
    ] = None,
    json: Json = False,
) -> None:
    """Draw one game: its landscape, who depends on whom, and an episode that shows its mechanism.

    The episode is scripted and played by the game itself. What the picture shows is printed in words.

    Example: coopgym picture CoalitionFormation-v1 --animate
    """
    from coopgym.envs.catalogue import game as make_game
    from coopgym.report.alt import describe, describe_animation
    from coopgym.report.animation import animate_game
    from coopgym.report.portrait import plot_game

    made = make_game(game)
    target = out or Path(f"{made.id}.{'webp' if animate else 'png'}")
    path, words = (animate_game, describe_animation) if animate else (plot_game, describe)
    saved, said = path(made, target), words(made)
    output.picture(saved, said, json)
