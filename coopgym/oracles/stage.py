"""The stage game: one step of a game from a state that stands still, with the rewards of a mode."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from coopgym.envs.game import Game
from coopgym.envs.reward import RewardMode
from coopgym.mechanisms.arrays import Array
from coopgym.mechanisms.base import State
from coopgym.oracles.scale import size, unit

CHUNK = 400_000  # numbers [rows x agents] that are evaluated at a time; bounds the memory of big games


@dataclass(frozen=True, eq=False)
class StageGame:
    """A game of one step. ``game`` in NumPy; ``state`` without batch axes (Game.reset() gives the first)."""

    game: Game
    state: State
    mode: RewardMode

    @classmethod
    def of(cls, game: Game, mode: str | RewardMode = "private", state: State | None = None) -> StageGame:
        """The stage game of a state, by default that in which an episode begins."""
        return cls(game, game.reset() if state is None else state, RewardMode.of(mode))

    @property
    def n(self) -> int:
        """Number of agents N."""
        return self.game.n

    @property
    def endowment(self) -> np.ndarray:
        """Largest actions ``[N]``."""
        return np.asarray(self.game.endowment)

    @cached_property
    def matrix(self) -> np.ndarray:
        """W ``[N, N]`` with which payoffs become rewards in this state (where no multiplier acts on the mixture)."""
        return np.asarray(self.game.reward_matrix(self.mode, self.state))

    @cached_property
    def unit(self) -> float:
        """The largest |reward| of one agent at common rates, from the first state."""
        return unit(self.game, self.mode)

    def size(self, rewards: np.ndarray | float) -> np.ndarray:
        """|rewards|, away from zero by the game's own unit: what a gain is divided by to make a share of it."""
        return size(rewards, self.unit)

    def payoffs(self, actions: Array) -> np.ndarray:
        """Payoffs ``[..., N]`` of actions ``[..., N]``, in payoff units."""
        return np.asarray(self.game.payoffs(self.state, self.game.clip(np.asarray(actions, dtype=np.float64))))

    def rewards(self, actions: Array) -> np.ndarray:
        """Rewards ``[..., N]`` of actions ``[..., N]``, in payoff units."""
        x = self.game.clip(np.asarray(actions, dtype=np.float64))
        rows = x.reshape(-1, self.n)
        size = max(1, CHUNK // self.n**2)
        weights = self.mode.weights
        parts = [
            self.game.stage_rewards(weights, self.state, rows[k : k + size]) for k in range(0, max(1, len(rows)), size)
        ]
        return np.concatenate(parts).reshape(x.shape)

    def deviations(self, profile: np.ndarray, agent: int, own: np.ndarray) -> np.ndarray:
        """Agent's rewards ``[..., K]`` at K own actions ``own [K]`` or ``[..., K]`` against ``profile [..., N]``."""
        own = np.broadcast_to(own, (*profile.shape[:-1], own.shape[-1]))
        joint = np.repeat(profile[..., None, :], own.shape[-1], axis=-2)
        joint[..., agent] = own
        return self.rewards(joint)[..., agent]
