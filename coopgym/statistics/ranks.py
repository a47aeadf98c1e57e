"""Ranks of players by their mean scores, with confidence intervals that ties and noise do not pull to the middle."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.special import stdtr
from scipy.stats import binom, rankdata

from coopgym.mechanisms import checks
from coopgym.statistics import given
from coopgym.statistics.means import LEVEL, Interval

FEW = 4  # games from which on rejections are counted: of fewer, chance may reject all of a game
THRESHOLD = 0.05


def rank_intervals(
    samples: Sequence[Sequence[np.ndarray]],
    groups: Sequence[Sequence[int]] | None = None,
    missing: np.ndarray | None = None,
    level: float = LEVEL,
) -> Interval:
    """Average rank of each player over games, by mean score in each game; 1 is the best.

    The ends count what is certain: low is 1 plus the number of players that are shown to be better, high is the number
    of players less those that are shown to be worse, averaged over games. "Shown" is a lower bound, with 97.5%
    confidence on each side, of how many of a player's one-sided Welch tests against all others are rightly rejected:
    in fewer than four games by closed testing with Simes' test (Goeman and Solari 2011), in more the larger of that and
    of the number of tests that reject at 5%, less what chance may add. So the interval contains the ranks of the true
    means at least as often as ``level`` says, however close these are. A bootstrap of ranks does not: resampling pulls
    the ranks of players that are alike to the middle.

    Args:
        samples: scores ``samples[player][game] [n]``, independent runs; or ``[players, games, n, ...]`` of many worlds.
        groups: indices of games, one list for each average; all games by default.
        missing: ``[players, games]``, true where a player has no run: it ranks last there for certain.
        level: at least this share of such intervals contains the true average rank.

    Returns:
        Average rank, low and high ``[..., groups, players]``. NaN for low and high where no player has two runs.

    Raises:
        ValueError: there is no player or game, players have not the same games, scores are no numbers, a group names no
            game, ``missing`` has another shape, or the level is not between 0 and 1.
    """
    level, samples = given.share("level", level), _checked(samples)
    players, games = len(samples), len(samples[0])
    absent = np.zeros((players, games), dtype=bool) if missing is None else given.array("missing", missing) != 0.0
    if absent.shape != (players, games):
        raise ValueError(f"missing has shape {absent.shape}: one truth value is needed for each player and game")
    chosen = [list(range(games))] if groups is None else _groups(groups, games)
    count, mean, spread = _moments(samples)
    order = rankdata(-np.where(absent, -np.inf, mean), axis=-2)
    better = _p_better(count, mean, spread, absent)
    others = np.array([[b for b in range(players) if b != a] for a in range(players)], dtype=np.intp)
    others = others.reshape(players, players - 1)
    own = np.arange(players)[:, None]
    single = (count < 2) | absent
    value, low, high = (np.empty((*mean.shape[:-2], len(chosen), players)) for _ in range(3))
    for g, part in enumerate(chosen):
        value[..., g, :] = order[..., part].mean(-1)
        if players == 1:  # nothing to be ranked against
            low[..., g, :] = high[..., g, :] = 1.0
            continue
        if single[:, part].all() and not absent[:, part].all():
            low[..., g, :] = high[..., g, :] = np.nan
            continue
        above = shown(better[..., own, others, :][..., part], (1.0 - level) / 2.0)
        below = shown(better[..., others, own, :][..., part], (1.0 - level) / 2.0)
        low[..., g, :], high[..., g, :] = 1.0 + above / len(part), players - below / len(part)
    return Interval(value, low, high)


def _checked(samples: Any) -> list[list[np.ndarray]]:
    """Scores as lists of lists of arrays; ValueError for anything else."""
    players = checks.items("samples", samples, "a list of games for each player")
    found = [given.strata("samples", own, "score") for own in players]
    if not found or len({len(own) for own in found}) > 1:
        raise ValueError(f"samples={checks.shown(samples)}: scores in the same games are needed for each player")
    return found


def _groups(groups: Any, games: int) -> list[list[int]]:
    found = [checks.items("groups", group, "lists of indices") for group in checks.items("groups", groups, "lists")]
    if not all(found):
        raise ValueError(f"groups={checks.shown(groups)}: a group is empty; give at least one game of each")
    return [[checks.whole("groups", game, 0, games - 1) for game in group] for group in found]


def shown(p: np.ndarray, alpha: float) -> np.ndarray:
    """A lower bound of how many null hypotheses are false, with confidence 1 - alpha.

    A count is what many weak differences need, Simes' test what a few strong ones need; a fifth of alpha is for the
    latter, whose small p-values skewed scores make less reliable.

    Args:
        p: p-values ``[..., players, games]`` of one player's comparisons; games are independent of each other.
        alpha: chance that more are said to be false than are.

    Returns:
        Whole numbers ``[...]``.
    """
    flat = p.reshape(*p.shape[:-2], -1)
    if p.shape[-1] < FEW:
        return false_nulls(flat, alpha)
    return np.asarray(np.maximum(false_nulls(flat, 0.2 * alpha), beyond_chance(p, 0.8 * alpha)))


def beyond_chance(p: np.ndarray, alpha: float) -> np.ndarray:
    """The least number of false null hypotheses with which so many rejections at 5% are not too many for chance.

    Of s true ones no more than the upper quantile reject: of a binomial number of s, where they are independent, or of
    whole games, where those of a game reject together; the larger of the two is taken.

    Args:
        p: p-values ``[..., players, games]``; games are independent of each other.
        alpha: chance that more are said to be false than are.

    Returns:
        Whole numbers ``[...]``.
    """
    total = p.shape[-2] * p.shape[-1]
    rejected = (p <= THRESHOLD).sum((-2, -1))
    most = np.arange(total + 1) + _by_chance(total, p.shape[-2], alpha)
    return np.asarray((rejected[..., None] <= most).argmax(-1))


@functools.lru_cache(maxsize=256)
def _by_chance(total: int, together: int, alpha: float) -> np.ndarray:
    """Most rejections by chance where 0, 1, ... of ``total`` hypotheses are false; ``together`` of them in a game."""
    true = total - np.arange(total + 1)
    alone = binom.ppf(1.0 - alpha, true, THRESHOLD)
    games = together * binom.ppf(1.0 - alpha, np.ceil(true / max(together, 1)), THRESHOLD)
    return np.where(true > 0, np.minimum(np.maximum(alone, games), true), 0.0)


def false_nulls(p: np.ndarray, alpha: float) -> np.ndarray:
    """A lower bound of how many of the null hypotheses are false, with confidence 1 - alpha.

    Args:
        p: p-values of the hypotheses ``[..., M]``; independent, or positively dependent as tests with a common member
            are.
        alpha: chance that more of them are said to be false than are.

    Returns:
        M less the size of the largest set of hypotheses that Simes' test does not reject, ``[...]``.
    """
    total = p.shape[-1]
    found = np.sort(p, axis=-1).reshape(-1, total)
    result = np.full(len(found), total)
    left = np.arange(len(found))
    for size in range(total, 0, -1):
        kept = (found[left, total - size :] * size > alpha * np.arange(1, size + 1)).all(-1)
        result[left[kept]] = total - size
        left = left[~kept]
        if not len(left):
            break
    return result.reshape(p.shape[:-1])


def _moments(samples: Sequence[Sequence[np.ndarray]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Count of runs ``[players, games]``, their mean and the estimated variance of it, ``[..., players, games]``."""
    count = np.array([[len(x) for x in own] for own in samples], dtype=np.float64)
    if (count == count.flat[0]).all() and count.flat[0] > 1:
        x = np.moveaxis(np.asarray(samples, dtype=np.float64), (0, 1, 2), (-3, -2, -1))
        return count, x.mean(-1), x.var(-1, ddof=1) / count
    mean = np.array([[np.mean(x) if len(x) else -np.inf for x in own] for own in samples])
    spread = np.array([[np.var(x, ddof=1) / len(x) if len(x) > 1 else np.nan for x in own] for own in samples])
    return count, mean, spread


def _p_better(count: np.ndarray, mean: np.ndarray, spread: np.ndarray, absent: np.ndarray) -> np.ndarray:
    """p ``[..., a, b, games]`` of the null that b's true mean is not above a's: Welch's test.

    0 for certain differences (of a missing player, or of runs without any variance), 1 where a player has one run.
    """
    with np.errstate(all="ignore"):
        gap = mean[..., None, :, :] - mean[..., :, None, :]
        variance = spread[..., None, :, :] + spread[..., :, None, :]
        parts = spread**2 / (count - 1.0)
        freedom = variance**2 / (parts[..., None, :, :] + parts[..., :, None, :])
        p = stdtr(freedom, -gap / np.sqrt(variance))
        p = np.where(variance > 0.0, p, np.where((variance == 0.0) & (gap > 0.0), 0.0, 1.0))
    known = ~absent[None] & absent[:, None]  # b was run and a was not
    return np.where(known, 0.0, np.where(absent[None] | absent[:, None], 1.0, p))
