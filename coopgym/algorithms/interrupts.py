"""Signals that ask a program to end: they wait until what is under way is whole, and SIGTERM is heard like Ctrl-C."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)  # Windows has no SIGHUP


class Terminated(KeyboardInterrupt):  # whoever handles Ctrl-C handles this
    """The process was asked to end by SIGTERM, or by SIGHUP, which a closed terminal sends."""


def terminate(number: int, frame: Any) -> None:
    """A signal handler that raises Terminated."""
    raise Terminated


@contextmanager
def terminable() -> Iterator[None]:
    """Raise Terminated on SIGTERM and SIGHUP inside the block, so that it can put away what it has.

    Only in the main thread, and only for signals that would end the process now: handlers of others stay.
    """
    ours = threading.current_thread() is threading.main_thread()
    held = [number for number in SIGNALS[1:] if ours and signal.getsignal(number) is signal.SIG_DFL]
    for number in held:
        signal.signal(number, terminate)
    try:
        yield
    finally:
        for number in held:
            signal.signal(number, signal.SIG_DFL)


@contextmanager
def patience() -> Iterator[None]:
    """KeyboardInterrupt is raised after the block, not inside it; a second one at once.

    Only of signals that would raise it now, and in the main thread, which alone is interrupted.
    """
    ours = threading.current_thread() is threading.main_thread()
    raising = (signal.default_int_handler, terminate)
    held = {number: signal.getsignal(number) for number in SIGNALS if ours and signal.getsignal(number) in raising}
    came: list[int] = []

    def wait(number: int, frame: Any) -> None:
        if came:
            raise _error(held[number])
        came.append(number)

    for number in held:
        signal.signal(number, wait)
    try:
        yield
    finally:
        for number, handler in held.items():
            signal.signal(number, handler)
    if came:
        raise _error(held[came[0]])


def _error(handler: Any) -> KeyboardInterrupt:
    return Terminated() if handler is terminate else KeyboardInterrupt()
