"""The factorial of TR-2 as one program: eighteen statistics of one observer's trust in each combination of factors.

The signals are fixed numbers, so the sensitivity kappa moves nothing, nor does the seventh factor rho of the published
state. The 3,125 combinations that differ are simulated once, and counted as often as the suite enumerates them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from coopgym.validation.report2.model import Rates, watched

COOPERATE = np.tanh(2.0)
DEPENDENCE = 0.5
BEFORE, VIOLATION = 0.85, np.tanh(-3.0)
INERT = ("kappa", "rho")
TARGETS = {"negativity_ratio": 3.0, "hysteresis_recovery_35": 0.55, "cumulative_amplification": 1.5}
SENSITIVE = ("negativity_ratio", "hysteresis_recovery_35", "cumulative_amplification", "building_rate")
DEFICITS = (10, 35, 100)


@dataclass(frozen=True, eq=False)
class Sweep:
    """Factors and statistics of each distinct combination ``[rows]``, and how many equal rows the suite counts."""

    factors: Mapping[str, np.ndarray]
    statistics: Mapping[str, np.ndarray]
    copies: int

    @property
    def distinct(self) -> int:
        """Combinations that can differ."""
        return len(self.statistics["negativity_ratio"])

    @property
    def enumerated(self) -> int:
        """Combinations that the suite counts."""
        return self.distinct * self.copies

    def summary(self, names: Sequence[str] | None = None) -> dict[str, float]:
        """``statistic.median`` and so on, over the enumerated rows."""
        chosen = self.statistics if names is None else {name: self.statistics[name] for name in names}
        return {
            f"{k}.{word}": y for k, x in chosen.items() for word, y in summarised(np.repeat(x, self.copies)).items()
        }

    def sensitivity(self) -> dict[str, float]:
        """|Pearson r| of each factor with four statistics; the suite calls these partial correlations."""
        return {
            f"pearson.{factor}.{name}": abs(float(np.corrcoef(x, self.statistics[name])[0, 1]))
            for factor, x in self.factors.items()
            for name in SENSITIVE
        }

    @property
    def pareto_count(self) -> int:
        """Enumerated rows that no row beats in all three distances to the suite's targets."""
        distances = np.stack([abs(self.statistics[name] - goal) for name, goal in TARGETS.items()], axis=-1)
        return int(undominated(distances).sum()) * self.copies


def sweep(levels: Mapping[str, Sequence[float]], state: str = "current") -> Sweep:
    """All combinations of the levels, the last factor fastest."""
    moving = {name: np.asarray(x, float) for name, x in levels.items() if name not in INERT}
    axes = np.meshgrid(*moving.values(), indexing="ij")
    factors = {name: axis.ravel() for name, axis in zip(moving, axes, strict=True)}
    copies = int(np.prod([len(levels[name]) for name in INERT if name in levels]))
    return Sweep(factors, statistics(Rates(**factors, state=state)), copies)


def statistics(rates: Rates) -> dict[str, np.ndarray]:
    """The eighteen statistics, each ``[...]`` of the rates."""
    ratio = np.asarray(rates.lambda_minus) / np.asarray(rates.lambda_plus)
    return {
        "negativity_ratio": ratio,
        **_hysteresis(rates),
        **_amplification(rates),
        **_building(rates),
        **_erosion(rates),
        **_stability(rates),
        **_recovery(rates),
    }


def _hysteresis(rates: Rates) -> dict[str, np.ndarray]:
    """Trust after a violation, over trust before it: not what would have been without it."""
    after = watched(rates, DEPENDENCE, np.array([VIOLATION, *[COOPERATE] * 100]), BEFORE)[1:]
    return {
        "hysteresis_recovery_35": after[:36].max(0) / BEFORE,
        "hysteresis_recovery_10": after[10] / BEFORE,
        "hysteresis_recovery_100": after.max(0) / BEFORE,
    }


def _amplification(rates: Rates) -> dict[str, np.ndarray]:
    def loss(dependence: float, *signals: float) -> np.ndarray:
        trust = watched(rates, dependence, np.tanh(signals), 0.8)
        return np.asarray(0.8 - trust[-1])

    return {
        "cumulative_amplification": loss(DEPENDENCE, -1, -1, -1, -1) / loss(DEPENDENCE, -4),
        "dependency_amplification": loss(0.8, -2) / loss(0.2, -2),
    }


def _building(rates: Rates) -> dict[str, np.ndarray]:
    trust = watched(rates, DEPENDENCE, np.full(50, COOPERATE), 0.5)
    return {
        "trust_at_10": trust[10],
        "trust_at_25": trust[25],
        "trust_final_50": trust[50],
        "building_rate": (trust[10] - 0.5) / 10.0,
    }


def _erosion(rates: Rates) -> dict[str, np.ndarray]:
    trust = watched(rates, DEPENDENCE, np.tanh([-2.0, -2.0]), 0.8)
    first, second = trust[0] - trust[1], trust[1] - trust[2]
    return {
        "erosion_single_period": first,
        "erosion_two_periods": first + second,
        "erosion_acceleration": second / first,
    }


def _stability(rates: Rates) -> dict[str, np.ndarray]:
    trust = watched(rates, DEPENDENCE, np.tanh(np.tile([1.0, -0.5], 15)), 0.7)
    return {"stability_mean": trust.mean(0), "stability_std": trust.std(0), "stability_range": np.ptp(trust, axis=0)}


def _recovery(rates: Rates) -> dict[str, np.ndarray]:
    after = watched(rates, DEPENDENCE, np.array([VIOLATION, *[COOPERATE] * 100]), 0.8)[1:]
    back = after[1:] >= after[0] + 0.5 * (0.8 - after[0])
    steps = np.where(back.any(0), back.argmax(0) + 1.0, 100.0)
    return {"time_to_50pct_recovery": steps, "final_recovery_level": after[-1]}


def deficits(rates: Rates) -> dict[str, np.ndarray]:
    """Trust missing k good steps after a violation, as a share of trust after k good steps alone."""
    trust = watched(rates, DEPENDENCE, np.array([VIOLATION, *[COOPERATE] * 100]), BEFORE)[1:]
    without = watched(rates, DEPENDENCE, np.full(100, COOPERATE), BEFORE)
    return {f"deficit_{k}": 1.0 - trust[k] / without[k] for k in DEFICITS}


def summarised(values: np.ndarray) -> dict[str, float]:
    """Median, mean, sample deviation, range and quartiles."""
    low, middle, high = np.percentile(values, (25, 50, 75))
    return {
        "median": float(middle),
        "mean": float(values.mean()),
        "sd": float(values.std(ddof=1)),
        "min": float(values.min()),
        "max": float(values.max()),
        "q1": float(low),
        "q3": float(high),
    }


def undominated(distances: np.ndarray) -> np.ndarray:
    """``[rows]``: rows of ``[rows, k]`` that no other row beats or equals everywhere and beats somewhere."""
    keep = np.ones(len(distances), dtype=bool)
    for i, row in enumerate(distances):
        if keep[i]:
            keep &= ~((distances >= row).all(-1) & (distances > row).any(-1))
    return keep
