"""What a search over action sequences maximises: a weighted sum of rewards, as a function of the sequences that are
free."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from coopgym.envs.game import Game
from coopgym.envs.moments import moments
from coopgym.mechanisms.base import State, first_again, side_by_side
from coopgym.oracles.sequences import Sequences, joining

CHUNK = 200_000  # numbers [games x (N x N + OVERHEAD)] that are played side by side; more do not fit a cache
OVERHEAD = 40  # numbers of a game besides pairs of agents


@dataclass(frozen=True, eq=False)
class Objective:
    """Sum_i weights_i r_i of an episode, for G free sequences ``x [..., T, G]`` in endowment units.

    weights ``[N]``; ``base [T, N]`` is played by agents that are not free; ``group [N]``: which free sequence an agent
    plays, -1 for its own row of ``base``. Agents of a group have one endowment, that of the first of them.
    """

    sequences: Sequences
    weights: np.ndarray
    base: np.ndarray
    group: np.ndarray

    @property
    def horizon(self) -> int:
        """Steps T."""
        return self.sequences.game.horizon

    @cached_property
    def leaders(self) -> np.ndarray:
        """The first agent ``[G]`` of each free sequence."""
        return np.array([np.flatnonzero(self.group == g)[0] for g in range(int(self.group.max()) + 1)])

    @cached_property
    def limit(self) -> np.ndarray:
        """Largest actions ``[G]`` of the free sequences."""
        endowment: np.ndarray = np.asarray(self.sequences.game.endowment)[self.leaders]
        return endowment

    def profile(self, x: np.ndarray) -> np.ndarray:
        """Everybody's actions ``[..., T, N]``."""
        free = np.asarray(self.group >= 0)
        return np.asarray(np.where(free, x[..., np.where(free, self.group, 0)], self.base))

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Values ``[K]`` of K candidates ``[K, T, G]``; it saves time if they follow the first of them for a while."""
        size = max(1, CHUNK // (self.sequences.game.n**2 + OVERHEAD))
        path = self.profile(x[0])
        parts = [self._value(x[k : k + size], path) for k in range(0, len(x), size)]
        return np.asarray(np.concatenate(parts))

    def _value(self, x: np.ndarray, path: np.ndarray) -> np.ndarray:
        return np.asarray(self.sequences.rewards_near(self.profile(x), path) @ self.weights)


class Reduced(Objective):
    """The same values from a smaller game, in which what the free sequences cannot tell apart is played once."""

    @cached_property
    def small(self) -> tuple[Game, np.ndarray]:
        """The game, whose rewards are ``[..., R]``, and the weights ``[R]`` with which they add up."""
        raise NotImplementedError

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Values ``[K]`` of K candidates ``[K, T, G]``."""
        size = max(1, CHUNK // (self.sequences.game.n + OVERHEAD))
        return np.concatenate([self._near(x[k : k + size], x[0]) for k in range(0, len(x), size)])

    def _near(self, x: np.ndarray, path: np.ndarray) -> np.ndarray:
        """Values ``[K]`` of candidates ``[K, T, G]`` that follow a ``path [T, G]`` until they leave it."""
        order, lanes = joining((x != path).any(-1))
        played = np.ascontiguousarray(np.concatenate([path[None], x[order]]).transpose(1, 2, 0))  # [T, G, K + 1]
        (game, weights), t = self.small, 0
        total = np.zeros((1, len(weights)))

        def act(_: State) -> np.ndarray:
            actions = side_by_side(lanes[t], (game.n,))
            for agent, group in enumerate(self.group.tolist()):
                actions[:, agent] = self.base[t, agent] if group < 0 else played[t, group, : lanes[t]]
            return actions

        for before, after, paid, alive, _ended in moments(game, act, (lanes[0],), lanes=lanes):
            rewarded = game.rewards(self.sequences.mode.weights, before, after, paid)
            on = rewarded if game.exit is None else np.where(alive[..., None], rewarded, 0.0)
            total, t = first_again(total, len(alive)) + on, t + 1
        values = np.empty(len(x))
        values[order] = first_again(total @ weights, len(x) + 1)[1:]
        return values
