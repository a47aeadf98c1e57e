"""What a search over action sequences maximises: a weighted sum of rewards, as a function of the sequences that are
free."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from coopgym.oracles.sequences import Sequences

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
