"""Write which file in ``policies/`` is whose: policies are named by what they hold, and people look for learners."""

from __future__ import annotations

import csv
import io
from typing import Any

from coopgym.study.identity import labels, mode_label
from coopgym.study.records import Records

FILE = "policies/index.csv"
COLUMNS = ("game", "algorithm", "reward_mode", "seed", "status", "welfare", "policy", "run_id")
FORMULA = ("=", "+", "@", "-", "\t", "\r")  # how a text begins that a spreadsheet would compute


def write(records: Records) -> None:
    """Write ``policies/index.csv`` of all runs that have a policy, unless it is there already as it should be.

    A line is a policy: its game and algorithm, with what tells it from others of the same name, its reward mode, seed,
    status and welfare, its file in the folder (without suffix, as ``coopgym.load_policy`` takes it) and its run_id.
    """
    content = _content(records)
    try:
        there = records.store.read(FILE)
        if there == content or not there.startswith(",".join(COLUMNS).encode()):  # or somebody else's
            return
    except OSError:
        pass  # there is none yet
    records.store.write(FILE, content)


def _content(records: Records) -> bytes:
    rows = [row for row in records.read("runs") if row["policy_file"]]
    known = labels(rows)
    lines = [
        (known.game(row), known.player(row), mode_label(row), row["seed"], row["status"], row["welfare"],
         row["policy_file"], row["run_id"])
        for row in rows
    ]  # fmt: skip
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([_cell(x) for x in line] for line in sorted(lines, key=_order))
    return text.getvalue().encode("utf-8", errors="replace")


def _order(line: tuple[Any, ...]) -> tuple[Any, ...]:
    return (*map(str, line[:3]), -1 if line[3] is None else line[3], line[-1])


def _cell(x: Any) -> Any:
    return f"'{x}" if isinstance(x, str) and x.startswith(FORMULA) else x
