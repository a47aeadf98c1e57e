"""Ascent over action sequences: a quasi-Newton method, and trial of whole blocks of steps on the exact objective."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coopgym.oracles.objective import Objective

BLOCKS = (1, 2, 3, 5, 10, 25)  # steps that are moved together, besides the whole episode
MOVES = (4.0, 1.0, 0.25, 0.06, 0.02)  # how far [endowment units]
WORTH = 1e-6  # relative gain of a round below which smaller moves come next
RATES = (0.2, 0.3, 0.5, 0.6)  # thresholds of rules, as fractions of the endowment


@dataclass(frozen=True)
class Effort:
    """How long to search: iterations of the quasi-Newton method, rounds of trials for each size of move."""

    iterations: int = 60
    rounds: int = 8


def quasi_newton(objective: Objective, x: np.ndarray, iterations: int) -> tuple[np.ndarray, float]:
    """(x ``[T, G]``, value) after at most so many iterations of L-BFGS-B from ``x``; never worse than it."""
    from scipy.optimize import minimize

    scale = max(1.0, abs(float(objective(x[None])[0]))) / x.size
    best = [x, -np.inf]

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        value, slope = objective.slope(flat.reshape(x.shape))
        if value > best[1]:
            best[:] = flat.reshape(x.shape).copy(), value
        return -value / scale, -slope.ravel() / scale

    limit = np.broadcast_to(objective.limit, x.shape).ravel()
    bounds = list(zip(np.zeros(x.size), limit, strict=True))
    options = {"maxiter": iterations, "maxfun": 3 * iterations // 2, "ftol": 1e-10}
    minimize(loss, x.ravel(), jac=True, method="L-BFGS-B", bounds=bounds, options=options)
    return best[0], float(best[1])


def pattern_search(objective: Objective, x: np.ndarray, rounds: int) -> tuple[np.ndarray, float]:
    """(x, value) after trials of blocks that are shifted, or put to the rate of a threshold or to the baseline."""
    value = float(objective(x[None])[0])
    for move in MOVES:
        for _ in range(rounds):
            trials = [*_shifted(objective, x, move), *(_levelled(objective, x) if move == MOVES[0] else [])]
            better, gained = _take(objective, x, value, trials)
            if gained <= value:
                break
            small, x, value = gained - value < WORTH * abs(value), better, gained
            if small:
                break
    return x, value


def _take(objective: Objective, x: np.ndarray, value: float, trials: list[np.ndarray]) -> tuple[np.ndarray, float]:
    """The best of the trials and of joining the best of them, which need not add up."""
    candidates = np.stack(trials)
    values = objective(candidates)
    order = np.argsort(-values)[: max(1, int((values > value).sum()))]
    joined, touched, joints = x.copy(), np.zeros(x.shape, dtype=bool), [candidates[order[0]]]
    count, wanted = 0, 2
    for k in order:
        changed = candidates[k] != x
        if not (changed & touched).any():
            joined, touched, count = np.where(changed, candidates[k], joined), touched | changed, count + 1
            if count >= wanted:
                joints.append(joined)
                wanted *= 2
    joints.append(joined)
    totals = objective(np.stack(joints))
    k = int(totals.argmax())
    return joints[k], float(totals[k])


def _shifted(objective: Objective, x: np.ndarray, move: float) -> list[np.ndarray]:
    trials = []
    for mask in _blocks(objective):
        for sign in (move, -move):
            moved = np.clip(x + sign * mask, 0.0, objective.limit)
            if (moved != x).any():
                trials.append(moved)
    return trials or [x]


def _levelled(objective: Objective, x: np.ndarray) -> list[np.ndarray]:
    """Blocks at the rates where rules change, a hair above them: single precision must not fall short."""
    baseline = np.asarray(objective.sequences.game.baseline)[objective.leaders]
    levels = [rate * objective.limit + 1e-5 for rate in RATES] + [baseline + 1e-5]
    trials = [np.where(mask > 0, level, x) for level in levels for mask in _blocks(objective, singles=False)]
    ends = [mask for mask in _blocks(objective) if mask[-1].any() and mask.any(-1).sum() <= 3]
    return trials + [np.where(mask > 0, level, x) for level in (objective.limit, 0.0) for mask in ends]


def _blocks(objective: Objective, *, singles: bool = True) -> list[np.ndarray]:
    """Masks ``[T, G]`` of blocks: for each length, half a length apart, for each free sequence and for all at once."""
    horizon, groups = objective.horizon, len(objective.leaders)
    lengths = [length for length in BLOCKS if length < horizon and (singles or length > 2)]
    masks = []
    columns = [np.eye(groups)[g] for g in range(groups)] + ([np.ones(groups)] if groups > 1 else [])
    for length in [*lengths, horizon]:
        for start in range(0, horizon, max(1, (length + 1) // 2)):
            rows = np.zeros((horizon, 1))
            rows[start : start + length] = 1.0
            masks += [rows * column for column in columns]
            if length == horizon:
                break
    return masks
