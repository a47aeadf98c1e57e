"""Ctrl-C that waits until what is under way is whole."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def patience() -> Iterator[None]:
    """KeyboardInterrupt is raised after the block, not inside it; a second one at once.

    Only of signals that would raise it now, and in the main thread, which alone is interrupted.
    """
    ours = threading.current_thread() is threading.main_thread()
    held = [number for number in SIGNALS if ours and signal.getsignal(number) is signal.default_int_handler]
    came: list[int] = []

    def wait(number: int, frame: Any) -> None:
        if came:
            raise KeyboardInterrupt
        came.append(number)

    for number in held:
        signal.signal(number, wait)
    try:
        yield
    finally:
        for number in held:
            signal.signal(number, signal.default_int_handler)
    if came:
        raise KeyboardInterrupt
