"""The sweep behind the learners' defaults: every candidate of ``sweep.json`` on games and seeds kept for that purpose.

    python benchmarks/sweep.py [--algorithms IA2C,MADDPG] [--workers 2] [--show]

Seeds are 100 and up, so that no run of a published table (seeds 0 to 6) has taken part in a choice. What is done is
skipped: add a candidate and call again. ``--show`` prints the ranking and trains nothing.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

from cells import Cell, Filed, carry_out

import coopgym
from coopgym.algorithms.record import canonical
from coopgym.algorithms.registry import algorithm as entry

HERE = Path(__file__).parent
FIRST_SEED = 100


def planned(algorithms: list[str] | None) -> list[Cell]:
    """Every cell of the design in ``sweep.json``."""
    design = json.loads((HERE / "sweep.json").read_text())
    return [
        {"algorithm": name, "game": game, "options": options, "steps": design["steps"][name], "seeds": design["seeds"]}
        for name, candidates in design["candidates"].items()
        if algorithms is None or name in algorithms
        for options in candidates
        for game in design["games"]
        if entry(name).limit(coopgym.game(game)) is None
    ]


def train_one(cell: Cell, report: Any) -> None:
    """Train one candidate on one game under the cooperative reward; report each seed's share of the best constant."""
    result = coopgym.train(
        cell["algorithm"], cell["game"], reward_modes=["cooperative"],
        seeds=range(FIRST_SEED, FIRST_SEED + cell["seeds"]), **{"total_steps": cell["steps"], **cell["options"]},
    )  # fmt: skip
    shares = [run.efficiency_best_constant if run.status == "ok" else 0.0 for run in result.runs]
    report({"shares": [round(share, 5) for share in shares], "seconds": round(result.seconds, 1)})


def show(rows: list[dict[str, Any]]) -> None:
    """For each algorithm its candidates, best first: mean and worst share over games and seeds."""
    table: dict[str, dict[str, list[dict[str, Any]]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        table[f"{row['algorithm']}, {row['steps']} steps"][canonical(row["options"])].append(row)
    for algorithm, candidates in table.items():
        print(f"\n{algorithm}")
        for options, cells in sorted(candidates.items(), key=lambda item: -mean(item[1])):
            worst, seconds = min(min(c["shares"]) for c in cells), sum(c["seconds"] for c in cells)
            games = " ".join(f"{c['game'][:12]} {mean([c]):.3f}/{min(c['shares']):.3f}" for c in cells)
            print(f"  {mean(cells):.4f} worst {worst:.3f} {seconds:5.0f} s  {options}\n      {games}")


def mean(cells: list[dict[str, Any]]) -> float:
    """Mean share over games and seeds."""
    shares = [share for cell in cells for share in cell["shares"]]
    return sum(shares) / len(shares)


def main() -> int:
    """Train what is missing, file it, show the ranking."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--algorithms", help="only these, comma-separated")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--show", action="store_true", help="print what is known; train nothing")
    options = parser.parse_args()
    wanted = options.algorithms.split(",") if options.algorithms else None
    filed = Filed(HERE / "results" / "sweep.json")
    code = 0 if options.show else carry_out(train_one, planned(wanted), filed, options.workers)
    show([row for row in filed.rows if wanted is None or row["algorithm"] in wanted])
    return code


if __name__ == "__main__":
    sys.exit(main())
