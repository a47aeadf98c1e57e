"""Designs of many training programs: carried out on all cores, filed one by one, resumable."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from timing import machine

import coopgym
from coopgym.algorithms.record import canonical
from coopgym.files import write_atomically
from coopgym.study.workers import run_jobs

Cell = dict[str, Any]  # what identifies a program; plain JSON


class Filed:
    """Outcomes in one JSON file, ``{"machine": ..., "rows": [cell and outcome, ...]}``, written whole each time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows = self._read()

    @cached_property
    def _machine(self) -> str:
        """Asked once, with the load at the first row: asking costs as much as solving many a cell."""
        return json.dumps(machine())

    def _read(self) -> list[dict[str, Any]]:
        found = json.loads(self.path.read_text()) if self.path.exists() else {"rows": []}
        return list(found["rows"])

    def lacks(self, cell: Cell) -> bool:
        """True if no row has this cell's values."""
        wanted = canonical(cell)
        return all(canonical({name: row.get(name) for name in cell}) != wanted for row in self.rows)

    def replace(self, row: dict[str, Any], keys: tuple[str, ...]) -> None:
        """File one row in the place of that which agrees with it in ``keys``, if there is one."""
        self._write([old for old in self._read() if any(old[key] != row[key] for key in keys)], row)

    def add(self, row: dict[str, Any]) -> None:
        """File one row, beside what another process may have filed meanwhile."""
        self._write(self._read(), row)

    def _write(self, others: list[dict[str, Any]], row: dict[str, Any]) -> None:
        self.rows = [*others, row]
        self.path.parent.mkdir(parents=True, exist_ok=True)
        rows = ",\n".join(json.dumps(each) for each in self.rows)
        write_atomically(self.path, f'{{"machine": {self._machine},\n"rows": [\n{rows}\n]}}\n'.encode())


def asked(description: str | None) -> argparse.Namespace:
    """What the command line asks for: learners and games, lists of names, and the number of workers."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--algorithms", type=_names, default=coopgym.list_algorithms("learner"))
    parser.add_argument("--games", type=_names, default=coopgym.list_games())
    parser.add_argument("--workers", type=int, default=2)
    return parser.parse_args()


def _names(text: str) -> list[str]:
    return text.split(",")


def carry_out(
    task: Callable[[Cell, Any], None], cells: list[Cell], filed: Filed, workers: int, together: str | None = None
) -> int:
    """Run ``task(cell, report)`` for the cells that are not filed yet; what it reports is filed. 1 if any failed.

    together: an entry of the cells; those that agree in it run in one process, one after another, and so can share what
    they find. By default each is a job of its own.
    """
    left = [cell for cell in cells if filed.lacks(cell)]
    jobs = _grouped(left, together)
    start, done = time.perf_counter(), 0
    print(f"{len(cells) - len(left)} of {len(cells)} are there already", flush=True)

    def file(index: int, news: tuple[int, Any]) -> None:
        nonlocal done
        done += 1
        cell, outcome = jobs[index][news[0]], news[1]
        filed.add(cell | outcome)
        print(f"[{done}/{len(left)}, {time.perf_counter() - start:.0f} s]", *cell.values(), outcome, flush=True)

    failures = run_jobs(partial(_one_by_one, task), jobs, workers=workers, on_news=file)
    for failure in failures:
        print(f"{failure.job}: {failure.reason}", file=sys.stderr)
    return 1 if failures else 0


def _grouped(cells: list[Cell], together: str | None) -> list[list[Cell]]:
    """Cells with one value of ``together`` side by side, groups in the order of their first cells."""
    groups: dict[Any, list[Cell]] = {}
    for k, cell in enumerate(cells):
        groups.setdefault(k if together is None else cell[together], []).append(cell)
    return list(groups.values())


def _one_by_one(task: Callable[[Cell, Any], None], cells: list[Cell], report: Callable[[Any], None]) -> None:
    """Carry out a group; a cell's outcome is reported with its place in the group."""
    for k, cell in enumerate(cells):
        task(cell, lambda outcome, k=k: report((k, outcome)))
