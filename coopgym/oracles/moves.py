"""One-dimensional maxima of rewards that may jump: a grid, the places where something can jump, and a closer look."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from coopgym.envs.released import CollectiveModifier, TierModifier
from coopgym.mechanisms.negotiation import Agreement
from coopgym.oracles.stage import StageGame

NUDGE = 1e-6  # how far on either side of a landmark is looked, in endowments
RATES = (0.2, 0.3, 0.5, 0.6)  # where released multipliers and loyalty take their steps
GRID = 81
ZOOM = np.linspace(-1.0, 1.0, 17)
ROUNDS = 5  # each narrows the bracket eightfold
PARABOLA = 1e-5  # half width in endowments of the last step, which uses slopes instead of values,
NARROW, ROUNDING = 1e-3, 1e-8  # at most this share of the action itself, and at least this share of the endowment

Objective = Callable[[np.ndarray], np.ndarray]  # joint actions [..., N] -> values [...]


def landmarks(stage: StageGame) -> np.ndarray:
    """Own actions ``[N, K]``, within the endowments, at which an agent's rewards may jump or turn sharply."""
    game, e = stage.game, stage.endowment
    places = [np.zeros(stage.n), e, np.asarray(game.baseline), *(rate * e for rate in RATES)]
    for mechanism in game.mechanisms:
        extra = stage.state.extra
        if isinstance(mechanism, TierModifier):
            score = np.asarray(extra["public_reputation"])
            places += [e * (0.5 + 10.0 * (threshold - score)) for threshold in mechanism.thresholds]
        elif isinstance(mechanism, CollectiveModifier):
            places.append(e * rolling_threshold(extra["window"], float(stage.state.time)))
        elif isinstance(mechanism, Agreement):
            places += [extra["agreement"] + side * mechanism.threshold for side in (-1.0, 1.0)]
    there = np.stack(places, -1)
    near = np.concatenate([there, there - NUDGE * e[:, None], there + NUDGE * e[:, None]], -1)
    return np.asarray(np.clip(near, 0.0, e[:, None]))


def rolling_threshold(window: np.ndarray, time: float) -> np.ndarray:
    """Rates ``[N]`` with which the rolling mean reaches the 0.6 of the collective multiplier."""
    k = window.shape[-2]
    count = min(int(time) + 1, k)
    past = window[1:] if time >= k else window[: count - 1]
    return np.asarray(0.6 * count - past.sum(-2))


def put(profiles: np.ndarray, members: np.ndarray, own: np.ndarray) -> np.ndarray:
    """Joint actions ``[S, K, N]``: in profiles ``[S, N]`` all ``members`` play own ``[S, K]``."""
    joint = np.repeat(profiles[:, None, :], own.shape[-1], axis=1)
    joint[..., members] = own[..., None]
    return joint


def best_move(
    objective: Objective, profiles: np.ndarray, members: np.ndarray, limit: float, marks: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(own, value, value before), each ``[S]``: the best common action of ``members`` against profiles ``[S, N]``.

    limit: their endowment; marks ``[K]``: actions that are tried besides a grid. The point where they stand is tried
    first, and wins a draw.
    """
    stand = profiles[:, members[:1]]
    fixed = np.concatenate([np.linspace(0.0, limit, GRID), marks])
    own = np.concatenate([stand, np.broadcast_to(fixed, (len(profiles), len(fixed)))], -1)
    values = objective(put(profiles, members, own))
    before, (best, top) = values[:, 0], _best(own, values)
    width = limit / (GRID - 1)
    for _ in range(ROUNDS):
        own = np.clip(np.concatenate([best[:, None], best[:, None] + width * ZOOM], -1), 0.0, limit)
        best, top = _best(own, objective(put(profiles, members, own)))
        width /= 8.0
    best, top = _by_slope(objective, profiles, members, limit, best, top)
    return best, top, before


def _best(own: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    where = np.argmax(values, -1)
    rows = np.arange(len(own))
    return own[rows, where], values[rows, where]


def _by_slope(
    objective: Objective, profiles: np.ndarray, members: np.ndarray, limit: float, best: np.ndarray, top: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Where values are smooth around the best point: the top of a parabola, since they are flat to half the digits."""
    h = np.minimum(PARABOLA * limit, np.maximum(NARROW * best, ROUNDING * limit))  # a small action bends sooner
    around = np.clip(best[:, None] + h[:, None] * np.array([-1.0, 0.0, 1.0]), 0.0, limit)
    low, middle, high = objective(put(profiles, members, around)).T
    bend = low - 2.0 * middle + high
    inside = (best > h) & (best < limit - h) & (bend < 0.0)
    step = np.where(inside, 0.5 * h * (low - high) / np.where(inside, bend, -1.0), 0.0)
    own = np.clip(best + np.clip(step, -h, h), 0.0, limit)
    values = objective(put(profiles, members, own[:, None]))[:, 0]
    take = inside & (values >= top - 1e-13 * np.abs(values).max())
    return np.where(take, own, best), np.where(take, np.maximum(values, top), top)
