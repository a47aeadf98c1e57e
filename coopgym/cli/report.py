"""``coopgym report``: a page of what a folder's records say."""

from __future__ import annotations

import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from coopgym.cli import output
from coopgym.cli.parameters import Json, argument, file


def report(
    folder: Annotated[Path, argument("What `coopgym ablate`, `study run` or `audit` has written.", "FOLDER")],
    out: Annotated[Path | None, file("The page; FOLDER-report.html here by default.")] = None,
    title: Annotated[str | None, typer.Option(help="Its title; kind and name of the folder by default.")] = None,
    open_: Annotated[bool, typer.Option("--open", help="Show it in a browser.")] = False,
    json: Json = False,
) -> None:
    """Make one HTML page of an ablation, a study or an audit, from its records alone; it opens without a network.

    Example: coopgym report runs/ablation-AppleAppStore-v1 --open
    """
    from coopgym.report.page.build import report as make

    made = make(folder, out, title)
    if open_:
        webbrowser.open(made.path.resolve().as_uri())
    if json:
        return output.print_json(made.to_dict())
    for path, size in [(made.path, made.bytes), *([(made.csv, made.csv.stat().st_size)] if made.csv else [])]:
        output.new_console().print(f"{path} ({size / 1e6:.1f} MB)", highlight=False, markup=False, soft_wrap=True)
    return None
