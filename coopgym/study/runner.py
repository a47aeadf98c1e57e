"""The runner: what is missing of some cells becomes programs, and an engine carries them out until nothing is missing.

Any number of runners may be at work on one folder: each claims a program before it begins, waits for those that others
hold, and takes over those whose holders are gone.
"""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from coopgym.algorithms.interrupts import terminable
from coopgym.algorithms.record import canonical
from coopgym.algorithms.registry import algorithm
from coopgym.envs.reward import RewardMode
from coopgym.study import claims, index, trainers, unfinished
from coopgym.study.cells import Cell, groups
from coopgym.study.engines import Engine
from coopgym.study.estimate import Estimates
from coopgym.study.program import Busy, Finished, Overtaken, Program, Unwritable, carry_out, failed
from coopgym.study.records import Records
from coopgym.study.watcher import Watcher

PAUSE = 1.0  # seconds between two looks at what others are doing


@dataclass(frozen=True)
class Work:
    """How programs are made. pieces: that the seeds of a cell are cut into; None: as many as keep all workers busy.

    Results of a replica agree to rounding however a cell is cut, and to the last bit where it is cut alike: so a study
    names its pieces, and an ablation on one's own machine does not.
    """

    device: str = "auto"
    checkpoint_seconds: float = 60.0
    study: str | None = None
    pieces: int | None = 1


@dataclass
class Runner:
    """Cells to be done, where, by which engine; see ``run``."""

    cells: Sequence[Cell]
    records: Records
    engine: Engine
    work: Work = field(default_factory=Work)
    resume: bool = True
    watcher: Watcher = field(default_factory=Watcher)

    def __post_init__(self) -> None:
        self.plan: dict[str, tuple[Cell, RewardMode | None, int | None]] = {
            run: (cell, *pair) for cell in self.cells for run, pair in cell.plan().items()
        }
        self.failures: list[str] = []
        self._holders: list[str] = []
        self._given_up: set[str] = set()
        self._redone: set[str] = set()
        self.skipped = 0

    def run(self) -> list[str]:
        """Do what is missing; sentences about programs that failed, which the records tell too.

        OSError if records cannot be kept; KeyboardInterrupt leaves what is finished, and checkpoints of the rest;
        SIGTERM raises one, too.
        """
        with terminable():
            return self._run()

    def _run(self) -> list[str]:
        self.records.check()
        if self.resume:
            self.records.repair(self.plan)
        first = True
        while programs := self.programs():
            if first:
                self.skipped, first = len(self.plan) - sum(len(p.runs) for p in programs), False
            busy = self._pass(programs)
            if len(busy) == len(programs):
                self._wait(busy)
                time.sleep(PAUSE)
        if first:
            self.skipped = len(self.plan)
        else:
            index.write(self.records)
        self.records.sweep()
        unfinished.tidy(self.records.folder)
        return self.failures

    def _wait(self, busy: Sequence[Program]) -> None:
        """Say who is waited for, once each time that they change."""
        store = self.records.store
        holders = sorted({claims.holder(store, (program.part, *program.runs)) for program in busy})
        if holders != self._holders:
            self._holders = holders
            self.watcher.waiting(busy, holders)

    def programs(self) -> list[Program]:
        """What is missing, as programs: first those that were begun, as they were cut then."""
        done = (self.records.done() if self.resume else self._redone) & set(self.plan)
        missing = {run for run in self.plan if run not in done}
        begun = unfinished.begun(self.records.folder, self.plan, missing if self.resume else ())
        found = [program for runs in begun if not self._given_up & set(runs) for program in self._of_runs(runs)]
        taken = {run for runs in begun for run in runs} | self._given_up
        rest = [run for run in self.plan if run in missing and run not in taken]
        if self.work.pieces is None:
            return found + self._shared_out(rest, max(1, self.engine.slots - len(found)))
        estimates = Estimates()
        pieces = list(self._pieces(rest, self.work.pieces))
        return found + sorted(pieces, key=lambda p: -sum(map(estimates.seconds, self._cells(p))))

    def _cells(self, program: Program) -> Iterator[Cell]:
        return map(program.cell, program.algorithms)

    def _of_runs(self, runs: Iterable[str]) -> list[Program]:
        """As few programs as these runs can be: policies without training together, by game."""
        together: dict[str, list[str]] = {}
        for run in runs:
            cell = self.plan[run][0]
            alone = cell.learns or _may_fail(cell.algorithm)
            key = [cell.algorithm if alone else "", cell.game, cell.variant, cell.options, cell.steps, cell.trainer]
            key += [cell.evaluations, cell.episodes]
            together.setdefault(canonical(key), []).append(run)
        return [program for each in together.values() for program in self._grouped(each)]

    def _grouped(self, runs: Sequence[str]) -> Iterator[Program]:
        cell = self.plan[runs[0]][0]
        if cell.trainer != trainers.OWN and cell.learns:  # another library trains run after run, and resumes so
            for run in runs:
                mode, seed = self.plan[run][1:]
                yield self._program(replace(cell, modes=(mode,) if mode else (), seeds=(seed,)), (cell.algorithm,))
            return
        if cell.learns:
            for modes, seeds in groups(self.plan[run][1:] for run in runs):
                yield self._program(replace(cell, modes=modes, seeds=seeds), (cell.algorithm,))
            return
        lacking: dict[tuple[RewardMode, ...], list[str]] = {}
        for name in dict.fromkeys(self.plan[run][0].algorithm for run in runs):
            own = [self.plan[run] for run in runs if self.plan[run][0].algorithm == name]
            lacking.setdefault(tuple(mode for _, mode, _ in own if mode), []).append(name)
        for modes, names in lacking.items():
            yield self._program(replace(cell, modes=modes), tuple(names))

    def _program(self, cell: Cell, names: tuple[str, ...]) -> Program:
        runs = tuple(run for name in names for run in replace(cell, algorithm=name).plan())
        work = self.work
        return Program(
            names, cell.game, cell.modes, cell.seeds, cell.steps, work.device, self.records.store.url, cell.options,
            work.checkpoint_seconds, cell.evaluations, cell.episodes, work.study, cell.variant, runs, not self.resume,
            cell.trainer,
        )  # fmt: skip

    def _pieces(self, runs: Sequence[str], count: int) -> Iterator[Program]:
        """Cut as the whole cell is cut, so that what is left of one has the size that it had."""
        places = {seed: i % count for cell in self.cells for i, seed in enumerate(cell.seeds)}
        for piece in range(count):
            yield from self._of_runs([run for run in runs if places[self.plan[run][2]] == piece])

    def _shared_out(self, runs: Sequence[str], workers: int) -> list[Program]:
        """As many programs as keep all workers busy: each is cut along its seeds, the largest first in the queue."""
        programs = self._of_runs(runs)
        pieces = math.ceil(workers / len(programs)) if programs else 1
        shared = []
        for program in programs:
            count = min(pieces, len(program.seeds))
            (cell, *_) = self._cells(program)
            for i in range(count):
                shared.append(self._program(replace(cell, seeds=program.seeds[i::count]), program.algorithms))
        return sorted(shared, key=lambda p: -len(p.runs))

    def _pass(self, programs: Sequence[Program]) -> list[Program]:
        """Carry out all; those that others are at work on."""
        busy: list[Program] = []
        self.watcher.begin(programs, self.engine.slots)
        hear = partial(self._hear, programs, busy)
        for failure in self.engine.run(carry_out, programs, hear):
            self._failed(failure.job, failure.reason)
        return busy

    def _hear(self, programs: Sequence[Program], busy: list[Program], index: int, news: Any) -> None:
        program = programs[index]
        if isinstance(news, Busy):
            busy.append(program)
        elif isinstance(news, Overtaken):
            pass  # the next plan leaves out what is there
        elif isinstance(news, Finished):
            self._redone |= set(program.runs)
            self.watcher.finished(program, news.rows)
        elif isinstance(news, Unwritable):
            raise OSError(news.reason)
        elif isinstance(news, str):
            warnings.warn(news, RuntimeWarning, stacklevel=2)
        else:
            self.watcher.share(index, program, news)

    def _failed(self, program: Program, reason: str) -> None:
        self._given_up |= set(program.runs)
        self.failures.append(f"{program} failed: {reason}")
        self.records.fail(program.part, failed(program, reason))
        self.watcher.failed(program, reason)


def _may_fail(name: str) -> bool:
    """Whether measuring a policy without training may fail: an oracle's refusal, or what a user registered."""
    found = algorithm(name)
    return found.kind == "oracle" or not found.ours
