"""The Apache HTTP Server as a team whose core grows and whose loyalty thins: predicted efforts of the four phases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from coopgym.mechanisms.arrays import Array
from coopgym.validation.report3.model import LoyalTeam


@dataclass(frozen=True, eq=False)
class Apache:
    """Parameters of one or many Apaches; numbers, or arrays ``[draws]``, loyalties ``[8]`` or ``[draws, 8]``.

    sizes and multipliers: core members and loyalty multiplier of each phase. Member i of a larger core has the base
    loyalty of founder i mod 8.
    """

    parameters: Mapping[str, Array | float]  # omega, beta, c, phi_B, phi_C
    loyalties: np.ndarray
    sizes: tuple[int, ...]
    multipliers: tuple[float, ...]
    floor: float = 0.01
    cap: float = 50.0
    teammates: str = "mean"

    @classmethod
    def of(cls, case: Mapping[str, Any], teammates: str = "mean") -> Apache:
        """The calibration of the case study's data."""
        given = dict(case["parameters"])
        return cls(
            floor=given.pop("a_min"),
            cap=given.pop("a_max"),
            parameters=given,
            loyalties=np.array([member["loyalty"] for member in case["members"]]),
            sizes=tuple(phase["members"] for phase in case["phases"]),
            multipliers=tuple(phase["loyalty_multiplier"] for phase in case["phases"]),
            teammates=teammates,
        )

    def efforts(self, phase: int) -> np.ndarray:
        """Equilibrium efforts of one phase's members, ``[..., n]``."""
        n = self.sizes[phase]
        loyalty = self.multipliers[phase] * self.loyalties[..., np.arange(n) % self.loyalties.shape[-1]]
        omega, beta, c, benefit, joy = (
            np.asarray(self.parameters[k])[..., None] for k in ("omega", "beta", "c", "phi_B", "phi_C")
        )
        team = LoyalTeam(omega, beta, c, n, benefit, joy, self.floor, self.cap, self.teammates)
        return np.asarray(team.efforts(loyalty))

    def mean_efforts(self) -> np.ndarray:
        """Predicted mean effort of each phase, ``[..., phases]``.

        Rounded beyond any digit that matters, so that teams at the same bound tie whatever their size.
        """
        means = [self.efforts(phase).mean(-1) for phase in range(len(self.sizes))]
        return np.asarray(np.stack(means, axis=-1).round(12))

    def without_loyalty(self) -> Apache:
        """The claimed mechanism off."""
        return replace(self, loyalties=0.0 * self.loyalties)

    def without_dilution(self) -> Apache:
        """Loyalty stays what it was among the founders."""
        return replace(self, multipliers=(1.0,) * len(self.sizes))

    def without(self, benefit: str) -> Apache:
        """``phi_B`` or ``phi_C`` set to zero."""
        return replace(self, parameters={**self.parameters, benefit: 0.0})


def random_apaches(calibrated: Apache, draws: int, rng: np.random.Generator) -> Apache:
    """The null: every parameter and every founder's loyalty drawn from the box of section 5.1 of the protocol."""
    box = {"omega": (10, 50), "beta": (0.4, 0.8), "c": (0.5, 3), "phi_B": (0.3, 1), "phi_C": (0.1, 0.5)}
    parameters = {name: rng.uniform(low, high, draws) for name, (low, high) in box.items()}
    return replace(calibrated, parameters=parameters, loyalties=rng.uniform(0.3, 1.0, (draws, 8)))


def evidence(efforts: np.ndarray, names: tuple[str, ...], scale: float = 50.0) -> dict[str, np.ndarray]:
    """What the rubric asks of mean efforts ``[..., phases]``, by ``phase.quantity``.

    effort; level, effort over ``scale``; displacement, places between the phase's rank by effort (largest first, ties
    in order) and its number; to_largest, effort over the largest of all; growth, effort over that of the phase before.
    """
    rank = np.argsort(np.argsort(-efforts, axis=-1, kind="stable"), axis=-1)
    displaced = abs(rank - np.arange(len(names))).astype(float)
    facts: dict[str, np.ndarray] = {}
    for i, name in enumerate(names):
        effort = efforts[..., i]
        facts[f"{name}.effort"] = effort
        facts[f"{name}.level"] = effort / scale
        facts[f"{name}.displacement"] = displaced[..., i]
        facts[f"{name}.to_largest"] = effort / efforts.max(-1)
        if i:
            facts[f"{name}.growth"] = effort / efforts[..., i - 1]
    return facts
