"""Ctrl-C while the command line is still importing what it needs: a sentence in place of a traceback."""

from __future__ import annotations

import os
import sys
from types import TracebackType


def is_command() -> bool:
    """Whether this process is the command ``coopgym`` or ``python -m coopgym``."""
    name = os.path.splitext(os.path.basename(sys.argv[0] if sys.argv else ""))[0]
    return name == "coopgym" or sys.orig_argv[1:3] == ["-m", "coopgym"]


def excepthook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """What Python does with an error that nobody has handled, but for Ctrl-C."""
    if issubclass(kind, KeyboardInterrupt):
        print("interrupted: nothing was begun", file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, trace)


if is_command():
    sys.excepthook = excepthook
