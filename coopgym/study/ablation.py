"""An ablation: several algorithms, every reward mode, several seeds, one game; a study of one game, on all cores."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coopgym.envs.catalogue import entry
from coopgym.envs.reward import KINDS, RewardMode
from coopgym.envs.reward import reward_modes as one_or_more
from coopgym.extras import explains
from coopgym.mechanisms import checks
from coopgym.study import trainers
from coopgym.study.cells import UNSEEDED, Cell, of_game
from coopgym.study.engines.local import Local
from coopgym.study.program import Program
from coopgym.study.records import FAILED, Records, Row
from coopgym.study.runner import Runner, Work
from coopgym.study.store import Folder
from coopgym.study.summary import Line, summarise
from coopgym.study.watcher import Watcher

News = Callable[[str, float], None]


@dataclass(frozen=True)
class Ablation:
    """What an ablation found.

    folder: of its records; text if that is a URL. lines: the table; runs and curves: its records; skipped: runs that
    were there before. others: runs in the folder that another design has asked for; no line counts them.
    failures: one sentence for each program that did not finish, naming it and the reason.
    """

    folder: Path | str
    lines: list[Line]
    runs: list[Row]
    curves: list[Row]
    skipped: int
    failures: list[str]
    others: int = 0

    def __repr__(self) -> str:
        failed = f", {len(self.failures)} programs failed" if self.failures else ""
        return f"<coopgym ablation: {len(self.runs)} runs in {str(self.folder)!r}{failed}; .lines, .runs, .curves>"

    def to_dict(self) -> dict[str, Any]:
        """The table as plain data, for JSON."""
        return {
            "folder": str(self.folder), "lines": [line.to_dict() for line in self.lines], "runs": len(self.runs),
            "skipped": self.skipped, "others": self.others, "failures": self.failures,
        }  # fmt: skip


@explains("run_ablation")
def run_ablation(
    game: str,
    algorithms: str | Sequence[str] = ("IPPO", "MAPPO"),
    *,
    reward_modes: str | RewardMode | Sequence[str | RewardMode] = KINDS,
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
    modes, chosen = tuple(one_or_more(reward_modes)), tuple(checks.seeds(seeds))
    checks.choice("device", device.split(":")[0], ("auto", "cpu", "cuda"))
    if trainers.check(trainer) != trainers.OWN:
        workers = workers or 1
    names = list(dict.fromkeys([algorithms] if isinstance(algorithms, str) else algorithms))
    work = Work(device, checkpoint_seconds, pieces=None)
    cells = _cells(names, name, modes, chosen, steps, options, trainer)
    runner = Runner(
        cells, Records(out), Local(workers, device), work, resume, _Told(news or (lambda name, share: None))
    )
    failures = runner.run()
    store = runner.records.store
    where = store.local if isinstance(store, Folder) else store.url
    plan = {run: place for place, run in enumerate(runner.plan)}
    present = runner.records.read("runs")
    rows = [row for row in present if row["run_id"] in plan and row["status"] != FAILED]
    rows.sort(key=lambda row: plan[row["run_id"]])
    curves = [row for row in runner.records.read("curves") if row["run_id"] in plan]
    others = sum(row["run_id"] not in plan for row in present)
    return Ablation(where, summarise(rows), rows, curves, runner.skipped, failures, others)


def _cells(
    algorithms: Sequence[str],
    game: str,
    modes: tuple[RewardMode, ...],
    seeds: tuple[int, ...],
    steps: int,
    options: dict[str, Any],
    trainer: str,
) -> list[Cell]:
    """One for each algorithm; options that are not the game's belong to the learners, which check them."""
    learners = [name for name in algorithms if trainers.trains(trainer, name)]
    own = of_game(game, options) if learners else options
    return [
        Cell(name, game, modes, seeds, steps, options, trainer=trainer)
        if name in learners
        else Cell(name, game, modes, UNSEEDED, 0, own)
        for name in algorithms
    ]


class _Told(Watcher):
    """Tells shares by a name that says which of how many programs it is."""

    def __init__(self, news: News) -> None:
        self.news, self.names = news, list[str]()

    def begin(self, programs: Sequence[Program], slots: int) -> None:
        self.names = [f"{program.title} {i + 1}/{len(programs)}" for i, program in enumerate(programs)]
        for name in self.names[:slots]:
            self.news(name, 0.0)

    def waiting(self, programs: Sequence[Program], holders: Sequence[str]) -> None:
        self.news(f"waiting for {len(programs)} programs that are being done by {', '.join(holders)}", 0.0)

    def share(self, index: int, program: Program, share: float) -> None:
        self.news(self.names[index], share)
