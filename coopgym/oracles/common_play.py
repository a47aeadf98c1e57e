"""Groups of equal agents that play the same: trust and memory of one pair stand for those of all pairs alike."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

import numpy as np

from coopgym.envs.game import Game
from coopgym.envs.reward import Weights
from coopgym.envs.symmetry import roles
from coopgym.mechanisms.arrays import Array, namespace
from coopgym.mechanisms.base import State, Transition
from coopgym.mechanisms.reciprocity import Reciprocity
from coopgym.mechanisms.trust import TrustDynamics, effective_trust
from coopgym.oracles.deviation import divides
from coopgym.oracles.objective import Objective, Reduced


def joins(objective: Objective) -> bool:
    """Whether groups of several equal agents play the same in a game whose trust moves pair by pair."""
    group = objective.group
    if (group < 0).any() or len(objective.leaders) == len(group) or objective.sequences.played.trust is None:
        return False
    role, weights = roles(objective.sequences.game), objective.weights
    first = objective.leaders[group]
    return bool((role == role[first]).all() and (weights == weights[first]).all() and divides(objective.sequences))


def quickest(objective: Objective) -> Objective:
    """The same objective, in the quickest way that is known."""
    if not joins(objective):
        return objective
    return Together(objective.sequences, objective.weights, objective.base, objective.group)


class Together(Reduced):
    """The objective of groups that play the same, for those that ``joins``."""

    @cached_property
    def small(self) -> tuple[Game, np.ndarray]:
        """The game between groups; every member counts."""
        joined = Joined.of(self)
        return joined, self.weights[self.leaders] * joined.pairs.sizes


@dataclass(frozen=True, eq=False)
class Pairs:
    """Groups of agents: ``group [N]``, leaders ``[G]``; and whom an agent of one meets of each."""

    group: np.ndarray
    leaders: np.ndarray

    @cached_property
    def sizes(self) -> np.ndarray:
        """Members ``[G]``."""
        return np.bincount(self.group)

    @cached_property
    def met(self) -> np.ndarray:
        """Others of each group (column) that an agent of a group (row) meets."""
        return self.sizes - np.eye(len(self.sizes))

    @cached_property
    def mates(self) -> np.ndarray:
        """Another agent ``[G]`` of each group than its leader; the leader itself if it is alone."""
        return np.array([np.flatnonzero(self.group == g)[-1] for g in range(len(self.sizes))])

    def of(self, matrix: np.ndarray) -> np.ndarray:
        """Entries ``[G, G]`` of a matrix ``[N, N]``: of a leader and an agent that it meets."""
        columns = np.where(np.eye(len(self.sizes)) > 0, self.mates, self.leaders)
        return np.asarray(matrix[self.leaders[:, None], columns])


class Joined(Game):
    """A game whose groups play the same: trust ``[..., G, G]``, payoffs of all, rewards of leaders ``[..., G]``."""

    pairs: Pairs
    ties: np.ndarray  # D [G, G], times how many are met
    stakes: np.ndarray  # of the exit's level, [G, G]
    rest: float  # of the exit's level: trust in oneself

    @classmethod
    def of(cls, objective: Objective) -> Joined:
        """The game of an objective that ``joins``."""
        game, pairs = objective.sequences.played, Pairs(objective.group, objective.leaders)
        joined = object.__new__(cls)
        joined.__dict__.update({f.name: getattr(game, f.name) for f in fields(game)})
        rules = tuple(_felt_by_groups(m, pairs) if isinstance(m, Reciprocity) else m for m in game.mechanisms)
        assert game.trust is not None
        one = np.eye(len(pairs.sizes))[pairs.group]
        stakes = np.zeros((game.n, game.n)) if game.exit is None else game.exit.weights
        apart = stakes * (1.0 - np.eye(game.n))
        joined.__dict__.update(
            pairs=pairs, ties=pairs.of(game.interdependence) * pairs.met, stakes=one.T @ apart @ one,
            rest=float((np.diag(stakes) * np.diag(game.initial_trust)).sum()), mechanisms=rules,
            trust=_between_groups(game.trust, pairs), initial_trust=pairs.of(game.initial_trust),
            initial_damage=pairs.of(game.initial_damage),
        )  # fmt: skip
        return joined

    def rewards(self, weights: Weights, before: State, after: State, payoffs: Array) -> Array:
        """Rewards of the leaders, ``[..., G]``."""
        own, coupled, shared = weights
        paid = payoffs[..., self.pairs.leaders]
        rewards = own * paid
        if coupled != 0.0:
            gate = effective_trust(before.trust, before.damage) if self.trust_weighted else 1.0
            rewards = rewards + coupled * namespace(paid).matvec(gate * self.ties + 0.0 * before.trust, paid)
        return rewards + shared * (paid @ self.pairs.sizes)[..., None] / self.n if shared != 0.0 else rewards

    def terminated(self, state: State) -> Array:
        """Bool ``[...]``: a rule of the game has ended the episode."""
        if self.exit is None:
            return super().terminated(state)
        level = self.rest + namespace(state.trust).sum_both(self.stakes * state.trust)
        return level >= self.exit.threshold if self.exit.success else level < self.exit.threshold


@dataclass(frozen=True, eq=False)
class TrustOfGroups(TrustDynamics):
    """Trust of leaders in agents of each group, ``[..., G, G]``."""

    leaders: Array = None

    def signal(self, actions: Array, baseline: Array) -> Array:
        """s ``[..., G]``."""
        return namespace(actions).tanh(self.gain * (actions[..., self.leaders] - baseline[..., self.leaders]))


def _between_groups(trust: TrustDynamics, pairs: Pairs) -> TrustOfGroups:
    given: dict[str, Any] = {f.name: getattr(trust, f.name) for f in fields(trust)}
    matrices = ("building", "erosion", "harm", "forgetting", "cap")
    cut = {name: pairs.of(given[name]) for name in matrices if given[name] is not None}
    return TrustOfGroups(**{**given, **cut, "gain": trust.gain[pairs.leaders]}, leaders=pairs.leaders)


@dataclass(frozen=True, eq=False)
class FeltByGroups(Reciprocity):
    """Reciprocity between groups: ``one`` of G agents, each of which stands for its ``group``."""

    one: Reciprocity | None = None
    group: Array = None
    leaders: Array = None

    def initial(self, draws: Array | None) -> dict[str, Array]:
        """The memory of the leaders' rates, ``[k, G]``."""
        assert self.one is not None
        return self.one.initial(draws)

    def felt(self, state: State, actions: Array) -> Array:
        """What everybody feels, ``[..., N]``."""
        assert self.one is not None
        return self.one.felt(state, actions[..., self.leaders])[..., self.group]

    def update(self, step: Transition) -> dict[str, Array]:
        """Remember the leaders' rates."""
        assert self.one is not None
        return self.one.update(step._replace(actions=step.actions[..., self.leaders]))


def _felt_by_groups(rule: Reciprocity, pairs: Pairs) -> FeltByGroups:
    given: dict[str, Any] = {f.name: getattr(rule, f.name) for f in fields(rule)}
    one = replace(
        rule, endowment=rule.endowment[pairs.leaders], expected=rule.expected[pairs.leaders],
        weight=pairs.of(rule.weight) * pairs.met,
    )  # fmt: skip
    return FeltByGroups(**given, one=one, group=pairs.group, leaders=pairs.leaders)
