"""TR-3: team production and loyalty (equations 1 to 5 of arXiv 2601.16237)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

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
    def smooth(self) -> bool:  # type: ignore[override]
        """Whether loyalty stands still: otherwise it jumps by half the gain where a rate reaches one half."""
        return self.loyalty.gain == 0.0

    @property
    def label(self) -> str:
        """With loyalty, where it matters."""
        return f"{super().label}, loyalty" if self.show_loyalty else super().label

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
        """The team_report, with the optimum inside the action range, and the output as total_value."""
        report = team_report(self, after.extra["loyalty"], actions, actions / self.endowment, limited=True)
        return {"total_value": report["team_output"], **report}


class Production(Protocol):
    """What team_report needs to know of a team; the released games report the same quantities."""

    @property
    def endowment(self) -> Array:
        """``[N]``."""

    @property
    def dependence(self) -> Array:
        """``[N]``: weight in team cohesion."""

    @property
    def productivity(self) -> float:
        """omega."""

    @property
    def exponent(self) -> float:
        """beta."""

    @property
    def cost(self) -> float:
        """c."""


def team_report(team: Production, loyalty: Array, actions: Array, rates: Array, *, limited: bool) -> dict[str, Array]:
    """team_output Q, effort benchmarks, efficiency, lift over the equilibrium, cohesion (eq. 5), free riders.

    A free rider contributes less than 0.3 of its endowment.
    actions, rates, loyalty ``[..., N]``. ``limited`` keeps the social optimum inside the action range, as the release
    does not.
    """
    xp = namespace(actions)
    n, limit = actions.shape[-1], float(team.endowment[0])
    recipe = (n, team.productivity, team.exponent, team.cost, limit)
    nash, optimum = equilibrium_effort(*recipe), optimal_effort(*recipe)
    optimum = min(optimum, limit) if limited else optimum
    total = xp.sum(actions)
    riders = rates < float(np.float32(0.3))
    report = {
        "team_output": team.productivity * PowerValue(team.exponent)(total),
        "nash_equilibrium": nash,
        "social_optimum": optimum,
        "mean_loyalty": xp.sum(loyalty) / n,
        "loyalty_scores": loyalty,
        "team_cohesion": xp.sum(team.dependence * loyalty) / xp.sum(team.dependence),
        "free_rider_count": xp.sum(xp.cast(riders, actions)),
        "free_riders": riders,
    }
    if optimum > 0.0:
        report["efficiency_ratio"] = total / n / optimum
    if nash > 0.0:
        report["loyalty_lift"] = PowerValue(team.exponent)(total / (n * nash))
    return report


def equilibrium_effort(n: int, productivity: float, exponent: float, cost: float, limit: float) -> float:
    """a* = (omega beta / (c n^(2 - beta)))^(1 / (1 - beta))   (TR-3 Prop. 1); a corner for beta = 1."""
    if exponent == 1.0:
        return 0.0 if productivity / n < cost else limit
    return float(interior_effort(n, productivity, exponent, cost))


def interior_effort(n: Array | float, productivity: Array | float, exponent: Array | float, cost: Array | float) -> Any:
    """a* of Prop. 1 away from the corners, for beta < 1; numbers or arrays that broadcast."""
    return (productivity * exponent / (cost * n ** (2.0 - exponent))) ** (1.0 / (1.0 - exponent))


def optimal_effort(n: int, productivity: float, exponent: float, cost: float, limit: float) -> float:
    """a_opt = (omega beta / c)^(1 / (1 - beta)) / n, not limited to the endowment; a corner for beta = 1."""
    if exponent == 1.0:
        return limit if productivity > cost else 0.0
    return float((productivity * exponent / cost) ** (1.0 / (1.0 - exponent)) / n)


def row_means(interdependence: np.ndarray) -> np.ndarray:
    """Mean of each row of D, zero diagonal included: the cohesion weights of eq. 5."""
    return np.asarray(interdependence.mean(-1))
