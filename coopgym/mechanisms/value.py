"""TR-1: value creation and capture (equations 5 to 8 and 11 of arXiv 2510.18802)."""

from __future__ import annotations

from dataclasses import dataclass

from coopgym.mechanisms.arrays import Array, namespace
from coopgym.mechanisms.base import Mechanism, State

TINY = 1e-10  # an action at or below this creates no synergy (g is a geometric mean)


@dataclass(frozen=True, eq=False)
class LogarithmicValue:
    """f(a) = theta ln(1 + a)   (TR-1 eq. 6); scale theta > 0, in payoff units."""

    scale: float = 20.0

    def __call__(self, actions: Array) -> Array:
        """Individual value ``[..., N]`` of actions ``[..., N]``."""
        return self.scale * namespace(actions).log1p(actions)


@dataclass(frozen=True, eq=False)
class PowerValue:
    """f(a) = a^beta   (TR-1 eq. 5); 0 < exponent beta <= 1."""

    exponent: float = 0.75

    def __call__(self, actions: Array) -> Array:
        """Individual value ``[..., N]`` of actions ``[..., N]``; zero, with a finite gradient, at zero."""
        xp = namespace(actions)
        safe = xp.where(actions > TINY, actions, TINY)
        return xp.where(actions > TINY, xp.power(safe, self.exponent), 0.0 * actions)


def geometric_mean(actions: Array) -> Array:
    """g(a) = (prod a_i)^(1/N)   (TR-1 eq. 7): ``[..., N]`` -> ``[..., 1]``; 0 if any action is at most 1e-10."""
    xp = namespace(actions)
    logs = xp.log(xp.maximum(actions, TINY))  # the floor keeps the gradient finite where g is cut to 0
    mean = xp.exp(xp.sum(logs)[..., None] / actions.shape[-1])
    return mean * (xp.amin(actions) > TINY)[..., None]


@dataclass(frozen=True, eq=False)
class Synergy(Mechanism):
    """pi_i = e_i - a_i + f(a_i) + alpha_i gamma g(a)   (TR-1 eq. 11): the private payoff.

    endowment ``[N]`` e, shares ``[N]`` alpha (sum 1), value f, synergy gamma >= 0 (at most 1 in the report).
    """

    endowment: Array
    shares: Array
    value: LogarithmicValue | PowerValue
    synergy: float

    def coefficient(self, state: State) -> Array | float:
        """gamma; SynergySearch keeps a hidden one per episode in the state."""
        return self.synergy

    def payoffs(self, state: State, actions: Array, payoffs: Array) -> Array:
        """Add the private payoff, ``[..., N]``."""
        surplus = self.coefficient(state) * geometric_mean(actions)
        return payoffs + (self.endowment - actions + self.value(actions) + self.shares * surplus)

    def info(self, before: State, after: State, actions: Array) -> dict[str, Array]:
        """total_value: V(a) = sum_i f(a_i) + gamma g(a)   (TR-1 eq. 8)."""
        xp = namespace(actions)
        surplus = (self.coefficient(before) * geometric_mean(actions))[..., 0]
        return {"total_value": xp.sum(self.value(actions)) + surplus}


@dataclass(frozen=True, eq=False)
class HiddenSynergy(Synergy):
    """Private payoff whose gamma is drawn uniformly from [low, high] at each reset and may be hidden."""

    low: float = 0.20
    high: float = 0.90
    revealed: bool = False

    reset_draws = 1

    @property
    def observed(self) -> dict[str, tuple[float, float]]:
        """gamma, when it is revealed."""
        return {"gamma": (self.low, self.high)} if self.revealed else {}

    def initial(self, draws: Array | None) -> dict[str, Array]:
        """gamma ``[..., 1]`` from one uniform draw in [0, 1); the middle of the range without one."""
        if draws is None:
            return {"gamma": 0.5 * (self.low + self.high) + 0.0 * self.endowment[:1]}
        return {"gamma": self.low + (self.high - self.low) * draws[..., :1]}

    def coefficient(self, state: State) -> Array:
        """The episode's gamma, ``[..., 1]``."""
        return state.extra["gamma"]

    def info(self, before: State, after: State, actions: Array) -> dict[str, Array]:
        """true_gamma and total_value when gamma is revealed; either would leak it otherwise."""
        if not self.revealed:
            return {}
        return {**super().info(before, after, actions), "true_gamma": self.coefficient(before)[..., 0]}
