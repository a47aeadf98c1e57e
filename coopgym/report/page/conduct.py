"""What agents did in the games of the case studies, phase by phase where audits have kept it, beside the record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from coopgym.report.page.audited import Audited, audited, gathered
from coopgym.report.page.cells import player
from coopgym.report.page.material import TRAINED, Material
from coopgym.report.page.strata import numbers
from coopgym.study.identity import game_of
from coopgym.study.records import Row
from coopgym.study.summary import mode_label
from coopgym.validation.conduct.measures import measures
from coopgym.validation.conduct.record import Record, documented_games, record_of

METRIC = "rate_by_phase"
MEASURES = {  # name: heading
    "r2": "R²", "band_share": "in bands", "tau": "order", "turns": "turns", "score": "rubric",
}  # fmt: skip
Key = tuple[str, ...]  # learner and reward mode


@dataclass(frozen=True, eq=False)
class Conduct:
    """One game. levels: of each learner and mode ``[runs, K, A]`` mean rates in each phase; agents: ``[runs, N]`` of
    each agent over the episode; flat: where no phases were kept, levels are those of the whole episode in each."""

    game: str
    record: Record
    levels: Mapping[Key, np.ndarray]
    agents: Mapping[Key, np.ndarray]
    flat: bool

    @cached_property
    def likeness(self) -> dict[Key, np.ndarray]:
        """MEASURES of each run ``[runs, 5]``; the rubric needs to know every agent's rate."""
        found = {}
        for key, levels in self.levels.items():
            agents = self.agents[key]
            whole = np.isfinite(agents).all()
            own = measures(levels, self.record, agents if whole else None)
            if not whole:
                own["score"] = np.full(len(levels), np.nan)
            found[key] = np.stack([own[name] for name in MEASURES], 1)
        return found


def conducts(material: Material) -> list[Conduct]:
    """One for each game that a case study documents and whose agents' rates are known."""
    found = audited(material)
    names = {
        str(row["game"]): str(row.get("game_id") or row["game"])
        for row in (*material.runs, *(found.rows if found else ())) if row.get("game")
    }  # fmt: skip
    made = [
        _conduct(material, found, *each) for each in names.items() if each[1].rpartition("-")[0] in documented_games()
    ]
    return [each for each in made if each is not None]


def _conduct(material: Material, found: Audited | None, game: str, id_: str) -> Conduct | None:
    runs = [row for row in material.runs if row.get("game") == game and row.get("status") == "ok"]
    runs = [row for row in runs if row.get("kind") == TRAINED]
    rows = [row for row in found.rows if row["game"] == game and row.get("kind") == TRAINED] if found else []
    record = _record(id_, [*runs, *rows])
    if record is None:
        return None
    by_run = {row["run_id"]: row for row in runs}
    phases = _by_phase(found, rows, record) if found else {}
    if phases:
        chosen = [row for row in rows if row["run_id"] in phases]
        return _gathered(game, record, chosen, phases, by_run, flat=False)
    rates = {row["run_id"]: _rates(row, by_run, record) for row in runs or rows}
    known = [row for row in runs or rows if np.isfinite(rates[row["run_id"]]).all()]
    shape = (len(record.phases), len(record.actors))
    levels = {row["run_id"]: np.broadcast_to(record.by_actor(rates[row["run_id"]]), shape) for row in known}
    return _gathered(game, record, known, levels, by_run, flat=True)


def _gathered(
    game: str,
    record: Record,
    rows: Sequence[Row],
    levels: Mapping[str, np.ndarray],
    by_run: Mapping[str, Row],
    flat: bool,
) -> Conduct | None:
    groups = gathered(rows, player, mode_label)
    if not groups:
        return None
    return Conduct(
        game, record, {key: np.array([levels[r["run_id"]] for r in own]) for key, own in groups.items()},
        {key: np.array([_rates(r, by_run, record) for r in own]) for key, own in groups.items()}, flat,
    )  # fmt: skip


def _record(game: str, rows: Sequence[Row]) -> Record | None:
    """Of the game as it was played; None where it cannot be made, or is too short for its phases."""
    options = next((row["game_options"] for row in rows if row.get("game_options")), None)
    for given in (options, None):
        try:
            return record_of(game_of(game, given))
        except ValueError:
            continue
    return None


def _by_phase(found: Audited, rows: Sequence[Row], record: Record) -> dict[str, np.ndarray]:
    """``[K, A]`` by run, of those whose phases and actors are the record's."""
    shape = (len(record.phases), len(record.actors))
    x, y = (a.ravel().astype(float).tolist() for a in np.indices(shape))
    levels = {}
    for row in rows:
        own = found.curve(row, METRIC, x)
        if own is not None and found.curves[METRIC][row["run_id"]]["y"] == y and np.isfinite(own).all():
            levels[row["run_id"]] = own.reshape(shape)
    return levels


def _rates(row: Row, by_run: Mapping[str, Row], record: Record) -> np.ndarray:
    """Of each agent over the episode, NaN where they are not known."""
    known = by_run.get(row["run_id"], row)
    rates = numbers(known.get("rate") or known.get("level_by_agent") or ())
    whole = len(rates) == len(record.seats) and ((rates >= 0.0) & (rates <= 1.0)).all()
    return rates if whole else np.full(len(record.seats), np.nan)
