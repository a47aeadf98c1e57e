"""Means with intervals of many numbers at once: over the seeds of one game, or over games and the seeds of each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from coopgym.statistics import stratified_mean
from coopgym.study.summary import Estimate

LARGEST = 1e300  # the sum of what is larger may be none
DECIMALS = 4  # of what is quoted: shares, rates, steps
DIGITS = 4  # that count, of what is drawn
Bounds = tuple[float | np.ndarray, float | np.ndarray]


@dataclass(frozen=True, eq=False)
class Spread:
    """mean, low, high ``[K]``, NaN where nothing is known; runs: how many rows there are; strata: in how many games."""

    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    runs: int
    strata: int

    def at(self, k: int) -> Estimate | None:
        """One of the numbers, to the fourth decimal; None where it is not known."""
        found = [round(float(x[k]), DECIMALS) + 0.0 for x in (self.mean, self.low, self.high)]
        if not np.isfinite(found[0]):
            return None
        return (
            Estimate(*found) if self.runs > self.strata and np.isfinite(found).all() else Estimate(found[0], None, None)
        )


def spread(strata: Sequence[np.ndarray], bounds: Bounds | None = None) -> Spread | None:
    """Means over strata of means over their rows ``[n_i, K]``, with 95% t intervals; None without a row.

    What is NaN is left out, and a stratum that knows nothing of a number does not count for it. bounds: what the means
    cannot leave, numbers or ``[K]`` each; intervals are cut there.
    """
    known = [x for x in strata if len(x)]
    if not known:
        return None
    mean, low, high = stratified_mean(known)
    if bounds is not None:
        low, high = np.clip(low, *bounds), np.clip(high, *bounds)
    return Spread(mean, low, high, runs=sum(map(len, known)), strata=len(known))


def rounded(x: float | None) -> float | None:
    """Four digits, None for what is not finite."""
    return float(f"{x:.{DIGITS}g}") if x is not None and math.isfinite(x) else None


def short(x: np.ndarray) -> list[float | None]:
    """As JSON: each of an array, ``rounded``."""
    return [rounded(v) for v in np.asarray(x, dtype=np.float64).tolist()]


def numbers(values: Sequence[object]) -> np.ndarray:
    """As an array of floats; NaN for what is no number, or beyond 1e300."""
    if set(map(type, values)) == {float}:  # nearly always
        x = np.array(values, dtype=np.float64)
        return np.where(np.abs(x) < LARGEST, x, np.nan)
    return np.array([_number(x) for x in values], dtype=np.float64)


def _number(x: object) -> float:
    try:
        value = math.nan if isinstance(x, str) else float(x)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return math.nan
    return value if abs(value) < LARGEST else math.nan
