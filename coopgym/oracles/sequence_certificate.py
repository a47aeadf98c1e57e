"""How much an agent could still gain by another sequence: exhaustive within simple classes, then a search."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from coopgym.envs.catalogue import game as make_game
from coopgym.envs.game import Game
from coopgym.envs.reward import RewardMode
from coopgym.envs.symmetry import roles
from coopgym.oracles.best_response import LIGHT, alone, best_response_sequence
from coopgym.oracles.objective import Objective
from coopgym.oracles.result import SEQUENCE_TOLERANCE, Certificate
from coopgym.oracles.scale import size
from coopgym.oracles.search import Effort
from coopgym.oracles.sequences import Sequences

LENGTHS = (2, 5, 10, 25)  # of blocks, besides the whole episode
BLOCK_LEVELS = 41
ROUND = 20_000  # numbers [candidates x T] that are made at a time


class Gain(NamedTuple):
    """What a deviation adds to the agent's reward, and where: steps [start, start + length) at ``action`` [units];
    length 0: a whole sequence, ``sequence [T]``; bound: no sequence of the agent gains more (None: not known), and
    method: what was searched, or why."""

    gain: float
    agent: int
    start: int
    length: int
    action: float
    bound: float | None = None
    method: str = ""
    sequence: np.ndarray | None = None


def certify(
    game: Game | str, mode: str | RewardMode, actions: np.ndarray, *, levels: int = 201, effort: Effort = LIGHT
) -> Certificate:
    """The largest gain of one agent of each kind over ``actions [T, N]``.

    Where steps do not touch each other each of them is solved, and where one number carries over, a dynamic programme
    bounds the gain: the certificate is exhaustive if no agent can gain more than the tolerance. Elsewhere all single
    steps to ``levels`` levels and all blocks to 41 are tried, and whole sequences are searched. relative is taken per
    agent, over |its reward|.
    """
    sequences = Sequences(make_game(game).to("numpy"), RewardMode.of(mode))
    return scanned(sequences, actions, searched(sequences, actions, effort), levels)


def searched(
    sequences: Sequences, actions: np.ndarray, effort: Effort = LIGHT, paths: tuple[np.ndarray, ...] = ()
) -> list[Gain]:
    """What one agent of each kind gains by the best whole sequence that is found: the first half of certify.

    paths: profiles ``[T, N]`` whose columns the search begins with, too.
    """
    found = []
    for agent in representatives(sequences.game, actions):
        own = [path[:, agent] for path in paths]
        response = best_response_sequence(sequences.game, sequences.mode, actions, agent, effort, own)
        before = response.value - response.gain
        left = None if response.bound is None else max(0.0, response.bound - before)
        action = float(response.sequence[0])
        found.append(Gain(response.gain, agent, 0, 0, action, left, response.method, response.sequence))
    return found


def proved(gains: list[Gain], rewards: np.ndarray, unit: float) -> float | None:
    """The largest relative gain that bounds leave open; None where an agent has no bound."""
    left = [None if g.bound is None else relative(g._replace(gain=g.bound), rewards, unit) for g in gains]
    known = [one for one in left if one is not None]
    return max(known, default=0.0) if len(known) == len(left) else None


def scanned(sequences: Sequences, actions: np.ndarray, found: list[Gain], levels: int) -> Certificate:
    """The certificate of what a search has ``found``: with all simple deviations, unless each step was solved."""
    gains, rewards, unit = list(found), sequences.play(actions).rewards, sequences.unit
    at_most = proved(found, rewards, unit)
    closed = at_most is not None and at_most <= SEQUENCE_TOLERANCE
    methods = dict.fromkeys(gain.method for gain in found)
    if not closed:
        for gain in found:
            if gain.bound is None or relative(gain._replace(gain=gain.bound), rewards, unit) > SEQUENCE_TOLERANCE:
                objective = alone(sequences, actions, gain.agent)
                gains.append(simple_gain(objective, gain.agent, float(rewards[gain.agent]), levels))
        lengths = ", ".join(map(str, LENGTHS))
        methods = {
            f"single steps x {levels} levels, blocks of {lengths} and all steps x {BLOCK_LEVELS}": None
        } | methods
    worst = max(gains, key=lambda gain: relative(gain, rewards, unit))
    return Certificate(
        max(worst.gain, 0.0),
        relative(worst, rewards, unit),
        "; ".join(methods),
        exhaustive=closed,
        deviation={"agent": worst.agent, "step": worst.start, "length": worst.length, "action": worst.action},
        at_most=at_most,
    )


def relative(gain: Gain, rewards: np.ndarray, unit: float) -> float:
    """A gain over |the agent's reward|, at least 0; rewards ``[N]``, unit: that of the episode."""
    return max(gain.gain, 0.0) / float(size(rewards[gain.agent], unit))


def representatives(game: Game, actions: np.ndarray) -> list[int]:
    """One agent of each role and sequence: those that share both can be exchanged, and gain the same."""
    role = roles(game)
    chosen: list[int] = []
    for agent in range(game.n):
        same = [k for k in chosen if role[k] == role[agent] and np.array_equal(actions[:, k], actions[:, agent])]
        if not same:
            chosen.append(agent)
    return chosen


def simple_gain(objective: Objective, agent: int, value: float, levels: int) -> Gain:
    """The best of all single steps x levels and of all blocks x 41 levels."""
    horizon, limit = objective.horizon, float(objective.limit[0])
    best = Gain(-np.inf, agent, 0, 0, 0.0)
    classes = [(1, levels), *((k, BLOCK_LEVELS) for k in LENGTHS if k < horizon), (horizon, levels)]
    own = objective.base[:, agent]
    for length, count in classes:
        starts = np.arange(0, horizon - length + 1)
        pairs = np.stack(np.meshgrid(starts, np.linspace(0.0, limit, count), indexing="ij"), -1).reshape(-1, 2)
        most = max(1, ROUND * 10 // horizon)
        for part in np.array_split(pairs, max(1, len(pairs) // most)):
            steps = np.arange(horizon)
            inside = (steps >= part[:, :1]) & (steps < part[:, :1] + length)
            tried = np.concatenate([own[None], np.where(inside, part[:, 1:], own)])  # own first: its way is shared
            gains = objective(tried[..., None])[1:] - value
            k = int(gains.argmax())
            if gains[k] > best.gain:
                best = Gain(float(gains[k]), agent, int(part[k, 0]), length, float(part[k, 1]))
    return best
