"""All runs, a line each; of a large study a line for each learner, game and reward mode, and all runs as CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from typing import Any

from coopgym.report.page.cells import OF_RUNS, cells, finite, quantities
from coopgym.report.page.material import MANY, Material
from coopgym.report.page.panel import Panel, Table
from coopgym.report.page.words import around, counted
from coopgym.study.records import Row
from coopgym.study.schema import AUDITS, RUNS
from coopgym.study.summary import mode_label

CSV = "runs.csv"  # beside the page of a large study
TEXTS = ("algorithm", "variant", "game")
FORMULA = ("=", "+", "@", "-", "\t", "\r")  # how a text begins that a spreadsheet would compute
Of = Callable[[Row], Any]


def panel(material: Material) -> Panel:
    """Of any folder."""
    rows = material.rows()
    if large(material):
        return _gathered(material)
    columns = _columns(material)
    shown = {name: [_plain(of(row)) for row in rows] for name, of in columns.items()}
    names = [name for name, values in shown.items() if any(x is not None for x in values)]
    table = Table(tuple(names), tuple(zip(*(shown[name] for name in names), strict=True)))
    what = counted(len(rows), "run" if material.runs else "audited run")
    lead = f"{what}. Every figure of this page comes from these records; run_id names a record in the folder."
    return Panel("runs", "Runs", lead, tables=(table,))


def large(material: Material) -> bool:
    """Whether the page has no room for a line a run."""
    return len(material.rows()) > MANY


def _gathered(material: Material) -> Panel:
    own = cells(material)
    names = [q.name for q in quantities(material)]
    rows = [
        (*(cell.link.get(name) for name in TEXTS), cell.mode, len(cell.rows), cell.left_out,
         *(around(cell.found[name]) for name in names))
        for cell in own[:MANY]
    ]  # fmt: skip
    table = Table((*TEXTS, "reward_mode", "runs", "left out", *names), tuple(rows))
    more = "" if len(own) <= MANY else f" The first {MANY:,} of {len(own):,} cells are shown."
    lead = (
        f"{counted(len(material.rows()), 'run')}, too many for a page: a line is a learner's runs in one game with one "
        f"reward, as means with 95% intervals. All runs, each with its run_id, are in {CSV} beside this page.{more}"
    )
    return Panel("runs", "Runs", lead, tables=(table,))


def _columns(material: Material) -> dict[str, Of]:
    """What is shown of a run or of an audit, by the heading: a column's name where it is that column."""
    first: dict[str, Of] = {name: _get(name) for name in ("kind", *TEXTS)}
    first |= {"reward_mode": mode_label, "seed": _get("seed")}
    if not material.runs:
        measures = ("level", "trust", "best_gain_relative", "retaliation", "reciprocity_slope", "gini", "env_steps")
        return first | {name: _get(name) for name in ("run_id", "welfare", "efficiency", *measures)}
    averaged = {q.name: q.of for q in OF_RUNS}
    last = ("length", "ended_by", "env_steps", "seconds", "device", "reason")
    return first | {"status": _get("status"), "run_id": _get("run_id")} | averaged | {name: _get(name) for name in last}


def _get(name: str) -> Of:
    return lambda row: row.get(name)


def _plain(x: Any) -> str | float | int | bool | None:
    """A text, a truth, a finite number or nothing."""
    return x if isinstance(x, str | bool) or finite(x) else None


def as_csv(material: Material) -> bytes:
    """All columns of all runs (of an audit alone, of its audits); lists as JSON."""
    names = (RUNS if material.runs else AUDITS).names
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(names)
    stored = {"game": "game_id", "variant": "variant_name"}  # what the table holds, not how this page calls it
    writer.writerows([_written(row.get(stored.get(name, name))) for name in names] for row in material.rows())
    return text.getvalue().encode("utf-8", errors="replace")


def _written(x: Any) -> Any:
    if isinstance(x, list):
        return json.dumps(x)
    return f"'{x}" if isinstance(x, str) and x.startswith(FORMULA) else x
