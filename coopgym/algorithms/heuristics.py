"""Policies that need no training: Random, TitForTat, and the 101 constants."""

from __future__ import annotations

import functools

import numpy as np

from coopgym import seeding
from coopgym.algorithms.policy import FixedPolicy, Policy
from coopgym.algorithms.registry import register
from coopgym.envs.game import Game
from coopgym.mechanisms.arrays import Array, namespace


@register("Random", kind="heuristic")
class Random(Policy):
    """Each agent plays a uniform share of its own endowment at each step, from the policy's own random stream."""

    name, observability = "Random", "minimal"

    def __init__(self, game: Game) -> None:
        self.game = game
        self.reseed(0)

    @property
    def random(self) -> bool:
        """Always."""
        return True

    def reseed(self, seed: int) -> None:
        """Start the stream anew."""
        self.generator = seeding.generator(seed, "policies")

    def act(self, observations: Array, deterministic: bool = True) -> Array:
        """uniform(0, 1) times endowment."""
        actions = self.generator.random(tuple(observations.shape[:-1])) * self.game.endowment
        return namespace(observations).asarray(actions, observations)


@register("TitForTat", kind="heuristic", paper="Rapoport, in Axelrod 1984; continuous form")
class TitForTat(Policy):
    """First half of the endowment, then the mean rate a_j / e_j that the others played last (the partner's, for N = 2).

    It has no memory: the last actions and the time are part of the "asymmetric" observation.
    """

    name, observability = "TitForTat", "asymmetric"

    def __init__(self, game: Game) -> None:
        self.game = game
        n = game.n
        others = np.array([[j for j in range(n) if j != i] for i in range(n)])
        self.endowment_of_others = game.endowment[others]  # [N, N - 1], in the order of the observation
        self.time_entry = 5 * n - 1

    def act(self, observations: Array, deterministic: bool = True) -> Array:
        """Rates of the others, times the own endowment; 0.5 at time 0."""
        self.check(observations)
        xp, n = namespace(observations), self.game.n
        rates = observations[..., 1:n] / xp.asarray(self.endowment_of_others, observations)
        mean = xp.sum(rates) / (n - 1)
        start = observations[..., self.time_entry] <= 0.0
        return xp.where(start, 0.5 * xp.asarray(np.ones(n), observations), mean) * xp.asarray(
            self.game.endowment, observations
        )


def constant(game: Game, level: int) -> FixedPolicy:
    """Constant_<level>: every agent plays ``level`` per cent of its own endowment."""
    return FixedPolicy(game, level / 100.0, f"Constant_{level}")


for _level in range(101):
    register(f"Constant_{_level}", kind="constant")(functools.partial(constant, level=_level))
