"""Ascent over one agent's action sequence: a quasi-Newton method, and trials of whole blocks of steps."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Objective = Callable[[np.ndarray], np.ndarray]  # sequences [K, T] or [K, T, G] in endowment units -> values [K]

STEP = 2.0**-13  # of a finite difference [endowments]; released games round actions to single precision
COARSE, FINE = (0.25, 0.08), (0.025, 0.008, 0.0025, 0.0008)  # how far blocks are shifted [endowments]
SHORTEST = 16  # coarse moves shift blocks of at least one such part of the episode
RATES = (0.0, 0.2, 0.3, 0.5, 0.6, 1.0)  # where coarse moves put blocks, besides: bounds, and thresholds of rules
CLOSE, ROUGH = 1e-12, 1e-9  # relative gain of an iteration below which a quasi-Newton method ends: every step, knots
WORTH = 1e-6  # relative gain of a round below which smaller moves come next


def slope(
    objective: Objective, x: np.ndarray, limit: float | np.ndarray, directions: np.ndarray | None = None
) -> tuple[float, np.ndarray]:
    """(value, slopes ``[D]``) by central differences that are played in one batch; one-sided at a bound.

    x and limit ``[T]`` or ``[T, G]`` (limit may be broadcast); ``directions [D, *x.shape]``, whose largest entry is 1:
    every entry of x by itself if None.
    """
    each = np.eye(x.size).reshape(-1, *x.shape) if directions is None else directions
    shift = STEP * limit * each
    high, low = np.minimum(x + shift, limit), np.maximum(x - shift, 0.0)
    values = objective(np.concatenate([x[None], high, low]))
    half = len(each)
    width = (high - low).reshape(half, -1).max(-1)
    return float(values[0]), (values[1 : half + 1] - values[half + 1 :]) / width


def quasi_newton(
    objective: Objective, x: np.ndarray, limit: float | np.ndarray, iterations: int, basis: np.ndarray | None = None
) -> tuple[np.ndarray, float]:
    """(x, value) after at most so many iterations of L-BFGS-B; the best that was seen.

    x ``[T]`` or ``[T, G]``. With ``basis [T, K]``, whose rows sum to 1, the search is among its combinations.
    """
    from scipy.optimize import minimize

    tops = np.broadcast_to(limit, x.shape[1:])
    rows = np.eye(len(x)) if basis is None else basis
    shape = (rows.shape[1], *x.shape[1:])
    units = np.eye(int(np.prod(shape))).reshape(-1, *shape)
    directions = np.einsum("tk,dk...->dt...", rows, units)
    knots = rows.argmax(0)
    best, top = x, float(objective(x[None])[0])
    scale = (abs(top) or 1.0) / x.size

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        nonlocal best, top
        moved = np.einsum("tk,k...->t...", rows, flat.reshape(shape)) * tops
        value, slopes = slope(objective, moved, tops, directions)
        if value > top:
            best, top = moved, value
        return -value / scale, -(slopes.reshape(shape) * tops).ravel() / scale

    options = {"maxiter": iterations, "maxfun": 3 * iterations // 2, "ftol": CLOSE if basis is None else ROUGH}
    bounds = [(0.0, 1.0)] * len(units)
    minimize(loss, (x[knots] / tops).ravel(), jac=True, method="L-BFGS-B", bounds=bounds, options=options)
    return best, top


def coarse_search(objective: Objective, x: np.ndarray, limit: float, rounds: int) -> tuple[np.ndarray, float]:
    """(x, value) after long blocks were shifted far, or put to the rates of thresholds; so many rounds a move."""
    masks = blocks(len(x), max(1, len(x) // SHORTEST))
    value = float(objective(x[None])[0])
    for move in COARSE:
        for _ in range(rounds):
            put = np.where(masks > 0, np.array(RATES)[:, None, None] * limit, x).reshape(-1, len(x))
            x, gained = take(
                objective, x, value, np.clip(np.concatenate([shifted(x, move * limit, masks), put]), 0.0, limit)
            )
            small, value = gained - value <= WORTH * abs(value), gained
            if small:
                break
    return x, value


def fine_search(
    objective: Objective, x: np.ndarray, limit: float, rounds: int
) -> tuple[np.ndarray, float, float]:  # fmt: skip
    """(x, value, what the last round of all added) after blocks down to one step were shifted, less far each time."""
    masks = blocks(len(x), 1)
    value, last = float(objective(x[None])[0]), 0.0
    for move in FINE:
        for _ in range(rounds):
            x, gained = take(objective, x, value, np.clip(shifted(x, move * limit, masks), 0.0, limit))
            last, value = gained - value, gained
            if last <= WORTH * abs(value):
                break
    return x, value, last


def shifted(x: np.ndarray, move: float, masks: np.ndarray) -> np.ndarray:
    """Every block up and down by ``move``: ``[2 B, T]``."""
    return np.concatenate([x + move * masks, x - move * masks])


def take(objective: Objective, x: np.ndarray, value: float, trials: np.ndarray) -> tuple[np.ndarray, float]:
    """The best of trials ``[K, *x.shape]`` and of joining those that gain and do not overlap; ``x`` if none gains."""
    values = objective(np.concatenate([x[None], trials]))[1:]  # x first: they share most of its way
    order = [k for k in np.argsort(-values, kind="stable") if values[k] > value]
    if not order:
        return x, value
    joined, touched, joints = x.copy(), np.zeros(x.shape, dtype=bool), [trials[order[0]]]
    for k in order:
        changed = trials[k] != x
        if not (changed & touched).any():
            joined = np.where(changed, trials[k], joined)
            touched |= changed
            joints.append(joined)
    many = np.stack(joints)[np.unique(np.geomspace(1, len(joints), 12).astype(int) - 1)]
    totals = objective(many)
    best = int(totals.argmax())
    return many[best], float(totals[best])


def blocks(horizon: int, shortest: int) -> np.ndarray:
    """Masks ``[B, T]`` of blocks of T, T/2, ... steps, down to ``shortest``, half a length apart."""
    rows, length, steps = [], horizon, np.arange(horizon)
    while length >= shortest:
        starts = range(0, horizon, max(1, length // 2)) if length < horizon else (0,)
        rows += [(steps >= start) & (steps < start + length) for start in starts]
        length = 0 if length == 1 else (length + 1) // 2
    return np.unique(np.array(rows, dtype=float), axis=0)
