"""A stage game in which every agent has a few levels only: the tensors that independent libraries can judge."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from coopgym.mechanisms import checks
from coopgym.oracles.stage import StageGame

MOST = 2_000_000  # joint actions of the largest grid
TIE = 1e-12  # rewards closer than this are equal [largest reward]


@dataclass(frozen=True, eq=False)
class GridGame:
    """A stage game on K evenly spaced levels for each agent, from nothing to the endowment.

    levels: K. Refused where K**N joint actions are more than ``MOST``.
    """

    stage: StageGame
    levels: int

    def __post_init__(self) -> None:
        k = checks.whole("levels", self.levels, 2, MOST)
        if k**self.stage.n > MOST:
            raise ValueError(
                f"levels={k} for {self.stage.n} agents: {k}**{self.stage.n} joint actions, the most is {MOST:,}"
            )

    @property
    def cell(self) -> np.ndarray:
        """Distance ``[N]`` between neighbouring levels [endowment units]."""
        return self.stage.endowment / (self.levels - 1)

    @cached_property
    def actions(self) -> np.ndarray:
        """Levels ``[N, K]`` [endowment units]."""
        return np.asarray(np.linspace(0.0, 1.0, self.levels) * self.stage.endowment[:, None])

    @cached_property
    def rewards(self) -> np.ndarray:
        """Rewards ``[N, K, ..., K]``: of whom, then the level of the first agent, of the second and so on."""
        joint = np.stack(np.meshgrid(*self.actions, indexing="ij"), -1)
        return np.moveaxis(self.stage.rewards(joint), -1, 0)

    @cached_property
    def regret(self) -> np.ndarray:
        """What each agent could gain alone on the grid, ``[N, K, ..., K]``, never negative."""
        return np.stack([own.max(axis=i, keepdims=True) - own for i, own in enumerate(self.rewards)])

    def pure_equilibria(self, tie: float = TIE) -> np.ndarray:
        """Level numbers ``[M, N]`` of all joint actions that nobody gains by leaving, in the order of their numbers."""
        least = tie * float(np.abs(self.rewards).max())
        return np.argwhere((self.regret <= least).all(0))

    def undominated(self, rounds: int | None = None, tie: float = TIE) -> list[np.ndarray]:
        """Level numbers ``[K_i]`` of each agent that survive where levels are struck out that always pay less.

        No level that is struck out is played in any equilibrium, pure or mixed. rounds: how often all agents are gone
        through; by default until nothing more is struck out.
        """
        least = tie * float(np.abs(self.rewards).max())
        kept = [np.arange(self.levels) for _ in range(self.stage.n)]
        struck, done = True, 0
        while struck and (rounds is None or done < rounds):
            struck, done = False, done + 1
            for agent, own in enumerate(self.rewards):
                rest = np.moveaxis(own[np.ix_(*kept)], agent, 0).reshape(len(kept[agent]), -1)
                worse = np.array([((rest - row).min(-1) > least).any() for row in rest])
                kept[agent] = kept[agent][~worse]
                struck = struck or bool(worse.any())
        return kept

    def at(self, numbers: np.ndarray) -> np.ndarray:
        """Actions ``[..., N]`` of level numbers ``[..., N]``."""
        return np.asarray(self.actions[np.arange(self.stage.n), numbers])
