"""Games with answers known by hand, and what tests of learners build from them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch

import coopgym
from coopgym.algorithms.learner import Problem
from coopgym.algorithms.registry import algorithm
from coopgym.envs.reward import RewardMode
from coopgym.mechanisms.base import Mechanism

MODES = ("private", "integrated", "cooperative")


@dataclass(frozen=True, eq=False)
class Unit(Mechanism):
    """Payoffs in another currency."""

    factor: float = 1.0

    def payoffs(self, state, actions, payoffs):
        return self.factor * payoffs


@dataclass(frozen=True, eq=False)
class Opposed(Mechanism):
    """Agent 0 gains what share of its endowment it plays, agent 1 loses it."""

    def payoffs(self, state, actions, payoffs):
        signs = torch.tensor([1.0, -1.0]) if isinstance(actions, torch.Tensor) else np.array([1.0, -1.0])
        return payoffs + signs * actions / 100.0


@dataclass(frozen=True, eq=False)
class Investment(Mechanism):
    """Playing u costs u; what was played first returns threefold at the second step, and nothing else does.

    Whoever looks one step ahead plays 0 twice; the best is 1, then 0.
    """

    def payoffs(self, state, actions, payoffs):
        second = (state.time >= 1.0) * 1.0
        return payoffs - actions / 100.0 + 3.0 * second[..., None] * state.actions / 100.0


def of(mechanism, steps):
    """A game of two agents with endowments of 100 in which nothing but ``mechanism`` pays."""
    game = coopgym.game("SLCD-v1", max_steps=steps)
    assert game.endowment.tolist() == [100.0, 100.0]
    return replace(game, mechanisms=(mechanism,), name=type(mechanism).__name__)


def learner(name, game, modes=MODES, seeds=(0, 1, 2), setting=None, **settings):
    """A learner of one replica for each mode and seed of a pair, not yet trained."""
    found = algorithm(name, "learner")
    setting = setting or game.default_observability
    problem = Problem(game, tuple(RewardMode.of(m) for m in modes), tuple(seeds), setting, torch.device("cpu"))
    return found.build(problem, found.settings(**settings))


def trained(name, game, modes=MODES, seeds=(0, 1, 2), iterations=1, **settings):
    """The same after some iterations."""
    made = learner(name, game, modes, seeds, **settings)
    for i in range(iterations):
        made.iterate(i / iterations)
    return made
