"""Aggregates over games (strata), each with a confidence interval over the runs of every game."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy.stats import beta, norm, rankdata, t

from coopgym.mechanisms import checks
from coopgym.statistics import given
from coopgym.statistics.means import LEVEL, Interval

AGGREGATES = ("mean", "median", "iqm")
TRIMMED = 0.25  # share of the pooled scores that an interquartile mean leaves out at each end
Samples = Sequence[np.ndarray]


def aggregate_interval(samples: Sequence[Sequence[float] | np.ndarray], statistic: str = "mean") -> Interval:
    """An aggregate of scores over games, with its 95% interval over runs; the games are taken as given.

    Args:
        samples: scores of the runs of each game, one list a game; numbers of runs may differ. Or ``[n_g, ...]`` each,
            of many worlds (not for the median).
        statistic: "mean" of the games' means; "median" of the games' means; "iqm", the interquartile mean of the
            pooled scores, a game with fewer runs counting as much as one with more.

    Returns:
        Value, low and high. Means use a t interval whose degrees of freedom are Satterthwaite's, the interquartile
        mean Yuen's variance of winsorised scores within games. The interval of a median is that of the middle games
        alone, as if it were known which these are: where games overlap it can cover less than it says. A game with one
        run borrows the variance of the others; where every game has one, low and high are NaN. Floats, or ``[...]``.

    Raises:
        ValueError: the statistic is not known, there is no run, or the scores are no numbers.
    """
    checks.choice("statistic", statistic, AGGREGATES)
    known = [x for x in given.strata("samples", samples) if len(x)]
    if not known:
        raise ValueError("samples=[]: there is nothing to average; give at least one run of one game")
    if statistic == "median":
        order = np.argsort([x.mean() for x in known], kind="stable")
        known = [known[k] for k in order[(len(order) - 1) // 2 : len(order) // 2 + 1]]
    plain = known[0].ndim == 1
    known = [x[:, None] for x in known] if plain else known
    found = _iqm(known) if statistic == "iqm" else stratified_mean(known)
    return Interval(*(float(part[0]) for part in found)) if plain else found


def stratified_mean(
    strata: Samples, weights: Sequence[float] | np.ndarray | None = None, level: float = LEVEL
) -> Interval:
    """Means over strata of means over their runs, of many quantities at once.

    Args:
        strata: runs of each stratum ``[n_g, ...]``. NaN is left out, and a stratum that knows nothing of a quantity
            does not count for it. Strata are independent of each other.
        weights: of the strata's means in a weighted sum ``[G]``, e.g. 1 and -1 for a difference, or in several sums
            ``[G, ...]``; by default their mean.
        level: share of such intervals that contain the true value.

    Returns:
        Mean, low and high ``[...]``, with Satterthwaite's degrees of freedom; Student's interval for one stratum.

    Raises:
        ValueError: there is no stratum, or one without runs, they are no numbers, there are not as many weights, or the
            level is not between 0 and 1.
    """
    level, strata = given.share("level", level), given.some("strata", given.strata("strata", strata))
    known = None if weights is None else given.array("weights", weights)
    if known is not None and (not known.size or known.size % len(strata) or not np.isfinite(known).all()):
        raise ValueError(
            f"weights={checks.shown(weights)}: one finite number is needed for each of {len(strata)} strata"
        )
    with np.errstate(all="ignore"):
        size = np.max([np.abs(np.where(np.isfinite(x), x, 0.0)).max(0) for x in strata], axis=0)
        unit = np.where(size > 0.0, size, 1.0)
        parts = [_moments(x / unit) for x in strata]
        count, mean, squares = (np.stack([part[k] for part in parts]) for k in range(3))
        there = count > 0
        weight = there / there.sum(0) if weights is None else _column(weights, mean.ndim)
        value = (weight * np.where(there, mean, 0.0)).sum(0)
        value = np.where(there.any(0) if weights is None else there.all(0), value, np.nan)
        half = _half(weight, count, squares, level)
    return Interval(value * unit, (value - half) * unit, (value + half) * unit)


def _column(weights: Sequence[float] | np.ndarray, dimensions: int) -> np.ndarray:
    weight = np.asarray(weights, dtype=np.float64)
    return weight if weight.ndim == dimensions else weight.reshape(-1, *[1] * (dimensions - 1))


def _moments(x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Count, mean, and sum of squared deviations over the first axis, of what is known."""
    known = np.isfinite(x)
    count = known.sum(0)
    first = np.take_along_axis(x, known.argmax(0)[None], 0)[0]  # deviations from it are exact where all are equal
    away = np.where(known, x - first, 0.0)
    mean = away.sum(0) / count
    squares = np.where(known, away - mean, 0.0)
    return count, first + mean, (squares**2).sum(0)


def _half(
    weight: np.ndarray, count: np.ndarray, squares: np.ndarray, level: float = LEVEL, freedom: np.ndarray | None = None
) -> np.ndarray:
    """Half the width of the interval of a weighted sum of means: t with Satterthwaite's degrees of freedom.

    weight, count, squares: of the strata ``[G, ...]``. A stratum with one run has the variance of all others together.
    freedom: degrees of freedom of each stratum, one less than its runs by default.
    """
    own = count - 1.0 if freedom is None else freedom
    pooled = squares.sum(0) / np.maximum(count - 1.0, 0.0).sum(0)  # NaN where every stratum has one run
    alone = count == 1
    variance = weight**2 * np.where(alone, pooled, squares / np.maximum(count - 1.0, 1.0)) / np.maximum(count, 1)
    variance = np.where(count > 0, variance, 0.0)
    own = np.where(alone, np.maximum(own, 0.0).sum(0), np.maximum(own, 1.0))
    total = variance.sum(0)
    degrees = np.where(total > 0.0, total**2 / (variance**2 / own).sum(0), 1.0)
    return np.asarray(t.ppf(0.5 + level / 2.0, np.maximum(degrees, 1.0)) * np.sqrt(total))


def _iqm(samples: Samples) -> Interval:
    """Pooled as if every game had as many runs as the largest; the variance is that of winsorised scores in games."""
    widest = max(map(len, samples))
    pool = np.sort(np.concatenate([_stretched(x, widest) for x in samples]), axis=0)
    n, cut = len(pool), int(TRIMMED * len(pool))
    least, most, left = pool[cut], pool[n - cut - 1], n - 2 * cut
    value = np.where(least < most, pool[cut : n - cut].mean(0), least)
    count = np.array([len(x) for x in samples], dtype=np.float64).reshape(-1, *[1] * value.ndim)
    squares = np.stack([_moments(np.clip(x, least, most))[2] for x in samples])
    kept = np.stack([((x >= least) & (x <= most)).sum(0) for x in samples])
    yuen = left * (n - 1) / (n * (left - 1)) if left > 1 else 1.0
    with np.errstate(all="ignore"):
        half = _half(np.full_like(count, widest / left), count, squares * yuen, freedom=kept - 1.0)
    return Interval(value, value - half, value + half)


def _stretched(x: np.ndarray, size: int) -> np.ndarray:
    return np.asarray(x if len(x) == size else x[np.floor(np.arange(size) * len(x) / size).astype(int)])


def chance_interval(first: Samples, second: Samples) -> Interval:
    """P(a > b): that a random run of one player scores more than one of another, ties halved, averaged over games.

    Args:
        first: scores of the one player, of one game ``[n_g, ...]`` each.
        second: scores of the other in the same games.

    Returns:
        Value, low and high ``[...]``, floats of plain lists: a score interval with Newcombe's variance of Mann and
        Whitney's U (2006, method 5), less what the estimated differences between games take from it. NaN where a
        score is NaN.

    Raises:
        ValueError: there is no game, they are not the same games, one of them has no run, or scores are no numbers.
    """
    first, second = (given.some(name, given.strata(name, x)) for name, x in (("first", first), ("second", second)))
    if len(first) != len(second) or first[0].shape[1:] != second[0].shape[1:]:
        raise ValueError(f"first has {len(first)} games and second {len(second)}: scores in the same games are needed")
    value = np.stack([_larger(np.asarray(x), np.asarray(y)) for x, y in zip(first, second, strict=True)])
    shape = (-1, *[1] * (value.ndim - 1))
    n, m = (np.array([len(x) for x in side], dtype=np.float64).reshape(shape) for side in (first, second))
    spare = (n + m) / 2.0 - 1.0

    def variance(share: np.ndarray) -> np.ndarray:
        more = 1.0 + spare * ((1.0 - share) / (2.0 - share) + share / (1.0 + share))
        return np.asarray(share * (1.0 - share) * more / (n * m))

    found = _score_interval(value, variance)
    return Interval(*(float(part) for part in found)) if value.ndim == 1 else found


def _larger(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    n, m = len(x), len(y)
    return np.asarray((rankdata(np.concatenate([x, y]), axis=0)[:n].sum(0) - n * (n + 1) / 2) / (n * m))


def share_interval(passed: Samples) -> Interval:
    """Shares of runs that pass, averaged over games.

    Args:
        passed: whether each run passes, of one game ``[n_g, ...]`` each.

    Returns:
        Value, low and high ``[...]``: Jeffreys' interval, with as many runs as have the variance of the mean share,
        which estimated differences between games make smaller.

    Raises:
        ValueError: there is no game, one of them has no run, or something is neither true nor false.
    """
    passed = given.some("passed", given.strata("passed", passed))
    if not all(((x >= 0.0) & (x <= 1.0)).all() for x in passed):
        raise ValueError(f"passed={checks.shown(passed)}: 1 is needed for each run that passes, and 0 for the others")
    value = np.stack([x.mean(0) for x in passed])
    n = np.array([len(x) for x in passed], dtype=np.float64).reshape(-1, *[1] * (value.ndim - 1))
    mean = np.asarray(value.mean(0))
    runs = len(value) ** 2 / (_alike(value, lambda share: share * (1.0 - share) / n) * (1.0 / n).sum(0))
    passes, fails = mean * runs + 0.5, (1.0 - mean) * runs + 0.5
    low, high = (beta.ppf(tail, passes, fails) for tail in (0.5 - LEVEL / 2.0, 0.5 + LEVEL / 2.0))
    return Interval(mean, np.where(mean == 0.0, 0.0, low), np.where(mean == 1.0, 1.0, high))


def _score_interval(value: np.ndarray, variance: Callable[[np.ndarray], np.ndarray]) -> Interval:
    """All shares at which the mean over games of ``value [G, ...]`` is less than 1.96 deviations away.

    variance: of each game's value where its true share is the given one ``[...]``, as ``[G, ...]``. Games that differ
    have less of it than games that are alike with the same mean share: see ``_alike``.
    """
    games, mean, factor = len(value), np.asarray(value.mean(0)), _alike(value, variance)
    z = norm.ppf(0.5 + LEVEL / 2.0)

    def end(outside: np.ndarray) -> np.ndarray:
        inside = mean
        for _ in range(40):
            middle = (inside + outside) / 2.0
            near = (mean - middle) ** 2 <= z**2 * factor * variance(middle).sum(0) / games**2
            inside, outside = np.where(near, middle, inside), np.where(near, outside, middle)
        return inside

    return Interval(mean, end(np.zeros_like(mean)), end(np.ones_like(mean)))


def _alike(value: np.ndarray, variance: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """The variance of the mean over games of ``value [G, ...]`` as a share of what it were if games were alike."""
    games, mean = len(value), np.asarray(value.mean(0))
    most = np.maximum(mean * (1.0 - mean), 1e-12)  # variance between games of which each is 0 or 1
    alike = variance(mean).mean(0)
    between = value.var(0, ddof=1) - alike if games > 1 else np.zeros_like(mean)
    between = np.clip(between / np.maximum(1.0 - alike / most, 1e-3), 0.0, most)
    return np.asarray(np.maximum(1.0 - between / most * (games - 1) / (games + 1), 0.05))
