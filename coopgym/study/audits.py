"""Audits on disk: one row a run, beside the runs they belong to, so that they can be resumed."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from coopgym.algorithms.policy import Policy, policy
from coopgym.algorithms.record import NO_MODE, digest, finite
from coopgym.audit.behaviour import Audit, audit
from coopgym.audit.effort import Effort
from coopgym.audit.effort import effort as effort_of
from coopgym.audit.measures import CATALOGUE, mean
from coopgym.envs.game import Game
from coopgym.envs.reward import RewardMode
from coopgym.study import identity
from coopgym.study.records import Records, Row, plain
from coopgym.study.schema import AUDIT_CURVES, AUDITS, SCHEMAS
from coopgym.study.stored import lone_policy, lone_run, policies_of, stored
from coopgym.validation.conduct.record import documented_games, record_of

News = Callable[[str, float], None]
AFTER = 21  # steps of an answer that are kept, the shock's own included

TABLES = {**SCHEMAS, "audits": AUDITS, "audit_curves": AUDIT_CURVES}


@dataclass(frozen=True)
class Audited:
    """Rows of ``audits`` and ``audit_curves`` of all runs that were asked for; how many of them were there before."""

    rows: list[Row]
    curves: list[Row]
    skipped: int


def audit_runs(
    place: str | Path,
    *,
    out: str | Path | None = None,
    game: str | None = None,
    effort: str | Effort = "quick",
    resume: bool = True,
    news: News | None = None,
) -> Audited:
    """Audit every policy under a folder; the folder is not changed unless ``out`` names it.

    Replicas of one algorithm and game are measured as one batch. What is found beside the runs or in ``out`` is not
    measured again.

    Args:
        place: A folder of ``coopgym train`` or ``ablate``, one of such folders, or what ``TrainResult.save`` wrote.
        out: Folder or URL in which rows are kept, as the tables ``audits`` and ``audit_curves``; may be ``place``.
            After an interrupt, the same call goes on from there. By default nothing is kept.
        game: Only this one.
        effort: "quick", "full" or an Effort.
        resume: False measures all of it again.
        news: Called with (what is done, share of it).

    Raises:
        FileNotFoundError: Where there is no policy.
        ValueError: For a policy that is damaged, or is not that of its record.
    """
    fine, tell = effort_of(effort), news or (lambda name, share: None)
    jobs = stored(place, game)
    places = {folder: _Place(folder, out, fine.name) for folder, _ in jobs}
    if len(places) > 1 and out is not None:  # each in a folder of its own: the same run may be in several
        places = {folder: _Place(folder, f"{out}/{folder.name}", fine.name) for folder in places}
    kept = {folder: place.rows() if resume else {} for folder, place in places.items()}
    skipped = 0
    for k, (folder, runs) in enumerate(jobs):
        tell("auditing", k / len(jobs))
        missing = [run for run in runs if run["run_id"] not in kept[folder]]
        skipped += len(runs) - len(missing)
        if missing:  # a replica's partners of other seeds are in its program, so all of it is played again
            rows, curves = _audited(folder, runs, fine)
            places[folder].keep(rows, curves)
            kept[folder] |= {row["run_id"]: row for row in rows}
    tell("auditing", 1.0)
    rows = [_told(kept[folder][run["run_id"]], run) for folder, runs in jobs for run in runs]
    curves = [
        row for folder, place in places.items()
        for row in place.curves({run["run_id"] for where, runs in jobs if where == folder for run in runs})
    ]  # fmt: skip
    return Audited(rows, curves, skipped)


class _Place:
    """Audits of the runs of one folder: those beside the runs and in ``out`` are read, new ones are kept in ``out``."""

    def __init__(self, folder: Path, out: str | Path | None, effort: str) -> None:
        self.effort, self.target = effort, None if out is None else Records(out, TABLES)
        self.sources = [Records(folder, TABLES), *filter(None, [self.target])]
        self.added: list[Row] = []
        if self.target:
            self.target.check()

    def rows(self) -> dict[str, Row]:
        """Audits that are there, by run_id."""
        found = (row for each in self.sources for row in each.read("audits"))
        return {row["run_id"]: row for row in found if row["effort"] == self.effort}

    def keep(self, rows: list[Row], curves: list[Row]) -> None:
        """Write the audits of one program; without ``out``, only remember its curves."""
        self.added += [{name: finite(plain(x)) for name, x in row.items()} for row in curves]
        if self.target:
            part = digest([self.effort, *(row["run_id"] for row in rows)])
            self.target.write("audit_curves", part, curves)
            self.target.write("audits", part, rows)  # last: what stands there is complete

    def curves(self, run_ids: set[str]) -> list[Row]:
        """Curves of these runs, each once."""
        before = (row for each in self.sources for row in each.read("audit_curves"))
        found = {(row["run_id"], row["metric"]): row for row in (*before, *self.added) if row["effort"] == self.effort}
        return [row for (run_id, _), row in found.items() if run_id in run_ids]


def audit_policy(
    spec: Any, game: Game | str | None = None, *, effort: str | Effort = "quick", trust: bool = False
) -> Row:
    """The row of a policy by itself; nothing is written.

    Args:
        spec: As for ``coopgym.policy``: a name, a model's .zip, a checkpoint of RLlib, the file of a policy of ours.
        game: The game; a policy of ours knows its own.
        effort: "quick", "full" or an Effort.
        trust: As for ``coopgym.policy``.

    Rewards are those that a policy of ours was trained on, and private for all others.
    """
    own = lone_policy(spec) if isinstance(spec, (str, Path)) else spec if isinstance(spec, Policy) else None
    if own is None and game is None:
        raise ValueError(f"{spec!r} names no game; say which game it is to play, e.g. TrustDilemma-v1")
    made = own if own is not None and game is None else policy(spec if own is None else own, game or "", trust=trust)
    run = lone_run(made)
    found = audit(made, made.game, [_mode(run)], effort=effort_of(effort))
    return _plain(_row(found, 0, run))


def rows_of(found: Audit, runs: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Rows of the table ``audits`` for the runs whose policies were the replicas of an audit."""
    return [_row(found, replica, run) for replica, run in enumerate(runs)]


def _row(found: Audit, replica: int, run: Mapping[str, Any]) -> Row:
    from coopgym import __version__

    flat = found.record(replica)
    same = ("run_id", *(name for name in identity.COLUMNS if name != "package_version"))
    row: Row = {name: run.get(name) for name in same} | {"run_version": run.get("package_version")}
    row |= {name: flat[name] for name in CATALOGUE if name in flat}
    row |= {f"{name}_by_agent": x for name, x in found.by_agent(replica).items()}
    return row | {
        "effort": found.effort, "agents": len(found.agents), "episodes": found.episodes,
        "replicas_in_program": found.replicas, "undefined": flat["undefined"], "notes": "; ".join(found.notes),
        "infinite": "; ".join(name for name in CATALOGUE if name in flat and math.isinf(flat[name])),
        "package_version": __version__, "program_seconds": found.seconds, "created": datetime.now(UTC).isoformat(),
    }  # fmt: skip


def curves_of(found: Audit, runs: Sequence[Mapping[str, Any]], game: Game) -> list[Row]:
    """Rows of the table ``audit_curves`` for these runs."""
    return [
        {"run_id": run["run_id"], "effort": found.effort, "metric": name, "unit": unit, "x": x, "y": y, "value": z[r]}
        for name, (unit, x, y, z) in _curves(found, game).items() for r, run in enumerate(runs)
    ]  # fmt: skip


def _curves(found: Audit, game: Game) -> dict[str, tuple[str, Any, Any, Any]]:
    """unit, x, y and values ``[R, K]`` by name: courses over an episode, rates by phase and actor of a case study,
    answers to shocks of one step, conditional rates, the fingerprint."""
    curves: dict[str, tuple[str, Any, Any, Any]] = {}
    if "cooperation" in found.families:
        curves["rate_by_step"] = ("rate", np.arange(game.horizon), None, found.cooperation.by_step)
        curves |= _phases(found.cooperation.course, game)
    if "trust" in found.families:
        curves["trust_by_step"] = ("trust", np.arange(1, game.horizon + 1), None, found.trust.by_step)
    if "impulses" in found.families:
        shown = found.impulses.mean_answers(AFTER)
        curves |= {name: ("1", np.arange(AFTER), None, x) for name, x in shown.items()}
    if "conditional" in found.families:
        bins = found.conditional.curve.shape[-1]
        middle = (np.arange(bins) + 0.5) / bins
        curves["conditional_curve"] = ("rate", middle, None, mean(found.conditional.curve, 1))
    if "fingerprint" in found.families:
        plane = found.fingerprint
        curves["fingerprint"] = ("1", plane.x, plane.y, plane.payoffs)
    return curves


def _phases(course: np.ndarray, game: Game) -> dict[str, tuple[str, Any, Any, Any]]:
    """Mean rates in each phase x of each actor y, where a case study documents them and an episode has them all."""
    if game.name not in documented_games():
        return {}
    try:
        record = record_of(game)
    except ValueError:  # too short
        return {}
    steps = np.diff(record.bounds)
    levels = record.by_actor(np.add.reduceat(course, record.bounds[:-1], axis=1) / steps[:, None])
    x, y = (a.ravel() for a in np.indices(levels.shape[1:]))
    return {"rate_by_phase": ("rate", x, y, levels.reshape(len(levels), -1))}


def _audited(folder: Path, runs: Sequence[Row], fine: Effort) -> tuple[list[Row], list[Row]]:
    """Rows and curves of one program; as one batch where its policies fit in a stack."""
    policies = policies_of(folder, runs)
    modes = [_mode(run) for run in runs]
    together = all(policies[0].fits(p) for p in policies)
    batches = [list(range(len(runs)))] if together else [[k] for k in range(len(runs))]
    rows: list[Row] = []
    curves: list[Row] = []
    for batch in batches:
        player: Any = policies[batch[0]] if len(batch) == 1 else [policies[k] for k in batch]
        found = audit(player, policies[0].game, [modes[k] for k in batch], effort=fine)
        rows += rows_of(found, [runs[k] for k in batch])
        curves += curves_of(found, [runs[k] for k in batch], policies[0].game)
    return rows, curves


def _mode(run: Row) -> RewardMode:
    """That the run was trained on; of one record for all modes the private one, as ``audit_policy`` has it."""
    if run["reward_mode"] == NO_MODE:
        return RewardMode("private")
    return RewardMode(run["reward_mode"], 1.0 if run["mutuality"] is None else run["mutuality"])


def _told(row: Row, run: Row) -> Row:
    """A row with all that identifies its run, which audits of earlier versions do not hold."""
    return identity.completed(_plain(row), run)


def _plain(row: Row) -> Row:
    """As it is read back: nothing is NaN or infinite."""
    return {name: finite(row.get(name)) for name in AUDITS.names}
