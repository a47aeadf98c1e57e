"""Audits on disk: one row a run, beside the runs they belong to, so that they can be resumed."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from coopgym.algorithms.policy import policy
from coopgym.algorithms.record import NO_MODE, digest, finite
from coopgym.audit.behaviour import Audit, audit
from coopgym.audit.effort import Effort
from coopgym.audit.effort import effort as effort_of
from coopgym.audit.measures import CATALOGUE, mean
from coopgym.envs.game import Game
from coopgym.envs.reward import RewardMode
from coopgym.study import identity
from coopgym.study.records import Records, Row
from coopgym.study.schema import AUDIT_CURVES, AUDITS, SCHEMAS
from coopgym.study.stored import policies_of, stored
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
    game: str | None = None,
    effort: str | Effort = "quick",
    resume: bool = True,
    news: News | None = None,
) -> Audited:
    """Audit every policy under ``place``: a folder of ``coopgym train`` or ``ablate``, one of such folders, or what
    ``TrainResult.save`` wrote.

    Replicas of one algorithm and game are measured as one batch. Rows are written to ``audits`` in the folder of the
    runs, and those that are there are not measured again unless ``resume`` is False. game: only this one. Raises
    FileNotFoundError where there is no policy, ValueError for a damaged one.
    """
    fine, tell = effort_of(effort), news or (lambda name, share: None)
    jobs = stored(place, game)
    places = list(dict.fromkeys(folder for folder, _ in jobs))
    kept = {folder: _found(folder, fine.name) if resume else {} for folder in places}
    skipped = 0
    for k, (folder, runs) in enumerate(jobs):
        tell("auditing", k / len(jobs))
        missing = [run for run in runs if run["run_id"] not in kept[folder]]
        skipped += len(runs) - len(missing)
        if missing:  # a replica's partners of other seeds are in its program, so all of it is played again
            rows, curves = _audited(folder, runs, fine)
            part = digest([fine.name, *(row["run_id"] for row in rows)])
            Records(folder, TABLES).write("audit_curves", part, curves)
            Records(folder, TABLES).write("audits", part, rows)  # last: what stands there is complete
            kept[folder] |= {row["run_id"]: row for row in rows}
    tell("auditing", 1.0)
    rows = [_told(kept[folder][run["run_id"]], run) for folder, runs in jobs for run in runs]
    asked = {row["run_id"] for row in rows}
    curves = [row for folder in places for row in Records(folder, TABLES).read("audit_curves")]
    curves = [row for row in curves if row["run_id"] in asked and row["effort"] == fine.name]
    return Audited(rows, curves, skipped)


def audit_policy(spec: Any, game: str, *, effort: str | Effort = "quick", trust: bool = False) -> Row:
    """The row of a policy that belongs to no run of ours, of private rewards; nothing is written.

    spec and trust: as for ``coopgym.policy``: a name, a model's .zip, a checkpoint of RLlib.
    """
    made = policy(spec, game, trust=trust)
    found = audit(made, made.game, effort=effort_of(effort))
    known = {"algorithm": made.name, "game": made.game.id, "game_hash": made.game.hash, "reward_mode": "private"}
    return _plain(_row(found, 0, known))


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


def _found(folder: Path, effort: str) -> dict[str, Row]:
    rows = Records(folder, TABLES).read("audits")
    return {row["run_id"]: row for row in rows if row["effort"] == effort}


def _told(row: Row, run: Row) -> Row:
    """A row with all that identifies its run, which audits of earlier versions do not hold."""
    return identity.completed(_plain(row), run)


def _plain(row: Row) -> Row:
    """As it is read back: nothing is NaN or infinite."""
    return {name: finite(row.get(name)) for name in AUDITS.names}
