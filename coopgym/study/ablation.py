"""An ablation: several algorithms, every reward mode, several seeds, one game; on all cores, resumable."""

from __future__ import annotations

import hashlib
import itertools
import math
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from coopgym.algorithms import reference
from coopgym.algorithms.checkpoint import CheckpointError, remove
from coopgym.algorithms.record import digest
from coopgym.algorithms.training import Progress, TrainResult, planned_run_ids, train
from coopgym.envs.catalogue import entry
from coopgym.envs.reward import KINDS, RewardMode
from coopgym.mechanisms import checks
from coopgym.study import trainers, unfinished
from coopgym.study.records import Records, Row
from coopgym.study.summary import Line, summarise
from coopgym.study.workers import cores, run_jobs

News = Callable[[str, float], None]
Cell = tuple[str, RewardMode, int | None]
UNSEEDED = (None,)  # seeds of what is played as it is: heuristics, constants, oracles
TABLES = ("curves", "runs")  # in the order of writing: a run is complete once it stands in the last


@dataclass(frozen=True)
class Program:
    """All replicas of one algorithm that are trained together: ``modes`` times ``seeds``; one seed, None, for what
    needs no training."""

    algorithm: str
    game: str
    modes: tuple[RewardMode, ...]
    seeds: tuple[int | None, ...]
    steps: int
    device: str
    folder: str
    options: dict[str, Any] = field(default_factory=dict)
    checkpoint_seconds: float = 60.0
    trainer: str = trainers.OWN

    def __str__(self) -> str:
        modes, seeds = ", ".join(map(str, self.modes)), ", ".join(map(str, self.seeds))
        return f"{self.algorithm} on {self.game} ({modes}" + (")" if self.seeds == UNSEEDED else f"; seeds {seeds})")


@dataclass(frozen=True)
class Ablation:
    """What an ablation found. lines: the table; runs and curves: its records; skipped: runs that were there before.

    failures: one sentence for each program that did not finish, naming it and the reason.
    """

    folder: Path
    lines: list[Line]
    runs: list[Row]
    curves: list[Row]
    skipped: int
    failures: list[str]

    def to_dict(self) -> dict[str, Any]:
        """The table as plain data, for JSON."""
        return {
            "folder": str(self.folder), "lines": [line.to_dict() for line in self.lines], "runs": len(self.runs),
            "skipped": self.skipped, "failures": self.failures,
        }  # fmt: skip


def run_ablation(
    game: str,
    algorithms: Sequence[str] = ("IPPO", "MAPPO"),
    *,
    reward_modes: Sequence[str | RewardMode] = KINDS,
    seeds: int | Iterable[int] = 7,
    steps: int = 500_000,
    out: str | Path,
    workers: int | None = None,
    device: str = "auto",
    resume: bool = True,
    checkpoint_seconds: float = 60.0,
    trainer: str = trainers.OWN,
    news: News | None = None,
    **options: Any,
) -> Ablation:
    """Train what is not there yet, and summarise all of it.

    algorithms: learners, and what needs no training to stand beside them: heuristics, constants, oracles. reward_modes:
    names, ``"integrated:0.5"`` (mutuality 0.5) or RewardMode. seeds: how many, or which. steps: of each replica. out:
    folder of the records. workers: processes, one for each core by default (one on a GPU); each trains one program on
    one thread, and results do not depend on how replicas are shared out. trainer: "own", or "rllib" for RLlib's PPO and
    SAC, in one process if workers is None, resumed run by run. ``options`` go to the game or to the
    algorithms. Runs found in ``out`` are kept unless ``resume`` is False. Raises ValueError for a wrong value before
    anything is trained; KeyboardInterrupt leaves finished programs in ``out``.
    """
    found, version = entry(game)
    name = f"{found.name}-{version}"
    modes = tuple(dict.fromkeys(RewardMode.of(mode) for mode in reward_modes))
    chosen = tuple(range(checks.whole("seeds", seeds, 1, 10_000)) if isinstance(seeds, int) else dict.fromkeys(seeds))
    checks.choice("device", device.split(":")[0], ("auto", "cpu", "cuda"))
    trainers.check(trainer)
    workers = _workers(workers, device) if trainer == trainers.OWN else workers or 1
    records = Records(out)
    plan = _plan(tuple(dict.fromkeys(algorithms)), name, modes, chosen, steps, options, trainer)
    done = records.done() & set(plan) if resume else set()
    missing = {run: cell for run, cell in plan.items() if run not in done}
    begun = unfinished.begun(records.folder, plan, missing if resume else ())

    def programs_of(runs: Iterable[str]) -> list[Program]:
        cells = [plan[run] for run in runs]
        return [
            Program(algorithm, name, *group, steps, device, str(out), options, checkpoint_seconds, trainer)
            for algorithm in dict.fromkeys(cell[0] for cell in cells)
            for group in _groups([cell[1:] for cell in cells if cell[0] == algorithm])
        ]

    programs = [program for runs in begun for program in programs_of(runs)]  # cut as they were
    rest = programs_of([run for run in missing if not any(run in runs for runs in begun)])
    programs += _shared_out(rest, max(1, workers - len(programs)))
    failures = _carry_out(programs, min(workers, len(programs)), news or (lambda name, share: None))
    unfinished.tidy(records.folder)
    runs = [row for row in records.read("runs") if row["run_id"] in plan]
    runs.sort(key=lambda row: list(plan).index(row["run_id"]))
    curves = [row for row in records.read("curves") if row["run_id"] in plan]
    return Ablation(records.folder, summarise(runs), runs, curves, len(done), failures)


def train_program(program: Program, report: Callable[[Any], None]) -> None:
    """Train one program, from its checkpoint if there is one, and write its policies, its curves and, last, its runs.

    What is reported is the share that is done, or a sentence about something that is not as it should be.
    """
    if program.seeds == UNSEEDED:
        options = _of_game(program.game, program.options)
        return _write(
            program, reference.measure(program.algorithm, program.game, reward_modes=program.modes, **options)
        )
    design: dict[str, Any] = {"reward_modes": program.modes, "seeds": program.seeds, "total_steps": program.steps}
    if program.trainer != trainers.OWN:
        for done in trainers.train(
            program.trainer, program.algorithm, program.game, report, **design, **program.options
        ):
            _write(program, done)
        return None
    names = planned_run_ids(program.algorithm, program.game, **design, **program.options)
    place = unfinished.place(Path(program.folder), names)

    def told(state: Progress) -> None:
        report(state.iteration / state.iterations)

    design |= {"device": program.device, "progress": told, **program.options}
    design |= {"checkpoint": place, "checkpoint_seconds": program.checkpoint_seconds}
    try:
        result = train(program.algorithm, program.game, **design)
    except CheckpointError as error:
        report(unfinished.put_aside(error))
        result = train(program.algorithm, program.game, **design)
    _write(program, result)
    remove(place)
    return None


def _write(program: Program, result: TrainResult | reference.Reference) -> None:
    records, rows = Records(program.folder), []
    for run, policy in zip(result.runs, result.policies, strict=True):
        name = f"policies/{run.run_id}"
        policy.save(records.folder / name)
        suffix = ".safetensors" if run.parameters else ".json"  # where its numbers are
        data = (records.folder / f"{name}{suffix}").read_bytes()
        rows.append(run.row() | {"policy_file": name, "policy_sha256": hashlib.sha256(data).hexdigest()})
    part = digest([row["run_id"] for row in rows])
    for table, content in zip(TABLES, (result.curves, rows), strict=True):
        if content:
            records.write(table, part, content)


def _workers(wanted: int | None, device: str) -> int:
    if wanted is not None:
        return checks.whole("workers", wanted, 1, 10_000)
    if device != "cpu":
        import torch

        if torch.cuda.is_available():
            return 1  # one program fills a GPU; several would wait for each other
    return cores()


def _plan(
    algorithms: Sequence[str],
    game: str,
    modes: Sequence[RewardMode],
    seeds: Sequence[int],
    steps: int,
    options: dict[str, Any],
    trainer: str,
) -> dict[str, Cell]:
    """run_id -> (algorithm, mode, seed), for every cell of the design; checks all names and values on the way."""
    plan: dict[str, Cell] = {}
    learners = [name for name in algorithms if trainers.trains(trainer, name)]
    for algorithm in algorithms:
        if algorithm in learners:
            planned = trainers.planned_run_ids(trainer)
            names = planned(algorithm, game, reward_modes=modes, seeds=seeds, total_steps=steps, **options)
            plan |= dict(zip(names, itertools.product([algorithm], modes, seeds), strict=True))
        else:
            own = _of_game(game, options) if learners else options  # learners' options are checked by learners
            names = reference.planned_run_ids(algorithm, game, reward_modes=modes, **own)
            plan |= dict(zip(names, itertools.product([algorithm], modes, UNSEEDED), strict=True))
    return plan


def _of_game(game: str, options: dict[str, Any]) -> dict[str, Any]:
    """Those of a design's options that belong to the game."""
    found, version = entry(game)
    return {name: value for name, value in options.items() if name in found.options(version)}


def _groups(
    cells: Iterable[tuple[RewardMode, int | None]],
) -> list[tuple[tuple[RewardMode, ...], tuple[int | None, ...]]]:
    """Cells (mode, seed) as few products modes times seeds: seeds that lack the same modes go together."""
    lacking: dict[int | None, list[RewardMode]] = {}
    for mode, seed in cells:
        lacking.setdefault(seed, []).append(mode)
    groups: dict[tuple[RewardMode, ...], list[int | None]] = {}
    for seed, modes in lacking.items():
        groups.setdefault(tuple(modes), []).append(seed)
    return [(modes, tuple(seeds)) for modes, seeds in groups.items()]


def _shared_out(programs: Sequence[Program], workers: int) -> list[Program]:
    """As many programs as keep all workers busy: each is cut along its seeds, the largest first in the queue."""
    if not programs:
        return []
    pieces = math.ceil(workers / len(programs))
    shared = []
    for program in programs:
        count = min(pieces, len(program.seeds))
        for i in range(count):
            shared.append(_with_seeds(program, program.seeds[i::count]))
    return sorted(shared, key=lambda p: -len(p.seeds) * len(p.modes))


def _with_seeds(program: Program, seeds: tuple[int | None, ...]) -> Program:
    return Program(**{**vars(program), "seeds": seeds})


def _carry_out(programs: Sequence[Program], workers: int, news: News) -> list[str]:
    """Train all; sentences about those that failed."""
    if not programs:
        return []
    names = [f"{p.algorithm} {i + 1}/{len(programs)}" for i, p in enumerate(programs)]
    for name in names[:workers]:
        news(name, 0.0)

    def hear(i: int, told: float | str) -> None:
        if isinstance(told, str):
            warnings.warn(told, RuntimeWarning, stacklevel=2)
        else:
            news(names[i], told)

    failures = run_jobs(train_program, programs, workers=workers, on_news=hear)
    return [f"{failure.job} failed: {failure.reason}" for failure in failures]
