"""``coopgym study ...``: studies of many cells."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from coopgym.cli import study_output
from coopgym.cli.group import say
from coopgym.cli.parameters import Json, Quiet, argument, lasting, place
from coopgym.study.engines import NAMES

app = typer.Typer(
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Studies: any learners, games, reward modes and seeds, from one file; resumable, on any number of workers.\n\n"
    "Example: coopgym study run studies/cpu.toml --dry-run",
)

Folder = Annotated[str, argument("A folder, or URL, that `coopgym study run` has written.", "FOLDER", place)]


@app.command()
def run(
    config: Annotated[Path, argument("A TOML or YAML file; studies/ has one for each purpose.", "CONFIG")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the cells and an estimate; do nothing.")] = False,
    workers: Annotated[int | None, typer.Option(min=1, help="Programs at a time; else as many as fit.")] = None,
    engine: Annotated[str | None, typer.Option(help=f"{' or '.join(NAMES)}; the file's by default.")] = None,
    out: Annotated[
        str | None,
        typer.Option(help="Folder or URL of the records; the file's by default.", parser=lasting, metavar="PLACE"),
    ] = None,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Carry out a study; what is finished is kept, and the same command goes on where it stopped, inside a run too.

    Example: coopgym study run studies/cpu.toml --workers 2
    """
    from coopgym.study import study

    plan = study.plan(config, out, workers)
    lasting(plan.folder)
    if dry_run:
        study_output.planned(plan, json)
        return
    with study_output.watching(plan, quiet) as watcher:
        done = study.run(config, out=out, workers=workers, engine_name=engine, watcher=watcher)
    for name in done.earlier:
        say("note", f"the folder held another design of this study; its file is kept as {name}")
    for failure in done.failures:
        say("error", failure)
    study_output.status(done.status, json, done.failures)
    if done.failures:
        raise typer.Exit(1)


@app.command()
def status(folder: Folder, json: Json = False) -> None:
    """Say how far a study is: what is finished, failed, missing, and being worked on.

    Example: coopgym study status runs/cpu
    """
    from coopgym.study import study

    study_output.status(study.status(folder), json)


@app.command()
def analyze(
    folder: Folder,
    out: Annotated[
        str | None, typer.Option(help="Folder for analysis.json and analysis.md; nothing is written by default.")
    ] = None,
    json: Json = False,
) -> None:
    """Rank learners under each reward mode, contrast paradigms, count failures.

    Example: coopgym study analyze runs/cpu --out cpu-analysis
    """
    from coopgym.study import study

    study_output.analysis(*study.analyse(folder, out), json)


@app.command()
def card(
    folder: Folder,
    out: Annotated[
        str | None,
        typer.Option(
            help="Folder of the data set, new or empty; NAME-data here by default.", parser=place, metavar="PATH"
        ),
    ] = None,
    curves: Annotated[
        list[str] | None, typer.Option(help="Keep the curves of this metric alone; may be given again. All by default.")
    ] = None,
    json: Json = False,
) -> None:
    """Make a data set of a study: packed tables, Croissant manifest, datasheet, checksums; all of it checked.

    Example: coopgym study card runs/cpu --out data_cards/cpu --curves welfare_eval
    """
    from coopgym.study.cards.card import make

    study_output.card(make(folder, out, curves), json)
