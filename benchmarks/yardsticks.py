"""Team learners on three games of the release: do they come as near the best constant, and the best sequence, as asked.

    python benchmarks/yardsticks.py [--algorithms MAPPO,MASAC,VDN] [--games SLCD-v0] [--workers 2]

Integrated rewards, summed over agents, three seeds; budgets and options stand in ``yardsticks.json``. The best sequence
is that which ``oracles.py`` has filed. What is done is skipped. ``make tables`` makes the page from the result.
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

HERE = Path(__file__).parent
MODE, SEEDS = "integrated", 3


def planned(algorithms: list[str], games: list[str]) -> list[Cell]:
    """The design: learner after learner; of the games asked for those of the design, or all of it."""
    design = json.loads((HERE / "yardsticks.json").read_text())
    wanted = [game for game in design["games"] if game in games] or design["games"]
    return [
        {"algorithm": name, "game": game, **learner}
        for name, learner in design["learners"].items()
        for game in wanted
        if name in algorithms
    ]


def best_sequence(game: str) -> float:
    """Sum over agents of the integrated rewards of the best sequence that the planner has found."""
    filed = json.loads((HERE / "results" / "oracles.json").read_text())["rows"]
    wanted = {"game": game, "concept": "social_optimum", "reward_mode": MODE}
    return float(next(row for row in filed if wanted.items() <= row.items())["rewards"])


def train_one(cell: Cell, report: Any) -> None:
    """Train three seeds; report returns beside both yardsticks."""
    result = coopgym.train(
        cell["algorithm"], cell["game"], reward_modes=[MODE], seeds=range(SEEDS), total_steps=cell["steps"],
        evaluations=1, **cell["options"],
    )  # fmt: skip
    report({
        "returns": [None if run.status != "ok" else sum(run.reward_integrated or []) for run in result.runs],
        "best_constant": result.best_constant[MODE]["return"], "best_sequence": best_sequence(cell["game"]),
        "env_steps": result.runs[0].env_steps, "updates": result.runs[0].updates, "seconds": round(result.seconds, 1),
    })  # fmt: skip


def main() -> int:
    """Train what is missing and file it."""
    options = asked(__doc__)
    cells = planned(options.algorithms, options.games)
    return carry_out(train_one, cells, Filed(HERE / "results" / "yardsticks.json"), options.workers)


if __name__ == "__main__":
    sys.exit(main())
