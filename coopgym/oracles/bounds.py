"""Certified upper bounds: sums of rewards that no policy of a planner can exceed."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from coopgym.envs.game import Game
from coopgym.envs.released import (
    CoalitionModifier,
    CollectiveModifier,
    ReciprocityModifier,
    TierModifier,
)
from coopgym.envs.reward import RewardMode
from coopgym.mechanisms.base import Mechanism, State
from coopgym.mechanisms.negotiation import Agreement
from coopgym.mechanisms.reciprocity import Reciprocity
from coopgym.mechanisms.reputation import TieredReputation
from coopgym.mechanisms.trust import effective_trust
from coopgym.mechanisms.value import LogarithmicValue, Synergy
from coopgym.oracles.closed_forms.interdependence import planner
from coopgym.oracles.rolling import BONUS, INSIDE, TOGETHER, collective, rolling_bound
from coopgym.oracles.team import mates_never_lose, team_bound, team_of
from coopgym.oracles.tiers import market_bound, market_of

SINGLE = 1e-6  # relative room for what released games compute in single precision


@dataclass(frozen=True, eq=False)
class Bound:
    """value: no sequence reaches a higher sum of weighted rewards [reward]; path ``[T, N]``: actions that each step of
    the bound was computed with, a good start of a search; method: what was relaxed."""

    value: float
    path: np.ndarray
    method: str


def upper_bound(game: Game, mode: str | RewardMode = "private", weights: np.ndarray | None = None) -> Bound | None:
    """A bound of sum_i weights_i r_i of an episode from the start; None where no argument covers the game's rules.

    weights ``[N]`` >= 0, by default ones. Payoffs must not be negative without reciprocity: TR-1's never are.
    """
    game, mode = game.to("numpy"), RewardMode.of(mode)
    w = np.ones(game.n) if weights is None else np.asarray(weights, dtype=np.float64)
    team = team_of(game)
    if team is not None:
        if not mates_never_lose(game, team):
            return None
        value, path = team_bound(game, team, np.einsum("i,tij->tj", w, largest_mixing(game, mode)))
        return Bound(value, path, "best step at the highest loyalty that can be reached")
    if not _covered(game):
        return None
    return _synergy_bound(game, mode, w)


def highest_trust(game: Game) -> list[State]:
    """T + 1 states in which every trust is the highest, and every damage the lowest, that can be reached by then.

    Updates rise with trust and signal and fall with damage; signals are highest for whole endowments.
    """
    state = game.reset()
    states = [state]
    for _ in range(game.horizon):
        trust, damage = state.trust, state.damage
        if game.trust is not None:
            signal = game.trust.signal(game.endowment, game.baseline)
            trust, damage = game.trust.update(trust, damage, np.maximum(signal, 0.0))
        state = State(state.time + 1.0, state.actions, trust, damage, {})
        states.append(state)
    return states


def largest_mixing(game: Game, mode: RewardMode) -> np.ndarray:
    """W ``[T, N, N]`` with which payoffs are mixed into rewards at each step, where trust is as high as can be.

    Rewards are linear in payoffs, so unit payoffs tell them; released games use the trust after the step.
    """
    units = np.eye(game.n)
    bare = [state._replace(extra={}) for state in highest_trust(game)]
    return np.stack([game.rewards(mode.weights, a, b, units).T for a, b in pairwise(bare)])


def _covered(game: Game) -> bool:
    """Whether every mechanism that pays is one that the bound knows; the others do not touch payoffs or rewards."""
    first, *others = game.mechanisms
    known = (Agreement, TieredReputation, CollectiveModifier, ReciprocityModifier, Reciprocity)
    silent = (type(m).payoffs is Mechanism.payoffs for m in others)
    tame = all(isinstance(m, known) or quiet for m, quiet in zip(others, silent, strict=True))
    return tame and isinstance(first, Synergy) and isinstance(first.value, LogarithmicValue)  # never below zero


def _synergy_bound(game: Game, mode: RewardMode, w: np.ndarray) -> Bound:
    """The lowest of what can be argued: best stages at the largest weights, and bounds for multipliers that cost."""
    rewarded, paid = multipliers(game)
    mixing = largest_mixing(game, mode)
    c = np.einsum("ti,tij->tj", w * rewarded, mixing)
    values, path = best_stages(game, c * paid, reciprocity_lift(game, c * paid))
    found = [(float(values.sum()), path, "best step at the highest trust that can be reached")]
    market = market_of(game)
    plain = mode.weights.coupled == mode.weights.shared == 0.0
    if market is not None and (plain or not isinstance(market, TierModifier)):
        bare = np.einsum("i,tij->tj", w, mixing)
        found.append((*market_bound(game, market, bare, rewarded * paid), "each agent alone with its reputation"))
    if collective(game):
        found.append((*rolling_bound(game, mixing, w), "a bonus for each unit of action instead of rolling rates"))
    single = collective(game) or any(isinstance(m, (ReciprocityModifier, TierModifier)) for m in game.mechanisms)
    value, path, method = min(found, key=lambda bound: bound[0])
    return Bound(value * (1.0 + SINGLE) if single else value, path, method)


def best_stages(game: Game, c: np.ndarray, lift: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(values ``[T]``, actions ``[T, N]``) of max_a sum_i c_i pi_i(a) + sum_i lift_i tanh(kappa a_i / e_i).

    tanh lies below its tangents, and with a tangent the maximum has a closed form; tangents move to where the maximum
    was found. Every round gives a bound, of which the lowest counts.
    """
    first = game.mechanisms[0]
    assert isinstance(first, Synergy)
    state = game.reset()
    gamma, safe = float(np.squeeze(first.coefficient(state))), np.maximum(c, 1e-12)
    numbers = first.value, gamma, first.shares, game.endowment
    path, best = planner(*numbers, safe), np.full(len(c), np.inf)
    kappa = response_per_unit(game)
    for _ in range(30 if lift.any() else 1):
        touch = path
        level, slope = lift * np.tanh(kappa * touch), lift * kappa / np.cosh(kappa * touch) ** 2
        path = planner(*numbers, safe, c - slope)
        paid = (c * first.payoffs(state, path, 0.0 * path)).sum(-1)
        best = np.minimum(best, paid + (level + slope * (path - touch)).sum(-1))
    return best, path


def response_per_unit(game: Game) -> np.ndarray:
    """kappa ``[N]`` of the reciprocity mechanism per unit of action; zeros without one."""
    for m in game.mechanisms:
        if isinstance(m, Reciprocity):
            return m.response / np.where(m.raw_units, 1.0, m.endowment)
    return np.zeros(game.n)


def reciprocity_lift(game: Game, c: np.ndarray) -> np.ndarray:
    """Most that a full response to each agent adds to the weighted sum, ``[T, N]``.

    A mean of earlier rates is not negative, so that the response to a rate is below that to a rise from zero. At the
    first step there is nothing to respond to.
    """
    lift = np.zeros_like(c)
    for m in game.mechanisms:
        if isinstance(m, Reciprocity):
            for t, state in enumerate(highest_trust(game)[1:-1], start=1):
                felt = m.weight * effective_trust(state.trust, state.damage)
                lift[t] = (c[t] * (1.0 if m.raw_units else m.endowment)) @ felt
    return lift


def multipliers(game: Game) -> tuple[np.ndarray, np.ndarray]:
    """Largest multipliers of rewards (released games) and of payoffs, each ``[T, N]``."""
    rewarded, paid = np.ones((2, game.horizon, game.n))
    trusts = highest_trust(game)[1:]
    for m in game.mechanisms:
        if isinstance(m, TieredReputation) and m.tiers_pay:
            late = isinstance(m, TierModifier)
            (rewarded if late else paid)[:] = m.multiplier(highest_scores(game, m)[int(late) :][: game.horizon])
        elif isinstance(m, CoalitionModifier):
            rewarded *= TOGETHER * INSIDE * (1.0 + BONUS)
        elif isinstance(m, CollectiveModifier) and not m.plain:
            rewarded *= TOGETHER * (1.0 + BONUS)
        elif isinstance(m, ReciprocityModifier):
            felt = np.stack([(m.weight * state.trust).sum(-1) for state in trusts])
            rewarded *= 1.0 + felt / game.endowment.mean()
    return rewarded, paid


def highest_scores(game: Game, market: TieredReputation) -> np.ndarray:
    """Public reputations ``[T + 1, N]`` of agents that give everything."""
    scores = [game.reset().extra["public_reputation"]]
    for _ in range(game.horizon):
        scores.append(market.follow(scores[-1], np.ones(game.n)))
    return np.stack(scores)
