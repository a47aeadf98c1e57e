"""Targets of TR-4 that the model could fail: what actors do, not what they feel; how deep and how long; memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from coopgym.mechanisms.arrays import Array
from coopgym.validation.report4.model import Shock
from coopgym.validation.report4.sweep import DEFECTION, Runs, dyad, extended, pair_run

WINDOWS = (1, 5, 10, 15, 20)


def harder_targets(levels: Mapping[str, Sequence[float]], windows: Sequence[int] = WINDOWS) -> dict[str, float]:
    """Of one box without its k: behavioural asymmetry, depth and half-life of punishment, effect of memory."""
    factors = combinations(levels)
    return {**behavioural_asymmetry(factors), **punishment(Runs.of(factors)), **memory(factors, windows)}


def combinations(levels: Mapping[str, Sequence[float]]) -> dict[str, np.ndarray]:
    """All combinations of the factors that move anything, each ``[rows]``."""
    moving = {name: x for name, x in levels.items() if name != "k"}
    axes = np.meshgrid(*(np.asarray(x, float) for x in moving.values()), indexing="ij")
    return {name: axis.ravel() for name, axis in zip(moving, axes, strict=True)}


def behavioural_asymmetry(factors: Mapping[str, np.ndarray], after: int = 5) -> dict[str, float]:
    """Action withheld some steps after the same defection: by the dependent actor 0 over that by actor 1.

    Rows in which nobody withholds anything, because both are at full cooperation again, have no ratio.
    """
    world, end = dyad(factors), DEFECTION.step + after
    quiet = pair_run(world, end, factors["T_0"]).actions[end]
    withheld = []
    for victim in (0, 1):
        shock = Shock(DEFECTION.step, 1 - victim, value=DEFECTION.value)
        withheld.append((quiet - pair_run(world, end, factors["T_0"], (shock,)).actions[end])[..., victim])
    live = withheld[1] > 1e-9
    ratio = withheld[0][live] / withheld[1][live]
    return {
        "behaviour_ratio_median": float(np.median(ratio)),
        "behaviour_ratio_above_1.5_pct": 100.0 * float((ratio > 1.5).mean()),
        "behaviour_live_pct": 100.0 * float(live.mean()),
    }


def punishment(runs: Runs) -> dict[str, float]:
    """Depth: most action withheld by actor 0. Half-life: steps from there until half of it is given back."""
    deficit = extended(runs.cooperative.actions[..., 0], 101) - runs.defected.actions[..., 0]
    depth, half_life = depth_and_half_life(deficit[DEFECTION.step + 1 :])
    low, middle, high = np.percentile(depth, (5, 50, 95))
    known = np.isfinite(half_life)
    return {
        "depth_p5": float(low),
        "depth_median": float(middle),
        "depth_p95": float(high),
        "half_life_median": float(np.median(half_life)),
        "half_recovered_pct": 100.0 * float(known.mean()),
    }


def depth_and_half_life(deficit: Array) -> tuple[np.ndarray, np.ndarray]:
    """Of deficits ``[steps, rows]``: largest, and steps from there to half of it (infinite if that never comes)."""
    depth, worst = deficit.max(0), deficit.argmax(0)
    steps = np.arange(len(deficit))[:, None]
    back = (deficit <= 0.5 * depth) & (steps > worst)
    return depth, np.where(back.any(0), back.argmax(0) - worst, np.inf)


def memory(factors: Mapping[str, np.ndarray], windows: Sequence[int] = WINDOWS) -> dict[str, float]:
    """With the report's moving-average baseline in use: final cooperation and half-life by window k, and whether
    anything changes with k.
    """
    found: dict[str, float] = {}
    finals = []
    for k in windows:
        runs = Runs.of(factors, window=k)
        final = runs.cooperative.actions[-1].mean(-1)
        finals.append(final)
        found[f"memory_cooperation_k_{k}"] = float(final.mean())
        found[f"memory_half_recovered_pct_k_{k}"] = punishment(runs)["half_recovered_pct"]
    found["memory_effect"] = float(np.ptp(np.stack(finals), axis=0).max())
    return found
