"""How evenly what is gained over idleness is shared out."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from coopgym.audit.measures import ratio
from coopgym.audit.traces import Subject
from coopgym.audit.yardsticks import Yardsticks

ROUNDING = 1e-9  # a surplus this far below 0, as a share of the largest payoff, is 0


@dataclass(frozen=True, eq=False)
class Fairness:
    """Of surpluses s_i ``[R, N]``: P_i less what i has in as many steps if nobody gives [payoff]; else ``[R]``.

    jain = (sum s)^2 / (N sum s^2), in [1 / N, 1], and gini = sum_ij |s_i - s_j| / (2 N sum s), in [0, 1 - 1 / N]: NaN
    where a surplus is negative or all are 0; ``_rate``: the same of s_i / e_i; least_share: min s / mean s, at most 1,
    NaN where the mean is not positive; nash_product: (prod max(s_i, 0))^(1 / N) [payoff].
    """

    surplus: np.ndarray
    jain: np.ndarray
    gini: np.ndarray
    jain_rate: np.ndarray
    gini_rate: np.ndarray
    least_share: np.ndarray
    nash_product: np.ndarray
    undefined: dict[str, str] = field(default_factory=dict)

    def measures(self) -> dict[str, np.ndarray]:
        """By name."""
        return {name: x for name, x in vars(self).items() if name != "undefined"}


def fairness(subject: Subject, known: Yardsticks) -> Fairness:
    """Of undisturbed play."""
    payoffs = subject.base.payoffs.sum(-2).mean(1)
    surplus = payoffs - known.autarky * subject.base.lengths.mean(1)[:, None]
    small = ROUNDING * np.abs(payoffs).max()
    surplus = np.where(np.abs(surplus) <= small, 0.0, surplus)
    return of_surplus(surplus, subject.game.endowment)


def of_surplus(surplus: np.ndarray, endowment: np.ndarray) -> Fairness:
    """From surpluses ``[R, N]`` and endowments ``[N]``."""
    result = Fairness(
        surplus, jain(surplus), gini(surplus), jain(surplus / endowment), gini(surplus / endowment),
        ratio(surplus.min(-1), surplus.mean(-1)), _nash(surplus),
    )  # fmt: skip
    shares = ("jain", "gini", "jain_rate", "gini_rate")
    if (surplus < 0.0).any():
        result.undefined.update(dict.fromkeys(shares, "an agent has less than where nobody gives anything"))
    elif (surplus.sum(-1) <= 0.0).any():
        result.undefined.update(dict.fromkeys(shares, "nothing was gained that could be shared"))
    if (surplus.mean(-1) <= 0.0).any():
        result.undefined["least_share"] = "together agents have no more than where nobody gives anything"
    return result


def jain(s: np.ndarray) -> np.ndarray:
    """Of ``[..., N]``; NaN where one is negative or all are 0."""
    value = ratio(s.sum(-1) ** 2, s.shape[-1] * (s**2).sum(-1))
    return np.where((s < 0.0).any(-1), np.nan, value)


def gini(s: np.ndarray) -> np.ndarray:
    """Of ``[..., N]``; NaN where one is negative or all are 0."""
    n = s.shape[-1]
    weights = 2.0 * np.arange(n) - n + 1.0
    value = ratio((np.sort(s, -1) * weights).sum(-1), n * s.sum(-1))
    return np.where((s < 0.0).any(-1), np.nan, value)


def _nash(s: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore"):
        return np.asarray(np.exp(np.log(np.maximum(s, 0.0)).mean(-1)))
