"""Returns on a scale from selfish play to the social optimum, where the two differ enough for such a scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from coopgym.envs.catalogue import game as make_game
from coopgym.envs.game import Game
from coopgym.envs.reward import RewardMode
from coopgym.extras import explains
from coopgym.mechanisms import checks
from coopgym.oracles.equilibrium import stage_equilibrium
from coopgym.oracles.optimum import stage_optimum
from coopgym.oracles.result import RefusedError, Solution
from coopgym.oracles.sequences import Sequences
from coopgym.oracles.stage import StageGame

COMMON = 101  # common rates among which the best is looked for
TOLERANCE = 0.005  # the least difference, as a share of the optimum, that makes a scale


@dataclass(frozen=True)
class Scale:
    """Welfare [payoff over an episode] that is called 0 and 1."""

    nash: float
    optimum: float

    def score(self, welfare: Any) -> Any:
        """(welfare - nash) / (optimum - nash); not cut to [0, 1]: below 0 is worse than selfish play."""
        values = (checks.floats("welfare", welfare) - self.nash) / (self.optimum - self.nash)
        return float(values) if values.ndim == 0 else values


def scale(
    game: Game | str,
    *,
    nash: float | Solution | None = None,
    optimum: float | Solution | None = None,
    tolerance: float = TOLERANCE,
    **game_options: Any,
) -> Scale:
    """The scale of a game: private selfish play is 0, the most welfare is 1.

    Each end is a welfare over an episode or a Solution. By default 0 is the equilibrium of the first step, played for
    ever, and 1 the optimum of the first step or the best of 101 common rates, whichever earns more when played for
    ever: give better ends where payoffs depend on what happened before, and scores above 1 can be reached until then.
    Raises RefusedError where the ends differ by less than ``tolerance`` of the optimum: a score would be noise there.
    """
    made = make_game(game, **game_options)
    stage = StageGame.of(made, "private")
    ends = Scale(
        _welfare(made, stage_equilibrium(stage) if nash is None else nash),
        _best_known(made, stage) if optimum is None else _welfare(made, optimum),
    )
    if not ends.optimum - ends.nash > tolerance * abs(ends.optimum):
        raise RefusedError(
            f"{made.id}: selfish play earns {ends.nash:,.6g} and the optimum {ends.optimum:,.6g} over an episode, less "
            f"than {tolerance:.2%} apart; a score between them means nothing: compare returns{_tense(made)}"
        )
    return ends


def _tense(game: Game) -> str:
    """The advice to make the game with more at stake, where that can be done and has not been done."""
    if game.options.get("tension", "high") == "high":
        return ""
    try:
        make_game(game.id, **{**game.options, "tension": "high"})
    except (TypeError, ValueError):
        return ""
    return ", or make the game with tension='high'"


@explains("coopgym.score")
def score(
    value: Any,
    game: Game | str,
    *,
    nash: float | Solution | None = None,
    optimum: float | Solution | None = None,
    tolerance: float = TOLERANCE,
    **game_options: Any,
) -> Any:
    """A welfare over an episode, or an array of them, on the ``scale`` of a game; RefusedError where it has none."""
    return scale(game, nash=nash, optimum=optimum, tolerance=tolerance, **game_options).score(value)


def _welfare(game: Game, end: float | Solution) -> float:
    """Sum of payoffs over an episode; a solution of one step is played for ever."""
    if not isinstance(end, Solution):
        return float(end)
    return end.welfare if end.actions.ndim > 1 else float(_for_ever(game, end.actions))


def _best_known(game: Game, stage: StageGame) -> float:
    common = np.linspace(0.0, 1.0, COMMON)[:, None] * stage.endowment
    profiles = np.concatenate([stage_optimum(stage, objective="payoffs").actions[None], common])
    return float(_for_ever(game, profiles).max())


def _for_ever(game: Game, profiles: np.ndarray) -> np.ndarray:
    """Welfare ``[...]`` over an episode of constant profiles ``[..., N]``."""
    sequences = Sequences(game, RewardMode.of("private"))
    return np.asarray(sequences.play(sequences.constant(profiles)).payoffs.sum(-1))
