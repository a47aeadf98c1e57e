"""Welfare on a scale that can be averaged over games: selfish play to optimum, or a share of the best constant."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from coopgym.oracles.result import RefusedError
from coopgym.oracles.scores import Scale, scale
from coopgym.study.analysis.runs import Runs, coded
from coopgym.study.identity import game_of

AT_STAKE, NOT_AT_STAKE = "nash to optimum", "best constant"


@dataclass(frozen=True)
class Ruler:
    """What is called 0 and 1 in a game [welfare]; kind: "nash to optimum", or "best constant" with why it is not.

    Something is at stake in a game of the first kind: selfish play and the optimum differ by more than a share
    ``coopgym.oracles.scores.TOLERANCE`` of the optimum, as they are computed from the game; no list of names decides.
    """

    kind: str
    zero: float
    one: float
    reason: str | None = None


def rulers(runs: Runs) -> dict[str, Ruler]:
    """One for each game."""
    found = {}
    for game in runs.games:
        own = runs.where(runs.game == game)
        best = own.best_constant[np.isfinite(own.best_constant)]
        found[game] = _ruler(own.game_id[0], own.game_options[0] or "{}", float(best[0]) if len(best) else None)
    return found


def score(runs: Runs, by: dict[str, Ruler]) -> np.ndarray:
    """Scores ``[K]``. What did not finish or diverged scores as the worst run of its game and mode: never left out."""
    names, places = coded(runs.game)
    zero = np.array([by[name].zero for name in names])[places]
    span = np.array([by[name].one - by[name].zero for name in names])[places]
    values = np.where(runs.status == "ok", (runs.welfare - zero) / span, np.nan)
    labels, modes = coded(runs.mode)
    cell = places * len(labels) + modes
    worst = np.full(cell.max(initial=0) + 1, np.inf)
    np.fmin.at(worst, cell, np.where(np.isnan(values), np.inf, values))
    return np.where(np.isnan(values), np.where(np.isfinite(worst), worst, 0.0)[cell], values)


def _ruler(game: str, options: str, best: float | None) -> Ruler:
    try:
        ends = _scale(game, options)
    except RefusedError as error:
        if best is None:
            raise ValueError(f"{game}: no run knows its best constant; {error}") from None
        return Ruler(NOT_AT_STAKE, 0.0, best, str(error))
    return Ruler(AT_STAKE, ends.nash, ends.optimum)


@functools.cache
def _scale(game: str, options: str) -> Scale:
    return scale(game_of(game, options))
