"""Ray: the same task on the nodes of a cluster, or on a local one that is started where there is none.

All nodes need this package and the place of the records: a shared folder, or a URL.
"""

from __future__ import annotations

import contextlib
import os
import traceback
from collections.abc import Callable, Sequence
from typing import Any

from coopgym.mechanisms import checks
from coopgym.study.engines import of_users
from coopgym.study.workers import GRACE, Failure, Task, import_modules, last_line, one_thread

POLL = 0.2  # seconds between two looks into the mailbox
CURE = 'install it with: pip install "coopgym[rllib]"'


class Ray:
    """``workers``: jobs at a time, by default as many as the cluster has room for; ``gpus``: of each."""

    def __init__(self, workers: int | None = None, gpus: float = 0.0) -> None:
        try:
            import ray
        except ModuleNotFoundError:
            raise ValueError(f"engine='ray' needs the module 'ray', which is not installed; {CURE}") from None
        self.ray: Any = ray
        self.gpus = checks.number("gpus", gpus, 0.0, 64.0)
        self.limit = None if workers is None else checks.whole("workers", workers, 1, 10_000)
        if not ray.is_initialized():
            self._connect()
        self.slots = self.limit or self._room()

    def run(self, task: Task, jobs: Sequence[Any], on_news: Callable[[int, Any], None]) -> list[Failure]:
        """See Engine. Tasks that are lost with their node are done again on another one."""
        mail = self.ray.remote(num_cpus=0)(Mailbox).remote()
        # retried once: a job whose process dies twice, for memory perhaps, would do so again
        options = {"num_cpus": 1, "num_gpus": self.gpus, "max_retries": 1, "scheduling_strategy": "SPREAD"}
        work = self.ray.remote(**options)(_work)
        modules, lost = of_users(jobs, script=False)
        failures = [Failure(jobs[index], reason) for index, reason in lost.items()]
        waiting = [(index, job) for index, job in enumerate(jobs) if index not in lost][::-1]
        running: dict[Any, int] = {}
        try:
            while waiting or running:
                while waiting and len(running) < (self.limit or len(jobs)):
                    index, job = waiting.pop()
                    running[work.remote(task, job, index, mail, modules)] = index
                ended, _ = self.ray.wait(list(running), num_returns=len(running), timeout=POLL)
                for index, news in self.ray.get(mail.take.remote()):
                    on_news(index, news)
                failures += [each for ref in ended if (each := self._failure(ref, jobs[running.pop(ref)]))]
        finally:
            self._stop(list(running))
            self.ray.kill(mail)
        return failures

    def _connect(self) -> None:
        """The cluster that is there, or one for this process."""
        quiet = {"log_to_driver": False, "logging_level": "error"}
        try:
            self.ray.init(address="auto", **quiet)
        except ConnectionError:
            self.ray.init(num_cpus=self.limit, include_dashboard=False, **quiet)

    def _room(self) -> int:
        """Jobs that fit into the cluster as it is now."""
        there = self.ray.cluster_resources()
        fits = [int(there.get("CPU", 1.0))] + ([int(there.get("GPU", 0.0) / self.gpus)] if self.gpus else [])
        return max(1, min(fits))

    def _failure(self, reference: Any, job: Any) -> Failure | None:
        try:
            found = self.ray.get(reference)
        except self.ray.exceptions.RayError as error:  # its process or node has died
            return Failure(job, last_line(error), traceback.format_exc())
        return found and Failure(job, *found)

    def _stop(self, running: list[Any]) -> None:
        for reference in running:
            self.ray.cancel(reference)  # raises KeyboardInterrupt there
        if running:
            self.ray.wait(running, num_returns=len(running), timeout=GRACE)


class Mailbox:
    """What tasks have to say, until it is fetched."""

    def __init__(self) -> None:
        self.news: list[tuple[int, Any]] = []

    def put(self, index: int, news: Any) -> None:
        """Keep one piece of news."""
        self.news.append((index, news))

    def take(self) -> list[tuple[int, Any]]:
        """All that has come since it was last asked."""
        taken, self.news = self.news, []
        return taken


def _work(task: Task, job: Any, index: int, mail: Any, modules: Sequence[str]) -> tuple[str, str] | None:
    """Do a job on a node; why it failed, if it did."""
    import ray

    os.environ["OMP_NUM_THREADS"] = "1"
    with contextlib.suppress(ModuleNotFoundError):
        import torch  # noqa: F401
    one_thread()
    import_modules(modules)
    try:
        task(job, lambda news: ray.get(mail.put.remote(index, news)))
    except Exception as error:
        return last_line(error), traceback.format_exc()
    return None
