"""The seven oracles as algorithms: each plays the answer of its concept, in ``evaluate``, ablations, and as partner."""

from __future__ import annotations

import functools

from coopgym.algorithms.policy import Policy, SchedulePolicy
from coopgym.algorithms.registry import register
from coopgym.envs.game import Game
from coopgym.envs.reward import RewardMode
from coopgym.oracles.concepts import CONCEPTS
from coopgym.oracles.open_loop_equilibrium import stagewise_path
from coopgym.oracles.result import rates_of
from coopgym.oracles.solve import solve


def play(game: Game, reward_mode: str | RewardMode | None = None, *, concept: str) -> Policy:
    """The policy of an oracle. Nash solves the step again in each state that playing it leads to."""
    asked = CONCEPTS[concept]
    if concept == "nash":
        mode = RewardMode.of(asked.mode if reward_mode is None else reward_mode)
        here = game.to("numpy")
        return SchedulePolicy(here, rates_of(here, stagewise_path(here, mode)), asked.oracle)
    return solve(game, concept, reward_mode).policy(game, asked.oracle)


for _concept in CONCEPTS.values():
    register(_concept.oracle, kind="oracle", by_mode=True, paper=_concept.source, limit=_concept.limit)(
        functools.partial(play, concept=_concept.name)
    )
