"""Where programs are carried out. An engine takes a task and jobs, and tells what they report; nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from coopgym.mechanisms import checks
from coopgym.study.workers import Failure, Task

NAMES = ("local", "ray")


def of_users(jobs: Sequence[Any], script: bool) -> tuple[list[str], dict[int, str]]:
    """What users registered: modules for other processes to import, and jobs (by index) that cannot be done there.

    Args:
        jobs: Programs, or whatever else an engine is given.
        script: Whether those processes import the script that is running, as multiprocessing's do.

    Returns:
        Names of modules, and by the index of a job the reason with its cure.
    """
    from coopgym.algorithms.registry import algorithm

    modules: dict[str, None] = {}
    lost: dict[int, str] = {}
    for index, job in enumerate(jobs):
        for found in map(algorithm, getattr(job, "algorithms", ())):
            if found.ours or (found.module in ("__main__", "__mp_main__") and script):
                continue
            if found.module in ("__main__", "__mp_main__"):
                lost[index] = (
                    f"algorithm {found.name!r} is registered in a notebook, at a prompt or in the script itself, which "
                    "the worker processes cannot import; move it into a module and import that, or give workers=1"
                )
            else:
                modules[found.module] = None
    return list(modules), lost


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
