"""The seven oracles as algorithms: each plays the answer of its concept, in ``evaluate``, ablations, and as partner."""

from __future__ import annotations

import functools

import numpy as np

from coopgym.algorithms.policy import Policy, SchedulePolicy
from coopgym.algorithms.registry import register
from coopgym.envs.game import Game
from coopgym.envs.reward import RewardMode
from coopgym.oracles.concepts import CONCEPTS
from coopgym.oracles.open_loop_equilibrium import stagewise_path
from coopgym.oracles.solve import solve

SOURCES = {
    "nash": "Nash 1951",
    "coopetitive": "TR-1, equations of the coopetitive equilibrium, over an episode",
    "trust_aware": "TR-2, as rules in trust and time",
    "social_optimum": "planner of the sum of rewards",
    "loyalty": "TR-3 with the dynamics of loyalty",
    "reciprocity": "TR-4 with memory",
    "bounded_reciprocity": "TR-4, section 8.4",
}


def play(game: Game, reward_mode: str | RewardMode | None = None, *, concept: str) -> Policy:
    """The policy of an oracle. Nash solves the step again in each state that playing it leads to."""
    asked = CONCEPTS[concept]
    if concept == "nash":
        mode = RewardMode.of(asked.mode if reward_mode is None else reward_mode)
        here = game.to("numpy")
        rates = np.clip(stagewise_path(here, mode) / np.asarray(here.endowment), 0.0, 1.0)
        return SchedulePolicy(here, rates, asked.oracle)
    return solve(game, concept, reward_mode).policy(game, asked.oracle)


for _concept in CONCEPTS.values():
    register(_concept.oracle, kind="oracle", by_mode=True, paper=SOURCES[_concept.name], limit=_concept.limit)(
        functools.partial(play, concept=_concept.name)
    )
