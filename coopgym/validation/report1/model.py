"""Two partners who choose how much to put into a joint venture, solved for any number of ventures at once (TR-1).

Payoffs and values are those of the games. The equilibrium of an interior pair solves, with rho = sqrt(a_j / a_i),
f'(a_i) = 1 - k_i rho and k_i = gamma (alpha_i + D_ij alpha_j) / 2. Given rho each action has a closed form, and what
is left is one equation that falls in rho, so the equilibrium is unique and bisection finds it for a whole batch.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from coopgym.mechanisms.base import State
from coopgym.mechanisms.value import LogarithmicValue, PowerValue, Synergy, geometric_mean
from coopgym.validation.shapes import vectors

FORMS = ("log", "power")
FLOOR, CAP = 0.01, 100.0
HALVINGS = 70  # of an interval of 9.2 in log rho: below double precision


@dataclass(frozen=True, eq=False)
class Venture:
    """One or many ventures; ``[...]`` any batch.

    form: log f(a) = curvature ln(1 + a), or power f(a) = a^curvature; synergy gamma ``[...]``; endowment ``[..., 2]``;
    shares alpha ``[..., 2]``; dependence ``[..., 2]``: D_01, D_10.
    """

    form: str
    curvature: np.ndarray | float
    synergy: np.ndarray | float
    endowment: np.ndarray
    shares: np.ndarray
    dependence: np.ndarray

    def __post_init__(self) -> None:
        if self.form not in FORMS:
            raise ValueError(f"form={self.form!r} is not known; choose one of {', '.join(FORMS)}")

    @property
    def value(self) -> LogarithmicValue | PowerValue:
        """f, the value of one partner's own action."""
        curvature: np.ndarray = vectors(self.curvature)
        return LogarithmicValue(curvature) if self.form == "log" else PowerValue(curvature)  # type: ignore[arg-type]

    def payoffs(self, actions: np.ndarray) -> np.ndarray:
        """Private payoffs pi ``[..., 2]``."""
        game = Synergy(self.endowment, self.shares, self.value, vectors(self.synergy))  # type: ignore[arg-type]
        return np.asarray(game.payoffs(_no_state(actions), actions, np.zeros_like(actions)))

    def utilities(self, actions: np.ndarray) -> np.ndarray:
        """U_i = pi_i + D_ij pi_j, ``[..., 2]``."""
        own = self.payoffs(actions)
        return np.asarray(own + self.dependence * own[..., ::-1])

    def total_value(self, actions: np.ndarray) -> np.ndarray:
        """V(a) = f(a_0) + f(a_1) + gamma g(a), ``[...]``."""
        return np.asarray(self.value(actions).sum(-1) + self.synergy * geometric_mean(actions)[..., 0])

    def marginal(self, actions: np.ndarray | float) -> np.ndarray:
        """f' ``[..., 2]``."""
        curvature = vectors(self.curvature)
        slope = curvature / (1.0 + actions) if self.form == "log" else curvature * actions ** (curvature - 1.0)
        return np.asarray(slope)

    def where_marginal(self, slope: np.ndarray) -> np.ndarray:
        """The action in [0.01, 100] at which f' equals ``slope`` ``[..., 2]``; the cap where f' stays above it."""
        curvature, least = vectors(self.curvature), self.marginal(CAP)
        ratio = curvature / np.maximum(slope, least)
        inside = ratio - 1.0 if self.form == "log" else ratio ** (1.0 / (1.0 - curvature))
        return np.asarray(np.where(slope <= least, CAP, np.clip(inside, FLOOR, CAP)))

    @property
    def pull(self) -> np.ndarray:
        """k ``[..., 2]``: what the synergy adds to the marginal value of equal actions."""
        weight = self.shares + self.dependence * self.shares[..., ::-1]
        return np.asarray(0.5 * vectors(self.synergy) * weight)

    def equilibrium(self) -> np.ndarray:
        """The Nash equilibrium, ``[..., 2]``."""
        k = np.broadcast_to(self.pull, np.broadcast_shapes(self.pull.shape, vectors(self.curvature).shape)).copy()
        high = np.full(k.shape[:-1], 0.5 * np.log(CAP / FLOOR))
        low = -high
        for _ in range(HALVINGS):
            log_ratio = 0.5 * (low + high)
            a = self._given_ratio(k, log_ratio)
            above = np.log(a[..., 1] / a[..., 0]) > 2.0 * log_ratio
            low, high = np.where(above, log_ratio, low), np.where(above, high, log_ratio)
        return self._given_ratio(k, 0.5 * (low + high))

    def _given_ratio(self, k: np.ndarray, log_ratio: np.ndarray) -> np.ndarray:
        ratio = np.exp(np.stack([log_ratio, -log_ratio], axis=-1))
        return self.where_marginal(1.0 - k * ratio)

    def residual(self, actions: np.ndarray) -> np.ndarray:
        """First-order condition left open, ``[...]``: 0 at an equilibrium; a bound excuses the sign that it blocks."""
        rest = self.marginal(actions) - 1.0 + self.pull * np.sqrt(actions[..., ::-1] / actions)
        rest = np.where(actions >= CAP, np.minimum(rest, 0.0), np.where(actions <= FLOOR, np.maximum(rest, 0.0), rest))
        return np.asarray(abs(rest).max(-1))

    def baseline(self) -> np.ndarray:
        """What two partners choose who neither depend on each other nor create synergy, ``[..., 2]``."""
        return replace(self, synergy=0.0, dependence=0.0 * self.dependence).equilibrium()


def _no_state(actions: np.ndarray) -> State:
    """Synergy with a known gamma reads no state."""
    return State(actions, actions, actions, actions, {})
