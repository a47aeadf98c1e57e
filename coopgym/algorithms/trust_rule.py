"""Policies that answer trust: a level, a slope in the trust an agent has in the others, and a slope in time."""

from __future__ import annotations

from typing import Any

import numpy as np

from coopgym.algorithms.policy import Policy
from coopgym.envs.game import Game
from coopgym.mechanisms.arrays import Array, namespace
from coopgym.mechanisms.base import State

COEFFICIENTS = 3  # of an agent: level, slope in trust, slope in time


def linear_rates(coefficients: Array, trust: Array, start: Array, progress: Array) -> Array:
    """Rates ``[..., N]``: level + slope (mean trust in the others - what it was at the start) + slope t / T, in [0, 1].

    coefficients ``[..., N, 3]``; trust, start ``[..., N]``; progress ``[..., 1]``.
    """
    level, slope, drift = (coefficients[..., k] for k in range(COEFFICIENTS))
    xp = namespace(level)
    return xp.minimum(xp.maximum(level + slope * (trust - start) + drift * progress, 0.0), 1.0)


def mean_trust(trust: Array) -> Array:
    """Mean trust of each agent in the others, ``[..., N, N]`` -> ``[..., N]``."""
    n = trust.shape[-1]
    return (namespace(trust).sum(trust) - 1.0) / (n - 1)


def rates_in(game: Game, coefficients: Array, state: State) -> Array:
    """The rates ``[..., N]`` of ``coefficients [..., N, 3]`` in a state."""
    start = mean_trust(game.initial_trust)
    return linear_rates(coefficients, mean_trust(state.trust), start, state.time[..., None] / game.horizon)


class TrustRule(Policy):
    """All agents follow linear rules in trust and time. coefficients ``[N, 3]``: level, slope in trust, slope in time.

    Trust is the agent's own row of T, which every setting shows.
    """

    observability = "asymmetric"

    def __init__(self, game: Game, coefficients: Any, name: str = "TrustRule") -> None:
        self.game, self.name = game, name
        self.coefficients = np.asarray(coefficients, dtype=np.float64)
        if self.coefficients.shape != (game.n, COEFFICIENTS) or not np.isfinite(self.coefficients).all():
            raise ValueError(
                f"coefficients have shape {self.coefficients.shape}; give {(game.n, COEFFICIENTS)} finite numbers: "
                "level, slope in trust, slope in time of each agent"
            )

    def act(self, observations: Array, deterministic: bool = True) -> Array:
        """The rule's rates times endowment."""
        self.check(observations)
        xp, n = namespace(observations), self.game.n
        trust = (xp.sum(observations[..., n : 2 * n]) - 1.0) / (n - 1)
        coefficients, start, endowment = (
            xp.asarray(x, observations)
            for x in (self.coefficients, mean_trust(self.game.initial_trust), self.game.endowment)
        )
        return linear_rates(coefficients, trust, start, observations[..., 0, 5 * n - 1, None]) * endowment
