"""Records of studies that never ran, with known answers."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from coopgym.algorithms.record import digest
from coopgym.study.schema import RUNS

FAMILIES = {"independent": "independent", "CTDE": "centralised_critic"}
GAMES = {
    "DynamicPartnerSelection-v1": 1,
    "SLCD-v1": 2,
    "LoyaltyTeam-v1": 3,
    "GiftExchange-v1": 4,
}  # scored by constants
BEST = 1000.0  # what a share of the best constant is a share of: none of these games has a better scale


def row(algorithm, game, mode, seed, score, family="independent", mutuality=None, **changes):
    """A run with a welfare of ``score`` times the best constant's."""
    welfare = None if score is None else float(score) * BEST
    about = {"algorithm": algorithm, "game": game, "mode": mode, "mutuality": mutuality, "seed": seed}
    return {
        "run_id": digest(about | {"variant": changes.get("variant")}), "kind": "learner", "algorithm": algorithm,
        "paradigm": FAMILIES[family], "game": game, "report": GAMES.get(game, 1), "reward_mode": mode,
        "mutuality": mutuality, "seed": seed, "agents": 2, "horizon": 100, "game_options": "{}",
        "status": "ok", "welfare": welfare,
        "payoff": [welfare, 0.0] if welfare is not None else None, "rate": [0.5, 0.7], "final_trust": 0.5,
        "length": 100.0, "best_constant_welfare": BEST, "hyperparameters": "{}", "parameters": 10,
        "program_seconds": 2.0, "seconds": 1.0, **changes,
    }  # fmt: skip


def field(levels, games=GAMES, mode="private", seeds=10, noise=0.01, families=None, **changes):
    """Rows of algorithms whose mean score is ``levels[algorithm]``, or a number for each game."""
    draw = np.random.default_rng([len(mode), round(100 * (changes.get("mutuality") or 1.0))])
    return [
        row(name, game, mode, seed, np.broadcast_to(level, len(games))[g] + noise * draw.standard_normal(),
            (families or {}).get(name, "independent"), **changes)
        for name, level in levels.items() for g, game in enumerate(games) for seed in range(seeds)
    ]  # fmt: skip


def table(rows):
    """As the columns of a study."""
    return pa.Table.from_pylist(rows, schema=RUNS)
