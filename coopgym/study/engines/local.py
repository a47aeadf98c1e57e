"""Processes of this machine: one for each core, or one for its GPU."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

from coopgym.mechanisms import checks
from coopgym.study.engines import of_users
from coopgym.study.workers import Failure, Task, cores, run_jobs


class Local:
    """``workers``: processes; by default one for each core, one in all where there is a GPU to use."""

    def __init__(self, workers: int | None = None, device: str = "auto") -> None:
        self.device = device
        self.slots = _fitting(device) if workers is None else checks.whole("workers", workers, 1, 10_000)

    def run(self, task: Task, jobs: Sequence[Any], on_news: Callable[[int, Any], None]) -> list[Failure]:
        """See Engine. With one slot, or one job, everything happens in this process.

        ValueError at once where the device is not there.
        """
        if self.device not in ("auto", "cpu"):
            from coopgym.algorithms.training import device_of

            device_of(self.device)
        workers = min(self.slots, len(jobs))
        if workers <= 1:
            return run_jobs(task, jobs, workers=1, on_news=on_news) if jobs else []
        modules, lost = of_users(jobs, _script_is_imported())
        left = [index for index in range(len(jobs)) if index not in lost]
        failures = [Failure(jobs[index], reason) for index, reason in lost.items()]

        def tell(place: int, news: Any) -> None:
            on_news(left[place], news)

        return failures + run_jobs(
            task, [jobs[index] for index in left], workers=workers, on_news=tell, modules=modules
        )


def _script_is_imported() -> bool:
    """Whether processes that multiprocessing spawns import the running script: not a notebook, a prompt or ``-c``."""
    main = sys.modules["__main__"]
    name = getattr(getattr(main, "__spec__", None), "name", None)
    return not name.endswith("__main__") if name else getattr(main, "__file__", None) is not None


def _fitting(device: str) -> int:
    if device != "cpu":
        import torch

        if torch.cuda.is_available():
            return 1  # one program fills a GPU; several would wait for each other
    return cores()
