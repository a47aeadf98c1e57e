"""A game of your own in thirty lines: solved, trained, played, and handed to every face, without touching the package.

    python examples/own_game.py

Two fishers share a lake. Effort brings in fish in proportion to what swims there; what is left grows back. Each would
like the other to leave more. Needs coopgym[learn].
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

import coopgym
from coopgym.envs.game import Game
from coopgym.mechanisms.arrays import Array, namespace
from coopgym.mechanisms.base import Mechanism, State, Transition


@dataclass(frozen=True, eq=False)
class Lake(Mechanism):
    """Payoff: ``price`` times the catch, less the cost of effort. The stock is public, in [0, 1]."""

    full: Array  # [1], the stock at the start; arrays of a mechanism move to torch with their game
    price: float = 10.0
    catch: float = 0.3
    growth: float = 0.6

    @property
    def observed(self) -> dict[str, tuple[float, float]]:
        return {"stock": (0.0, 1.0)}

    def initial(self, draws: Array | None) -> dict[str, Array]:
        return {"stock": self.full}

    def payoffs(self, state: State, actions: Array, payoffs: Array) -> Array:
        return payoffs + actions * (self.price * self.catch * state.extra["stock"] - 0.5 * actions)

    def update(self, step: Transition) -> dict[str, Array]:
        xp, stock = namespace(step.actions), step.before.extra["stock"]
        left = stock * (1.0 - self.catch * xp.sum(step.actions)[..., None])
        return {"stock": xp.minimum(xp.maximum(left + self.growth * left * (1.0 - left), 0.0), 1.0)}


def lake(horizon: int = 20) -> Game:
    """Two fishers with an effort of at most 1 each."""
    return Game(
        name="Lake", version="v1", report=1, agents=("ann_0", "bob_1"), horizon=horizon, endowment=np.ones(2),
        baseline=np.full(2, 0.5), shares=np.full(2, 0.5), interdependence=np.zeros((2, 2)),
        mechanisms=(Lake(np.ones(1)),), trust=None, initial_trust=np.full((2, 2), 0.5), initial_damage=np.zeros((2, 2)),
    )  # fmt: skip


def main(steps: int = 40_000) -> dict[str, float]:
    """Welfare of the optimum, of the equilibria of a step and of the episode, and of learners under two modes."""
    game = lake()
    coopgym.testing.check(game)  # every face, every checker
    welfare = {
        concept: float(coopgym.evaluate(coopgym.solve(game, concept).policy(game), game, episodes=1).welfare[0])
        for concept in ("social_optimum", "nash", "coopetitive")
    }
    trained = coopgym.train(
        "IPPO", game, reward_modes=("private", "cooperative"), seeds=range(3), total_steps=steps, evaluations=1
    )  # fmt: skip
    for mode in ("private", "cooperative"):
        runs = [run.welfare for run in trained.runs if run.reward_mode == mode]
        welfare[f"IPPO, {mode} reward"] = float(np.mean(runs))
    for name, value in welfare.items():
        print(f"{name:<26}{value:8.2f}")
    return welfare


if __name__ == "__main__":
    main()
