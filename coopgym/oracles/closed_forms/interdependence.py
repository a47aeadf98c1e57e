"""TR-1's stage game (equations 5 to 13 of arXiv 2510.18802): one scalar equation for the geometric mean of actions.

r_i = sum_j W_ij pi_j, pi_j = e_j - a_j + f(a_j) + alpha_j gamma G. An agent's own action reaches the others' payoffs
through G alone, dG/da_i = G / (N a_i), so that its first-order condition is -1 + f'(a_i) + k_i / a_i = 0 with
k_i = gamma G B_i / N and B_i = sum_j W_ij alpha_j / W_ii.
"""

from __future__ import annotations

import numpy as np

from coopgym.mechanisms.value import LogarithmicValue, PowerValue

Value = LogarithmicValue | PowerValue

FLOOR = 1e-12  # smallest action that is told from zero [endowment units]
HALVINGS = 60  # of a bracket of about 32 in logarithms: to the last bit


def equilibrium(
    value: Value, gamma: float, shares: np.ndarray, endowment: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """Actions ``[..., N]`` where no agent gains alone, for reward weights ``[..., N, N]`` with a positive diagonal.

    Rewards are strictly concave in the own action and best replies grow with elasticity below 1 in G: where value has a
    slope above 1 at zero (see grows_from_nothing), it is the only equilibrium and found from any start.
    """
    own = np.diagonal(weights, axis1=-2, axis2=-1)
    return fixed_mean(value, gamma * (weights @ shares) / (own * len(endowment)), endowment)


def planner(
    value: Value,
    gamma: float,
    shares: np.ndarray,
    endowment: np.ndarray,
    c: np.ndarray,
    cost: np.ndarray | None = None,
) -> np.ndarray:
    """Actions ``[..., N]`` that maximise sum_i c_i pi_i, for weights c ``[..., N]`` > 0.

    ``cost`` ``[..., N]`` replaces c as the price of a unit of action. The sum is concave, so that the point where every
    slope is zero or pushes against a limit is its only maximum.
    """
    joint = gamma * (c * shares).sum(-1, keepdims=True) / len(endowment)
    return fixed_mean(value, joint / c, endowment, 1.0 if cost is None else cost / c)


def fixed_mean(
    value: Value, pull: np.ndarray, endowment: np.ndarray, price: np.ndarray | float = 1.0
) -> np.ndarray:  # fmt: skip
    """Actions ``[..., N]`` with -price + f'(a_i) + pull_i G / a_i = 0 at their own geometric mean G, or at a limit.

    mean_i ln a_i(G) - ln G falls in ln G; bisection finds its zero.
    """
    pull = np.asarray(pull, dtype=np.float64)
    low = np.full((*pull.shape[:-1], 1), np.log(FLOOR))
    high = np.full_like(low, np.log(endowment.max()) + 1e-9)
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        above = np.log(reply(value, pull * np.exp(middle), endowment, price)).mean(-1, keepdims=True) > middle
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return reply(value, pull * np.exp(low), endowment, price)


def reply(value: Value, k: np.ndarray, endowment: np.ndarray, price: np.ndarray | float = 1.0) -> np.ndarray:
    """Actions with -price + f'(a) + k / a = 0 in (0, endowment], for k >= 0; the slope falls in a."""
    root = _logarithmic if isinstance(value, LogarithmicValue) else _power
    inside = root(value, k, endowment, np.maximum(price, FLOOR))  # type: ignore[arg-type]
    return np.asarray(np.clip(np.where(price > 0.0, inside, endowment), FLOOR, endowment))


def _logarithmic(value: LogarithmicValue, k: np.ndarray, _: np.ndarray, price: np.ndarray) -> np.ndarray:
    """The positive root of price a^2 - (theta + k - price) a - k, without cancellation."""
    half = 0.5 * (value.scale + k - price)
    root = np.sqrt(half**2 + price * k)
    above = np.maximum(root - half, 1e-300)
    return np.asarray(np.where(half > 0.0, (half + root) / price, k / above))


def _power(value: PowerValue, k: np.ndarray, endowment: np.ndarray, price: np.ndarray) -> np.ndarray:
    """The root of price a - beta a^beta - k, by bisection on ln a."""
    low = np.full(np.broadcast_shapes(k.shape, endowment.shape), np.log(FLOOR))
    high = np.log(endowment) + 0.0 * low
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        a = np.exp(middle)
        short = price * a < value.exponent * a**value.exponent + k
        low, high = np.where(short, middle, low), np.where(short, high, middle)
    return np.asarray(np.exp(high))


def grows_from_nothing(value: Value) -> bool:
    """Whether every agent contributes something whatever the others do: f'(0) > 1."""
    return value.scale > 1.0 if isinstance(value, LogarithmicValue) else value.exponent < 1.0


def symmetric(value: Value, gamma: float, n: int, w: float = 0.0) -> float:
    """The equilibrium action of n equal agents that weigh each other's payoffs by w, if no endowment limits it.

    theta / (1 - gamma B / n) - 1 with B = (1 + (n - 1) w) / n, or (beta / (1 - gamma B / n))^(1 / (1 - beta)). At w = 1
    it maximises the sum of payoffs.
    """
    slack = 1.0 - gamma * (1.0 + (n - 1) * w) / n**2
    if isinstance(value, LogarithmicValue):
        return float(value.scale / slack - 1.0)
    return float((value.exponent / slack) ** (1.0 / (1.0 - value.exponent)))
