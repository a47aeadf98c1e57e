"""Whether anything beats the planner: 100,000 random policies on every two-agent game, and what learners have reached.

    python benchmarks/random_search.py [--policies 100000] [--games TrustDilemma-v1]

Policies are rules in trust and time, one for each agent: levels uniform in [0, 1], slopes normal (a third of them
zero, so that constants take part). Learners are those of results/quality.json (cooperative rewards). What is filed, in
results/random_search.json, is the best as a share of the optimum that coopgym.solve found, and of its upper bound.
With --games the rows of the other games stay as they were filed.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from timing import machine

import coopgym
from coopgym.envs.reward import KINDS, RewardMode
from coopgym.files import write_atomically
from coopgym.oracles.trust_aware import returns

RESULTS = Path(__file__).parent / "results"
CHUNK = 5_000


def rules(count: int, agents: int, rng: np.random.Generator) -> np.ndarray:
    """Coefficients ``[count, agents, 3]``."""
    level = rng.random((count, agents, 1))
    slopes = rng.normal(0.0, (1.0, 0.3), (count, agents, 2)) * (rng.random((count, agents, 2)) > 1 / 3)
    return np.concatenate([level, slopes], axis=-1)


def best_of_random(game: Any, mode: RewardMode, count: int) -> float:
    """The largest sum of rewards of random rules."""
    drawn = rules(count, game.n, np.random.default_rng(0))
    parts = [drawn[k : k + CHUNK] for k in range(0, count, CHUNK)]
    return max(float(returns(game, mode, part).sum(-1).max()) for part in parts)


def best_of_learners() -> dict[str, float]:
    """The largest sum of cooperative rewards that a seed of any learner reached, by game."""
    best: dict[str, float] = {}
    for row in json.loads((RESULTS / "quality.json").read_text())["rows"]:
        reached = [x for x in row["returns"] if x is not None]
        best[row["game"]] = max([best.get(row["game"], -np.inf), *reached])
    return best


def filed_without(games: list[str]) -> list[dict[str, Any]]:
    """The rows of an earlier run that this one will not make anew."""
    place = RESULTS / "random_search.json"
    rows = json.loads(place.read_text())["rows"] if place.exists() else []
    return [row for row in rows if row["game"] not in games]


def main() -> None:
    """Search and file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--policies", type=int, default=100_000)
    parser.add_argument("--games", type=lambda text: text.split(","), default=coopgym.list_games())
    options, learned = parser.parse_args(), best_of_learners()
    count, rows = options.policies, filed_without(options.games)
    for name in options.games:
        game = coopgym.game(name)
        for kind in KINDS if game.n == 2 else ("cooperative",) if game.n <= 6 else ():
            solution = coopgym.solve(game, "social_optimum", kind)
            value = float(solution.rewards.sum())
            row = {"game": name, "reward_mode": kind, "optimum": value, "bound": solution.bound}
            if game.n == 2:
                row |= {"policies": count, "random": best_of_random(game, RewardMode(kind), count) / value}
            if kind == "cooperative" and name in learned:
                row |= {"learners": learned[name] / value}
            rows.append(row)
            print(row, flush=True)
    order = coopgym.list_games()
    rows.sort(key=lambda row: order.index(row["game"]))
    lines = ",\n".join(json.dumps(row) for row in rows)
    text = f'{{"machine": {json.dumps(machine())},\n"rows": [\n{lines}\n]}}\n'
    write_atomically(RESULTS / "random_search.json", text.encode())


if __name__ == "__main__":
    main()
