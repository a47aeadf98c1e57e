"""Jobs on all cores: one fresh process each, news on the way, a clean end when interrupted."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any

Job = Any  # anything that pickles
Report = Callable[[Any], None]
Task = Callable[[Any, Report], None]
GRACE = 300.0  # seconds that a process has to put away what it is at when it is told to stop


@dataclass(frozen=True)
class Failure:
    """A job that did not finish: the last line of its error, and the whole of it."""

    job: Job
    reason: str
    details: str = ""


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run_jobs(task: Task, jobs: Sequence[Job], *, workers: int, on_news: Callable[[int, Any], None]) -> list[Failure]:
    """Call ``task(job, report)`` for every job, ``workers`` at a time, and return those that failed.

    What a task hands to ``report`` arrives here as ``on_news(index of the job, news)``. With one worker the jobs run in
    this process, one after another; otherwise each in a process of its own that computes on one thread. A failed job
    does not stop the others. KeyboardInterrupt is raised in all processes, so that a task can put away what it has, and
    when they have ended it is raised again here.
    """
    if workers == 1:
        return [failure for i, job in enumerate(jobs) if (failure := _here(task, i, job, on_news))]
    waiting = list(enumerate(jobs))[::-1]
    running: dict[Connection, tuple[int, SpawnProcess]] = {}
    failures = []
    try:
        while waiting or running:
            while waiting and len(running) < workers:
                index, job = waiting.pop()
                ours, process = _start(task, job)
                running[ours] = index, process
            for ready in wait(list(running)):
                index, process = running[ready]  # type: ignore[index]
                kind, content = _receive(ready, process)  # type: ignore[arg-type]
                if kind == "news":
                    on_news(index, content)
                    continue
                del running[ready]  # type: ignore[arg-type]
                process.join()
                if kind == "failed":
                    failures.append(Failure(jobs[index], *content))
    finally:
        _stop([process for _, process in running.values()])
        for connection in running:
            connection.close()
    return failures


def _here(task: Task, index: int, job: Job, on_news: Callable[[int, Any], None]) -> Failure | None:
    try:
        task(job, lambda news: on_news(index, news))
    except Exception as error:  # whatever a job raises is its own failure; the others go on
        return Failure(job, _last_line(error), traceback.format_exc())
    return None


def _start(task: Task, job: Job) -> tuple[Connection, SpawnProcess]:
    # spawn: a fork of a process that has used torch or threads may hang
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_in_child, args=(theirs, task, job), daemon=True)
    process.start()
    theirs.close()
    return ours, process


def _stop(processes: Sequence[SpawnProcess]) -> None:
    for process in processes:
        process.terminate()
    end = time.monotonic() + GRACE
    for process in processes:
        process.join(max(0.0, end - time.monotonic()))
        if process.is_alive():
            process.kill()
            process.join()


def _receive(connection: Connection, process: SpawnProcess) -> tuple[str, Any]:
    try:
        message: tuple[str, Any] = connection.recv()
    except EOFError:  # killed, for memory perhaps: nobody was left to say why
        process.join()
        return "failed", (f"its process ended with exit code {process.exitcode}", "")
    if message[0] != "news":
        connection.close()
    return message


def _in_child(connection: Connection, task: Task, job: Job) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what an interrupt means
    os.environ["OMP_NUM_THREADS"] = "1"
    _one_thread()

    def tell(kind: str, content: Any) -> None:
        try:
            connection.send((kind, content))
        except OSError:  # the parent is gone: nobody wants the rest
            raise KeyboardInterrupt from None

    with contextlib.suppress(KeyboardInterrupt):
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # and passes it on like this
        try:
            task(job, lambda news: tell("news", news))
        except Exception as error:
            tell("failed", (_last_line(error), traceback.format_exc()))
        else:
            tell("done", None)


def _one_thread() -> None:
    """Several processes that each use all cores wait for one another at barriers, up to a hundred times slower."""
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(1)


def _last_line(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())
