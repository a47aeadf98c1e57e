"""Made-up records, for tests of what is done with records; their numbers mean nothing."""

from __future__ import annotations

from typing import Any

import numpy as np

MODES = ("private", "integrated", "cooperative")


def rows(algorithms=("IPPO", "MAPPO"), modes=MODES, seeds=7, game="AppleAppStore-v1") -> list[dict[str, Any]]:
    """Rows of the runs table with the columns that summaries and plots read."""
    return [_row(game, algorithm, mode, seed) for algorithm in algorithms for mode in modes for seed in range(seeds)]


def _row(game: str, algorithm: str, mode: str, seed: int) -> dict[str, Any]:
    rng = np.random.default_rng([len(algorithm), MODES.index(mode), seed])
    level = 0.3 + 0.3 * MODES.index(mode) + 0.05 * rng.standard_normal()
    payoff = list(1000.0 * (1.0 + level) * np.array([1.0, 2.0, 3.0]))
    return {
        "run_id": f"{algorithm}-{mode}-{seed}",
        "kind": "learner",
        "algorithm": algorithm,
        "game": game,
        "reward_mode": mode,
        "mutuality": None,
        "seed": seed,
        "agents": 3,
        "status": "ok",
        "welfare": sum(payoff),
        "payoff": payoff,
        "reward_private": payoff,
        "reward_integrated": [1.5 * p for p in payoff],
        "reward_cooperative": [sum(payoff) / 3] * 3,
        "rate": [level] * 3,
        "final_trust": min(level + 0.1, 1.0),
        "length": 66.0,
        "best_constant_welfare": 11000.0,
        "best_constant_reward": 12000.0,
    }


def curves(runs: list[dict[str, Any]], points: int = 40) -> list[dict[str, Any]]:
    """Learning curves that rise to each run's welfare."""
    steps = [10_000 * (i + 1) for i in range(points)]
    rise = 1.0 - np.exp(-np.arange(points) / 10.0)
    return [
        {
            "run_id": row["run_id"],
            "metric": "welfare_eval",
            "agent": -1,
            "unit": "payoff",
            "env_steps": steps,
            "updates": [16 * (i + 1) for i in range(points)],
            "value": [float(v) for v in 5000.0 + (row["welfare"] - 5000.0) * rise],
        }
        for row in runs
    ]
