"""TrustAware: each agent's rule in trust and time is the best it has found against the others' rules."""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np

from coopgym.algorithms.roles import roles
from coopgym.envs.game import Game
from coopgym.envs.moments import moments
from coopgym.envs.reward import RewardMode
from coopgym.mechanisms.base import State
from coopgym.oracles.trust_rule import COEFFICIENTS, rates_in

LEVELS, SLOPES, DRIFTS = np.linspace(0.0, 1.0, 21), (-1.0, 0.0, 0.5, 1.0, 2.0, 4.0), (-0.3, 0.0, 0.3)
STEPS = (0.04, 0.02, 0.01, 0.005, 0.002, 0.0005)  # of the local search, in rates; slopes move ten times as far
SWEEPS = 30
SETTLED = 1e-3  # change of a coefficient that no longer counts


class Found(NamedTuple):
    """coefficients ``[N, 3]``; trace: largest change of each sweep; gains ``[N]`` [reward] left within rules."""

    coefficients: np.ndarray
    trace: tuple[float, ...]
    gains: np.ndarray


def returns(game: Game, mode: RewardMode, coefficients: np.ndarray) -> np.ndarray:
    """Rewards of an episode ``[L, N]`` of rules ``[L, N, 3]``."""

    def act(state: State) -> np.ndarray:
        return np.asarray(rates_in(game, coefficients, state) * game.endowment)

    total = np.zeros(coefficients.shape[:-1])
    for before, after, payoffs, alive, _ in moments(game, act, coefficients.shape[:-2]):
        total += np.where(alive[..., None], game.rewards(mode.weights, before, after, payoffs), 0.0)
    return total


def best_rule(game: Game, mode: RewardMode, profile: np.ndarray, agent: int, *, wide: bool) -> tuple[np.ndarray, float]:
    """(the best rule ``[3]`` of an agent against the others' that was found, its return).

    ``wide``: a grid over all rules first; then smaller and smaller neighbourhoods of the best one.
    """
    own = profile[agent]
    grid = np.array(list(itertools.product(LEVELS, SLOPES, DRIFTS))) if wide else np.empty((0, COEFFICIENTS))
    best, value = _best(game, mode, profile, agent, np.vstack([own, grid]))
    moves = np.array(list(itertools.product((-1.0, 0.0, 1.0), repeat=COEFFICIENTS))) * (1.0, 10.0, 1.0)
    for step in STEPS:
        for _ in range(4):  # as long as it pays to walk on
            nearby, higher = _best(game, mode, profile, agent, best + step * moves)
            if higher <= value:
                break
            best, value = nearby, higher
    return best, value


def _best(game: Game, mode: RewardMode, profile: np.ndarray, agent: int, rules: np.ndarray) -> tuple[np.ndarray, float]:
    lanes = np.repeat(profile[None], len(rules), axis=0)
    lanes[:, agent] = rules
    found = returns(game, mode, lanes)[:, agent]
    best = int(found.argmax())
    return rules[best], float(found[best])


def iterate(game: Game, mode: RewardMode, start: np.ndarray) -> Found:
    """Best answers in turn, one agent for each role, half way at a time, from rules ``[N, 3]`` until they settle."""
    profile, kinds, trace = start.copy(), roles(game), [np.inf]
    for sweep in range(SWEEPS):
        before = profile.copy()
        wide = sweep == 0 or trace[-1] < SETTLED  # near answers have settled: is there a better one far away?
        for role in range(kinds.max() + 1):
            members = np.flatnonzero(kinds == role)
            answer, _ = best_rule(game, mode, profile, int(members[0]), wide=wide)
            profile[members] += (1.0 if sweep == 0 else 0.5) * (answer - profile[members])
        trace.append(float(np.abs(profile - before).max()))
        if wide and trace[-1] < SETTLED:
            break
    return Found(profile, tuple(trace[1:]), gains(game, mode, profile))


def gains(game: Game, mode: RewardMode, profile: np.ndarray) -> np.ndarray:
    """What each agent ``[N]`` could gain by another rule, searched over the whole grid."""
    kinds = roles(game)
    now = returns(game, mode, profile[None])[0]
    first = [int(np.flatnonzero(kinds == role)[0]) for role in range(kinds.max() + 1)]
    best = {role: best_rule(game, mode, profile, agent, wide=True)[1] - now[agent] for role, agent in enumerate(first)}
    return np.array([best[int(role)] for role in kinds])
