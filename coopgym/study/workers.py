"""Jobs on all cores: processes that take one after another, news on the way, a clean end when interrupted."""

from __future__ import annotations

import contextlib
import importlib
import multiprocessing
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any

Job = Any  # anything that pickles
Report = Callable[[Any], None]
Task = Callable[[Any, Report], None]
OF_TERMINAL = [getattr(signal, name) for name in ("SIGINT", "SIGHUP") if hasattr(signal, name)]
GUARD = (
    "a script that starts worker processes is imported by each of them, so its own calls belong under "
    '`if __name__ == "__main__":`; or give workers=1'
)
GRACE = 300.0  # seconds that a process has to put away what it is at when it is told to stop


@dataclass(frozen=True)
class Failure:
    """A job that did not finish: the last line of its error, and the whole of it."""

    job: Job
    reason: str
    details: str = ""


class WorkerStartError(RuntimeError):
    """A worker process ended before it could take a job."""


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run_jobs(
    task: Task, jobs: Sequence[Job], *, workers: int, on_news: Callable[[int, Any], None], modules: Sequence[str] = ()
) -> list[Failure]:
    """Call ``task(job, report)`` for every job, ``workers`` at a time, and return those that failed.

    What a task hands to ``report`` arrives here as ``on_news(index of the job, news)``. With one worker the jobs run in
    this process, one after another; otherwise in processes that compute on one thread, each taking one job after
    another. A failed job does not stop the others, even if its process dies. KeyboardInterrupt is raised in all
    processes, so that a task can put away what it has, and when they have ended it is raised again here. modules: what
    these processes import before they take a job.

    Raises:
        WorkerStartError: If a process ends before it takes a job, as it does where a script without a guard for its
            own calls is imported by it.
    """
    if getattr(multiprocessing.current_process(), "_inheriting", False):  # while the script is imported by a worker
        raise WorkerStartError(GUARD)
    if workers == 1:
        return [failure for i, job in enumerate(jobs) if (failure := _here(task, i, job, on_news))]
    waiting = list(enumerate(jobs))[::-1]
    running: dict[Connection, tuple[int, SpawnProcess]] = {}
    failures, begun = [], set[Any]()
    try:
        while waiting or running:
            while waiting and len(running) < workers:
                ours, process = _start(task, modules)
                running[ours] = _give(ours, waiting), process
            for ready in wait(list(running)):
                index, process = running[ready]  # type: ignore[index]
                kind, content = _receive(ready, process)  # type: ignore[arg-type]
                if kind == "ready":
                    begun.add(ready)
                    continue
                if kind == "died" and ready not in begun:
                    raise WorkerStartError(f"{content[0]} before it took a job: {GUARD}")
                if kind == "news":
                    on_news(index, content)
                    continue
                if kind in ("failed", "died"):
                    failures.append(Failure(jobs[index], *content))
                if waiting and kind != "died":
                    running[ready] = _give(ready, waiting), process  # type: ignore
                    continue
                del running[ready]  # type: ignore[arg-type]
                ready.close()  # type: ignore[union-attr]  # which ends it
                process.join()
    finally:
        _stop([process for _, process in running.values()])
        for connection in running:
            connection.close()
    return failures


def _give(connection: Connection, waiting: list[tuple[int, Job]]) -> int:
    """Hand over the next job, and return its index."""
    index, job = waiting.pop()
    with contextlib.suppress(OSError):  # it has died: that will be heard, and this job is what it died of
        connection.send(job)
    return index


class _StopError(BaseException):
    """Carries what ``on_news`` has raised past the task, whose own errors are failures."""


def _here(task: Task, index: int, job: Job, on_news: Callable[[int, Any], None]) -> Failure | None:
    def tell(news: Any) -> None:
        try:
            on_news(index, news)
        except Exception as error:
            raise _StopError from error

    try:
        task(job, tell)
    except _StopError as stop:
        raise stop.__cause__ or stop from None
    except Exception as error:  # whatever a job raises is its own failure; the others go on
        return Failure(job, last_line(error), traceback.format_exc())
    return None


def _start(task: Task, modules: Sequence[str]) -> tuple[Connection, SpawnProcess]:
    # spawn: a fork of a process that has used torch or threads may hang
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_in_child, args=(theirs, task, tuple(modules)), daemon=True)
    with _deaf():
        process.start()
    theirs.close()
    return ours, process


@contextlib.contextmanager
def _deaf() -> Iterator[None]:
    """Hold back the signals of a terminal while a process is started, which inherits that.

    Ctrl-C goes to all processes of a terminal, also to those that are still importing what they need, and would end
    those with a traceback. Here it arrives after the block; a child lets it in once it ignores it.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    resource_tracker.ensure_running()  # which would let the signals in again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, OF_TERMINAL)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


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
    except (EOFError, OSError):  # killed, for memory perhaps: nobody was left to say why
        process.join()
        return "died", (f"its process ended with exit code {process.exitcode}", "")
    return message


def _in_child(connection: Connection, task: Task, modules: Sequence[str]) -> None:
    for number in OF_TERMINAL:
        signal.signal(number, signal.SIG_IGN)  # the parent decides what an interrupt means
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, OF_TERMINAL)
    os.environ["OMP_NUM_THREADS"] = "1"
    one_thread()

    def tell(kind: str, content: Any) -> None:
        try:
            connection.send((kind, content))
        except OSError:  # the parent is gone: nobody wants the rest
            raise KeyboardInterrupt from None

    with contextlib.suppress(KeyboardInterrupt, EOFError, OSError):
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # and passes it on like this
        connection.send(("ready", None))
        import_modules(modules)
        while True:
            job = connection.recv()
            try:
                task(job, lambda news: tell("news", news))
            except Exception as error:
                tell("failed", (last_line(error), traceback.format_exc()))
            else:
                tell("done", None)


def import_modules(modules: Sequence[str]) -> None:
    """Import what registers algorithms; what cannot be imported is missed by the jobs that need it, and they say so."""
    for name in modules:
        with contextlib.suppress(Exception):
            importlib.import_module(name)


def one_thread() -> None:
    """Several processes that each use all cores wait for one another at barriers, up to a hundred times slower."""
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(1)


def last_line(error: BaseException) -> str:
    """The kind of an error and what it says, in one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())
