"""The mean over runs with its confidence interval."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from scipy.stats import t

from coopgym.mechanisms import checks
from coopgym.statistics import given

LEVEL = 0.95


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
        ValueError: there is no run, the values are no numbers, they lack the axis, the level is not between 0 and 1,
            or the bounds are no pair.
    """
    level = given.share("level", level)
    x = given.array("values", values)
    x = x.reshape(1) if x.ndim == 0 else x
    x = np.moveaxis(x, checks.whole("axis", axis, -x.ndim, x.ndim - 1), 0)
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
        bounds = _pair(bounds)
        low, high = np.clip(low, *bounds), np.clip(high, *bounds)
    found = (mean, low, high)
    return Interval(*(float(part) for part in found)) if x.ndim == 1 else Interval(*found)


def _pair(bounds: Any) -> tuple[float, float]:
    pair = checks.items("bounds", bounds, "the least and the largest value")
    if len(pair) != 2:
        raise ValueError(f"bounds={checks.shown(bounds)}: two numbers are needed, the least and the largest value")
    low, high = (given.real("bounds", x) for x in pair)
    if low > high:
        raise ValueError(f"bounds={checks.shown(bounds)}: the least value is needed first")
    return low, high
