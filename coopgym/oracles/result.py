"""What a solver returns: an answer, how it was found, and what is certain about it."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from coopgym.algorithms.policy import FixedPolicy, Policy, SchedulePolicy
from coopgym.algorithms.trust_rule import TrustRule
from coopgym.envs.catalogue import game as make_game
from coopgym.envs.game import Game

STAGE_TOLERANCE = 1e-6  # largest relative gain of an equilibrium of one step
SEQUENCE_TOLERANCE = 1e-4  # and of one of whole sequences
RULE = "rule"  # the kind of what is played because a report says so
ARRAYS = ("actions", "payoffs", "rewards", "coefficients")


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


def rates_of(game: Game, actions: np.ndarray) -> np.ndarray:
    """Actions ``[..., N]`` in endowment units as shares of the endowments; rounding beyond [0, 1] is cut off."""
    return np.asarray(np.clip(actions / np.asarray(game.endowment), 0.0, 1.0))


@dataclass(frozen=True, eq=False)
class Solution:
    """The frozen answer of a solver.

    game, game_hash, reward_mode, concept: what was asked. kind: what is claimed ("stage equilibrium", "open-loop
    optimum", "rule" ...). actions: ``[N]`` of a stage concept or ``[T, N]`` of an episode [endowment units]. payoffs,
    rewards: ``[N]`` [payoff], of one step or of the whole episode. uniqueness: "proved", "not established" or what is
    known. bound: no policy can reach a higher sum of rewards (None: not known). coefficients: ``[N, 3]`` of a TrustRule
    whose play ``actions`` are (None: the actions are all there is). notes: what a reader must know.
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
    coefficients: np.ndarray | None = None
    game_options: dict[str, Any] = field(default_factory=dict)

    @property
    def tolerance(self) -> float:
        """Up to which relative gain it is called certified."""
        return STAGE_TOLERANCE if self.actions.ndim == 1 else SEQUENCE_TOLERANCE

    @property
    def status(self) -> str:
        """ "certified", or "approximate": the relative gain of the certificate is above the tolerance.

        A "rule" makes no claim that its gain could prove.
        """
        if self.kind == RULE:
            return RULE
        return "certified" if self.certificate.relative <= self.tolerance else "approximate"

    @property
    def welfare(self) -> float:
        """Sum of payoffs over agents."""
        return float(self.payoffs.sum())

    def policy(self, game: Game | None = None, name: str | None = None) -> Policy:
        """The answer as a policy: an action of one step for ever, a sequence step by step, a rule as it stands.

        game: needed only where it is not the catalogue's. Raises ValueError for a game that is not the one solved.
        """
        made = (make_game(self.game, **self.game_options) if game is None else game).to("numpy")
        if made.hash != self.game_hash:
            raise ValueError(f"this is an answer for {self.game} with hash {self.game_hash}, not for {made!r}")
        called = name or self.concept
        if self.coefficients is not None:
            return TrustRule(made, self.coefficients, called)
        rates = rates_of(made, self.actions)
        return FixedPolicy(made, rates, called) if rates.ndim == 1 else SchedulePolicy(made, rates, called)

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and names, for JSON."""
        plain = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        plain["certificate"] = dataclasses.asdict(self.certificate)
        plain |= {name: plain[name].tolist() for name in ARRAYS if plain[name] is not None}
        return {**plain, "status": self.status, "welfare": self.welfare}

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> Solution:
        """The inverse of to_dict."""
        known = {f.name for f in dataclasses.fields(cls)}
        entries = {k: v for k, v in plain.items() if k in known}
        entries |= {k: np.asarray(entries[k]) for k in ARRAYS if entries.get(k) is not None}
        certificate = {**entries["certificate"], "trace": tuple(entries["certificate"]["trace"])}
        return cls(**{**entries, "certificate": Certificate(**certificate), "notes": tuple(entries["notes"])})

    def __str__(self) -> str:
        return json.dumps({k: v for k, v in self.to_dict().items() if k != "actions"}, indent=1)
