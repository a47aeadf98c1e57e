"""Does any run diverge: every learner on every game under three reward modes, two seeds, at a reduced budget.

    python benchmarks/divergence.py [--algorithms IPPO,MADDPG] [--workers 2]

A run counts as diverged if any parameter, loss or action was not finite. The table goes to ``results/divergence.json``;
what is done is skipped. With ``--games ApacheProject-v0`` it is the long test of forty agents: 500 updates, integrated
rewards, one seed.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import math
import sys
from pathlib import Path
from typing import Any

from cells import Cell, Filed, asked, carry_out

import coopgym
from coopgym.algorithms.registry import algorithm as entry
from coopgym.algorithms.replay_learner import ReplaySettings

STEPS = {"few": 12_000, "many": 4_000}  # environment steps of a replica: up to 8 agents, and above
LONG, SAME, UPDATES = "ApacheProject-v0", "ApacheProject-v1", 500


def long_enough(name: str, short: Cell) -> int:
    """Steps in which a learner makes UPDATES updates: from its settings if it learns from replay, since a short run is
    mostly warm-up then; else at the pace of that run."""
    settings = entry(name).settings()
    if isinstance(settings, ReplaySettings):
        return settings.lanes * (settings.warmup + math.ceil(UPDATES / settings.updates_per_step))
    return math.ceil(UPDATES * short["env_steps"] / short["updates"])


def planned(algorithms: list[str], games: list[str], rows: list[Cell]) -> list[Cell]:
    """The design, without what a learner cannot play. rows: what was measured before."""
    if games == [LONG]:
        short = {row["algorithm"]: row for row in rows if row["game"] == SAME}
        return [{"algorithm": name, "game": LONG, "steps": long_enough(name, short[name])} for name in algorithms]
    return [
        {"algorithm": name, "game": game, "steps": STEPS["few" if coopgym.game(game).n <= 8 else "many"]}
        for game in games
        for name in algorithms
        if entry(name).limit(coopgym.game(game)) is None
    ]


def train_one(cell: Cell, report: Any) -> None:
    """Six replicas of one learner on one game, or one for long; report how many diverged."""
    design = {"reward_modes": ["integrated"], "seeds": [0]} if cell["game"] == LONG else {"seeds": range(2)}
    result = coopgym.train(cell["algorithm"], cell["game"], total_steps=cell["steps"], evaluations=1, **design)
    lost = [f"{run.reward_mode} seed {run.seed} update {run.diverged_at}" for run in result.runs if run.status != "ok"]
    finite = all(run.welfare is not None for run in result.runs)
    run = result.runs[0]
    report({
        "runs": len(result.runs), "diverged": len(lost), "which": lost, "finite_outcomes": finite,
        "env_steps": run.env_steps, "updates": run.updates, "seconds": round(result.seconds, 1),
    })  # fmt: skip


def main() -> int:
    """Train what is missing, file it, count."""
    options = asked(__doc__)
    filed = Filed(Path(__file__).parent / "results" / "divergence.json")
    cells = planned(options.algorithms, options.games, filed.rows)
    code = carry_out(train_one, cells, filed, options.workers)
    lost, runs = (sum(row[name] for row in filed.rows) for name in ("diverged", "runs"))
    print(f"{lost} of {runs} runs diverged")
    return 1 if code or lost else 0


if __name__ == "__main__":
    sys.exit(main())
