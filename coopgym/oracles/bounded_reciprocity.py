"""The behavioural law of TR-4 section 8.4, played by everybody: answer what the others do, within bounds."""

from __future__ import annotations

import time
from collections import deque
from typing import Any

import numpy as np

from coopgym.envs.game import Game
from coopgym.envs.moments import Act
from coopgym.envs.reward import RewardMode
from coopgym.mechanisms.base import State
from coopgym.mechanisms.trust import effective_trust
from coopgym.oracles.result import RULE, RefusedError, Solution
from coopgym.oracles.sequence_certificate import certify
from coopgym.oracles.sequences import Sequences, path_of

ANSWER = 0.12  # of the endowment, for a full answer of all partners
RETURN = 0.05  # share of the way back to the baseline at each step


def law(game: Game) -> Act:
    """How agents act in one episode, in actions ``[N]``; it begins with half of each endowment.

    a_i <- a_i + ANSWER e_i sum_j w_ij T^eff_ij tanh(kappa s_j) - RETURN (a_i - b_i), where s_j compares the partner's
    last rate with the mean of up to k before it and w_ij = lambda_R (1 + omega D_ij) rho_ij (equations 19 to 23, 44).
    Raises RefusedError for a game without reciprocity.
    """
    rule = _reciprocity(game)
    rates: deque[np.ndarray] = deque(maxlen=rule.window + 1)

    def act(state: State) -> np.ndarray:
        if float(state.time) == 0.0:
            rates.clear()
            return 0.5 * np.asarray(game.endowment)
        rates.append(state.actions / game.endowment)
        before = list(rates)[:-1]
        signal = rates[-1] - np.mean(before, axis=0) if before else np.zeros(game.n)
        trust = effective_trust(state.trust, state.damage)
        answer = (rule.weight * trust) @ np.tanh(rule.response * signal)
        moved = state.actions + ANSWER * game.endowment * answer - RETURN * (state.actions - game.baseline)
        return np.asarray(game.clip(moved))

    return act


def path(game: Game) -> np.ndarray:
    """Actions ``[T, N]`` of an episode in which everybody follows the law; the last one is held after an early end."""
    return path_of(game, law(game))


def solve(game: Game, mode: RewardMode) -> Solution:
    """The path of the law, what it earns, and how much an agent could gain over it by another sequence."""
    began = time.perf_counter()
    actions = path(game)
    played = Sequences(game, mode).play(actions)
    return Solution(
        game.id, game.hash, "bounded_reciprocity", RULE, str(mode), actions, played.payoffs, played.rewards,
        "forward simulation", certify(game, mode, actions), uniqueness="proved",
        notes=("a rule of behaviour, not an optimum: its certificate says what it leaves on the table",),
        seconds=time.perf_counter() - began,
    )  # fmt: skip


def _reciprocity(game: Game) -> Any:
    for mechanism in game.mechanisms:
        if hasattr(mechanism, "response") and hasattr(mechanism, "window"):
            return mechanism
    raise RefusedError(f"{game.id} has no reciprocity to be bounded; this law is of TR-4's games: coopgym list")
