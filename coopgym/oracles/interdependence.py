"""The stage game of TR-1 solved: one scalar equation for the geometric mean of the actions."""

from __future__ import annotations

import numpy as np

HALVINGS = 100  # of a bracket of about 60 in ln G: to the last bit


def planner(
    theta: float, gamma: float, shares: np.ndarray, endowment: np.ndarray, c: np.ndarray, cost: np.ndarray | None = None
) -> np.ndarray:
    """Actions ``[..., N]`` that maximise sum_i c_i pi_i with logarithmic value, for weights c ``[..., N]`` > 0.

    ``cost`` ``[..., N]`` replaces c as the price of a unit of action, where more than pi depends on it linearly. The
    sum is concave, so that the point where every slope is zero or pushes against a limit is the only maximum.
    """
    joint = gamma * (c * shares).sum(-1, keepdims=True) / len(endowment)
    return fixed_mean(theta, joint / c, endowment, 1.0 if cost is None else cost / c)


def fixed_mean(theta: float, pull: np.ndarray, endowment: np.ndarray, price: np.ndarray | float = 1.0) -> np.ndarray:
    """Actions ``[..., N]`` with -price + theta/(1 + a_i) + pull_i G/a_i = 0 at their own geometric mean G.

    Each is the positive root of price a^2 - (theta + k - price) a - k = 0, k = pull_i G, or the endowment if that is
    smaller. The elasticity of every root in G is below 1, so mean_i ln a_i(G) - ln G falls: bisection finds its zero.
    """
    pull = np.asarray(pull, dtype=np.float64)
    low = np.full((*pull.shape[:-1], 1), np.log(1e-12))
    high = np.full_like(low, np.log(endowment.max()) + 1e-9)
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        above = np.log(_root(theta, pull * np.exp(middle), endowment, price)).mean(-1, keepdims=True) > middle
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return _root(theta, pull * np.exp(low), endowment, price)


def _root(theta: float, k: np.ndarray, endowment: np.ndarray, price: np.ndarray | float) -> np.ndarray:
    half = 0.5 * (theta + k - price)
    positive = np.maximum(price, 1e-12)
    root = (half + np.sqrt(half**2 + positive * k)) / positive
    return np.maximum(np.where(price > 0.0, np.minimum(root, endowment), endowment), 1e-12)
