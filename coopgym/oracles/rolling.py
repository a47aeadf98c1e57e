"""A bound for the released teams: the bonus for a rolling rate against what the effort behind it costs (TR-3)."""

from __future__ import annotations

import numpy as np

from coopgym.envs.game import Game
from coopgym.envs.released import WINDOW, CoalitionModifier, CollectiveModifier
from coopgym.mechanisms.value import LogarithmicValue, Synergy
from coopgym.oracles.closed_forms.interdependence import planner

TOGETHER, INSIDE, BONUS = 1.2, 1.1, 0.15  # multipliers: everybody at half, in the coalition, per unit of rolling rate
TINY = 1e-12


def rolling_bound(game: Game, mixing: np.ndarray, w: np.ndarray) -> tuple[float, np.ndarray]:
    """(bound, actions ``[T, N]``) of sum_i w_i m_i u_i, u_i = sum_j mixing_ij pi_j, for ``mixing [T, N, N]``.

    m_i <= M (1 + 0.15 rolling_i), and rolling_i u_i is at most rolling_i times the largest u_i. Rolling rates are
    linear in the rates, so that each step has a sum of payoffs to maximise and a bonus for every unit of action.
    """
    first = game.mechanisms[0]
    assert isinstance(first, Synergy)
    assert isinstance(first.value, LogarithmicValue)
    state = game.reset()
    gamma = float(np.squeeze(first.coefficient(state)))
    numbers = first.value, gamma, first.shares, game.endowment
    own = planner(*numbers, np.maximum(mixing, TINY))  # [T, N, N]: what is best for each agent's utility
    most = np.einsum("tij,tij->ti", mixing, first.payoffs(state, own, 0.0 * own))
    top = TOGETHER * (INSIDE if any(isinstance(m, CoalitionModifier) for m in game.mechanisms) else 1.0)
    bonus = top * BONUS * w * (shares_of_windows(game.horizon) @ most) / game.endowment
    c = top * np.einsum("i,tij->tj", w, mixing)
    path = planner(*numbers, np.maximum(c, TINY), c - bonus)
    values = (c * first.payoffs(state, path, 0.0 * path) + bonus * path).sum(-1)
    return float(values.sum()), path


def shares_of_windows(horizon: int) -> np.ndarray:
    """``[T, T]``: the part that the rate of step s (row) has in the rolling mean of step t (column)."""
    s, t = np.arange(horizon)[:, None], np.arange(horizon)
    return np.where((s <= t) & (s > t - WINDOW), 1.0 / np.minimum(t + 1, WINDOW), 0.0)


def collective(game: Game) -> bool:
    """Whether a released game multiplies rewards by rates and rolling rates."""
    return any(isinstance(m, CollectiveModifier) and not m.plain for m in game.mechanisms)
