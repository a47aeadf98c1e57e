"""Gymnasium spaces of a game, in single precision and with the finite bounds of its observations."""

from __future__ import annotations

import numpy as np
from gymnasium.spaces import Box

from coopgym.envs import observation
from coopgym.envs.game import Game


def observations(game: Game, setting: str) -> Box:
    """Space of what all agents see: the joint observation ``[N + 3 N^2 + 1 + k]``, or a row each, ``[N, d]``."""
    low, high = observation.bounds(game, setting)
    return _box(low, high)


def joint_observation(game: Game) -> Box:
    """Space of the joint observation, ``[N + 3 N^2 + 1 + k]``."""
    return observations(game, "joint")


def joint_action(game: Game) -> Box:
    """Space of the joint action ``[N]`` in endowment units: [0, e_i]; the released games allow [0, max e] for all."""
    high = np.full(game.n, game.endowment.max()) if game.version == "v0" else game.endowment
    return _box(np.zeros(game.n), high)


def agent_observations(game: Game, setting: str) -> dict[str, Box]:
    """Each agent's observation space under an observability setting, by agent id."""
    low, high = observation.bounds(game, observation.check_setting(setting))
    return {agent: _box(low[i], high[i]) for i, agent in enumerate(game.agents)}


def agent_actions(game: Game) -> dict[str, Box]:
    """Each agent's action space, [0, e_i] with shape (1,), by agent id."""
    return {agent: _box(np.zeros(1), game.endowment[i : i + 1]) for i, agent in enumerate(game.agents)}


def _box(low: np.ndarray, high: np.ndarray) -> Box:
    # rounding to single precision keeps the order, so a rounded observation stays inside the rounded bounds
    return Box(low.astype(np.float32), high.astype(np.float32), dtype=np.float32)
