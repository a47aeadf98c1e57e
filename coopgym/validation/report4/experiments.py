"""The five functional experiments of TR-4: small worlds in which one mechanism each is to show."""

from __future__ import annotations

from typing import Any

import numpy as np

from coopgym.validation.report4.model import Course, ReciprocalWorld, Shock, equal_trust, simulate

SETBACK = -0.35  # what the disturbed actor's action loses at once


def experiments() -> dict[str, float]:
    """All results by name."""
    return {**emergence(), **asymmetry(), **memory(), **trust_gate(), **team()}


def emergence() -> dict[str, float]:
    """1: mean final action of a pair without and with reciprocity."""
    course = _run(_mutual(2, 0.8), 30, trust=0.6, decay=0.02, sensitivity=np.array([0.0, 1.0]))
    without, with_it = course.actions[-1].mean(-1)
    return {
        "experiment_1_without": float(without),
        "experiment_1_with": float(with_it),
        "experiment_1_ratio": float(with_it / without),
    }


def asymmetry() -> dict[str, float]:
    """2: how strongly the more and the less dependent partner answer the same setback; this is D^eta again."""
    interdependence = np.array([[0.0, 0.9, 0.2], [0.5, 0.0, 0.5], [0.2, 0.2, 0.0]])
    shock = Shock(step=5, actor=1, shift=SETBACK)
    course = _run(interdependence, 25, start=0.6, trust=0.7, decay=0.01, shocks=(shock,))
    answer = abs(ReciprocalWorld(interdependence).answer(course.signals[8]))
    high, low = float(answer[0, 1]), float(answer[2, 1])
    return {"experiment_2_high": high, "experiment_2_low": low, "experiment_2_ratio": high / low}


def memory(windows: tuple[int, ...] = (1, 3, 5, 10)) -> dict[str, float]:
    """3: steps until the partner is back at 90 % of its action before a setback, for each memory window.

    The published model reads no window, so one simulation answers for all of them.
    """
    shock = Shock(step=10, actor=1, shift=SETBACK)
    actions = _run(_mutual(2, 0.7), 50, start=0.6, trust=0.7, decay=0.02, shocks=(shock,)).actions[:, 0]
    steps = float(np.argmax(actions[12:] >= 0.9 * actions[9]) + 2)
    return {f"experiment_3_recovery_k_{k}": steps for k in windows}


def trust_gate() -> dict[str, float]:
    """4: mean final action for low, middle and high initial trust."""
    levels = np.array([0.3, 0.6, 0.9])
    final = _run(_mutual(2, 0.7), 50, start=0.6, trust=levels, decay=0.10).actions[-1].mean(-1)
    reached = {f"experiment_4_trust_{level:g}": float(x) for level, x in zip(levels, final, strict=True)}
    return {**reached, "experiment_4_ratio": float(final[-1] / final[0])}


def team() -> dict[str, float]:
    """5: sum of the final actions of three without and with reciprocity."""
    course = _run(_mutual(3, 0.5), 25, baseline=0.2, trust=0.7, decay=0.02, sensitivity=np.array([0.0, 1.0]))
    without, with_it = course.actions[-1].sum(-1)
    return {
        "experiment_5_without": float(without),
        "experiment_5_with": float(with_it),
        "experiment_5_increase_pct": float(100.0 * (with_it / without - 1.0)),
    }


def _mutual(n: int, strength: float) -> np.ndarray:
    return strength * (1.0 - np.eye(n))


def _run(
    interdependence: np.ndarray,
    steps: int,
    *,
    trust: Any,
    decay: float,
    start: float = 0.5,
    baseline: float = 0.3,
    sensitivity: Any = 1.0,
    shocks: tuple[Shock, ...] = (),
) -> Course:
    n = interdependence.shape[-1]
    world = ReciprocalWorld(interdependence, sensitivity=sensitivity, decay=decay)
    return simulate(
        world,
        steps,
        actions=[start] * n,
        baselines=[baseline] * n,
        trust=equal_trust(trust, n),
        shocks=shocks,
    )
