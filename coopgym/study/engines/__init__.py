"""Where programs are carried out. An engine takes a task and jobs, and tells what they report; nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from coopgym.mechanisms import checks
from coopgym.study.workers import Failure, Task

NAMES = ("local", "ray")


class Engine(Protocol):
    """``slots``: jobs at a time."""

    slots: int

    def run(self, task: Task, jobs: Sequence[Any], on_news: Callable[[int, Any], None]) -> list[Failure]:
        """``task(job, report)`` for every job; what it reports arrives as ``on_news(index, news)``. Those that failed.

        Whatever ``on_news`` raises ends the others: each is interrupted, puts away what it has, and is waited for.
        """


def engine(name: str, *, workers: int | None = None, device: str = "auto", gpus: float = 0.0) -> Engine:
    """An engine by name: "local" for processes of this machine, "ray" for a cluster, or one that is started here.

    workers: jobs at a time, as many as fit by default. gpus: share of one that a job needs, of Ray's.
    """
    checks.choice("engine", name, NAMES)
    if name == "ray":
        from coopgym.study.engines.ray import Ray

        return Ray(workers, gpus)
    from coopgym.study.engines.local import Local

    return Local(workers, device)
