"""Means with intervals of many numbers at once: over the seeds of one game, or over games with seeds drawn in each."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from coopgym.audit.measures import mean
from coopgym.study.analysis.resampling import intervals
from coopgym.study.summary import RESAMPLES, Estimate, band

LARGEST = 1e300  # the sum of what is larger may be none
LOOKED_AT = 1_000  # resamples of a band that is not quoted
DECIMALS = 4  # of what is quoted: shares, rates, steps
DIGITS = 4  # that count, of what is drawn


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


def spread(strata: Sequence[np.ndarray], resamples: int = RESAMPLES) -> Spread | None:
    """Means over strata of means over their rows ``[n_i, K]``, with 95 % bootstrap intervals; None without a row.

    Rows are drawn again inside each stratum. What is NaN is left out, and a stratum that knows nothing of a number does
    not count for it. One stratum has the intervals of ``coopgym.study.summary``.
    """
    known = [x for x in strata if len(x)]
    if not known:
        return None
    found = _of_one(known[0], resamples) if len(known) == 1 else _of_many(known)
    return Spread(*found, runs=sum(map(len, known)), strata=len(known))


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


def _of_one(x: np.ndarray, resamples: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Numbers that the same rows know are drawn together."""
    found = np.full((3, x.shape[1]), np.nan)
    patterns, which = np.unique(np.isfinite(x), axis=1, return_inverse=True)
    for p, rows in enumerate(patterns.T):
        if rows.any():
            own = np.ravel(which) == p
            found[:, own] = band(x[np.ix_(rows, own)], resamples=resamples)
    return found[0], found[1], found[2]


def _of_many(strata: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The rows of each stratum are drawn by their places, so that all numbers of a row stay together."""
    middle: Callable[..., Any] = np.mean if all(np.isfinite(x).all() for x in strata) else mean

    def of(places: Sequence[np.ndarray]) -> np.ndarray:
        inner = [middle(x[k.astype(np.intp)], axis=-2) for x, k in zip(strata, places, strict=True)]
        return np.moveaxis(middle(np.stack(inner), axis=0), -1, 0)

    found = intervals([np.arange(len(x), dtype=np.float64) for x in strata], of, weight=strata[0].shape[1])
    return found.value, found.low, found.high
