"""Tests of differences, and corrections for many of them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.stats import false_discovery_control, ttest_ind

from coopgym.mechanisms import checks
from coopgym.statistics import given

CORRECTIONS = ("holm", "bh", "none")
_LISTED, _COUNTED, _GRID = 10, 40, 1 << 17


def sign_flip_p(differences: Sequence[float] | np.ndarray) -> Any:
    """Two-sided p of the null that the signs of paired differences are arbitrary, for their mean; exact.

    Args:
        differences: one difference for each independent pair, ``[n]``, or of several measures ``[n, K]``.

    Returns:
        The share of all 2^n choices of signs whose mean is at least as far from 0 as the observed one: a float, or
        ``[K]``. Up to 40 pairs are counted out (as sums of two halves); of more, differences are rounded to a grid of a
        131,072nd of the sum of their sizes, and the test is exact for the rounded ones.

    Raises:
        ValueError: there is no difference, or one is not finite.
    """
    x = given.array("differences", differences)
    if not x.size or x.ndim not in (1, 2) or not np.isfinite(x).all():
        raise ValueError(f"differences of shape {x.shape}: finite numbers are needed, one for each pair")
    if x.ndim == 1:
        return _one(x)
    return _few(x) if len(x) <= _LISTED else np.array([_one(column) for column in x.T])


def _few(x: np.ndarray) -> np.ndarray:
    """All choices of signs of ``[n, K]`` are listed, the first sign being the same: the others are their opposites."""
    size = np.abs(x).max(0)
    scaled = x / np.where(size > 0.0, size, 1.0)
    signs = np.array(list(itertools.product((-1.0, 1.0), repeat=len(x) - 1))).reshape(2 ** (len(x) - 1), -1)
    observed, slack = np.abs(scaled.sum(0)), 1e-12 * np.abs(scaled).sum(0)
    above = np.zeros(x.shape[1])
    for row in signs:
        above += np.abs(scaled[0] + row @ scaled[1:]) >= observed - slack
    return np.asarray(above / len(signs))


def _one(x: np.ndarray) -> float:
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


def adjust(p: np.ndarray, correction: str) -> np.ndarray:
    """p-values after a correction for testing them all.

    Args:
        p: raw p-values ``[M]``; one that is NaN stays so (not with "bh").
        correction: "holm" bounds the chance of any false find, "bh" (Benjamini and Hochberg) the expected share of
            false ones among the finds, "none" corrects nothing.

    Returns:
        Corrected p-values ``[M]``.

    Raises:
        ValueError: p is no list of numbers between 0 and 1, or the correction is not known.
    """
    checks.choice("correction", correction, CORRECTIONS)
    p = given.array("p", p)
    if p.ndim != 1 or (p < 0.0).any() or (p > 1.0).any() or (correction == "bh" and np.isnan(p).any()):
        raise ValueError(f"p={checks.shown(p)}: a list of numbers between 0 and 1 is needed")
    if correction == "none" or not len(p):
        return p
    if correction == "bh":
        return np.asarray(false_discovery_control(p, method="bh"))
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))  # Holm: the smallest is multiplied by M
    result = np.empty(len(p))
    result[order] = np.minimum(stepped, 1.0)
    return result


def welch_p(first: Sequence[float] | np.ndarray, second: Sequence[float] | np.ndarray) -> tuple[float, float]:
    """One-sided p-values of Welch's t test of two independent samples.

    Args:
        first: runs of one group ``[n]``.
        second: runs of the other ``[m]``.

    Returns:
        p of the null that the first mean is not larger, and of the null that it is not smaller; (1, 1) where a sample
        has fewer than two runs, NaN where a run is not finite.

    Raises:
        ValueError: a sample is no list of numbers.
    """
    x, y = given.array("first", first), given.array("second", second)
    for name, sample in (("first", x), ("second", y)):
        if sample.ndim != 1:
            raise ValueError(f"{name} has shape {sample.shape}: a list of numbers is needed, one for each run")
    if len(x) < 2 or len(y) < 2:
        return 1.0, 1.0
    if np.ptp(x) == 0.0 and np.ptp(y) == 0.0:
        return (0.0, 1.0) if x[0] > y[0] else (1.0, 0.0) if x[0] < y[0] else (1.0, 1.0)
    larger, smaller = (float(ttest_ind(x, y, equal_var=False, alternative=side).pvalue) for side in ("greater", "less"))
    return larger, smaller
