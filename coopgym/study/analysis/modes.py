"""What a change of the reward mode changes: learner by learner and game by game, and over a class of games."""

from __future__ import annotations

from typing import Any

import numpy as np

from coopgym.audit.comparison import compare_modes
from coopgym.envs.reward import KINDS
from coopgym.study.analysis.runs import Runs, coded, key

MEASURES = ("welfare", "rate", "final_trust")
SCALED = ("score", "rate", "final_trust")  # those that mean the same in every game
GAME = "single game"  # the key of what is sampled
PAIRED = 100_000  # runs up to which modes are compared seed by seed


def compared(runs: Runs) -> list[dict[str, Any]]:
    """Changes of welfare, cooperation and trust between the pure reward modes, paired over seeds, Holm over all.

    What interdependence contributes is the change of welfare from private to integrated: both in payoffs. A repeat is
    left out: its difference from the run that it repeats is known, and one from a third mode is tested with that run.
    """
    chosen = runs.where(_finished(runs))
    if not len(chosen) or len(chosen) > PAIRED:
        return []
    rows = [
        {
            "algorithm": chosen.player[k], "game": chosen.game[k], "reward_mode": chosen.mode[k],
            "seed": int(chosen.seed[k]), **{name: float(getattr(chosen, name)[k]) for name in MEASURES},
        }
        for k in range(len(chosen))
    ]  # fmt: skip
    return compare_modes(rows, MEASURES).rows()


def by_class(runs: Runs, points: np.ndarray) -> dict[str, list[dict[str, Any]]]:
    """The same of scores over all games, and over each class of games.

    A pair is a learner's mean over its seeds in a game, so that many seeds do not pass for many learners or games.

    Returns:
        Changes, of which ``game`` says over what. ``games``: over all games together, and ``classes``: over each class,
        with games as the sample: differences are averaged over the learners of a game, and intervals and tests are over
        games. ``team``: as ``games``, of the learners of the sum of all agents' rewards, which the others are without.
        ``pairs``: over each class with the pairs of learner and game as the sample, as if learners in one game were
        independent of each other: of these games only.
    """
    kept = _finished(runs)
    chosen, values = runs.where(kept), {"score": points[kept]}
    if not len(chosen):
        return {"games": [], "team": [], "classes": [], "pairs": []}
    values |= {name: getattr(chosen, name) for name in SCALED[1:]}
    parts = [coded(words) for words in (chosen.player, chosen.game, chosen.mode)]
    _, first, cell = np.unique(
        key(*((codes, len(names)) for names, codes in parts)), return_index=True, return_inverse=True
    )
    means = {name: np.bincount(cell, weights=x) / np.bincount(cell) for name, x in values.items()}
    rows = [
        {
            "algorithm": "all", "game": f"TR-{chosen.report[k]}", "reward_mode": chosen.mode[k],
            "seed": f"{chosen.player[k]} {chosen.game[k]}", GAME: chosen.game[k],
            **{name: float(x[i]) for name, x in means.items()},
        }
        for i, k in enumerate(first)
    ]  # fmt: skip
    own, team = ([row for row, k in zip(rows, first, strict=True) if chosen.team[k] == of_sum] for of_sum in (0, 1))

    def over_all(part: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return compare_modes([row | {"game": "all games"} for row in part], SCALED, cluster=GAME).rows()

    return {
        "games": over_all(own), "team": over_all(team),
        "classes": compare_modes(own, SCALED, cluster=GAME).rows(), "pairs": compare_modes(own, SCALED).rows(),
    }  # fmt: skip


def _finished(runs: Runs) -> np.ndarray:
    return np.asarray((runs.status == "ok") & ~runs.repeat & np.isin(runs.mode, KINDS))
