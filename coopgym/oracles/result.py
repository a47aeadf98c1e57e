"""What a solver returns: an answer, how it was found, and what is certain about it."""

from __future__ import annotations

import dataclasses
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
CERTIFIED, UNREFUTED, APPROXIMATE = "certified", "unrefuted", "approximate"
STATUSES = (CERTIFIED, UNREFUTED, APPROXIMATE, RULE)
ARRAYS = ("actions", "payoffs", "rewards", "coefficients")


class RefusedError(ValueError):
    """There is no honest answer: the message says why, and what can be asked instead."""


@dataclass(frozen=True)
class Certificate:
    """The largest unilateral gain that was found and, where the question is closed, the largest that is possible.

    gain: largest unilateral gain of an agent [reward], or for an optimum what a bound leaves open [reward];
    relative: the same over |value|; method: what was searched, or what closes the question; exhaustive: no
    deviation can gain more than the tolerance (a formula, every step solved, a dynamic programme, or a bound that is
    met); deviation: the agent, step and action of the largest gain; starts, solutions: random starts and the distinct
    answers they led to; trace: largest change of each iteration [action]; at_most: a proven bound of the relative gain
    of any deviation (None: the search is all that is known).
    """

    gain: float
    relative: float
    method: str
    exhaustive: bool
    deviation: dict[str, Any] = field(default_factory=dict)
    starts: int = 0
    solutions: int = 1
    trace: tuple[float, ...] = ()
    at_most: float | None = None


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
        """Up to which relative gain an answer counts as one."""
        return STAGE_TOLERANCE if self.actions.ndim == 1 else SEQUENCE_TOLERANCE

    @property
    def status(self) -> str:
        """One of ``STATUSES``.

        "certified": a proof closes the question: a formula, every step solved, a dynamic programme with its error, or
        a bound that is met. "unrefuted": a search found no gain above the tolerance, and ``searched`` says what was
        searched; a better deviation may exist. "approximate": a larger gain is known, or a bound leaves more open.
        "rule": nothing is claimed that a gain could refute.
        """
        if self.kind == RULE:
            return RULE
        if np.isfinite(self.certificate.relative) and self.certificate.relative > self.tolerance:
            return APPROXIMATE
        closed = self.certificate.exhaustive and np.isfinite(self.certificate.relative)
        return CERTIFIED if closed else UNREFUTED

    @property
    def searched(self) -> str:
        """What was searched for a gain, or what closes the question."""
        return self.certificate.method

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
        return {**plain, "status": self.status, "searched": self.searched, "welfare": self.welfare}

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> Solution:
        """The inverse of to_dict."""
        known = {f.name for f in dataclasses.fields(cls)}
        entries = {k: v for k, v in plain.items() if k in known}
        entries |= {k: np.asarray(entries[k]) for k in ARRAYS if entries.get(k) is not None}
        certificate = {**entries["certificate"], "trace": tuple(entries["certificate"]["trace"])}
        return cls(**{**entries, "certificate": Certificate(**certificate), "notes": tuple(entries["notes"])})

    def __str__(self) -> str:
        """What was asked, what is played, what it earns and how sure that is; ``to_dict`` has everything."""
        span = "a step" if self.actions.ndim == 1 else f"an episode of {len(self.actions)} steps"
        lines = [
            f"{self.game} {self.concept} ({self.reward_mode}): {self.status} {self.kind}, {span}",
            f"actions {list(self.actions.shape)} [endowment units]:",
            np.array2string(self.actions, precision=4, suppress_small=True, threshold=60, edgeitems=3),
            f"payoffs {_numbers(self.payoffs)}; rewards {_numbers(self.rewards)}; welfare {self.welfare:.6g}",
            f"largest relative gain {self.certificate.relative:.3g}; {self.searched}",
        ]
        if self.certificate.at_most is not None:
            lines.append(f"no deviation gains more than {self.certificate.at_most:.3g}, relative")
        if self.bound is not None:
            lines.append(f"no policy has a larger sum of rewards than {self.bound:.8g}")
        return "\n".join([*lines, f"method: {self.method}; other answers: {self.uniqueness}", *self.notes])


def _numbers(values: np.ndarray) -> str:
    return np.array2string(values, precision=6, suppress_small=True, threshold=12, edgeitems=3)
