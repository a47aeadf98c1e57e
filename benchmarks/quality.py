"""How good the learners are: all of them on all twenty games under the cooperative reward, seven seeds.

    python benchmarks/quality.py [--algorithms IPPO,MADDPG] [--games SLCD-v1] [--workers 2]

The budget of each learner, in environment steps of a replica, stands in ``quality.json``, with the games in which it
was not enough and a learner was given more. What is done is skipped, so
the command can be interrupted. ``make tables`` makes the page from the result.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import json
import sys
from pathlib import Path
from typing import Any

from cells import Cell, Filed, asked, carry_out

import coopgym
from coopgym.algorithms.registry import algorithm as entry

HERE = Path(__file__).parent
SEEDS = 7


def planned(algorithms: list[str], games: list[str]) -> list[Cell]:
    """The design: learner after learner, games of many agents last, without what a learner cannot play."""
    budgets = json.loads((HERE / "quality.json").read_text())
    return [
        {"algorithm": name, "game": game, "steps": budgets["slow"].get(name, {}).get(game, budgets[size][name])}
        for size in ("steps", "crowd")
        for name in budgets[size]
        for game in games
        if name in algorithms
        and size == ("crowd" if coopgym.game(game).n > 8 else "steps")
        and entry(name).limit(coopgym.game(game)) is None
    ]


def train_one(cell: Cell, report: Any) -> None:
    """Train seven seeds of one learner on one game; report returns, the yardstick, the wall time."""
    result = coopgym.train(
        cell["algorithm"], cell["game"], reward_modes=["cooperative"], seeds=range(SEEDS), total_steps=cell["steps"]
    )
    returns = [None if run.status != "ok" else sum(run.reward_cooperative or []) for run in result.runs]
    report({
        "returns": returns, "best_constant": result.best_constant["cooperative"]["return"],
        "env_steps": result.runs[0].env_steps, "updates": result.runs[0].updates,
        "seconds": round(result.seconds, 1), "hyperparameters": json.loads(result.runs[0].hyperparameters),
    })  # fmt: skip


def main() -> int:
    """Train what is missing and file it."""
    options = asked(__doc__)
    cells = planned(options.algorithms, options.games)
    return carry_out(train_one, cells, Filed(HERE / "results" / "quality.json"), options.workers)


if __name__ == "__main__":
    sys.exit(main())
