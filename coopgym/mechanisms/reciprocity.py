"""TR-4: trust-gated bounded reciprocity (equations 19 to 23, 44 and 45 of arXiv 2604.01240)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from coopgym.mechanisms.arrays import Array, namespace
from coopgym.mechanisms.base import Mechanism, State, Transition
from coopgym.mechanisms.trust import effective_trust


@dataclass(frozen=True, eq=False)
class Reciprocity(Mechanism):
    """U_i = e_i lambda_R sum_j T^eff_ij (1 + omega D_ij) rho_ij tanh(kappa s_ij), added to the payoff (eqs 44, 45).

    s_ij = (a_j - abar_j) / e_j, abar_j the mean of at most k previous actions of j, s = 0 at the first step; T^eff at
    the start of the step. In raw units s_ij = a_j - abar_j and the factor e_i is absent (choice C4).
    weight ``[N, N]`` = lambda_R (1 + omega D) rho_0 D^eta, zero where D is zero (eq. 23).
    """

    endowment: Array
    expected: Array  # [N] baselines
    weight: Array
    response: float = 1.0  # kappa
    window: int = 5  # k
    raw_units: bool = False
    own_action: bool = False  # multiply by the own rate a_i / e_i (reciprocity_form="own_action")

    @property
    def observed(self) -> dict[str, tuple[Any, Any]]:
        """The partners' remembered mean rates: the payoff of the next step depends on them."""
        return {"memory_mean": (0.0, 1.0)}

    def initial(self, draws: Array | None) -> dict[str, Array]:
        """memory ``[k, N]`` of rates, empty; memory_mean ``[N]``, the baselines' rates."""
        memory = namespace(self.endowment).zeros((self.window, self.endowment.shape[-1]), self.endowment)
        return {"memory": memory, "memory_mean": self.expected / self.endowment}

    def signal(self, state: State, actions: Array) -> Array:
        """s_j ``[..., N]``, by rates or in raw action units   (eqs 19 and 20)."""
        change = actions / self.endowment - state.extra["memory_mean"]
        if self.raw_units:
            change = change * self.endowment
        return namespace(actions).where(state.time[..., None] > 0, change, 0.0)

    def utility(self, state: State, actions: Array) -> Array:
        """U^rec ``[..., N]`` in payoff units."""
        felt = self.felt(state, actions)
        if self.own_action:
            felt = felt * (actions / self.endowment)
        return felt if self.raw_units else self.endowment * felt

    def felt(self, state: State, actions: Array) -> Array:
        """What the others' changes bring an agent, before it is scaled, ``[..., N]``."""
        gate = effective_trust(state.trust, state.damage)
        return reciprocal_pull(self.weight, gate, self.response, self.signal(state, actions))

    def payoffs(self, state: State, actions: Array, payoffs: Array) -> Array:
        """Add U^rec, ``[..., N]``."""
        return payoffs + self.utility(state, actions)

    def update(self, step: Transition) -> dict[str, Array]:
        """Remember this step's rates and drop the oldest ones."""
        memory = remember(step.before.extra["memory"], step.actions / self.endowment)
        xp = namespace(memory)
        seen = xp.minimum(step.before.time + 1.0, float(self.window))
        return {"memory": memory, "memory_mean": xp.sum(memory, -2) / seen[..., None]}

    def info(self, before: State, after: State, actions: Array) -> dict[str, Array]:
        """Per ordered pair (i, j): cooperation_signal, memory_average (a rate), reciprocity_effect; ``[..., N, N]``."""
        xp = namespace(actions)
        signal = self.signal(before, actions)[..., None, :]
        others = xp.where(self.weight > 0, 1.0, 0.0 * self.weight)
        effect = self.weight * effective_trust(before.trust, before.damage) * xp.tanh(self.response * signal)
        return {
            "cooperation_signal": others * signal,
            "memory_average": others * before.extra["memory_mean"][..., None, :],
            "reciprocity_effect": effect if self.raw_units else self.endowment[:, None] * effect,
            "memory_window": self.window,
        }


def remember(memory: Array, row: Array) -> Array:
    """``[..., k, N]`` with ``row`` ``[..., N]`` appended and the oldest row dropped."""
    return namespace(row).concat_rows([memory[..., 1:, :], row[..., None, :]])


def reciprocal_pull(weight: Array, gate: Array, response: Array | float, signal: Array) -> Array:
    """sum_j w_ij T_ij tanh(kappa s_j)   (eqs 19, 21 and 44): weight, gate ``[..., N, N]``, signal ``[..., N]``."""
    xp = namespace(signal)
    return xp.matvec(weight * gate, xp.tanh(response * signal))


def reciprocity_weight(
    interdependence: np.ndarray,
    strength: Array | float,
    base: Array | float,
    elasticity: Array | float,
    amplification: Array | float,
) -> np.ndarray:
    """lambda_R (1 + omega D_ij) rho_0 D_ij^eta, ``[..., N, N]``   (eq. 23 and the weights of eq. 44).

    strength lambda_R, base rho_0, elasticity eta, amplification omega: each a number, or an array that broadcasts with
    D; zero where D is zero.
    """
    sensitivity = np.where(interdependence > 0, base * interdependence**elasticity, 0.0)
    return np.asarray(strength * (1.0 + amplification * interdependence) * sensitivity)
