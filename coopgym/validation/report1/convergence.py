"""Best responses in turn from many starts: whether partners who adapt find the equilibrium."""

from __future__ import annotations

import numpy as np

from coopgym.validation.report1.model import CAP, FLOOR, Venture

MOVED, SWEEPS, HALVINGS = 1e-6, 1000, 60


def from_starts(venture: Venture, starts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Actions ``[starts, 2]`` after actor 0 and actor 1 have answered in turn, and which starts came to rest."""
    actions = np.array(starts, dtype=float)
    for _ in range(SWEEPS):
        before = actions.copy()
        for i in (0, 1):
            actions[:, i] = best_response(venture, actions[:, 1 - i], i)
        if (abs(actions - before) < MOVED).all():
            break
    return actions, (abs(actions - before) < MOVED).all(-1)


def best_response(venture: Venture, other: np.ndarray, i: int) -> np.ndarray:
    """Actor i's best action against ``other`` ``[...]``; its marginal utility falls, so halving finds the root."""
    k = venture.pull[..., i]
    low, high = np.full(other.shape, np.log(FLOOR)), np.full(other.shape, np.log(CAP))
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        wanted = venture.where_marginal((1.0 - k * np.sqrt(other / np.exp(middle)))[..., None])[..., 0]
        more = wanted > np.exp(middle)
        low, high = np.where(more, middle, low), np.where(more, high, middle)
    return np.asarray(np.exp(0.5 * (low + high)))


def suite_starts(count: int = 50, seed: int = 42) -> np.ndarray:
    """The starts of the released experiment, ``[count, 2]``."""
    return np.random.RandomState(seed).uniform(0.1, 50.0, (count, 2))
