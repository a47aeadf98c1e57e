"""What a solver returns: an answer, how it was found, and what is certain about it."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np

STAGE_TOLERANCE = 1e-6  # largest relative gain of an equilibrium of one step
SEQUENCE_TOLERANCE = 1e-4  # and of one of whole sequences


class RefusedError(ValueError):
    """There is no honest answer: the message says why, and what can be asked instead."""


@dataclass(frozen=True)
class Certificate:
    """The strongest objection that was found.

    gain: largest unilateral gain of an agent [reward], or for an optimum what a bound leaves open [reward];
    relative: the same over max(1, |value|); method: what was searched; exhaustive: the search covers its class of
    deviations (a grid refined by local search); deviation: the agent, step and action of the largest gain; starts,
    solutions: random starts and the distinct answers they led to; trace: largest change of each iteration [action].
    """

    gain: float
    relative: float
    method: str
    exhaustive: bool
    deviation: dict[str, Any] = field(default_factory=dict)
    starts: int = 0
    solutions: int = 1
    trace: tuple[float, ...] = ()


@dataclass(frozen=True, eq=False)
class Solution:
    """The frozen answer of a solver.

    game, game_hash, reward_mode, concept; kind: what is claimed ("stage equilibrium", "open-loop optimum", "rule" ...);
    actions ``[N]`` of a stage concept or ``[T, N]`` of an episode [endowment units]; payoffs, rewards ``[N]`` [payoff],
    of one step or of the whole episode; status "certified" or "approximate"; uniqueness: "proved", "not established" or
    what is known; bound: no policy can reach a higher sum of rewards (None: not known); notes: what a reader must know.
    """

    game: str
    game_hash: str
    concept: str
    kind: str
    reward_mode: str
    actions: np.ndarray
    payoffs: np.ndarray
    rewards: np.ndarray
    method: str
    certificate: Certificate
    uniqueness: str = "not established"
    bound: float | None = None
    notes: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def tolerance(self) -> float:
        """Up to which relative gain it is called certified."""
        return STAGE_TOLERANCE if self.actions.ndim == 1 else SEQUENCE_TOLERANCE

    @property
    def status(self) -> str:
        """ "certified", or "approximate": the relative gain of the certificate is above the tolerance."""
        return "certified" if self.certificate.relative <= self.tolerance else "approximate"

    @property
    def welfare(self) -> float:
        """Sum of payoffs over agents."""
        return float(self.payoffs.sum())

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and names, for JSON."""
        plain = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        plain["certificate"] = dataclasses.asdict(self.certificate)
        plain |= {name: plain[name].tolist() for name in ("actions", "payoffs", "rewards")}
        return {**plain, "status": self.status, "welfare": self.welfare}

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> Solution:
        """The inverse of to_dict."""
        known = {f.name for f in dataclasses.fields(cls)}
        entries = {k: v for k, v in plain.items() if k in known}
        entries |= {k: np.asarray(entries[k]) for k in ("actions", "payoffs", "rewards")}
        certificate = {**entries["certificate"], "trace": tuple(entries["certificate"]["trace"])}
        return cls(**{**entries, "certificate": Certificate(**certificate), "notes": tuple(entries["notes"])})

    def __str__(self) -> str:
        return json.dumps({k: v for k, v in self.to_dict().items() if k != "actions"}, indent=1)
