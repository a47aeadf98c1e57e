"""Whole episodes of given action sequences, many side by side, in NumPy or with gradients in torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from coopgym.envs.game import Game
from coopgym.envs.moments import moments
from coopgym.envs.reward import RewardMode
from coopgym.mechanisms.arrays import Array, namespace
from coopgym.mechanisms.base import State


class Returns(NamedTuple):
    """Sums over an episode: payoffs, rewards ``[..., N]``; lengths ``[...]`` [steps]."""

    payoffs: Array
    rewards: Array
    lengths: Array


@dataclass(frozen=True, eq=False)
class Sequences:
    """Episodes of a game under one reward mode, played from action sequences; a hidden parameter takes the middle of
    its range. ``game`` may live in NumPy (fast for few games) or in torch (with gradients)."""

    game: Game
    mode: RewardMode

    def play(self, actions: Array) -> Returns:
        """Returns of sequences ``[..., T, N]`` in endowment units; T is the horizon, batch axes are independent."""
        game, weights = self.game, self.mode.weights
        batch = tuple(actions.shape[:-2])
        zero = actions[..., 0, :] * 0.0
        payoffs, rewards, lengths, t = zero, zero, zero[..., 0], 0

        def act(_: State) -> Array:
            return actions[..., t, :]

        xp = namespace(actions)
        for before, after, paid, alive, _ended in moments(game, act, batch):
            on = alive[..., None]
            payoffs = payoffs + xp.where(on, paid, 0.0 * paid)
            rewards = rewards + xp.where(on, game.rewards(weights, before, after, paid), 0.0 * paid)
            lengths = lengths + alive
            t += 1
        return Returns(payoffs, rewards, lengths)

    def constant(self, actions: np.ndarray) -> np.ndarray:
        """A profile ``[..., N]`` as sequences ``[..., T, N]``."""
        return np.repeat(np.asarray(actions, dtype=np.float64)[..., None, :], self.game.horizon, axis=-2)
