"""Where sliders and charts are marked: the equilibrium of one step, and the best that all could do in it."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from coopgym.envs.game import Game
from coopgym.envs.reward import RewardMode
from coopgym.oracles.optimum import stage_optimum
from coopgym.oracles.result import Solution
from coopgym.oracles.solve import solve
from coopgym.oracles.stage import StageGame


def marks(game: Game, mode: RewardMode) -> dict[str, Any]:
    """``coopgym.solve(game, "nash", mode)``, and the optimum of ``coopgym.dilemma``, as plain numbers.

    Both are of one step from the first state. lost: the share of the best welfare that the equilibrium misses; None
    where the optimum is worth nothing.
    """
    equilibrium, optimum = solve(game, "nash", mode), _optimum(_Asked(game))
    lost = 1.0 - equilibrium.welfare / optimum.welfare if optimum.welfare > 0.0 else None
    rewards = StageGame.of(game, mode).rewards(optimum.actions).tolist()  # of the optimum, under this mode
    shown = {"equilibrium": _plain(equilibrium), "optimum": _plain(optimum) | {"rewards": rewards}}
    return {"mode": str(mode), **shown, "lost": lost}


class _Asked:
    """A game, compared by its hash, so that its optimum is found once."""

    def __init__(self, game: Game) -> None:
        self.game = game

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Asked) and other.game.hash == self.game.hash

    def __hash__(self) -> int:
        return hash(self.game.hash)


@lru_cache(maxsize=128)
def _optimum(asked: _Asked) -> Solution:
    return stage_optimum(StageGame.of(asked.game), objective="payoffs")


def _plain(found: Solution) -> dict[str, Any]:
    return {
        "actions": np.asarray(found.actions).tolist(),
        "payoffs": np.asarray(found.payoffs).tolist(),
        "rewards": np.asarray(found.rewards).tolist(),
        "welfare": found.welfare,
        "status": found.status,
        "others": found.uniqueness,
    }
