"""Equilibrium efforts of a team with loyalty, in closed form (TR-3, sections 3 to 5).

Member i's utility depends on the total S and, linearly, on its own effort, so its best reply keeps the total at one
level S_i whatever the others do. Nobody has to iterate: the members with the highest levels sit at the cap, those with
the lowest at the floor, at most one level is met in between.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coopgym.mechanisms.arrays import Array
from coopgym.mechanisms.checks import choice
from coopgym.mechanisms.loyalty import interior_effort


@dataclass(frozen=True, eq=False)
class LoyalTeam:
    """n members, Q = omega S^beta, U_i = Q/n - c a_i + theta_i (phi_B teammates + phi_C c a_i), a_i in [floor, cap].

    Every number may be an array; all broadcast. ``teammates`` is "mean" (the newest public suite) or "sum" (the state
    that the abstract's figures come from).
    """

    productivity: Array | float  # omega
    exponent: Array | float  # beta, below 1
    cost: Array | float  # c
    size: Array | float  # n
    benefit: Array | float = 0.8  # phi_B
    joy: Array | float = 0.3  # phi_C
    floor: float = 0.01
    cap: float = 50.0
    teammates: str = "mean"

    def __post_init__(self) -> None:
        choice("teammates", self.teammates, ("mean", "sum"))

    @property
    def free_riding(self) -> Array:
        """Effort of each member without loyalty and without bounds   (Prop. 1)."""
        return interior_effort(self.size, self.productivity, self.exponent, self.cost)

    def totals(self, loyalty: Array | float) -> Array:
        """S_i, the total effort at which a member of this loyalty stops; any shape that broadcasts."""
        return self.size * interior_effort(
            self.size, self.productivity * self._gain(loyalty), self.exponent, self.cost * self._burden(loyalty)
        )

    def mean_effort(self, loyalty: Array | float) -> Array:
        """Mean effort when all are equally loyal; how they split it is not determined."""
        return np.clip(self.totals(loyalty) / self.size, self.floor, self.cap)

    def efforts(self, loyalty: Array) -> Array:
        """Equilibrium ``[..., n]`` of loyalties ``[..., n]``; equally loyal members fill up in index order.

        Going down the members by level, those before are at the cap and those behind at the floor; where that is not
        so, the clip puts this one at the same bound, so that no search is needed.
        """
        n = loyalty.shape[-1]
        levels = np.broadcast_to(self.totals(loyalty), loyalty.shape)
        order = np.argsort(-levels, axis=-1, kind="stable")
        before = np.arange(n)
        others = before * self.cap + (n - 1 - before) * self.floor
        sorted_efforts = np.clip(np.take_along_axis(levels, order, -1) - others, self.floor, self.cap)
        efforts = np.empty(loyalty.shape)
        np.put_along_axis(efforts, order, sorted_efforts, -1)
        return efforts

    def residual(self, efforts: Array, loyalty: Array) -> Array:
        """``[..., n]``: how much of a unit of cost a member would still gain by moving inside its bounds (KKT)."""
        total = efforts.sum(-1, keepdims=True)
        marginal = self.productivity * self.exponent * total ** (self.exponent - 1.0) * self._gain(loyalty) / self.size
        slope = marginal / self.cost - self._burden(loyalty)
        upward = np.where(efforts < self.cap, np.maximum(slope, 0.0), 0.0)
        return np.where(efforts > self.floor, np.maximum(-slope, upward), upward)

    def output(self, mean_effort: Array) -> Array:
        """Q of a team with this mean effort."""
        return self.productivity * (self.size * mean_effort) ** self.exponent

    def _gain(self, loyalty: Array | float) -> Array:
        counted = 1.0 if self.teammates == "mean" else self.size - 1.0
        return 1.0 + loyalty * self.benefit * counted

    def _burden(self, loyalty: Array | float) -> Array:
        return 1.0 - loyalty * self.joy
