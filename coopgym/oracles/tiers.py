"""A bound for markets that pay by reputation: what a tier is worth against what it costs to reach and to keep."""

from __future__ import annotations

import numpy as np

from coopgym.envs.game import Game
from coopgym.envs.released import TierModifier
from coopgym.mechanisms.reputation import TieredReputation
from coopgym.mechanisms.value import LogarithmicValue, Synergy

CELLS = 2000  # of the reputation, [0, 1]; a step moves it by at most 100 of them
RISE = 0.1  # reputation gained per unit of rate above one half
HAIR = 2e-6  # slack with which tiers are reached


def market_bound(game: Game, market: TieredReputation, c: np.ndarray, highest: np.ndarray) -> tuple[float, np.ndarray]:
    """(bound, actions ``[T, N]``) of sum_j c_j m_j pi_j, where m_j is the multiplier of j's tier.

    c ``[T, N]`` weights, highest ``[T, N]`` the largest multipliers. The geometric mean is at most the arithmetic one,
    which leaves every agent alone with its reputation; dynamic programming rounds that up to the next cell.
    """
    first = game.mechanisms[0]
    assert isinstance(first, Synergy)
    assert isinstance(first.value, LogarithmicValue)
    gamma = float(np.squeeze(first.coefficient(game.reset())))
    lift = gamma / game.n * (c * highest * first.shares).sum(-1)
    total, columns = 0.0, []
    known: dict[tuple[float, ...], tuple[float, np.ndarray]] = {}
    for agent in range(game.n):
        key = (float(game.endowment[agent]), *c[:, agent])
        if key not in known:
            known[key] = _alone(float(game.endowment[agent]), first.value, market, c[:, agent], lift)
        total += known[key][0]
        columns.append(known[key][1])
    return total, np.stack(columns, axis=-1)


def _alone(
    e: float, value: LogarithmicValue, market: TieredReputation, c: np.ndarray, lift: np.ndarray
) -> tuple[float, np.ndarray]:
    """(bound, actions ``[T]``) of sum_t c_t m(q_t) (e - a + f(a)) + lift_t a over an agent's own sequences.

    To move the reputation by more than d - 1 cells takes an action of at least ``reach [D]``, and is taken for d cells:
    more reputation is never worse.
    """
    cells = np.arange(CELLS + 1)
    tier = market.multiplier(cells / CELLS + HAIR)
    span = int(RISE * 0.5 * CELLS)
    moves = np.arange(-span, span + 1)
    reach = np.maximum(e * (0.5 + (moves - 1) / CELLS / RISE), 0.0)
    levels = np.unique(tier)
    of = np.asarray(np.searchsorted(levels, tier))
    late = isinstance(market, TierModifier)  # the tier after the step counts
    target = np.clip(cells[:, None] + moves, 0, CELLS)
    paid = of[target] if late else np.broadcast_to(of[:, None], target.shape)
    ahead, choices, actions = np.zeros(CELLS + 1), [], []
    for weight, slope in zip(c[::-1], lift[::-1], strict=True):
        price = np.maximum(weight * levels - slope, 1e-12)
        best = np.clip(weight * levels * value.scale / price - 1.0, 0.0, e)
        act = np.maximum(best[:, None], reach)
        stage = weight * levels[:, None] * (e - act + value(act)) + slope * act
        values = stage[paid, np.arange(len(moves))] + ahead[target]
        move = values.argmax(-1)
        ahead = values[cells, move]
        choices.append(move)
        actions.append(act)
    start = int(np.ceil(0.5 * CELLS))
    return float(ahead[start]), _followed(choices[::-1], actions[::-1], paid, target, start)


def _followed(
    choices: list[np.ndarray], actions: list[np.ndarray], paid: np.ndarray, target: np.ndarray, cell: int
) -> np.ndarray:
    """Actions ``[T]`` of the choices from a cell on."""
    path = []
    for move, act in zip(choices, actions, strict=True):
        d = int(move[cell])
        path.append(act[paid[cell, d], d])
        cell = int(target[cell, d])
    return np.array(path)


def market_of(game: Game) -> TieredReputation | None:
    """The market of a game whose tiers pay, if it has one."""
    markets = [m for m in game.mechanisms if isinstance(m, TieredReputation) and m.tiers_pay]
    return markets[0] if markets else None
