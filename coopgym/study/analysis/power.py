"""How many seeds a claim needs: power of Welch's test at the differences that were found, by the noncentral t."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.stats import nct, t

from coopgym.study.analysis.rankings import Field

ALPHA, POWER = 0.05, 0.8
MOST = 10_000


def seeds_needed(effect: float, alpha: float = ALPHA, power: float = POWER) -> int | None:
    """Seeds of each of two players at which a difference of ``effect`` standard deviations is found with this power.

    Two-sided, equal numbers and variances; None for more than 10,000.
    """
    if not effect > 0.0:
        return None
    low, high = 2, MOST
    if _power(effect, high, alpha) < power:
        return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if _power(effect, middle, alpha) >= power else (middle + 1, high)
    return low


def _power(effect: float, n: int, alpha: float) -> float:
    freedom, shift = 2 * n - 2, effect * math.sqrt(n / 2.0)
    critical = float(t.ppf(1.0 - alpha / 2.0, freedom))
    if shift > critical + 8.0:  # beyond any doubt, and soon beyond what the distribution function can be computed for
        return 1.0
    return float(nct.sf(critical, freedom, shift) + nct.cdf(-critical, freedom, shift))


def leader_claims(field: Field, order: list[int]) -> list[dict[str, Any]]:
    """By game: the best two players by mean score, how far apart they are, and the seeds that this claim needs."""
    found = []
    for g, game in enumerate(field.games):
        there = [a for a in order if not field.missing[a, g]]
        two = sorted(there, key=lambda a: -float(field.samples[a][g].mean()))[:2]
        if len(two) == 2 and min(len(field.samples[a][g]) for a in two) > 1:
            x, y = (field.samples[a][g] for a in two)
            spread = math.sqrt((np.var(x, ddof=1) + np.var(y, ddof=1)) / 2.0)
            gap = float(x.mean() - y.mean())
            effect = gap / spread if spread > 0.0 else math.inf if gap > 0.0 else 0.0
            found.append({
                "game": game, "leader": field.players[two[0]], "second": field.players[two[1]], "difference": gap,
                "effect": effect if math.isfinite(effect) else None, "seeds": min(len(x), len(y)),
                "seeds_needed": 2 if math.isinf(effect) else seeds_needed(effect),
            })  # fmt: skip
    return found
