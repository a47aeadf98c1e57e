"""Trust and reciprocity of which only the changes of some agents are followed; formulas are those of the mechanisms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, TypeVar

import numpy as np

from coopgym.envs.game import Game
from coopgym.mechanisms.arrays import Array, namespace
from coopgym.mechanisms.base import State, Transition
from coopgym.mechanisms.reciprocity import Reciprocity
from coopgym.mechanisms.trust import TrustDynamics, TrustExit

G = TypeVar("G", bound=Game)
Who = Any  # a slice or indices of agents
MATRICES = ("building", "erosion", "harm", "forgetting", "cap")


@dataclass(frozen=True, eq=False)
class TrustIn(TrustDynamics):
    """Trust in the W agents ``who``: ``[..., R, W]``, rates ``[R, W]``, gain ``[W]``."""

    who: Who = None

    def signal(self, actions: Array, baseline: Array) -> Array:
        """s ``[..., W]``."""
        return namespace(actions).tanh(self.gain * (actions[..., self.who] - baseline[..., self.who]))


def trust_in(trust: TrustDynamics, who: Who, cut: Callable[[np.ndarray], np.ndarray]) -> TrustIn:
    """The dynamics with matrices ``[N, N]`` cut to ``[R, W]``."""
    given = entries(trust)
    small = {name: cut(given[name]) for name in MATRICES if given[name] is not None}
    return TrustIn(**{**given, **small, "gain": trust.gain[who]}, who=who)


@dataclass(frozen=True, eq=False)
class Narrow(Reciprocity):
    """Reciprocity that remembers the agents ``who`` only; ``one`` is the same rule among them."""

    one: Reciprocity | None = None
    who: Who = None

    @property
    def rule(self) -> Reciprocity:
        """What is felt about these agents."""
        assert self.one is not None
        return self.one

    def initial(self, draws: Array | None) -> dict[str, Array]:
        """The memory of their rates, ``[k, W]``."""
        return self.rule.initial(draws)

    def felt(self, state: State, actions: Array) -> Array:
        """What is felt about them."""
        return self.rule.felt(state, actions[..., self.who])

    def update(self, step: Transition) -> dict[str, Array]:
        """Remember their rates."""
        return self.rule.update(step._replace(actions=step.actions[..., self.who]))


def entries(part: Any) -> dict[str, Any]:
    """The entries of a dataclass by name."""
    return {f.name: getattr(part, f.name) for f in fields(part)}


def past(exit: TrustExit, level: Array) -> Array:
    """Whether a level of trust has crossed the exit's threshold, ``[...]``."""
    return level >= exit.threshold if exit.success else level < exit.threshold


def bare(kind: type[G], game: Game, **changed: Any) -> G:
    """A game of another kind with the entries of ``game``, some of them changed; nothing is checked again."""
    made = object.__new__(kind)
    made.__dict__.update({**entries(game), **changed})
    return made
