"""How much an agent could still gain by another sequence: exhaustive within simple classes, then a search."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from coopgym.envs.catalogue import game as make_game
from coopgym.envs.game import Game
from coopgym.envs.reward import RewardMode
from coopgym.envs.symmetry import roles
from coopgym.oracles.best_response import LIGHT, alone, best_response_sequence, separable
from coopgym.oracles.objective import Objective
from coopgym.oracles.result import Certificate
from coopgym.oracles.scale import size
from coopgym.oracles.search import Effort
from coopgym.oracles.sequences import Sequences

LENGTHS = (2, 5, 10, 25)  # of blocks, besides the whole episode
BLOCK_LEVELS = 41
SEARCHED = "search over whole sequences (a lower bound of the gain)"
SOLVED = "each step solved, since an agent's steps do not touch its later ones: no other sequence gains more"
ROUND = 20_000  # numbers [candidates x T] that are made at a time


class Gain(NamedTuple):
    """What a deviation adds to the agent's reward, and where: steps [start, start + length) at ``action`` [units];
    length 0: a whole sequence that a search found."""

    gain: float
    agent: int
    start: int
    length: int
    action: float


def certify(
    game: Game | str, mode: str | RewardMode, actions: np.ndarray, *, levels: int = 201, effort: Effort = LIGHT
) -> Certificate:
    """The largest gain of one agent of each kind over ``actions [T, N]``.

    All single steps to ``levels`` levels and all blocks to 41 are tried, which is exhaustive within these classes, and
    whole sequences are searched. Where steps do not touch each other, each step is solved instead, which leaves nothing
    to try, and the certificate is exhaustive. relative is taken per agent, over |its reward|.
    """
    sequences = Sequences(make_game(game).to("numpy"), RewardMode.of(mode))
    return scanned(sequences, actions, searched(sequences, actions, effort), levels)


def searched(sequences: Sequences, actions: np.ndarray, effort: Effort = LIGHT) -> list[Gain]:
    """What one agent of each kind gains by the best whole sequence that a search finds: the first half of certify."""
    found = []
    for agent in representatives(sequences.game, actions):
        response = best_response_sequence(sequences.game, sequences.mode, actions, agent, effort)
        found.append(Gain(response.gain, agent, 0, 0, float(response.sequence[0])))
    return found


def scanned(sequences: Sequences, actions: np.ndarray, found: list[Gain], levels: int) -> Certificate:
    """The certificate of what a search has ``found``: with all simple deviations, unless each step was solved."""
    game, mode = sequences.game, sequences.mode
    exact, gains, rewards = separable(game, mode), list(found), sequences.play(actions).rewards
    unit = sequences.unit
    if not exact:
        for gain in found:
            objective = alone(sequences, actions, gain.agent)
            gains.append(simple_gain(objective, gain.agent, float(rewards[gain.agent]), levels))
    worst = max(gains, key=lambda gain: relative(gain, rewards, unit))
    method = f"single steps x {levels} levels and blocks, exhaustive within class; {SEARCHED}"
    return Certificate(
        max(worst.gain, 0.0), relative(worst, rewards, unit), SOLVED if exact else method,
        exhaustive=exact,
        deviation={"agent": worst.agent, "step": worst.start, "length": worst.length, "action": worst.action},
    )  # fmt: skip


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
