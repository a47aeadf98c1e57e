"""Confidence intervals, tests and sample sizes, each with the sentence that a page prints about it.

Nothing here draws random numbers: every interval and p-value is the same each time. How often each interval covers is
measured by ``benchmarks/coverage.py`` and stated in ``docs/statistics.md``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.special import ndtr
from scipy.stats import chi2, t

LEVEL = 0.95
MOST_SEEDS = 10_000  # what seeds_needed answers at the most
MEAN = "95% t intervals"  # what stands behind an interval of a mean, in two words
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(200)


class Interval(NamedTuple):
    """A mean (or another aggregate) and its confidence interval.

    Floats, or arrays of one shape. Of one run there is no interval: ``low`` and ``high`` are NaN.
    """

    mean: Any
    low: Any
    high: Any


def mean_interval(
    values: Any, axis: int = 0, level: float = LEVEL, bounds: tuple[float, float] | None = None
) -> Interval:
    """Mean over independent runs with Student's t interval; paired differences go in as they are.

    The interval covers exactly as often as it says for normal data, whatever the number of runs. Of strongly skewed
    or nearly two-valued data it covers less while runs are few; ``docs/statistics.md`` says how much less.

    Args:
        values: numbers of runs, ``[..., n, ...]``, in any unit.
        axis: the axis of the runs, which must be independent of each other.
        level: share of such intervals that contain the true mean.
        bounds: least and largest value that the true mean can have; the interval is cut there.

    Returns:
        Mean, low and high without the axis of the runs: floats where ``values`` has one axis only. Equal runs give an
        interval of width 0, a single run gives NaN for low and high, and so do values that are not finite.

    Raises:
        ValueError: there is no run, or the level is not between 0 and 1.
    """
    if not 0.0 < level < 1.0:
        raise ValueError(f"level={level!r}: a share between 0 and 1 is needed, such as 0.95")
    x = np.asarray(values, dtype=np.float64)
    x = np.moveaxis(x.reshape(1) if x.ndim == 0 else x, axis, 0)
    n = len(x)
    if not x.size:
        raise ValueError("values=[]: there is nothing to average; give at least one run")
    with np.errstate(all="ignore"):
        same = (x == x[0]).all(0)
        size = np.abs(x).max(0)
        unit = np.where((size > 0.0) & np.isfinite(size), size, 1.0)  # squares of huge numbers would be infinite
        mean = x.mean(0)
        mean = np.where(same, x[0], np.where(np.isfinite(mean), mean, (x / unit).mean(0) * unit))
        if n > 1:
            half = t.ppf(0.5 + level / 2.0, n - 1) * (x / unit).std(0, ddof=1) / math.sqrt(n) * unit
            half = np.where(same & np.isfinite(mean), 0.0, half)
        else:
            half = np.full(mean.shape, np.nan)
        low, high = mean - half, mean + half
    if bounds is not None:
        low, high = np.clip(low, *bounds), np.clip(high, *bounds)
    found = (mean, low, high)
    return Interval(*(float(part) for part in found)) if x.ndim == 1 else Interval(*found)


def sentence(over: str = "seeds", level: float = LEVEL) -> str:
    """What a page says about intervals of means, e.g. "95% t intervals of the mean over seeds"."""
    return f"{level * 100:g}% t intervals of the mean over {over}"


def seeds_needed(effect: float, alpha: float = 0.05, power: float = 0.8) -> int | None:
    """Seeds of each of two groups at which a t test finds a difference of ``effect`` standard deviations.

    Args:
        effect: difference of the two means in standard deviations of one run; its sign does not matter.
        alpha: level of the two-sided test.
        power: probability of finding the difference.

    Returns:
        The least number of seeds of each group, of equal numbers and variances; None where it is above 10,000.

    Raises:
        ValueError: effect is not a number, or alpha or power is not between 0 and 1.
    """
    if math.isnan(effect):
        raise ValueError("effect=nan: a number of standard deviations is needed")
    for name, value in (("alpha", alpha), ("power", power)):
        if not 0.0 < value < 1.0:
            raise ValueError(f"{name}={value!r}: a share between 0 and 1 is needed")
    low, high, size = 2, MOST_SEEDS, abs(effect)
    if t_power(size, high, alpha) < power:
        return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if t_power(size, middle, alpha) >= power else (middle + 1, high)
    return low


def t_power(effect: float, seeds: int, alpha: float = 0.05) -> float:
    """Probability that a two-sided t test of two groups of ``seeds`` runs finds a difference of ``effect`` deviations.

    The noncentral t distribution, by integrating the normal probability over the standard deviation that is estimated.
    ``scipy.stats.nct`` is NaN for some large effects, and a search over it goes astray.
    """
    freedom = 2 * seeds - 2
    shift, critical = effect * math.sqrt(seeds / 2.0), float(t.ppf(1.0 - alpha / 2.0, freedom))
    away = 10.0 / math.sqrt(2.0 * freedom)
    low, high = max(0.0, 1.0 - away), 1.0 + away
    s = low + (high - low) * (_NODES + 1.0) / 2.0  # estimated deviation over the true one
    density = chi2.pdf(freedom * s**2, freedom) * 2.0 * freedom * s
    found = ndtr(shift - critical * s) + ndtr(-shift - critical * s)
    return float(np.clip((_WEIGHTS * density * found).sum() * (high - low) / 2.0, 0.0, 1.0))


def sign_flip_p(differences: Sequence[float] | np.ndarray) -> float:
    """Two-sided p of the null that the signs of paired differences are arbitrary, for their mean; exact.

    Args:
        differences: one difference for each independent pair, ``[n]``.

    Returns:
        The share of all 2^n choices of signs whose mean is at least as far from 0 as the observed one. Up to 40 pairs
        are counted out (as sums of two halves); of more, differences are rounded to a grid of a 131,072nd of the sum
        of their sizes, and the test is exact for the rounded ones.

    Raises:
        ValueError: there is no difference, or one is not finite.
    """
    x = np.asarray(differences, dtype=np.float64)
    if not x.size or x.ndim != 1 or not np.isfinite(x).all():
        raise ValueError(f"differences of shape {x.shape}: a list of finite numbers is needed, one for each pair")
    sizes = np.sort(np.abs(x[x != 0.0]))[::-1]
    if not len(sizes):
        return 1.0
    unit = sizes[0]
    sizes, total = sizes / unit, abs(float((x / unit).sum()))
    if len(sizes) > _COUNTED:
        return _on_a_grid(sizes, x / unit)
    slack = 1e-12 * float(sizes.sum())  # sums that are equal but for rounding count as ties
    if total <= slack:
        return 1.0
    first, second = _sums(sizes[::2]), _sums(sizes[1::2])
    above = len(second) - np.searchsorted(second, total - slack - first, side="left")
    return min(1.0, 2.0 * float(above.sum()) / 2.0 ** len(sizes))


_COUNTED, _GRID = 40, 1 << 17


def _sums(sizes: np.ndarray) -> np.ndarray:
    """All 2^n sums of sizes with signs, sorted."""
    sums = np.zeros(1)
    for size in sizes:
        sums = np.concatenate([sums - size, sums + size])
        sums.sort(kind="stable")  # two sorted runs are merged
    return sums


def _on_a_grid(sizes: np.ndarray, x: np.ndarray) -> float:
    """The same by the characteristic function of the sum of integers with random signs."""
    step = sizes.sum() / _GRID
    whole = np.round(sizes / step)
    observed = abs(float(np.round(x / step).sum()))
    if observed == 0.0:
        return 1.0
    count = 4 * _GRID  # more points than sums that differ
    angle = 2.0 * np.pi * np.arange(count // 2 + 1) / count
    wave = np.ones(len(angle))
    for value, many in zip(*np.unique(whole, return_counts=True), strict=True):
        wave *= np.cos(value * angle) ** many
    chance = np.fft.irfft(wave, count)  # of the sum k at k, of -k at count - k
    return float(np.clip(2.0 * chance[int(observed) : count // 2].sum(), 0.0, 1.0))
