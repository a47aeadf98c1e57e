"""Targets of TR-2 that the model could fail: scars against the course without a wound, and asymmetry in steps taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from coopgym.validation.report2.model import Rates, follow
from coopgym.validation.report2.renault_nissan import OFF_DIAGONAL, Alliance
from coopgym.validation.report2.sweep import DEPENDENCE, deficits, statistics, sweep

HIGH, LOW, HALF = 0.8, 0.5, 0.65
PATIENCE = 400  # steps after which trust counts as not regained
SIGNAL = np.tanh(1.0)


def harder_targets(levels: Mapping[str, Sequence[float]], state: str = "current") -> dict[str, float]:
    """Of one box: deficit after a violation, and steps to regain over steps to lose the same trust."""
    rates = Rates(**sweep(levels, state).factors, state=state)
    clean, scarred = asymmetry(rates)
    found = {f"{name}_median": float(np.median(x)) for name, x in deficits(rates).items()}
    for name, x in (("clean", clean), ("scarred", scarred)):
        back = x[np.isfinite(x)]
        found[f"regain_to_lose_{name}_median"] = float(np.median(x))
        found[f"regain_to_lose_{name}_least"] = float(x.min())
        found[f"regained_{name}_pct"] = 100.0 * len(back) / len(x)
    return found


def asymmetry(rates: Rates) -> tuple[np.ndarray, np.ndarray]:
    """Steps to gain over steps to lose .15 of trust under opposite signals, ``[rows]``: between .5 and .65 without
    damage, and back from .65 to .8 with the damage that the loss has left. Infinite where trust does not come back.
    """
    dynamics = rates.dynamics(np.array([[DEPENDENCE]]))
    falling = follow(dynamics, np.full((PATIENCE, 1, 1), -SIGNAL), np.array([[HIGH]]))
    lost = _crossing(-falling.trust[..., 0, 0], -HALF)
    end = np.ceil(lost).astype(int)
    rows = np.arange(len(end))
    rising = follow(dynamics, np.full((PATIENCE, 1, 1), SIGNAL), np.array([[LOW]]))
    trust, damage = falling.trust[end, rows], falling.damage[end, rows]
    healing = follow(dynamics, np.full((PATIENCE, 1, 1), SIGNAL), trust, damage)
    clean = _crossing(rising.trust[..., 0, 0], HALF)
    return clean / lost, _crossing(healing.trust[..., 0, 0], HIGH) / end


def _crossing(path: np.ndarray, goal: float) -> np.ndarray:
    """Steps until each column of a path ``[T + 1, rows]`` reaches ``goal``, between steps by interpolation."""
    reached = path >= goal
    after = reached.argmax(0)
    before, rows = np.maximum(after - 1, 0), np.arange(path.shape[1])
    low, high = path[before, rows], path[after, rows]
    part = np.where(high > low, (goal - low) / np.where(high > low, high - low, 1.0), 0.0)
    return np.where(reached.any(0), np.where(after > 0, before + part, 0.0), np.inf)


def first_step_ratio(the: Alliance) -> np.ndarray:
    """Loss in the first step of the worst phase over the mean gain in that of the good ones, at equal trust .5 and no
    damage, ``[...]``. The published item divides rates over whole phases instead, which long phases dilute.
    """
    dynamics = the.rates.dynamics(the.interdependence, OFF_DIAGONAL)
    start = np.where(np.eye(2) > 0, 1.0, LOW)
    change = np.stack([follow(dynamics, signal[None], start).trust[1] - start for signal in the.signals])
    moved = (change * OFF_DIAGONAL).sum((-2, -1)) / 2.0
    good = moved > 0
    gain = (moved * good).sum(0) / np.maximum(good.sum(0), 1)
    return np.asarray(-moved.min(0) / gain)


def swept_statistics(parameters: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The continuous statistics of the sweep and the deficits, ``[draws]``, for sensitivity."""
    rates = Rates.of(parameters)
    names = ("negativity_ratio", "hysteresis_recovery_35", "cumulative_amplification", "dependency_amplification")
    all_of_them = {**statistics(rates), **deficits(rates)}
    return {name: all_of_them[name] for name in (*names, "building_rate", "stability_mean", "deficit_35")}
