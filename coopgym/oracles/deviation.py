"""One agent's own sequence against fixed ones: only what its actions can change is played again.

Trust in an agent moves with that agent's actions alone, and so does the memory of them. Of the N x N numbers of trust
there remain the N of trust in the agent; all else is what it is on the path of the profile.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from types import NoneType
from typing import NamedTuple

import numpy as np

from coopgym.envs.game import Game
from coopgym.envs.moments import moments
from coopgym.envs.released import ReleasedGame
from coopgym.envs.reward import Weights
from coopgym.mechanisms.arrays import Array
from coopgym.mechanisms.base import Mechanism, State
from coopgym.mechanisms.reciprocity import Reciprocity, reciprocal_pull
from coopgym.mechanisms.trust import TrustDynamics, effective_trust
from coopgym.oracles.narrow import Narrow, bare, entries, past, trust_in
from coopgym.oracles.objective import Reduced
from coopgym.oracles.sequences import Sequences, blind, trust_is_idle


def divides(sequences: Sequences) -> bool:
    """Whether trust is all that ties agents together over time, and what is expected of them does not move; or nothing
    depends on trust, and the rest is played as it is."""
    game = sequences.played
    if isinstance(game, ReleasedGame) or type(game.trust) not in (TrustDynamics, NoneType):
        return False
    if game.trust is None:
        return trust_is_idle(sequences.game, sequences.mode)
    rules = game.mechanisms
    return all((blind(m) or type(m) is Reciprocity) and type(m).baseline is Mechanism.baseline for m in rules)


@dataclass(frozen=True, eq=False)
class Deviation(Reduced):
    """The objective of one agent that is free alone, in a game that ``divides``: as Objective has it, in less time."""

    @cached_property
    def small(self) -> tuple[Game, np.ndarray]:
        """The game as far as the agent changes it."""
        agent = int(self.leaders[0])
        return Lone.of(self.sequences, self.base, agent), self.weights[[agent]]


class Lone(Game):
    """A game in which everybody but ``agent`` plays a fixed path, on which one column of trust is left.

    mixing ``[T, N]``: how payoffs add up to the agent's reward; others ``[T]``: what the trust in the others, after
    each step, adds to the level that decides the end.
    """

    agent: int
    mixing: np.ndarray
    others: np.ndarray

    @classmethod
    def of(cls, sequences: Sequences, base: np.ndarray, agent: int) -> Lone:
        """What of a game is left to one agent against the rows of ``base [T, N]``."""
        game, mode, column = sequences.played, sequences.mode, slice(agent, agent + 1)
        way = list(states_along(game, base))
        rules = tuple(_toward(m, way, agent) if isinstance(m, Reciprocity) else m for m in game.mechanisms)
        mixing = np.stack([game.reward_matrix(mode, step.before)[agent] for step in way])
        if game.trust is None:
            return bare(cls, game, agent=agent, mixing=mixing, mechanisms=rules)
        elsewhere = np.zeros(len(base))
        if game.exit is not None:
            apart = game.exit.weights * (np.arange(game.n) != agent)
            elsewhere = np.array([(apart * step.after.trust).sum() for step in way])
        return bare(
            cls, game, agent=agent, mixing=mixing, mechanisms=rules, others=elsewhere,
            trust=trust_in(game.trust, column, lambda matrix: matrix[:, column]),
            initial_trust=game.initial_trust[:, column], initial_damage=game.initial_damage[:, column],
        )  # fmt: skip

    def rewards(self, weights: Weights, before: State, after: State, payoffs: Array) -> Array:
        """The agent's reward ``[..., 1]``, from what everybody is paid ``[..., N]``."""
        return (payoffs @ self.mixing[now(before)])[..., None]

    def terminated(self, state: State) -> Array:
        """Bool ``[...]``: a rule of the game has ended the episode."""
        if self.exit is None:
            return super().terminated(state)
        level = self.others[now(state) - 1] + state.trust[..., 0] @ self.exit.weights[:, self.agent]
        return past(self.exit, level)


def now(state: State) -> int:
    """Completed steps of a batch that moves on together; games that are over stand still."""
    return int(state.time.max())


class Step(NamedTuple):
    """One step along a profile."""

    before: State
    actions: np.ndarray
    after: State


def states_along(game: Game, base: np.ndarray) -> list[Step]:
    """The states of a profile ``[T, N]``, as if nothing could end the game: one may keep it alive."""
    endless, steps = replace(game, exit=None), list[Step]()
    for moment in moments(endless, lambda state: base[now(state)]):
        steps.append(Step(moment.before, moment.after.actions, moment.after))
    return steps


@dataclass(frozen=True, eq=False)
class AnswersToOne(Narrow):
    """Reciprocity of which only what answers one agent is felt anew; others ``[T, N]``: the rest, on the path."""

    others: Array = None

    def felt(self, state: State, actions: Array) -> Array:
        """What everybody feels, ``[..., N]``."""
        return super().felt(state, actions) + self.others[now(state)]


def _toward(rule: Reciprocity, way: list[Step], agent: int) -> AnswersToOne:
    column = slice(agent, agent + 1)  # views: their strides keep games side by side in what is made of them
    one = replace(rule, endowment=rule.endowment[column], expected=rule.expected[column], weight=rule.weight[:, column])
    apart = rule.weight * (np.arange(len(rule.expected)) != agent)
    others = [
        reciprocal_pull(
            apart, effective_trust(s.before.trust, s.before.damage), rule.response, rule.signal(s.before, s.actions)
        )
        for s in way
    ]
    return AnswersToOne(**entries(rule), one=one, who=column, others=np.stack(others))
