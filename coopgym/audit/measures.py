"""The names of all measures, each with its unit, its valid range, and what it says in one line."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

INF = math.inf
SHARE, PAYOFF, STEPS, RATE, SLOPE = "1", "payoff", "steps", "rate", "1"


@dataclass(frozen=True)
class Measure:
    """unit; low, high: what values are possible; agents: whether there is one for each; what: the definition."""

    unit: str
    low: float
    high: float
    agents: bool
    what: str


class Family(Protocol):
    """A result of one family of measures."""

    @property
    def undefined(self) -> Mapping[str, str]:
        """Why a measure is NaN, in some replica or in all."""

    def measures(self) -> dict[str, np.ndarray]:
        """By name: ``[R]``, or ``[R, N]`` where there is one for each agent."""


_OUTCOME = {
    "welfare": Measure(PAYOFF, -INF, INF, False, "sum of payoffs over agents and steps"),
    "payoff": Measure(PAYOFF, -INF, INF, True, "sum of payoffs over steps"),
    "return_own": Measure("reward", -INF, INF, False, "sum of rewards in the mode trained on"),
    "return_private": Measure("reward", -INF, INF, False, "sum over agents of private rewards"),
    "return_integrated": Measure("reward", -INF, INF, False, "sum over agents of integrated rewards"),
    "return_cooperative": Measure("reward", -INF, INF, False, "sum over agents of cooperative rewards"),
    "efficiency": Measure(SHARE, -INF, INF, False, "welfare / welfare of the best common constant rate"),
    "efficiency_bound": Measure(SHARE, -INF, 1.0, False, "welfare / a bound that no policy exceeds"),
    "normalised_efficiency": Measure(SHARE, -INF, INF, False, "0: selfish play; 1: the optimum of a step"),
    "price_of_anarchy": Measure(SHARE, 0.0, INF, False, "best welfare known / welfare"),
    "length": Measure(STEPS, 1.0, INF, False, "steps until the end"),
    "early_end": Measure(SHARE, 0.0, 1.0, False, "share of episodes that a rule ended"),
}
_COOPERATION = {
    "level": Measure(RATE, 0.0, 1.0, True, "mean a / e over steps"),
    "margin": Measure(RATE, -1.0, 1.0, True, "mean (a - b) / e over steps"),
    "at_baseline": Measure(SHARE, 0.0, 1.0, True, "share of steps with a >= b"),
    "emergence": Measure(STEPS, 0.0, INF, True, "when the mean rate of 5 steps reaches b / e for good; inf: never"),
    "emergence_optimal": Measure(STEPS, 0.0, INF, True, "the same for half way from the selfish rate to the optimal"),
    "unsteadiness": Measure(RATE, 0.0, 0.5, True, "s.d. of the rate over steps since emergence"),
    "endgame": Measure(RATE, -1.0, 1.0, True, "mean rate of the last 5 % of steps - that of 40 to 90 %"),
    "coordination": Measure(SHARE, -1.0, 1.0, False, "mean over pairs of the correlation of detrended rates"),
    "distance": Measure(RATE, 0.0, 1.0, False, "mean over pairs and steps of |u_i - u_j|"),
}
_FAIRNESS = {
    "surplus": Measure(PAYOFF, -INF, INF, True, "payoff - payoff where nobody gives anything"),
    "jain": Measure(SHARE, 0.0, 1.0, False, "(sum s)^2 / (N sum s^2) of surpluses; 1 / N: one has all"),
    "gini": Measure(SHARE, 0.0, 1.0, False, "sum |s_i - s_j| / (2 N sum s) of surpluses"),
    "jain_rate": Measure(SHARE, 0.0, 1.0, False, "jain of s_i / e_i"),
    "gini_rate": Measure(SHARE, 0.0, 1.0, False, "gini of s_i / e_i"),
    "least_share": Measure(SHARE, -INF, 1.0, False, "smallest surplus / mean surplus"),
    "nash_product": Measure(PAYOFF, 0.0, INF, False, "geometric mean of surpluses, none below 0"),
}
CATALOGUE = _OUTCOME | _COOPERATION | _FAIRNESS


def mean(x: np.ndarray, axis: int | tuple[int, ...] = -1) -> Any:
    """Mean of what is not NaN; NaN where nothing is."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.nanmean(x, axis=axis)


def ratio(above: Any, below: Any, least: float = 0.0) -> np.ndarray:
    """above / below; NaN where ``below`` is not greater than ``least``."""
    above, below = np.broadcast_arrays(np.asarray(above, dtype=np.float64), np.asarray(below, dtype=np.float64))
    return np.asarray(np.divide(above, below, out=np.full(above.shape, np.nan), where=below > least))
