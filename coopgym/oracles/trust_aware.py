"""TrustAware: each agent's rule in trust and time is the best it has found against the others' rules."""

from __future__ import annotations

import itertools
import time
from typing import NamedTuple

import numpy as np

from coopgym.algorithms.trust_rule import COEFFICIENTS, TrustRule, rates_in
from coopgym.envs.game import Game
from coopgym.envs.moments import Act, moments
from coopgym.envs.reward import RewardMode
from coopgym.envs.symmetry import roles
from coopgym.mechanisms.base import State, side_by_side
from coopgym.oracles.exploitability import exploitability
from coopgym.oracles.result import Certificate, RefusedError, Solution
from coopgym.oracles.scale import size
from coopgym.oracles.sequences import Sequences, lean, path_of

LEVELS, SLOPES, DRIFTS = np.linspace(0.0, 1.0, 21), (-1.0, 0.0, 0.5, 1.0, 2.0, 4.0), (-0.3, 0.0, 0.3)
STEPS = (0.04, 0.02, 0.01, 0.005, 0.002, 0.0005)  # of the local search, in rates; slopes move ten times as far
SCALE = np.array([1.0, 10.0, 1.0])  # of changes in the coefficients
TIED = 1e-7  # relative difference of returns below which the rule at hand is changed as little as possible
WALK = 16  # most steps of a local search
SWEEPS = 30
WORTHLESS = 0.05  # relative gain within rules above which a profile is not called an answer
SETTLED = 1e-3  # change of a coefficient that no longer counts


class Found(NamedTuple):
    """coefficients ``[N, 3]``; trace: largest change of each sweep; gains ``[N]`` [reward] left within rules."""

    coefficients: np.ndarray
    trace: tuple[float, ...]
    gains: np.ndarray


def solve(game: Game, mode: RewardMode, instead: str = "") -> Solution:
    """Rules ``[N, 3]`` that answer each other, from the baselines; what they play, and what any sequence could gain.

    ``instead`` ends the message of a refusal. Raises RefusedError where the rules chase each other, and an agent still
    gains much in the best profile on the way.
    """
    began = time.perf_counter()
    level = np.asarray(game.baseline / game.endowment)
    found = iterate(game, mode, np.column_stack([level, np.zeros((game.n, COEFFICIENTS - 1))]))
    unit = Sequences(game, mode).unit
    left = float((found.gains / size(returns(game, mode, found.coefficients[None])[0], unit)).max())
    if left > WORTHLESS:
        raise RefusedError(
            f"no rules in trust and time that answer each other were found for {game.id} ({mode}): in {SWEEPS} sweeps "
            f"they went round in a circle, on which an agent gains {left:.1%} at least{instead}"
        )
    actions = path_of(game, _follow(game, found.coefficients))
    played = Sequences(game, mode).play(actions)
    return Solution(
        game.id, game.hash, "trust_aware", "feedback equilibrium", str(mode), actions, played.payoffs, played.rewards,
        "iterated best answers among rules linear in trust and time", _certificate(game, mode, found),
        notes=(f"by another rule of this kind an agent gains at most {found.gains.max():.6g}",),
        seconds=time.perf_counter() - began, coefficients=found.coefficients,
    )  # fmt: skip


def _certificate(game: Game, mode: RewardMode, found: Found) -> Certificate:
    """What one agent of each role gains by the best sequence that was found, while the others go on answering trust."""
    kinds = roles(game)
    first = np.unique(kinds, return_index=True)[1].tolist()
    gains = exploitability(TrustRule(game, found.coefficients), game, mode, agents=first)
    worst = int(gains.relative.argmax())
    method = "search over whole sequences against the others' rules (a lower bound of the gain)"
    return Certificate(
        float(gains.gain[worst]), float(gains.relative[worst]), method, exhaustive=False,
        deviation={"agent": first[worst]}, starts=1, trace=found.trace,
    )  # fmt: skip


def _follow(game: Game, coefficients: np.ndarray) -> Act:
    """How agents act by rules ``[..., N, 3]``."""

    def act(state: State) -> np.ndarray:
        return np.asarray(rates_in(game, coefficients, state) * game.endowment)

    return act


def returns(game: Game, mode: RewardMode, coefficients: np.ndarray) -> np.ndarray:
    """Rewards of an episode ``[L, N]`` of rules ``[L, N, 3]``."""
    total, played = np.zeros(coefficients.shape[:-1]), lean(game)
    rules = side_by_side(len(coefficients), (game.n, COEFFICIENTS))
    rules[:] = coefficients
    for before, after, payoffs, alive, _ in moments(played, _follow(played, rules), coefficients.shape[:-2]):
        total += np.where(alive[..., None], game.rewards(mode.weights, before, after, payoffs), 0.0)
    return total


def best_rule(game: Game, mode: RewardMode, profile: np.ndarray, agent: int, *, wide: bool) -> tuple[np.ndarray, float]:
    """(the best rule ``[3]`` of an agent against the others' that was found, its return).

    ``wide``: a grid over all rules first; then smaller and smaller neighbourhoods of the best one.
    """
    own = profile[agent]
    grid = np.array(list(itertools.product(LEVELS, SLOPES, DRIFTS))) if wide else np.empty((0, COEFFICIENTS))
    best, value = _best(game, mode, profile, agent, np.vstack([own, grid]))
    moves = np.array(list(itertools.product((-1.0, 0.0, 1.0), repeat=COEFFICIENTS))) * SCALE
    near = np.concatenate([0.0 * moves[:1], *(step * moves for step in STEPS)])
    for _ in range(WALK):  # as long as it pays to walk on
        nearby, higher = _best(game, mode, profile, agent, best + near)
        if higher <= value:
            break
        best, value = nearby, higher
    return best, value


def _best(game: Game, mode: RewardMode, profile: np.ndarray, agent: int, rules: np.ndarray) -> tuple[np.ndarray, float]:
    lanes = np.repeat(profile[None], len(rules), axis=0)
    lanes[:, agent] = rules
    found = returns(game, mode, lanes)[:, agent]
    top = float(found.max())
    tied = np.flatnonzero(found >= top - TIED * abs(top))
    best = tied[np.abs((rules[tied] - rules[0]) / SCALE).max(-1).argmin()]  # the first rule is the one at hand
    return rules[best], float(found[best])


def iterate(game: Game, mode: RewardMode, start: np.ndarray) -> Found:
    """Best answers in turn, one agent for each role, half way at a time, from rules ``[N, 3]`` until they settle.

    Answers may chase each other for ever; what is returned is the profile from which the answers of a sweep gained
    least.
    """
    profile, kinds, trace, unit = start.copy(), roles(game), [np.inf], Sequences(game, mode).unit
    best, least = profile, np.inf
    for sweep in range(SWEEPS):
        before, gained = profile.copy(), 0.0
        wide = sweep == 0 or trace[-1] < SETTLED  # near answers have settled: is there a better one far away?
        now = returns(game, mode, profile[None])[0]
        for role in range(kinds.max() + 1):
            members = np.flatnonzero(kinds == role)
            answer, value = best_rule(game, mode, profile, int(members[0]), wide=wide)
            gained = max(gained, (value - now[members[0]]) / float(size(now[members[0]], unit)))
            profile[members] += (1.0 if sweep == 0 else 0.5) * (answer - profile[members])
        if gained < least:
            best, least = before, gained
        trace.append(float(np.abs(profile - before).max()))
        if wide and trace[-1] < SETTLED:
            best = profile
            break
    return Found(best, tuple(trace[1:]), gains(game, mode, best))


def gains(game: Game, mode: RewardMode, profile: np.ndarray) -> np.ndarray:
    """What each agent ``[N]`` could gain by another rule, searched over the whole grid."""
    kinds = roles(game)
    now = returns(game, mode, profile[None])[0]
    first = np.unique(kinds, return_index=True)[1].tolist()
    best = {role: best_rule(game, mode, profile, agent, wide=True)[1] - now[agent] for role, agent in enumerate(first)}
    return np.array([best[int(role)] for role in kinds])
