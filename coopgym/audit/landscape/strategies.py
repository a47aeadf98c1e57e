"""When an agent leaves the common play, and how far it goes: the strategies of the 1.0.6 release's temporal audit."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

LATE = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)  # of an episode: when late defection sets in
LAST = (5, 3, 1)  # steps before the end: the same
EARLY = (0.1, 0.2, 0.3)  # of an episode: how long early defection lasts
RAMP = 0.8  # of an episode: when the ramp begins


class Strategy(NamedTuple):
    """name, its parameter [step or steps], and shares ``[T]``: how far from the common play to the target at a step."""

    name: str
    parameter: int
    shares: np.ndarray


def full(horizon: int) -> Strategy:
    """The target from the first step to the last."""
    return Strategy("full_defection", 0, np.ones(horizon))


def late(horizon: int, start: int) -> Strategy:
    """The target from step ``start`` on."""
    return Strategy("late_defection", start, (np.arange(horizon) >= start).astype(np.float64))


def early(horizon: int, steps: int) -> Strategy:
    """The target for the first ``steps``, then the common play again."""
    return Strategy("early_defection", steps, (np.arange(horizon) < steps).astype(np.float64))


def ramp(horizon: int, length: int) -> Strategy:
    """From the common play toward the target in even steps, which get there at ``length``, one step after the last."""
    start = _at(RAMP, length)
    return Strategy("ramp_down", start, np.clip((np.arange(horizon) - start) / max(1, length - start), 0.0, 1.0))


def released(horizon: int, length: int) -> tuple[Strategy, ...]:
    """The strategies of the release, for a game whose common play lasts ``length`` of ``horizon`` steps."""
    switches = {_at(part, length) for part in LATE} | {length - k for k in LAST}
    return (
        full(horizon),
        *(late(horizon, s) for s in sorted(s for s in switches if 0 < s < length)),
        *(early(horizon, _at(part, length)) for part in EARLY),
        ramp(horizon, length),
    )


def _at(part: float, length: int) -> int:
    return max(1, int(part * length))
