"""Arguments and options that several commands share, checked before a command loads what it needs to work."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from coopgym.envs.catalogue import entry
from coopgym.envs.reward import RewardMode
from coopgym.files import OverwriteError, check_picture, output_path

PICTURES = (".png", ".pdf", ".svg", ".eps", ".jpg", ".jpeg", ".tif", ".tiff", ".webp")


def place(text: str | Path) -> str:
    """A file, folder or URL, with ``~`` for the home folder; BadParameter where it is empty."""
    if not str(text).strip():
        raise typer.BadParameter("it is empty; give the name of a file or folder")
    return str(text) if "://" in str(text) else os.path.expanduser(text)


def path(text: str | Path) -> Path:
    """A file or folder of this machine; see ``place``."""
    return Path(place(text))


def target(text: str | Path) -> Path:
    """An output on this machine; BadParameter for a URL, and see ``place``."""
    place(text)
    try:
        return output_path(text, "path")
    except ValueError as reason:
        raise typer.BadParameter(str(reason)) from reason


def lasting(text: str | Path) -> str:
    """Where a command may keep records; BadParameter where they would end with its process, and see ``place``."""
    found = place(text)
    if any(part.lower().startswith("memory:/") for part in found.split("::")):
        raise typer.BadParameter(
            f"{found!r} is the memory of this process, and what is kept there is gone when the command ends; give a "
            "folder or another URL"
        )
    return found


def drawing(text: str | Path) -> Path:
    """The file of a picture; BadParameter for a suffix of which none can be made, or where another file is there."""
    found = target(text)
    if found.suffix.lower() not in PICTURES:
        raise typer.BadParameter(f"{str(text)!r} must end in {', '.join(PICTURES)}: a picture is stored as one of them")
    try:
        check_picture(found)
    except OverwriteError as reason:
        raise typer.BadParameter(str(reason)) from reason
    return found


def game_id(name: str | None) -> str | None:
    """The full id of a game, such as ``TrustDilemma-v1``; ValueError naming the nearest where there is none."""
    if name is None:
        return None
    found, version = entry(name)
    return f"{found.name}-{version}"


def names(text: str) -> list[str]:
    """What stands between commas."""
    return [part.strip() for part in text.split(",")]


def modes(text: str | None) -> str | None:
    """``text`` if it is reward modes with commas between them; ValueError otherwise."""
    for mode in names(text) if text is not None else ():
        RewardMode.of(mode)
    return text


def in_order(algorithm: str, game: str) -> tuple[str, str]:
    """(algorithm, game), whichever came first; ValueError where neither is a game."""
    try:
        return algorithm, str(game_id(game))
    except ValueError:
        try:
            return game, str(game_id(algorithm))
        except ValueError:
            pass
        raise


def file(help: str) -> Any:
    """An option that names a file or folder to write."""
    return typer.Option(help=help, parser=target, metavar="PATH")


def records(help: str) -> Any:
    """An option that names the folder or URL of records to write."""
    return typer.Option(help=help, parser=lasting, metavar="PATH")


def plot(help: str) -> Any:
    """An option that names the file of a picture."""
    return typer.Option(help=help, parser=drawing, metavar="PATH")


def argument(help: str, name: str, parser: Any = path) -> Any:
    """An argument that names a file or folder."""
    return typer.Argument(help=help, parser=parser, metavar=name)


GameName = Annotated[
    str, typer.Argument(help="A game, e.g. TrustDilemma-v1; `coopgym list` names all.", callback=game_id)
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON on stdout and nothing else, of an error too.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing about progress.")]
Modes = Annotated[
    str,
    typer.Option(
        help="Reward modes, comma-separated; integrated:0.5 is half way from private to integrated.", callback=modes
    ),
]
Seeds = Annotated[int, typer.Option(min=1, max=10_000, help="Number of seeds: 0, 1, 2, ...")]
Steps = Annotated[int, typer.Option(min=1, max=10**12, help="Environment steps for each seed and reward mode.")]
Device = Annotated[str, typer.Option(help="auto, cpu or cuda.")]
ALL_MODES = "private,integrated,cooperative"
