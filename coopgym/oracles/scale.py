"""The size of rewards that gains are divided by, so that shares do not depend on the unit of payoffs."""

from __future__ import annotations

import numpy as np

from coopgym.envs.game import Game
from coopgym.envs.reward import RewardMode

RATES = (0.0, 0.1, 0.25, 0.5, 0.75, 1.0)  # common rates at which the unit of a game is read off
FLOOR = 1e-6  # of the unit: a reward below this counts as this much


def unit(game: Game, mode: RewardMode) -> float:
    """The largest |reward| of one agent in one step from the first state, at common rates and at the baseline."""
    actions = np.concatenate([np.array(RATES)[:, None] * game.endowment, np.asarray(game.baseline)[None]])
    return float(np.abs(game.stage_rewards(mode.weights, game.reset(), game.clip(actions))).max())


def size(values: np.ndarray | float, unit: np.ndarray | float) -> np.ndarray:
    """|values| of any shape, at least ``FLOOR`` units: what a relative gain is divided by."""
    return np.asarray(np.maximum(np.abs(values), np.maximum(FLOOR * np.asarray(unit), 1e-300)))
