"""A program of a study: what one worker carries out at once, from its checkpoint if there is one, to its records."""

from __future__ import annotations

import itertools
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import coopgym
from coopgym.algorithms import record, reference
from coopgym.algorithms.checkpoint import CheckpointError, remove
from coopgym.algorithms.evaluation import DRAWN_EPISODES, EVALUATIONS
from coopgym.algorithms.training import Progress, TrainResult, train
from coopgym.envs.catalogue import game as make_game
from coopgym.study import claims, trainers, twins, unfinished
from coopgym.study.cells import UNSEEDED, Cell, Modes, Seeds, of_game
from coopgym.study.records import Records, Row

TABLES = ("curves", "runs")  # in the order of writing: a run is complete once it stands in the last


@dataclass(frozen=True)
class Program:
    """All replicas of one learner that are trained together, ``modes`` times ``seeds``; or policies on one game that
    need no training (one seed, None; no mode: one record for all of them).

    runs: its run_ids, in the order in which it makes them. again: even if its records are there.
    """

    algorithms: tuple[str, ...]
    game: str
    modes: Modes
    seeds: Seeds
    steps: int
    device: str
    folder: str
    options: dict[str, Any] = field(default_factory=dict)
    checkpoint_seconds: float = 60.0
    evaluations: int = EVALUATIONS
    episodes: int = DRAWN_EPISODES
    study: str | None = None
    variant: str = ""
    runs: tuple[str, ...] = ()
    again: bool = False
    trainer: str = trainers.OWN

    def __str__(self) -> str:
        modes, seeds = ", ".join(map(str, self.modes)) or "all modes", ", ".join(map(str, self.seeds))
        scope = f"({modes})" if self.seeds == UNSEEDED else f"({modes}; seeds {seeds})"
        return " ".join(filter(None, (self.title, self.variant, "on", self.game, scope)))

    @property
    def title(self) -> str:
        """Its algorithm, or how many policies it measures."""
        return self.algorithms[0] if len(self.algorithms) == 1 else f"{len(self.algorithms)} policies"

    def cell(self, algorithm: str) -> Cell:
        """What it does for one of its algorithms."""
        return Cell(
            algorithm, self.game, self.modes, self.seeds, self.steps, self.options, self.variant, self.trainer,
            self.evaluations, self.episodes,
        )  # fmt: skip

    @property
    def part(self) -> str:
        """The name of its parts of the records, and of the claim on it."""
        return record.digest(list(self.runs))


@dataclass(frozen=True)
class Busy:
    """News: somebody else is at work on this program."""


@dataclass(frozen=True)
class Overtaken:
    """News: somebody else has finished some of these runs since they were planned, so the rest is planned anew."""


@dataclass(frozen=True)
class Finished:
    """News: the records are written; ``rows`` of the table ``runs``, none if they were there already."""

    rows: list[Row]


@dataclass(frozen=True)
class Unwritable:
    """News: records cannot be kept, so there is no sense in making more."""

    reason: str


def carry_out(program: Program, report: Callable[[Any], None]) -> None:
    """Do what is missing of a program, unless somebody else does; write policies, curves and, last, runs.

    What is reported is the share that is done, a sentence about something that is not as it should be, or one of the
    news above.
    """
    _check_known(program.trainer, program.algorithms)
    records = _records(program.folder)
    with _claimed(records, program) as mine:
        there = records.done() & set(program.runs) if mine and not program.again else set()  # since this was planned
        if not mine:
            report(Busy())
        elif there == set(program.runs):
            report(Finished([]))
        elif there:
            report(Overtaken())
        else:
            result = _result(program, records, report)
            try:
                rows = _write(program, records, result)
            except OSError as error:
                report(Unwritable(f"the records of {program} could not be written to {records.store.url!r}: {error}"))
                raise
            remove(unfinished.place(records.folder, list(program.runs)))
            report(Finished(rows))


@lru_cache(maxsize=8)
def _records(folder: str) -> Records:
    """One for each place that a worker writes to: it reads every part once to know what is done."""
    return Records(folder)


@contextmanager
def _claimed(records: Records, program: Program) -> Iterator[bool]:
    """Hold the program and each of its runs: another runner may have cut the same runs into other programs."""
    with ExitStack() as stack:
        keys = (program.part, *sorted(program.runs))  # in one order, so that of two programs one gets all it needs
        yield all(stack.enter_context(claims.claim(records.store, key)) for key in keys)


def _check_known(trainer: str, names: Sequence[str]) -> None:
    """ValueError with a cure for an algorithm that a user registered where worker processes do not see it."""
    for name in names:
        try:
            trainers.trains(trainer, name)
        except ValueError as error:
            if multiprocessing.parent_process() is None:
                raise
            raise ValueError(
                f'{error}; if you registered it, do so above `if __name__ == "__main__":`, or in a module that the '
                "script imports, so that worker processes know it too; or give workers=1"
            ) from None


def _result(program: Program, records: Records, report: Callable[[Any], None]) -> TrainResult | reference.Reference:
    if program.seeds == UNSEEDED:
        options = of_game(program.game, program.options)
        modes = program.modes or None
        return reference.measure(program.algorithms, program.game, reward_modes=modes, **options)

    def told(state: Progress) -> None:
        report(state.iteration / state.iterations)

    (algorithm,) = program.algorithms
    design: dict[str, Any] = {"reward_modes": program.modes, "seeds": program.seeds, "total_steps": program.steps}
    design |= {"evaluations": program.evaluations, "episodes": program.episodes}
    if program.trainer != trainers.OWN:
        return trainers.train(program.trainer, algorithm, program.game, report, **design, **program.options)
    design |= {
        "device": program.device, "progress": told,
        "checkpoint": unfinished.place(records.folder, list(program.runs)),
        "checkpoint_seconds": program.checkpoint_seconds, **program.options,
    }  # fmt: skip
    try:
        return train(algorithm, program.game, **design)
    except CheckpointError as error:
        report(unfinished.put_aside(error))
        return train(algorithm, program.game, **design)


def _write(program: Program, records: Records, result: TrainResult | reference.Reference) -> list[Row]:
    rows: list[Row] = []
    plan = {run: (cell, *pair) for cell in map(program.cell, program.algorithms) for run, pair in cell.plan().items()}
    for run, policy in zip(result.runs, result.policies, strict=True):
        name, sha256 = records.keep(policy, f"policies/{run.run_id}", bool(run.parameters))
        about = {"study": program.study, "variant": program.variant or None}
        about |= {"duplicate_of": twins.twin(*plan[run.run_id], run.team_reward)}
        rows.append(run.row() | about | {"policy_file": name, "policy_sha256": sha256})
    for table, content in zip(TABLES, (result.curves, rows), strict=True):
        if content:
            records.write(table, program.part, content)
    records.forgive(program.part)
    return rows


def failed(program: Program, reason: str) -> list[Row]:
    """What the records say of a program that did not finish: which runs there should be, and why they are not."""
    made = make_game(program.game, **of_game(program.game, program.options))
    design = {"total_steps": program.steps, "evaluations": program.evaluations, "episodes": program.episodes}
    entries = [
        trainers.described(program.trainer, name)
        | trainers.recipe(program.trainer, name, program.game, **design, **program.options)
        for name in program.algorithms
    ]
    cells = itertools.product(entries, program.modes or (None,), program.seeds)
    return [
        {
            "run_id": run, "study": program.study, "variant": program.variant or None, **found, "seed": seed,
            **record.problem(made, mode),
            "reason": reason, "package_version": coopgym.__version__, "created": datetime.now(UTC).isoformat(),
            "origin": "own",
        }
        for run, (found, mode, seed) in zip(program.runs, cells, strict=True)
    ]  # fmt: skip
