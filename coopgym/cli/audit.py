"""``coopgym audit``: what the policies of a study do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from coopgym.cli import output, parameters
from coopgym.cli.group import plain
from coopgym.cli.parameters import Json, Quiet

COLUMNS = {  # heading: measure, form, factor
    "welfare": ("welfare", ",.0f", 1.0),
    "coop. %": ("level", ".0f", 100.0),
    "gain %": ("best_gain_relative", ".2f", 100.0),
    "deterrence": ("deterrence", ",.0f", 1.0),
    "retaliation": ("retaliation", ".2f", 1.0),
    "reciprocity": ("reciprocity_slope", ".2f", 1.0),
    "end game": ("endgame", "+.2f", 1.0),
    "gini": ("gini", ".2f", 1.0),
    "trust": ("trust", ".2f", 1.0),
}


def audit(
    run: Annotated[
        str,
        parameters.argument(
            "A folder of `coopgym train` or `ablate`, a folder of such folders, or the file of a policy in one; with "
            "--game also TitForTat, or with --trust a Stable-Baselines3 .zip or an RLlib checkpoint.",
            "RUN",
            parameters.place,
        ),
    ],
    game: Annotated[
        str | None,
        typer.Option(help="Only this game; or the one that a single policy plays.", callback=parameters.game_id),
    ] = None,
    effort: Annotated[str, typer.Option(help="quick (about a second for each algorithm and game) or full.")] = "quick",
    trust: Annotated[
        bool,
        typer.Option(
            "--trust", help="Load a .zip or checkpoint of another library: that runs whatever code the file holds."
        ),
    ] = False,
    out: Annotated[
        str | None,
        parameters.records("Folder in which rows are kept, perhaps RUN; by default they are printed."),
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Measure what was measured before, too.")] = False,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Measure what trained policies do: deviations, retaliation, forgiveness, free riding, fairness, strangers.

    RUN is not changed. With --out rows are kept: after an interrupt, the same command goes on where it stopped, and
    `coopgym report` and `study card` show what is kept beside the runs.

    Example: coopgym audit runs/ablation-AppleAppStore-v1 --out runs/ablation-AppleAppStore-v1
    """
    from coopgym.study.audits import audit_policy, audit_runs
    from coopgym.study.stored import lone_policy, places_in

    if not places_in(Path(run)) and (game or lone_policy(run) is not None):
        return show([audit_policy(run, game, effort=effort, trust=trust)], json)
    with output.progress(quiet) as bar:
        found = audit_runs(run, out=out, game=game, effort=effort, resume=not again, news=bar)
    return show(found.rows, json)


def show(rows: Sequence[Mapping[str, Any]], json: bool) -> None:
    """One line for each game, algorithm and mode: means over seeds of the main measures."""
    if json:
        return output.print_json(rows)
    from coopgym.statistics import OF_THE_SUM, TEAM
    from coopgym.study import twins
    from coopgym.study.hacking import by_cell

    names = (("algorithm", ""), ("mode", ""), *((name, "r") for name in COLUMNS), ("seeds", "r"))
    cells, called = by_cell(rows), dict[int, tuple[str, str, str]]()
    for (game, algorithm), modes in cells.items():
        for mode, seeds in modes.items():
            team = any(twins.of_the_sum(row) for row in seeds.values())
            called |= {id(row): (f"{algorithm}{TEAM if team else ''}", game, mode) for row in seeds.values()}
    for game in dict.fromkeys(game for game, _ in cells):
        table = output.new_table(*names)
        for modes in (own for (where, _), own in cells.items() if where == game):
            for mode, seeds in modes.items():
                numbers = (_cell(list(seeds.values()), *column) for column in COLUMNS.values())
                table.add_row(called[id(next(iter(seeds.values())))][0], mode, *numbers, str(len(seeds)))
        output.new_console().print(Text(plain(game), "bold"))
        output.new_console().print(table)
    marked = OF_THE_SUM if any(name.endswith(TEAM) for name, *_ in called.values()) else ""
    shown = [row for modes in cells.values() for seeds in modes.values() for row in seeds.values()]
    repeats = twins.notes((*called[id(row)], called[id(first)][-1]) for row, first in twins.pairs(shown))
    for line in filter(None, (MEANING, marked, *repeats)):
        output.new_console().print(line, highlight=False, markup=False)
    return None


MEANING = (
    "Means over agents and seeds. gain: largest that was found by leaving the policy, of the own payoff; deterrence: "
    "how much larger it would be if partners did not react; retaliation: fall of partners' rates after a defection, "
    "over its size; reciprocity: slope of a rate on a partner's random rate before; end game: rate at the end less "
    "that in the middle."
)


def _cell(rows: Sequence[Mapping[str, Any]], measure: str, form: str, factor: float) -> str:
    known = [row[measure] for row in rows if row[measure] is not None]
    return f"{factor * sum(known) / len(known):{form}}" if known else ""
