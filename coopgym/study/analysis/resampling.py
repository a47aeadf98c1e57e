"""Intervals by resampling runs inside each stratum (a player in a game): SciPy's bootstrap, of several numbers."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import bootstrap, trim_mean

from coopgym import seeding

RESAMPLES = 2_000
FEWEST = 200
DRAWS = 1e8  # of single runs, at the most, for one set of intervals: a large study gets fewer resamples, but FEWEST
BATCH = 4e6  # runs in memory at a time
LEVEL = 0.95
Statistic = Callable[[Sequence[np.ndarray]], np.ndarray]


@dataclass(frozen=True)
class Estimates:
    """Values ``[...]`` of all runs, and bounds of their intervals; ``draws [..., B]`` are those of the resamples."""

    value: np.ndarray
    low: np.ndarray
    high: np.ndarray
    draws: np.ndarray

    def at(self, *index: int) -> dict[str, float]:
        """One of them, as plain numbers."""
        parts = {"value": self.value, "low": self.low, "high": self.high}
        return {name: float(x[index]) for name, x in parts.items()}


def intervals(samples: Sequence[np.ndarray], statistic: Statistic, seed: int = 0, weight: float = 1.0) -> Estimates:
    """95 % percentile intervals of ``statistic``, which takes arrays ``[..., n_i]`` and returns ``[K, ...]``.

    samples: runs ``[n_i]`` of each stratum, resampled inside it, all independently of the others (Agarwal et al. 2021).
    weight: how many times a run costs what drawing it does. A number that was not finite in some resamples has bounds
    over the others.
    """
    runs = sum(map(len, samples))
    count = int(np.clip(DRAWS / max(1.0, runs * weight), FEWEST, RESAMPLES))
    value = np.asarray(statistic(samples), dtype=np.float64)
    if all(np.ptp(x) == 0.0 for x in samples):  # one run each, or all alike: nothing to resample
        return Estimates(value, value, value, value[..., None])

    def of(*resampled: np.ndarray, axis: int) -> np.ndarray:
        return np.asarray(statistic(resampled))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of numbers that never change
        found = bootstrap(
            [np.repeat(x, 2) if len(x) == 1 else x for x in samples], of, n_resamples=count, method="percentile",
            batch=max(1, int(BATCH / max(1, runs))), vectorized=True, axis=-1, confidence_level=LEVEL,
            rng=seeding.generator(seed, "resampling"),
        )  # fmt: skip
        tail = 100.0 * (1.0 - LEVEL) / 2.0
        draws = found.bootstrap_distribution
        low, high = np.nanpercentile(draws, [tail, 100.0 - tail], axis=-1)
    return Estimates(value, low, high, draws)


def iqm(x: np.ndarray) -> np.ndarray:
    """Interquartile mean over the last axis: SciPy's, a quarter of the values cut off at each end."""
    return np.asarray(trim_mean(x, 0.25, axis=-1))


def pooled(samples: Sequence[np.ndarray]) -> np.ndarray:
    """Strata ``[..., n_i]`` as one sample, in which each stratum counts as often as the largest.

    Strata of unequal size would else weigh unequally: the shorter are repeated as often as it takes.
    """
    widest = max(x.shape[-1] for x in samples)
    same = all(x.shape[-1] == widest for x in samples)
    return np.concatenate([x if same else _stretched(x, widest) for x in samples], axis=-1)


def _stretched(x: np.ndarray, size: int) -> np.ndarray:
    n = x.shape[-1]
    places = np.floor(np.arange(size) * n / size).astype(int) if n < size else np.arange(size)
    return np.asarray(x[..., places] if n < size else x)


def finite_share(draws: np.ndarray) -> float:
    """Share of resamples in which there was a number."""
    return float(np.isfinite(draws).mean()) if draws.size else math.nan
