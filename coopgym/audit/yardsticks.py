"""What is known about a game before anybody is audited: what selfish, best and idle play earn in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coopgym.algorithms.evaluation import best_constant
from coopgym.envs.game import Game
from coopgym.oracles.bounds import upper_bound
from coopgym.oracles.equilibrium import stage_equilibrium
from coopgym.oracles.optimum import stage_optimum
from coopgym.oracles.result import RefusedError, Solution
from coopgym.oracles.scores import Scale, scale
from coopgym.oracles.stage import StageGame

_KNOWN: dict[str, Yardsticks] = {}  # of this process, by the game's hash


@dataclass(frozen=True, eq=False)
class Yardsticks:
    """Welfares [payoff over an episode] and rates of one game.

    best_constant: of the best of 101 common rates; best_level: that rate; bound: no policy earns more (None: no
    argument covers the game); selfish, optimal ``[N]``: rates of the first step's private equilibrium and of its
    optimum; autarky ``[N]``: payoffs of a step in which nobody gives anything; ends: the scale from selfish play to
    the optimum, or why there is none.
    """

    best_constant: float
    best_level: float
    bound: float | None
    selfish: np.ndarray
    optimal: np.ndarray
    autarky: np.ndarray
    ends: Scale | str

    @property
    def optimum(self) -> float:
        """The largest welfare that is known to be reached by playing one step's answer for ever."""
        return self.best_constant if isinstance(self.ends, str) else max(self.best_constant, self.ends.optimum)

    @classmethod
    def of(cls, game: Game) -> Yardsticks:
        """Solved once for each game."""
        if game.hash not in _KNOWN:
            _KNOWN[game.hash] = cls._solved(game)
        return _KNOWN[game.hash]

    @classmethod
    def _solved(cls, game: Game) -> Yardsticks:
        stage = StageGame.of(game, "private")
        selfish, best, found = stage_equilibrium(stage), best_constant(game)["private"], upper_bound(game)
        bound = None if found is None else found.value
        return cls(
            best_constant=best["welfare"], best_level=best["level"] / 100.0, bound=bound,
            selfish=selfish.actions / game.endowment,
            optimal=stage_optimum(stage, objective="payoffs").actions / game.endowment,
            autarky=stage.payoffs(0.0 * game.endowment), ends=_ends(game, selfish),
        )  # fmt: skip


def _ends(game: Game, selfish: Solution) -> Scale | str:
    try:
        return scale(game, nash=selfish)
    except RefusedError as reason:
        return str(reason)
