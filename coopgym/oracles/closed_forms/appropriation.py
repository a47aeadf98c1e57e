"""The S-LCD case with a second decision (TR-1): firms put c into the venture and appropriate a part q of its fruits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coopgym.mechanisms.arrays import Array
from coopgym.mechanisms.value import LogarithmicValue, geometric_mean
from coopgym.oracles.closed_forms.interdependence import FLOOR, HALVINGS, reply

SCAN = 2001  # points in ln G among which changes of sign are looked for


@dataclass(frozen=True, eq=False)
class Appropriation:
    """p_i = e_i - c_i - kappa q_i + f(c_i) + alpha_i S (1 - beta qbar) + eta q_i S - xi q_i^2, S = gamma G(c).

    endowment, shares ``[N]``; synergy gamma; price kappa and strain xi of appropriating [payoff], waste beta of the
    shared surplus, take eta of it.
    """

    endowment: np.ndarray
    shares: np.ndarray
    value: LogarithmicValue
    synergy: float
    price: float = 0.5
    waste: float = 0.6
    take: float = 0.4
    strain: float = 15.0

    def payoffs(self, c: Array, q: Array) -> np.ndarray:
        """Payoffs ``[..., N]`` of contributions c ``[..., N]`` and appropriations q ``[..., N]`` in [0, 1]."""
        surplus = self.synergy * geometric_mean(c)
        kept = self.endowment - c + self.value(c) + self.shares * surplus * (1.0 - self.waste * q.mean(-1)[..., None])
        return np.asarray(kept - self.price * q + self.take * q * surplus - self.strain * q**2)

    def appropriations(self, surplus: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """q ``[..., N]``: explicit once the surplus S ``[..., 1]`` is known, for weights ``[N, N]``, W_ii = 1."""
        n = len(self.shares)
        slope = surplus * (self.take - (self.waste / n) * (weights @ self.shares)) - self.price
        return np.asarray(np.clip(slope / (2.0 * self.strain), 0.0, 1.0))

    def contributions(self, g: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """c ``[..., N]``, the best replies to a geometric mean g ``[..., 1]``."""
        q = self.appropriations(self.synergy * g, weights)
        part = self.shares * (1.0 - self.waste * q.mean(-1)[..., None]) + self.take * q
        pull = self.synergy * g * np.maximum(part @ weights.T, 0.0) / len(self.shares)
        return reply(self.value, pull, self.endowment)

    def equilibria(self, weights: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        """All (c, q) ``[N]`` at which the mean of the replies is the mean replied to: roots in ln G, by bisection."""
        log_g = np.linspace(np.log(FLOOR), np.log(self.endowment.max()) + 1e-9, SCAN)[:, None]
        gap = self._gap(log_g, weights)
        found = []
        for k in np.flatnonzero((gap[:-1, 0] > 0.0) & (gap[1:, 0] <= 0.0)):  # a crossing upwards is no stable reply
            g = np.exp(self._bisect(log_g[k], log_g[k + 1], weights))
            found.append((self.contributions(g, weights), self.appropriations(self.synergy * g, weights)))
        return found

    def _gap(self, log_g: np.ndarray, weights: np.ndarray) -> np.ndarray:
        return np.asarray(np.log(self.contributions(np.exp(log_g), weights)).mean(-1, keepdims=True) - log_g)

    def _bisect(self, low: np.ndarray, high: np.ndarray, weights: np.ndarray) -> np.ndarray:
        for _ in range(HALVINGS):
            middle = 0.5 * (low + high)
            above = self._gap(middle, weights) > 0.0
            low, high = np.where(above, middle, low), np.where(above, high, middle)
        return low
