"""Whole episodes of given action sequences, many side by side, in NumPy or with gradients in torch."""

from __future__ import annotations

from collections.abc import Iterator
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
        zero = actions[..., 0, :] * 0.0
        payoffs, rewards, lengths = zero, zero, zero[..., 0]
        for paid, rewarded, alive in self.steps(actions):
            payoffs, rewards, lengths = payoffs + paid, rewards + rewarded, lengths + alive
        return Returns(payoffs, rewards, lengths)

    def steps(self, actions: Array) -> Iterator[tuple[Array, Array, Array]]:
        """(payoffs ``[..., N]``, rewards ``[..., N]``, alive ``[...]``) of each step; zeros once a game is over."""
        game, weights, t = self.game, self.mode.weights, 0
        xp = namespace(actions)

        def act(_: State) -> Array:
            return actions[..., t, :]

        for before, after, paid, alive, _ended in moments(game, act, tuple(actions.shape[:-2])):
            on, zero = alive[..., None], 0.0 * paid
            yield xp.where(on, paid, zero), xp.where(on, game.rewards(weights, before, after, paid), zero), alive
            t += 1

    def constant(self, actions: np.ndarray) -> np.ndarray:
        """A profile ``[..., N]`` as sequences ``[..., T, N]``."""
        return np.repeat(np.asarray(actions, dtype=np.float64)[..., None, :], self.game.horizon, axis=-2)
