"""How many seeds a comparison of two groups needs."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import ndtr
from scipy.stats import chi2, t

from coopgym.mechanisms import checks
from coopgym.statistics import given

MOST_SEEDS = 10_000  # what seeds_needed answers at the most
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(200)


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
    low, high, size = 2, MOST_SEEDS, abs(given.real("effect", effect))
    alpha, power = given.share("alpha", alpha), given.share("power", power)
    if t_power(size, high, alpha) < power:
        return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if t_power(size, middle, alpha) >= power else (middle + 1, high)
    return low


def t_power(effect: float, seeds: int, alpha: float = 0.05) -> float:
    """Probability that a two-sided t test of two groups of ``seeds`` runs finds a difference of ``effect`` deviations.

    The noncentral t distribution, by integrating the normal probability over the standard deviation that is estimated.
    ``scipy.stats.nct`` is NaN for some large effects, and a search over it goes astray. ValueError for what is no
    number, fewer than two seeds, and an alpha that is not between 0 and 1.
    """
    effect, alpha = given.real("effect", effect), given.share("alpha", alpha)
    seeds = checks.whole("seeds", seeds, 2, 10**9)
    freedom = 2 * seeds - 2
    shift, critical = effect * math.sqrt(seeds / 2.0), float(t.ppf(1.0 - alpha / 2.0, freedom))
    away = 10.0 / math.sqrt(2.0 * freedom)
    low, high = max(0.0, 1.0 - away), 1.0 + away
    s = low + (high - low) * (_NODES + 1.0) / 2.0  # estimated deviation over the true one
    density = chi2.pdf(freedom * s**2, freedom) * 2.0 * freedom * s
    found = ndtr(shift - critical * s) + ndtr(-shift - critical * s)
    return float(np.clip((_WEIGHTS * density * found).sum() * (high - low) / 2.0, 0.0, 1.0))
