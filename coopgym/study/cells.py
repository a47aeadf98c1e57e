"""Cells of a design: one algorithm on one game, all replicas of which can be trained as one program."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from coopgym.algorithms import reference
from coopgym.algorithms.evaluation import DRAWN_EPISODES, EVALUATIONS
from coopgym.envs.catalogue import entry
from coopgym.envs.reward import RewardMode
from coopgym.study import trainers

UNSEEDED = (None,)  # seeds of what is played as it is: heuristics, constants, oracles
Modes = tuple[RewardMode, ...]
Seeds = tuple[int | None, ...]


@dataclass(frozen=True)
class Cell:
    """One algorithm on one game under ``modes``, each with ``seeds``; ``steps``: of each replica, of a learner.

    No mode: one record for all modes, of a policy that does not depend on them. options: hyperparameters of the
    learner, and options of the game. variant: the name of these hyperparameters in a design that has several.
    trainer: who trains it. evaluations, episodes: points of a learner's curve, and episodes of its stochastic policy.
    """

    algorithm: str
    game: str
    modes: Modes
    seeds: Seeds = UNSEEDED
    steps: int = 0
    options: dict[str, Any] = field(default_factory=dict)
    variant: str = ""
    trainer: str = trainers.OWN
    evaluations: int = EVALUATIONS
    episodes: int = DRAWN_EPISODES

    def __str__(self) -> str:
        return " ".join(filter(None, (self.algorithm, self.variant, "on", self.game)))

    @property
    def learns(self) -> bool:
        """Whether there is anything to train."""
        return self.seeds != UNSEEDED

    @property
    def replicas(self) -> int:
        """Records that it makes."""
        return max(1, len(self.modes)) * len(self.seeds)

    def plan(self) -> dict[str, tuple[RewardMode | None, int | None]]:
        """run_id -> (mode, seed). Raises ValueError or TypeError for what cannot be run; nothing is trained."""
        modes: Sequence[RewardMode | None] = self.modes or (None,)
        if self.learns:
            design: dict[str, Any] = {"reward_modes": self.modes, "seeds": self.seeds, "total_steps": self.steps}
            design |= {"evaluations": self.evaluations, "episodes": self.episodes}
            names = trainers.planned_run_ids(self.trainer)(self.algorithm, self.game, **design, **self.options)
        else:
            names = reference.planned_run_ids(
                self.algorithm, self.game, reward_modes=self.modes or None, **self.options
            )
        return dict(zip(names, itertools.product(modes, self.seeds), strict=True))


class Excluded(NamedTuple):
    """What a design asks for and cannot be: a learner on a game that it cannot play, and why."""

    algorithm: str
    game: str
    reason: str


def of_game(game: str, options: dict[str, Any]) -> dict[str, Any]:
    """Those of a design's options that belong to the game."""
    found, version = entry(game)
    return {name: value for name, value in options.items() if name in found.options(version)}


def groups(pairs: Iterable[tuple[RewardMode | None, int | None]]) -> list[tuple[Modes, Seeds]]:
    """(mode, seed) pairs as few products modes times seeds: seeds that lack the same modes go together."""
    lacking: dict[int | None, list[RewardMode]] = {}
    for mode, seed in pairs:
        lacking.setdefault(seed, []).extend(() if mode is None else (mode,))
    found: dict[Modes, list[int | None]] = {}
    for seed, modes in lacking.items():
        found.setdefault(tuple(modes), []).append(seed)
    return [(modes, tuple(seeds)) for modes, seeds in found.items()]
