"""Which learner under which reward mode behaves like the documented actors of the four case studies.

    python benchmarks/conduct.py [--algorithms IPPO,VDN] [--games SLCD-v1] [--workers 1]

Trains learners under the three pure modes, plays what came out, and lays it beside the record
(``coopgym.validation.conduct``). Budgets are short, so that all of it takes minutes of one core; Apache, with 40
agents, gets three seeds and next to no training. What is done is skipped. The result goes to
``results/conduct.json``; ``make tables`` makes the page.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import sys
import time
from pathlib import Path
from typing import Any

from cells import Cell, Filed, asked, carry_out

import coopgym
from coopgym.study.conduct import MEASURES, identified
from coopgym.validation.conduct import documented_games
from coopgym.validation.conduct.audit import audit_case

STEPS = {"IPPO": 20_000, "MAPPO": 20_000, "VDN": 20_000, "IndependentREINFORCE": 80_000}  # of each replica
CROWD = {"IPPO": 1_920, "MAPPO": 1_920, "VDN": 3_840, "IndependentREINFORCE": 1_920}  # with more than 8 agents
SEEDS, CROWD_SEEDS = 7, 3
DIGITS = 6


def planned(algorithms: list[str], games: list[str]) -> list[Cell]:
    """The design: game after game, the crowd last."""
    documented = sorted((f"{name}-v1" for name in documented_games()), key=lambda id: coopgym.game(id).n)
    cells = []
    for game in documented:
        crowd = coopgym.game(game).n > 8
        budgets, seeds = (CROWD, CROWD_SEEDS) if crowd else (STEPS, SEEDS)
        cells += [
            {"game": game, "algorithm": name, "steps": steps, "seeds": seeds}
            for name, steps in budgets.items()
            if name in algorithms and game in games
        ]
    return cells


def lay_one(cell: Cell, report: Any) -> None:
    """Train, play, measure; report a row for each replica, and what stands beside them."""
    began = time.process_time()
    result = coopgym.train(
        cell["algorithm"], cell["game"], seeds=range(cell["seeds"]), total_steps=cell["steps"], evaluations=1
    )
    found = audit_case(result)
    rows = identified([run.row() for run in result.runs], found)
    kept = ("reward_mode", "seed", "beats_constants", *MEASURES)
    told = found.to_dict()
    report({
        "runs": [
            {key: _short(row[key]) for key in kept} | {"levels": _short(levels.tolist()), "status": run.status}
            for row, levels, run in zip(rows, found.levels, result.runs, strict=True)
        ],
        **{key: _short(told[key]) for key in ("best_constants", "constants_at", "shuffled", "untrained")},
        "env_steps": result.runs[0].env_steps, "updates": result.runs[0].updates,
        "seconds": round(time.process_time() - began, 1),
    })  # fmt: skip


def _short(x: Any) -> Any:
    """The same with six digits after the point."""
    if isinstance(x, dict):
        return {key: _short(y) for key, y in x.items()}
    if isinstance(x, list):
        return [_short(y) for y in x]
    return round(x, DIGITS) if isinstance(x, float) else x


def main() -> int:
    """Measure what is missing and file it."""
    options = asked(__doc__)
    cells = planned(options.algorithms, options.games)
    return carry_out(lay_one, cells, Filed(Path(__file__).parent / "results" / "conduct.json"), options.workers)


if __name__ == "__main__":
    sys.exit(main())
