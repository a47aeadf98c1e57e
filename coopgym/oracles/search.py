"""Ascent over action sequences: a quasi-Newton method, and trial of whole blocks of steps on the exact objective."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coopgym.oracles.objective import Objective

BLOCKS = (1, 2, 3, 5, 10, 25)  # steps that are moved together, besides the whole episode
MOVES = (4.0, 1.0, 0.25, 0.06, 0.02)  # how far [endowment units]
WORTH = 5e-6  # relative gain of a round below which smaller moves come next
RATES = (0.2, 0.3, 0.5, 0.6)  # thresholds of rules, as fractions of the endowment


@dataclass(frozen=True)
class Effort:
    """How long to search: starts, iterations of the quasi-Newton method, rounds of trials for each size of move."""

    starts: int = 3
    iterations: int = 40
    rounds: int = 8


def climb(objective: Objective, starts: list[np.ndarray], effort: Effort) -> tuple[np.ndarray, float]:
    """(x ``[T, G]``, value): the best that the whole recipe reaches from several starts ``[T, G]``."""
    ends = [quasi_newton(objective, start, effort.iterations, coarse=True) for start in starts]
    x, value = max(ends, key=lambda end: end[1])
    x, value = max((x, value), _take(objective, x, value, _ends(objective, x)), key=lambda end: end[1])
    for _ in range(2):
        before = value
        x, value = quasi_newton(objective, x, effort.iterations)
        x, value = pattern_search(objective, x, effort.rounds)
        if value - before < WORTH * abs(value):
            break
    return x, value


def quasi_newton(
    objective: Objective, x: np.ndarray, iterations: int, *, coarse: bool = False
) -> tuple[np.ndarray, float]:
    """(x ``[T, G]``, value) after at most so many iterations of L-BFGS-B from ``x``; never worse than it.

    ``coarse`` moves a few knots with straight lines between them, which is cheap; otherwise every step moves.
    """
    from scipy.optimize import minimize

    horizon, groups = x.shape
    knots = _knots(horizon) if coarse else np.arange(horizon)
    basis = np.stack([np.interp(np.arange(horizon), knots, row) for row in np.eye(len(knots))], axis=-1)
    value = float(objective(x[None])[0])
    scale, best = max(1.0, abs(value)) / x.size, (x, value)

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        nonlocal best
        moved = basis @ flat.reshape(-1, groups)
        value, slope = objective.slope(moved, basis)
        if value > best[1]:
            best = moved, value
        return -value / scale, -slope.ravel() / scale

    limit = np.broadcast_to(objective.limit, (len(knots), groups)).ravel()
    options = {"maxiter": iterations, "maxfun": 3 * iterations // 2, "ftol": 1e-10}
    bounds = list(zip(np.zeros(limit.size), limit, strict=True))
    minimize(loss, x[knots].ravel(), jac=True, method="L-BFGS-B", bounds=bounds, options=options)
    return best


def _knots(horizon: int) -> np.ndarray:
    """Steps close together at both ends of an episode, where paths bend, and far apart in the middle."""
    early = [0, 1, 2, 4, 7, 12, 20, 35]
    inner = np.linspace(0, horizon - 1, 6).round().astype(int).tolist()
    steps = {*early, *inner, *(horizon - 1 - k for k in early)}
    return np.array(sorted(k for k in steps if 0 <= k < horizon))


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
    return trials + _ends(objective, x)


def _ends(objective: Objective, x: np.ndarray) -> list[np.ndarray]:
    """The last few steps at everything or nothing: nobody comes after who would answer."""
    ends = [mask for mask in _blocks(objective) if mask[-1].any() and mask.any(-1).sum() <= 3]
    return [np.where(mask > 0, level, x) for level in (objective.limit, 0.0) for mask in ends]


def _blocks(objective: Objective, *, singles: bool = True) -> list[np.ndarray]:
    """Masks ``[T, G]`` of blocks: for each length, half a length apart, for each free sequence and for all at once."""
    horizon, groups = objective.horizon, len(objective.leaders)
    least = (1 if singles else 3) if groups <= 3 else 5  # single steps of many agents are too many trials
    lengths = [length for length in BLOCKS if least <= length < horizon]
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
