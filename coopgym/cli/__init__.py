"""The command line. ``main`` is all that is here, so that a core-only install can say what is missing."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from coopgym.extras import EXTRAS


def main(arguments: Sequence[str] | None = None) -> None:
    """Run ``coopgym`` with ``arguments`` (those of the process by default); leaves by SystemExit.

    Exit codes: 0 done, 1 the work failed, 2 a value or option is wrong, 130 interrupted, 143 terminated.
    """
    _open_streams()
    _forget_no_width()
    try:
        try:
            from coopgym.cli.commands import app
        except ModuleNotFoundError as missing:
            if str(missing.name).partition(".")[0] not in EXTRAS:
                raise
            cure = 'install the command line and the learners with: pip install "coopgym[learn]"'
            sys.exit(f"coopgym: the module {missing.name!r} is not installed; {cure}")
        app(None if arguments is None else list(arguments), prog_name="coopgym")
    except KeyboardInterrupt:  # before a command had begun
        print("interrupted: nothing was begun", file=sys.stderr)
        sys.exit(130)


def _forget_no_width() -> None:
    """Drop a COLUMNS that is no width, such as 0: with it nothing at all would be printed."""
    told = os.environ.get("COLUMNS", "")
    if told and not (told.isdecimal() and int(told[:6]) >= 20):
        del os.environ["COLUMNS"]


def _open_streams() -> None:
    """Give the process its three streams where the shell closed some, and let none fail on a character."""
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        if getattr(sys, name) is None:  # opened in this order, each takes the number that is its own
            stream = open(os.devnull, mode)  # noqa: SIM115
            if stream.fileno() != number:
                os.dup2(stream.fileno(), number)
            setattr(sys, name, stream)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
