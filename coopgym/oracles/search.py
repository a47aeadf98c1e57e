"""Ascent over the sequences of several agents at once: the whole recipe of the planner and of best responses."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from coopgym.mechanisms import checks
from coopgym.oracles.blocks import RATES, blocks, quasi_newton, take
from coopgym.oracles.objective import Objective

MOVES = (4.0, 1.0, 0.25, 0.06, 0.02)  # how far blocks are shifted [hundredths of the endowment]
TRADES, TRADED, SWEEPS = (8.0, 4.0, 2.0, 1.0, 0.5, 0.25, 0.1), 1e-7, 6  # the same for trades; least relative gain
WORTH = 5e-6  # relative gain of a round below which smaller moves come next
CROWD = 3  # free sequences above which blocks are not moved step by step
NUDGE = 1e-5  # how far above a threshold a level is put: single precision must not fall short [endowment units]


@dataclass(frozen=True)
class Effort:
    """How long to search: starts, iterations of the quasi-Newton method, rounds of trials for each size of move;
    knots: whether a few knots move before every step does, which pays far from the answer."""

    starts: int = 3
    iterations: int = 40
    rounds: int = 8
    knots: bool = True

    def __post_init__(self) -> None:
        for name in ("starts", "iterations", "rounds"):
            checks.whole(name, getattr(self, name), 1, 100_000)


def climb(objective: Objective, starts: list[np.ndarray], effort: Effort) -> tuple[np.ndarray, float]:
    """(x ``[T, G]``, value): the best that the whole recipe reaches from several starts ``[T, G]``.

    A few knots move first, which is cheap, and the last steps are put to everything or nothing; then every step moves.
    """
    if effort.knots:
        basis = hats(objective.horizon)
        ends = [quasi_newton(objective, start, objective.limit, effort.iterations, basis) for start in starts]
    else:
        ends = list(zip(starts, objective(np.stack(starts)).tolist(), strict=True))
    x, value = max(ends, key=lambda end: end[1])
    x, value = take(objective, x, value, _ends(objective, x))
    for _ in range(2):
        before = value
        x, value = quasi_newton(objective, x, objective.limit, effort.iterations)
        x, value = pattern_search(objective, x, effort.rounds)
        if value - before < WORTH * abs(value):
            break
    return x, value


def hats(horizon: int) -> np.ndarray:
    """Straight lines ``[T, K]`` between knots that lie close at both ends of an episode, where paths bend."""
    early = [0, 1, 2, 4, 7, 12, 20, 35]
    inner = np.linspace(0, horizon - 1, 6).round().astype(int).tolist()
    steps = {*early, *inner, *(horizon - 1 - k for k in early)}
    knots = np.array(sorted(k for k in steps if 0 <= k < horizon))
    return np.stack([np.interp(np.arange(horizon), knots, row) for row in np.eye(len(knots))], axis=-1)


def pattern_search(objective: Objective, x: np.ndarray, rounds: int) -> tuple[np.ndarray, float]:
    """(x, value) after trials of blocks that are shifted, or put to the rate of a threshold or to the baseline."""
    value = float(objective(x[None])[0])
    for move in MOVES:
        for _ in range(rounds):
            trials = _shifted(objective, x, move)
            if move == MOVES[0]:
                trials = np.concatenate([trials, _levelled(objective, x), _ends(objective, x)])
            x, gained = take(objective, x, value, trials)
            small, value = gained - value < WORTH * abs(value), gained
            if small:
                break
    return x, value


def trade(objective: Objective, x: np.ndarray, value: float) -> tuple[np.ndarray, float]:
    """(x, value) after trials that give more in one block of steps and less in the block that follows, or the reverse.

    Where a rule has a threshold and a sequence keeps to it, no single block can be moved alone: a little less anywhere
    falls below the threshold, and a little more anywhere only costs.
    """
    for _ in range(SWEEPS):
        before = value
        for move in TRADES:
            for _ in range(12):
                x, gained = take(objective, x, value, _traded(objective, x, move))
                small, value = gained - value < TRADED * abs(value), gained
                if small:
                    break
        x, value = pattern_search(objective, x, 8)
        x, value = quasi_newton(objective, x, objective.limit, 40)
        if value - before < 10.0 * TRADED * abs(value):
            break
    return x, value


def _traded(objective: Objective, x: np.ndarray, move: float) -> np.ndarray:
    shift = 0.01 * move * objective.limit * _columns(objective, _pairs(objective.horizon))
    return np.asarray(np.clip(np.concatenate([x + shift, x - shift]), 0.0, objective.limit))


@lru_cache(maxsize=8)
def _pairs(horizon: int) -> np.ndarray:
    """Rows ``[B, T]``: a block of 1s, and after it as many, four times as many, or all steps with a part of -1."""
    steps, rows = np.arange(horizon), []
    for length in (k for k in (1, 2, 4, 8, 16, 32) if k < horizon):
        for start in range(0, horizon - length, max(1, length // 2)):
            end = start + length
            more = (steps >= start) & (steps < end)
            for after in (length, 4 * length, horizon):
                less = (steps >= end) & (steps < end + after)
                parts = [part for part in (1.0, 0.5, 0.25, 0.1) if part * less.sum() <= 3 * length]
                rows += [more - part * less for part in parts]
    return np.unique(np.array(rows, dtype=float).reshape(-1, horizon), axis=0)


def _shifted(objective: Objective, x: np.ndarray, move: float) -> np.ndarray:
    shift = 0.01 * move * objective.limit * _masks(objective, 1)
    return np.asarray(np.clip(np.concatenate([x + shift, x - shift]), 0.0, objective.limit))


def _levelled(objective: Objective, x: np.ndarray) -> np.ndarray:
    baseline = np.asarray(objective.sequences.game.baseline)[objective.leaders]
    levels = np.stack([*(rate * objective.limit for rate in RATES), baseline]) + NUDGE
    masks = _masks(objective, 3)
    put = np.where(masks[:, None] > 0, np.minimum(levels, objective.limit)[:, None, :], x)
    return np.asarray(put.reshape(-1, *x.shape))


def _ends(objective: Objective, x: np.ndarray) -> np.ndarray:
    """The last steps at everything or nothing: nobody comes after who would answer."""
    last = np.arange(len(x)) >= len(x) - np.array([1, 2, 3])[:, None]
    masks = _columns(objective, last.astype(float))
    return np.concatenate([np.where(masks > 0, level, x) for level in (objective.limit, 0.0 * objective.limit)])


def _masks(objective: Objective, shortest: int) -> np.ndarray:
    """Blocks ``[B, T, G]`` of each free sequence, and of all at once; longer ones for many sequences."""
    least = shortest if len(objective.leaders) <= CROWD else max(shortest, 5)
    return _columns(objective, blocks(objective.horizon, min(least, objective.horizon)))


def _columns(objective: Objective, rows: np.ndarray) -> np.ndarray:
    groups = len(objective.leaders)
    columns = np.concatenate([np.eye(groups), np.ones((int(groups > 1), groups))])
    return np.asarray((rows[:, None, :, None] * columns[:, None, :]).reshape(-1, rows.shape[1], groups))
