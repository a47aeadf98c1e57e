"""What all commands print with: tables and lines of plain text on stdout, JSON alone, and progress on stderr."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from coopgym.cli.group import BROKEN_PIPE, plain, print_json, say, silence

__all__ = ["Lines", "News", "PlainConsole", "PlainTable", "new_console", "new_table", "print_json", "progress", "span"]

NEVER_CUT = ("concept", "game", "algorithm", "reward mode", "welfare", "mode")
NARROWEST, PIPE = 20, 120  # columns: fewer are not believed; where stdout is a file or a pipe
FIRST, EVERY = 15.0, 30.0  # seconds until the first line about progress, and between two
News = Callable[[str, float], None]


class PlainConsole(Console):
    """Prints text as it is: no markup, no highlighting, and control characters as escapes.

    Names of games, algorithms, runs and folders come from files that others may have written.
    """

    def print(self, *objects: Any, **options: Any) -> None:
        """As Rich's, with every string taken literally; what has a style is a ``Text``."""
        super().print(*map(_literal, objects), **options)

    def on_broken_pipe(self) -> None:
        """End the command quietly when nobody reads on."""
        silence()
        raise SystemExit(BROKEN_PIPE)


class PlainTable(Table):
    """A table whose cells and headings are taken literally; see ``PlainConsole``."""

    def add_row(self, *cells: Any, **options: Any) -> None:
        """As Rich's, with every string taken literally; what has a style or several lines is a ``Text``."""
        super().add_row(*map(_literal, cells), **options)

    def add_column(self, header: Any = "", *others: Any, **options: Any) -> None:
        """As Rich's, with a heading taken literally."""
        super().add_column(_literal(header), *others, **options)


def _literal(x: Any) -> Any:
    return Text(plain(x)) if isinstance(x, str) else x


def new_table(*columns: tuple[str, str]) -> PlainTable:
    """An empty table; a column is its name and "r" if it stands on the right."""
    table = PlainTable(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for name, side in columns:
        table.add_column(name, justify="right" if side else "left", no_wrap=name in NEVER_CUT)
    return table


def new_console(stderr: bool = False) -> PlainConsole:
    """As wide as COLUMNS says or else the terminal is; 120 columns where stdout is a file or a pipe."""
    told = os.environ.get("COLUMNS", "")
    if told.isdecimal() and int(told[:6]) >= NARROWEST:
        return PlainConsole(stderr=stderr, width=int(told[:6]))
    stream = sys.stderr if stderr else sys.stdout
    console = PlainConsole(stderr=stderr, width=None if stream.isatty() and not told else PIPE)
    if console.width < NARROWEST:  # a terminal that does not know its size
        console.width = PIPE
    return console


@contextmanager
def progress(quiet: bool = False) -> Iterator[News]:
    """Something to tell about the progress of pieces of work: call it with (name, share done).

    On a terminal a bar for each piece, with the time left; elsewhere a line on stderr now and then; nothing if quiet.
    """
    console = new_console(stderr=True)
    if quiet:
        yield lambda name, share: None
        return
    if not console.is_terminal:
        with Lines() as lines:
            yield lines.news
        return
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TextColumn("{task.percentage:>3.0f}%"))
    times = (TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn())
    with Progress(*columns, *times, console=console, transient=True) as bar:
        tasks: dict[str, Any] = {}

        def news(name: str, share: float) -> None:
            if name not in tasks:
                tasks[name] = bar.add_task(plain(name), total=1.0)
            bar.update(tasks[name], completed=share)

        yield news


class Lines:
    """Says on stderr now and then how far pieces of work are, also while none of them has anything to tell."""

    def __init__(self, first: float = FIRST, every: float = EVERY) -> None:
        self.first, self.every = first, every
        self.shares: dict[str, float] = {}
        self._began = time.monotonic()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Lines:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def news(self, name: str, share: float) -> None:
        """A piece of work has come so far."""
        self.shares[name] = share

    def line(self) -> str:
        """How far everything is: what is done, and the share of each piece that is under way."""
        shares = dict(self.shares)
        done = sum(share >= 1.0 for share in shares.values())
        going = [f"{name} {share:.0%}" for name, share in shares.items() if 0.0 < share < 1.0]
        finished = [f"{done} of {len(shares)} done"] if done and len(shares) > 1 else []
        return "; ".join([*finished, ", ".join(going) or "working", f"{span(time.monotonic() - self._began)} so far"])

    def _run(self) -> None:
        wait = self.first
        while not self._over.wait(wait):
            say("progress", self.line())
            wait = self.every


def span(seconds: float) -> str:
    """A length of time, in words."""
    if seconds < 90.0:
        return f"{-(-seconds // 1.0):.0f} s"
    return f"{seconds / 60.0:.0f} min" if seconds < 5400.0 else f"{seconds / 3600.0:.1f} h"
