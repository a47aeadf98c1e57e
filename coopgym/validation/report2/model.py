"""Trust that follows given signals, for any number of parameter sets at once (TR-2, in the forms of its suites)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from coopgym.mechanisms.arrays import Array
from coopgym.mechanisms.checks import choice
from coopgym.mechanisms.trust import TrustDynamics
from coopgym.validation.shapes import matrices, vectors

STATES: Mapping[str, Mapping[str, bool]] = {
    "current": {"product": False, "always_forgetting": False},  # newest suite
    "published": {"product": True, "always_forgetting": False},  # made the figures of the abstract
    "released": {"product": True, "always_forgetting": True},  # made the tables released with the suite
}
FACTORS = ("lambda_plus", "lambda_minus", "mu_R", "delta_R", "xi", "kappa")


@dataclass(frozen=True, eq=False)
class Rates:
    """The report's parameters, numbers or arrays ``[...]``, and the state of the suite whose form they drive."""

    lambda_plus: Array | float
    lambda_minus: Array | float
    mu_R: Array | float
    delta_R: Array | float
    xi: Array | float
    kappa: Array | float = 1.0
    state: str = "current"

    def __post_init__(self) -> None:
        choice("state", self.state, STATES)

    @classmethod
    def of(cls, given: Mapping[str, Any], state: str = "current") -> Rates:
        """From a mapping with the report's names; other entries are left alone."""
        return cls(**{name: given[name] for name in FACTORS}, state=state)

    def dynamics(self, interdependence: np.ndarray, others: np.ndarray | float = 1.0) -> TrustDynamics:
        """Trust dynamics for D ``[..., N, N]``; ``others`` ``[N, N]`` is 0 where nothing moves.

        Trust may stand above the ceiling, as in the suites.
        """
        erosion = matrices(self.lambda_minus) * (1.0 + matrices(self.xi) * interdependence)
        return TrustDynamics(
            gain=vectors(self.kappa),
            building=matrices(self.lambda_plus) * others,
            erosion=erosion * others,
            harm=matrices(self.mu_R) * others,
            forgetting=matrices(self.delta_R) * others,
            capped=False,
            **STATES[self.state],
        )


@dataclass(frozen=True, eq=False)
class TrustCourse:
    """Trust and damage ``[T + 1, ..., N, N]``; entry 0 is the start."""

    trust: np.ndarray
    damage: np.ndarray


def follow(dynamics: TrustDynamics, signals: np.ndarray, trust: Array, damage: Array = 0.0) -> TrustCourse:
    """Trust under signals ``[T, ..., N]`` from ``trust`` and ``damage`` ``[..., N, N]``."""
    n = signals.shape[-1]
    rates = (dynamics.building, dynamics.erosion, dynamics.harm, dynamics.forgetting)
    shape = np.broadcast_shapes(
        (*signals.shape[1:], n), np.shape(trust), np.shape(damage), *(np.shape(x) for x in rates)
    )
    course = TrustCourse(*(np.empty((len(signals) + 1, *shape)) for _ in range(2)))
    course.trust[0], course.damage[0] = trust, damage
    for t, signal in enumerate(signals):
        course.trust[t + 1], course.damage[t + 1] = dynamics.update(course.trust[t], course.damage[t], signal)
    return course


def watched(rates: Rates, dependence: float, signals: np.ndarray, trust: float) -> np.ndarray:
    """Trust ``[T + 1, ...]`` of one observer whose partner sends signals ``[T]``, from no damage."""
    course = follow(rates.dynamics(np.array([[dependence]])), signals[:, None], np.array([[trust]]))
    return np.asarray(course.trust[..., 0, 0])
