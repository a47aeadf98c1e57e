"""The reward layer: what a learner is trained on, as a linear map of the payoffs it leaves untouched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from coopgym.mechanisms import checks
from coopgym.mechanisms.arrays import Array, namespace

KINDS = ("private", "integrated", "cooperative")


class Weights(NamedTuple):
    """reward = own p_i + coupled sum_j C_ij p_j + shared mean_j p_j; numbers, or arrays that broadcast against p."""

    own: Array | float
    coupled: Array | float
    shared: Array | float


@dataclass(frozen=True)
class RewardMode:
    """A family of reward matrices W, from private (mutuality 0) to the full kind (mutuality 1).

    With C the coupling matrix of the game (trust times interdependence, zero diagonal) and N agents:
    private W = I; integrated W = I + m C (TR-1 eq. 13); cooperative W = (1 - m) I + m / N.
    Raises ValueError for an unknown kind or a mutuality outside [0, 1].
    """

    kind: str = "private"
    mutuality: float = 1.0

    def __post_init__(self) -> None:
        checks.choice("reward_mode", self.kind, KINDS)
        object.__setattr__(self, "mutuality", checks.number("mutuality", self.mutuality, 0.0, 1.0))

    @classmethod
    def of(cls, mode: str | RewardMode) -> RewardMode:
        """A RewardMode from itself, from a kind's name, or from ``"integrated:0.5"``, where mutuality is 0.5."""
        if isinstance(mode, cls):
            return mode
        kind, _, text = mode.strip().partition(":") if isinstance(mode, str) else (mode, "", "")
        return cls(kind, _mutuality(text)) if text else cls(kind)  # type: ignore[arg-type]

    @property
    def weights(self) -> Weights:
        """The three numbers that define W."""
        m = self.mutuality
        if self.kind == "integrated":
            return Weights(1.0, m, 0.0)
        return Weights(1.0 - m, 0.0, m) if self.kind == "cooperative" else Weights(1.0, 0.0, 0.0)

    def matrix(self, coupling: Array) -> Array:
        """W ``[..., N, N]`` for a coupling matrix C ``[..., N, N]``."""
        n = coupling.shape[-1]
        xp = namespace(coupling)
        eye = xp.asarray(np.eye(n), coupling)
        own, coupled, shared = self.weights
        return own * eye + coupled * coupling + shared / n + 0.0 * coupling

    def __str__(self) -> str:
        return self.kind if self.kind == "private" or self.mutuality == 1.0 else f"{self.kind}({self.mutuality:g})"


def _mutuality(text: str) -> float:
    """The number behind the colon of ``"integrated:0.5"``."""
    try:
        return checks.number("mutuality", float(text), 0.0, 1.0)
    except ValueError:
        raise ValueError(f"mutuality={checks.shown(text)} is not a number in [0, 1]") from None


def mix(payoffs: Array, coupling: Array, weights: Weights) -> Array:
    """W p for payoffs ``[..., N]``, without forming W."""
    own, coupled, shared = weights
    xp = namespace(payoffs)
    rewards = own * payoffs
    if not (isinstance(coupled, float) and coupled == 0.0):
        rewards = rewards + coupled * xp.matvec(coupling, payoffs)
    if not (isinstance(shared, float) and shared == 0.0):
        rewards = rewards + shared * (xp.sum(payoffs)[..., None] / payoffs.shape[-1])
    return rewards
