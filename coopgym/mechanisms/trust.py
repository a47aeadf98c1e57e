"""TR-2: trust and reputation damage (equations 6 to 9 of arXiv 2510.24909), and exits that trust decides."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coopgym.mechanisms.arrays import Array, namespace
from coopgym.mechanisms.checks import number


@dataclass(frozen=True, eq=False)
class TrustDynamics:
    """How one step's actions change trust T and reputation damage R of every ordered pair (i, j).

    signal s_j = tanh(kappa g_j (a_j - b_j)), with ceiling c_ij = 1 - R_ij:
      T_ij += lambda+ s_j max(0, c_ij - T_ij)            if s_j > 0
      T_ij += lambda- s_j T_ij (1 + xi D_ij)             if s_j < 0,   then T_ij is clipped to [0, c_ij]
      R_ij += mu |s_j| (1 - R_ij)  if s_j < 0,  R_ij -= delta R_ij otherwise

    The four rates are ``[N, N]`` with a zero diagonal, so that T_ii = 1 and R_ii = 0 never move:
    building lambda+, erosion lambda- (1 + xi D), harm mu, forgetting delta. ``gain`` ``[N]`` is kappa in raw action
    units and 10 kappa / e_j for the scaled signal. ``cap`` and ``slope`` change the ceiling to min(cap, 1 - slope R),
    the form of TR-4's validation script; by default it is 1 - R.

    TR-2's validation scripts differ in three ways, which the games never use: ``product`` builds in proportion to
    (1 - T) c instead of the gap max(0, c - T); without ``capped`` trust may stand above the ceiling that damage has
    lowered; with ``always_forgetting`` damage fades in bad steps too.
    """

    gain: Array
    building: Array
    erosion: Array
    harm: Array
    forgetting: Array
    cap: Array | None = None
    slope: float = 1.0
    product: bool = False
    capped: bool = True
    always_forgetting: bool = False

    def signal(self, actions: Array, baseline: Array) -> Array:
        """s ``[..., N]`` in (-1, 1): how far each agent's action lies above what was expected of it."""
        return namespace(actions).tanh(self.gain * (actions - baseline))

    def update(self, trust: Array, damage: Array, signal: Array) -> tuple[Array, Array]:
        """Trust and damage ``[..., N, N]`` after a step with signal ``[..., N]``; both read only old values."""
        xp = namespace(signal)
        s = signal[..., None, :]
        good = xp.maximum(s, 0.0)
        bad = xp.minimum(s, 0.0)
        sound = 1.0 - damage
        ceiling = sound if self.cap is None else xp.minimum(1.0 - self.slope * damage, self.cap)
        room = (1.0 - trust) * ceiling if self.product else xp.maximum(ceiling - trust, 0.0)
        change = self.building * good * room + self.erosion * bad * trust
        new_trust = xp.minimum(xp.maximum(trust + change, 0.0), ceiling if self.capped else 0.0 * ceiling + 1.0)
        forgotten = self.forgetting * damage * (1.0 if self.always_forgetting else s >= 0.0)
        return new_trust, xp.minimum(damage - self.harm * bad * sound - forgotten, 1.0)


def trust_dynamics(
    interdependence: np.ndarray,
    *,
    building: float = 0.10,
    erosion: float = 0.30,
    harm: float = 0.60,
    forgetting: float = 0.03,
    amplification: float = 0.50,
    sensitivity: float = 1.0,
    endowment: np.ndarray | None = None,
    cap: float = 1.0,
    slope: float = 1.0,
) -> TrustDynamics:
    """TrustDynamics from the report's scalars: lambda+, lambda-, mu, delta, xi, kappa.

    interdependence ``[N, N]``, or ``[..., N, N]`` for a batch of worlds.
    With ``endowment`` ``[N]`` the signal is scaled, tanh(10 kappa (a - b) / e); without it, raw, tanh(kappa (a - b)).
    """
    n = interdependence.shape[-1]
    others = 1.0 - np.eye(n)
    kappa = number("sensitivity", sensitivity, 0.0, 1e6, open_low=True)
    xi = number("amplification", amplification, 0.0, 1e6)
    return TrustDynamics(
        gain=np.full(n, kappa) if endowment is None else 10.0 * kappa / endowment,
        building=number("building", building, 0.0, 1.0, open_low=True) * others,
        erosion=number("erosion", erosion, 0.0, 1.0, open_low=True) * others * (1.0 + xi * interdependence),
        harm=number("harm", harm, 0.0, 1.0) * others,
        forgetting=number("forgetting", forgetting, 0.0, 1.0) * others,
        cap=None if (cap, slope) == (1.0, 1.0) else np.where(others > 0, cap, 1.0),
        slope=slope,
    )


def effective_trust(trust: Array, damage: Array) -> Array:
    """T^eff_ij = min(T_ij, 1 - R_ij), ``[..., N, N]``: trust as far as reputation allows it."""
    return namespace(trust).minimum(trust, 1.0 - damage)


def mean_over_pairs(matrix: Array) -> Array:
    """Mean over the off-diagonal entries, ``[..., N, N]`` -> ``[...]``."""
    xp = namespace(matrix)
    n = matrix.shape[-1]
    return (xp.sum_both(matrix) - xp.sum(xp.take_diagonal(matrix))) / (n * (n - 1))


@dataclass(frozen=True, eq=False)
class TrustExit:
    """The episode ends when the weighted mean of trust crosses a threshold.

    weights ``[N, N]`` sum to 1; with ``success`` the end comes at or above the threshold, otherwise below it.
    """

    weights: Array
    threshold: float
    success: bool = False

    def reached(self, trust: Array) -> Array:
        """``[..., N, N]`` -> bool ``[...]``."""
        xp = namespace(trust)
        level = xp.sum_both(self.weights * trust)
        return level >= self.threshold if self.success else level < self.threshold
