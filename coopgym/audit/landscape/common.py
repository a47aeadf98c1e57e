"""Common play: every agent holds one level, raw as the release gives it, or as a share of its own endowment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from coopgym.envs.game import Game
from coopgym.envs.reward import RewardMode
from coopgym.envs.symmetry import roles
from coopgym.mechanisms import checks
from coopgym.oracles.equilibrium import reward_of
from coopgym.oracles.moves import best_move, landmarks
from coopgym.oracles.sequences import Sequences
from coopgym.oracles.stage import StageGame

TARGETS = ("half", "zero", "selfish")


def actions_at(game: Game, levels: Any, own_rates: bool) -> np.ndarray:
    """Joint actions ``[..., N]`` [endowment units] at common levels ``[...]`` in [0, 1].

    A level is a share of each agent's own endowment; or, as the release has it, one of the first agent's endowment,
    given to all as a raw number that the game cuts to each agent's endowment.
    """
    scale = np.asarray(game.endowment) if own_rates else np.full(game.n, game.endowment[0])
    return np.asarray(np.minimum(np.asarray(levels, dtype=np.float64)[..., None] * scale, game.endowment))


def steps_at(game: Game, actions: np.ndarray) -> int:
    """How long an episode of constant ``actions [N]`` lasts."""
    if game.exit is None:
        return game.horizon
    sequences = Sequences(game, RewardMode.of("private"))
    return int(sequences.play(sequences.constant(actions[None])).lengths[0])


def targets_of(game: Game, base: np.ndarray, target: str) -> np.ndarray:
    """What each agent goes to ``[M, N]`` when it leaves common actions ``[M, N]``: half of its own, nothing, or the
    selfish best answer of the first step, in payoffs."""
    checks.choice("target", target, TARGETS)
    return selfish(game, base) if target == "selfish" else base * (0.5 if target == "half" else 0.0)


def selfish(game: Game, base: np.ndarray) -> np.ndarray:
    """Each agent's action ``[M, N]`` with the largest payoff of the first step, the others being at ``base [M, N]``."""
    stage = StageGame.of(game, "private")
    marks, best = landmarks(stage), np.empty(base.shape)
    role = roles(game)
    for agent in range(game.n):
        leader = int(np.flatnonzero(role == role[agent])[0])
        if leader < agent and np.ptp(base[:, [leader, agent]], axis=-1).max() == 0.0:
            best[:, agent] = best[:, leader]
        else:
            limit = float(game.endowment[agent])
            best[:, agent], _, _ = best_move(reward_of(stage, agent), base, np.array([agent]), limit, marks[agent])
    return best


def chosen_agents(game: Game, agents: str | int | Sequence[str | int]) -> tuple[int, ...]:
    """Positions of the agents that leave: one or several by name or number, ``"roles"`` (the first of each), ``"all"``.

    Raises ValueError for an agent that the game does not have.
    """
    if agents == "all":
        return tuple(range(game.n))
    if agents == "roles":
        return tuple(int(i) for i in np.unique(roles(game), return_index=True)[1])
    several = [agents] if isinstance(agents, (str, int, np.integer)) else agents
    return tuple(dict.fromkeys(game.agent_index(agent) for agent in several))
