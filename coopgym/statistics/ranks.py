"""Ranks of players by their mean scores, with confidence intervals that ties and noise do not pull to the middle."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.stats import rankdata, t

from coopgym.statistics.means import LEVEL, Interval


def rank_intervals(
    samples: Sequence[Sequence[np.ndarray]],
    groups: Sequence[Sequence[int]] | None = None,
    missing: np.ndarray | None = None,
    level: float = LEVEL,
) -> Interval:
    """Average rank of each player over games, by mean score in each game; 1 is the best.

    The ends count what is certain: low is 1 plus the number of players that are shown to be better, high is the number
    of players less those that are shown to be worse, averaged over games. "Shown" is a count with 97.5% confidence on
    each side, by closed testing of all of a player's one-sided Welch tests (Simes and Hommel; Goeman and Solari 2011),
    so the interval contains the ranks of the true means at least as often as ``level`` says, however close these are.
    A bootstrap of ranks does not: resampling pulls the ranks of players that are alike to the middle.

    Args:
        samples: scores ``samples[player][game] [n]``, independent runs.
        groups: indices of games, one list for each average; all games by default.
        missing: ``[players, games]``, true where a player has no run: it ranks last there for certain.
        level: at least this share of such intervals contains the true average rank.

    Returns:
        Average rank, low and high ``[groups, players]``. NaN for low and high where no player has two runs of a game.
    """
    shape = (len(samples), len(samples[0]))
    absent = np.zeros(shape, dtype=bool) if missing is None else np.asarray(missing, dtype=bool)
    chosen = [list(range(shape[1]))] if groups is None else [list(games) for games in groups]
    mean = np.array([[x.mean() if len(x) else -np.inf for x in own] for own in samples])
    order = rankdata(-np.where(absent, -np.inf, mean), axis=0)
    better = _p_better(samples, mean, absent)
    value, low, high = (np.empty((len(chosen), shape[0])) for _ in range(3))
    single = np.array([[len(x) < 2 for x in own] for own in samples]) | absent
    for g, games in enumerate(chosen):
        value[g] = order[:, games].mean(1)
        for a in range(shape[0]):
            others = [b for b in range(shape[0]) if b != a]
            above = false_nulls(better[a, others][:, games].ravel(), (1.0 - level) / 2.0)
            below = false_nulls(better[others, a][:, games].ravel(), (1.0 - level) / 2.0)
            low[g, a], high[g, a] = 1.0 + above / len(games), shape[0] - below / len(games)
        if single[:, games].all() and not absent[:, games].all():
            low[g], high[g] = np.nan, np.nan
    return Interval(value, low, high)


def false_nulls(p: np.ndarray, alpha: float) -> int:
    """A lower bound of how many of the null hypotheses are false, with confidence 1 - alpha.

    Args:
        p: p-values of the hypotheses ``[M]``; independent, or positively dependent as tests with a common member are.
        alpha: chance that more of them are said to be false than are.

    Returns:
        M less the size of the largest set of hypotheses that Simes' test does not reject.
    """
    found = np.sort(p)
    total = len(found)
    for size in range(total, 0, -1):
        if (found[total - size :] * size > alpha * np.arange(1, size + 1)).all():
            return total - size
    return total


def _p_better(samples: Sequence[Sequence[np.ndarray]], mean: np.ndarray, absent: np.ndarray) -> np.ndarray:
    """p ``[a, b, games]`` of the null that b's true mean is not above a's: Welch's test.

    0 for certain differences (of a missing player, or of runs without any variance), 1 where a player has one run.
    """
    count = np.array([[len(x) for x in own] for own in samples], dtype=np.float64)
    spread = np.array([[x.var(ddof=1) / len(x) if len(x) > 1 else np.nan for x in own] for own in samples])
    with np.errstate(all="ignore"):
        gap = mean[None] - mean[:, None]
        variance = spread[None] + spread[:, None]
        parts = spread**2 / (count - 1.0)
        freedom = variance**2 / (parts[None] + parts[:, None])
        p = t.sf(gap / np.sqrt(variance), freedom)
        p = np.where(variance > 0.0, p, np.where((variance == 0.0) & (gap > 0.0), 0.0, 1.0))
    known = ~absent[None] & absent[:, None]  # b was run and a was not
    return np.where(known, 0.0, np.where(absent[None] | absent[:, None], 1.0, p))
