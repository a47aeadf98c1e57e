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

from coopgym.algorithms.checkpoint import CheckpointError, remove
from coopgym.algorithms.record import digest
from coopgym.algorithms.training import Progress, planned_run_ids, train
from coopgym.envs.catalogue import entry
from coopgym.envs.reward import KINDS, RewardMode
from coopgym.mechanisms import checks
from coopgym.study import unfinished
from coopgym.study.records import Records, Row
from coopgym.study.summary import Line, summarise
from coopgym.study.workers import cores, run_jobs

News = Callable[[str, float], None]
TABLES = ("curves", "runs")  # in the order of writing: a run is complete once it stands in the last


@dataclass(frozen=True)
class Program:
    """All replicas of one algorithm that are trained together: ``modes`` times ``seeds``."""

    algorithm: str
    game: str
    modes: tuple[RewardMode, ...]
    seeds: tuple[int, ...]
    steps: int
    device: str
    folder: str
    options: dict[str, Any] = field(default_factory=dict)
    checkpoint_seconds: float = 60.0

    def __str__(self) -> str:
        modes, seeds = ", ".join(map(str, self.modes)), ", ".join(map(str, self.seeds))
        return f"{self.algorithm} on {self.game} ({modes}; seeds {seeds})"


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
    news: News | None = None,
    **options: Any,
) -> Ablation:
    """Train what is not there yet, and summarise all of it.

    reward_modes: names, ``"integrated:0.5"`` (mutuality 0.5) or RewardMode. seeds: how many, or which. steps: of each
    replica. out: folder of the records. workers: processes, one for each core by default (one on a GPU); each trains
    one program on one thread, and results do not depend on how replicas are shared out. ``options`` go to the game or
    to the algorithms. Runs found in ``out`` are kept unless ``resume`` is False. Raises ValueError for a wrong value
    before anything is trained; KeyboardInterrupt leaves finished programs in ``out``.
    """
    found, version = entry(game)
    name = f"{found.name}-{version}"
    modes = tuple(dict.fromkeys(reward_mode(mode) for mode in reward_modes))
    chosen = tuple(range(checks.whole("seeds", seeds, 1, 10_000)) if isinstance(seeds, int) else dict.fromkeys(seeds))
    checks.choice("device", device.split(":")[0], ("auto", "cpu", "cuda"))
    workers = _workers(workers, device)
    records = Records(out)
    plan = _plan(tuple(dict.fromkeys(algorithms)), name, modes, chosen, steps, options)
    done = records.done() & set(plan) if resume else set()
    missing = {run: cell for run, cell in plan.items() if run not in done}
    begun = unfinished.begun(records.folder, plan, missing if resume else ())

    def programs_of(runs: Iterable[str]) -> list[Program]:
        cells = [plan[run] for run in runs]
        return [
            Program(algorithm, name, *group, steps, device, str(out), options, checkpoint_seconds)
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


def reward_mode(text: str | RewardMode) -> RewardMode:
    """A RewardMode from ``"integrated"`` or ``"integrated:0.5"``; ValueError for an unknown kind or a bad number."""
    if isinstance(text, RewardMode):
        return text
    kind, _, mutuality = text.strip().partition(":")
    if not mutuality:
        return RewardMode(kind)
    return RewardMode(kind, checks.number("mutuality", mutuality, 0.0, 1.0))


def train_program(program: Program, report: Callable[[Any], None]) -> None:
    """Train one program, from its checkpoint if there is one, and write its policies, its curves and, last, its runs.

    What is reported is the share that is done, or a sentence about something that is not as it should be.
    """
    design: dict[str, Any] = {"reward_modes": program.modes, "seeds": program.seeds, "total_steps": program.steps}
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
    records, rows = Records(program.folder), []
    for run, policy in zip(result.runs, result.policies, strict=True):
        name = f"policies/{run.run_id}"
        policy.save(records.folder / name)
        data = (records.folder / f"{name}.safetensors").read_bytes()
        rows.append(run.row() | {"policy_file": name, "policy_sha256": hashlib.sha256(data).hexdigest()})
    part = digest([row["run_id"] for row in rows])
    for table, content in zip(TABLES, (result.curves, rows), strict=True):
        records.write(table, part, content)
    remove(place)


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
) -> dict[str, tuple[str, RewardMode, int]]:
    """run_id -> (algorithm, mode, seed), for every cell of the design; checks all names and values on the way."""
    plan: dict[str, tuple[str, RewardMode, int]] = {}
    for algorithm in algorithms:
        names = planned_run_ids(algorithm, game, reward_modes=modes, seeds=seeds, total_steps=steps, **options)
        cells = itertools.product([algorithm], modes, seeds)
        plan |= dict(zip(names, cells, strict=True))
    return plan


def _groups(cells: Iterable[tuple[RewardMode, int]]) -> list[tuple[tuple[RewardMode, ...], tuple[int, ...]]]:
    """Cells (mode, seed) as few products modes times seeds: seeds that lack the same modes go together."""
    lacking: dict[int, list[RewardMode]] = {}
    for mode, seed in cells:
        lacking.setdefault(seed, []).append(mode)
    groups: dict[tuple[RewardMode, ...], list[int]] = {}
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


def _with_seeds(program: Program, seeds: tuple[int, ...]) -> Program:
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
