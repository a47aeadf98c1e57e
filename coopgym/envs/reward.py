"""The reward layer: what a learner is trained on, as a linear map of the payoffs it leaves untouched."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from coopgym.mechanisms import checks
from coopgym.mechanisms.arrays import Array, namespace

KINDS = ("private", "integrated", "cooperative")
WITH_MUTUALITY = re.compile(r"(?P<kind>\w+)\s*(?:\(\s*(?P<a>[^()]+?)\s*\)|:\s*(?P<b>.+))")


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
    Private rewards have no mutuality: it is 1, whatever is given. ``RewardMode.of(str(mode))`` is the mode.
    Raises ValueError for an unknown kind or a mutuality outside [0, 1].
    """

    kind: str = "private"
    mutuality: float = 1.0

    def __post_init__(self) -> None:
        checks.choice("reward_mode", self.kind, KINDS)
        mutuality = checks.number("mutuality", self.mutuality, 0.0, 1.0)
        object.__setattr__(self, "mutuality", 1.0 if self.kind == "private" else mutuality)

    @classmethod
    def of(cls, mode: str | Mapping[str, Any] | RewardMode) -> RewardMode:
        """A RewardMode from what a user or a file has.

        Args:
            mode: A RewardMode, the name of a kind, ``"integrated:0.5"`` or ``"integrated(0.5)"`` (mutuality 0.5), or
                ``{"kind": "integrated", "mutuality": 0.5}``, as which JSON keeps a RewardMode.

        Raises:
            ValueError: For an unknown kind, a mutuality outside [0, 1], or anything else.
        """
        if isinstance(mode, cls):
            return mode
        if isinstance(mode, Mapping):
            if "kind" not in mode or not mode.keys() <= {"kind", "mutuality"}:
                raise ValueError(f"reward_mode={checks.shown(mode)} is not known; give a kind, and a mutuality")
            return cls(**mode)
        if not isinstance(mode, str):
            return cls(mode)  # type: ignore[arg-type]
        written = WITH_MUTUALITY.fullmatch(mode.strip())
        return cls(mode.strip()) if written is None else cls(written["kind"], _mutuality(written["a"] or written["b"]))

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
        if self.mutuality == 1.0:
            return self.kind
        short = f"{self.mutuality:g}"
        return f"{self.kind}({short if float(short) == self.mutuality else repr(self.mutuality)})"


def reward_modes(
    given: str | Mapping[str, Any] | RewardMode | Iterable[str | RewardMode], *, once: bool = False
) -> list[RewardMode]:
    """Reward modes from one or several.

    Args:
        given: What ``RewardMode.of`` takes, or a list of it.
        once: Refuse a mode that stands twice, rather than take it once.

    Returns:
        At least one mode, each once.

    Raises:
        ValueError: For a mode that is not known, none at all, or one that stands twice where ``once`` forbids it.
    """
    if isinstance(given, (str, Mapping, RewardMode)):
        return [RewardMode.of(given)]
    modes = [RewardMode.of(mode) for mode in checks.items("reward_modes", given, "a list of modes")]
    return checks.once("reward_modes", modes if once else list(dict.fromkeys(modes)))


def _mutuality(text: str) -> float:
    """The number in ``"integrated:0.5"``."""
    try:
        mutuality = float(text)
    except ValueError:
        raise ValueError(f"mutuality={checks.shown(text)} is not a number in [0, 1]") from None
    if not 0.0 <= mutuality <= 1.0:
        raise ValueError(f"mutuality={checks.shown(text)} is out of range; give a number in [0, 1]")
    return mutuality


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
