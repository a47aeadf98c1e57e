"""TR-3: team production and loyalty (equations 1 to 5 of arXiv 2601.16237)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from coopgym.mechanisms.arrays import Array, namespace
from coopgym.mechanisms.base import Mechanism, State, Transition
from coopgym.mechanisms.value import PowerValue


@dataclass(frozen=True, eq=False)
class LoyaltyScores:
    """How loyalty l in [0, cap] follows the rate r = a / e:

    l + 0.02 r if r >= 0.5, else l - 0.05 (0.5 - r), clipped to [0, min(1, cap)].
    """

    start: Array  # [N]
    cap: float = 1.0
    gain: float = 0.02
    loss: float = 0.05

    def update(self, loyalty: Array, rates: Array) -> Array:
        """Loyalty ``[..., N]`` after a step with rates ``[..., N]``."""
        xp = namespace(rates)
        up = xp.minimum(loyalty + self.gain * rates, 1.0)
        down = xp.maximum(loyalty - self.loss * (0.5 - rates), 0.0)
        return xp.minimum(xp.where(rates >= 0.5, up, down), self.cap)


@dataclass(frozen=True, eq=False)
class TeamProduction(Mechanism):
    """U_i = kept_i + Q/n - c a_i + l_i (phi_B pibar_-i + phi_C c a_i)   (TR-3 eqs 1 to 4), Q = omega (sum a)^beta.

    pibar_-i is the teammates' mean of Q/n - c a_j, or their sum with ``teammates_sum`` (choice C17).
    endowment ``[N]``; dependence ``[N]``: mean of row i of D, the weight of agent i in team cohesion;
    kept ``[N]``: endowment kept in the linear public good (choice C15), zero elsewhere.
    """

    endowment: Array
    dependence: Array
    kept: Array
    loyalty: LoyaltyScores
    productivity: float = 25.0
    exponent: float = 0.7
    cost: float = 1.0
    benefit: float = 0.0  # phi_B
    contribution_joy: float = 0.0  # phi_C
    teammates_sum: bool = False
    show_loyalty: bool = True

    @property
    def observed(self) -> dict[str, tuple[Any, Any]]:
        """Loyalty scores, where they matter."""
        return {"loyalty": (0.0, 1.0)} if self.show_loyalty else {}

    def initial(self, draws: Array | None) -> dict[str, Array]:
        """loyalty ``[N]``."""
        return {"loyalty": self.loyalty.start}

    def output(self, effort: Array) -> Array:
        """Q of a total effort (any shape)   (eq. 1); 0 without effort."""
        return self.productivity * PowerValue(self.exponent)(effort)

    def utility(self, base: Array, others: Array, loyalty: Array, actions: Array, mates: Array | float) -> Array:
        """eqs 3 and 4: ``base`` plus loyalty times (phi_B teammates' payoff + phi_C c a), all ``[..., N]``."""
        shared = others if self.teammates_sum else others / namespace(base).maximum(mates + 0.0 * base, 1.0)
        return base + loyalty * (self.benefit * shared + self.contribution_joy * self.cost * actions)

    def payoffs(self, state: State, actions: Array, payoffs: Array) -> Array:
        """Add U, ``[..., N]``, with start-of-step loyalty."""
        xp = namespace(actions)
        n = actions.shape[-1]
        base = self.output(xp.sum(actions)[..., None]) / n - self.cost * actions
        others = xp.sum(base)[..., None] - base
        return payoffs + self.kept + self.utility(base, others, state.extra["loyalty"], actions, n - 1.0)

    def update(self, step: Transition) -> dict[str, Array]:
        """Loyalty after the step."""
        return {"loyalty": self.loyalty.update(step.before.extra["loyalty"], step.actions / self.endowment)}

    def info(self, before: State, after: State, actions: Array) -> dict[str, Array]:
        """team_output, mean_loyalty, loyalty_scores, team_cohesion (eq. 5), free riders, nash and optimum effort."""
        xp = namespace(actions)
        loyalty = after.extra["loyalty"]
        riders = actions / self.endowment < 0.3
        nash, optimum = self.benchmarks(actions.shape[-1])
        output = self.output(xp.sum(actions))
        mean_action = xp.sum(actions) / actions.shape[-1]
        return {
            "total_value": output,
            "team_output": output,
            "nash_equilibrium": nash,
            "social_optimum": optimum,
            "efficiency_ratio": mean_action / optimum if optimum else 0.0 * mean_action,
            "mean_loyalty": xp.sum(loyalty) / loyalty.shape[-1],
            "loyalty_scores": loyalty,
            "team_cohesion": xp.sum(self.dependence * loyalty) / xp.sum(self.dependence),
            "free_rider_count": xp.sum(xp.cast(riders, actions)),
            "free_riders": riders,
        }

    def benchmarks(self, n: int) -> tuple[float, float]:
        """Effort per agent in the symmetric loyalty-free equilibrium (Prop. 1) and in the optimum, in [0, a_max]."""
        limit = float(self.endowment[0])
        nash = equilibrium_effort(n, self.productivity, self.exponent, self.cost, limit)
        return min(nash, limit), min(optimal_effort(n, self.productivity, self.exponent, self.cost, limit), limit)


def equilibrium_effort(n: int, productivity: float, exponent: float, cost: float, limit: float) -> float:
    """a* = (omega beta / (c n^(2 - beta)))^(1 / (1 - beta))   (TR-3 Prop. 1); a corner for beta = 1."""
    if exponent == 1.0:
        return 0.0 if productivity / n < cost else limit
    return float((productivity * exponent / (cost * n ** (2.0 - exponent))) ** (1.0 / (1.0 - exponent)))


def optimal_effort(n: int, productivity: float, exponent: float, cost: float, limit: float) -> float:
    """a_opt = (omega beta / c)^(1 / (1 - beta)) / n, not limited to the endowment; a corner for beta = 1."""
    if exponent == 1.0:
        return limit if productivity > cost else 0.0
    return float((productivity * exponent / cost) ** (1.0 / (1.0 - exponent)) / n)


def row_means(interdependence: np.ndarray) -> np.ndarray:
    """Mean of each row of D, zero diagonal included: the cohesion weights of eq. 5."""
    return interdependence.mean(-1)
