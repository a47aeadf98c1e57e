"""The best that one agent can do over an episode while the others play fixed sequences."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from coopgym.envs.catalogue import game as make_game
from coopgym.envs.game import Game
from coopgym.envs.released import ReleasedGame
from coopgym.envs.reward import RewardMode
from coopgym.mechanisms.base import Mechanism
from coopgym.mechanisms.coalition import CoalitionProduction
from coopgym.mechanisms.loyalty import TeamProduction
from coopgym.mechanisms.reciprocity import Reciprocity
from coopgym.mechanisms.value import Synergy
from coopgym.oracles.deviation import Deviation, divides
from coopgym.oracles.objective import Objective
from coopgym.oracles.search import Effort, climb
from coopgym.oracles.sequences import Sequences

LEVELS = 201  # of an own action
ZOOMS = 5  # each narrows the range around the best level ten times
LIGHT = Effort(starts=2, iterations=30, rounds=4)


class Response(NamedTuple):
    """sequence ``[T]`` in endowment units; its value and what it gains over the profile [reward]; exact: the problem
    falls apart into steps that were each solved, rather than searched as a whole."""

    sequence: np.ndarray
    value: float
    gain: float
    exact: bool


def best_response_sequence(
    game: Game | str, mode: str | RewardMode, profile: np.ndarray, agent: int | str, effort: Effort = LIGHT
) -> Response:
    """The agent's best sequence found against the others' rows of ``profile [T, N]``, never worse than its own row.

    Raises ValueError for a profile of the wrong shape or an agent that the game does not have.
    """
    game, mode = make_game(game).to("numpy"), RewardMode.of(mode)
    agent, profile = game.agent_index(agent), np.asarray(profile, dtype=np.float64)
    if profile.shape != (game.horizon, game.n):
        raise ValueError(f"profile has shape {profile.shape}; give actions [T, N] = {(game.horizon, game.n)}")
    objective = alone(Sequences(game, mode), profile, agent)
    own = profile[:, [agent]]
    before = float(objective(own[None])[0])
    exact = separable(game, mode)
    x, value = _by_steps(objective, agent) if exact else climb(objective, _starts(objective, own, effort), effort)
    if value <= before:
        x, value = own, before
    return Response(x[:, 0], value, value - before, exact)


def alone(sequences: Sequences, profile: np.ndarray, agent: int) -> Objective:
    """The episode's reward of an agent as a function of its own sequence."""
    one = np.eye(sequences.game.n)[agent]
    kind = Deviation if divides(sequences) else Objective
    return kind(sequences, one, profile, np.where(one > 0, 0, -1))


def separable(game: Game, mode: RewardMode) -> bool:
    """Whether an agent's own actions change nothing in its own later steps.

    Trust in others moves with the others' actions, so its weights are out of its reach; what could reach its own later
    rewards are exits, agreements, tiers, loyalty, and reciprocity as soon as it cares for those who answer it.
    """
    _, coupled, shared = mode.weights
    cares = not (coupled == 0.0 and shared == 0.0)
    released = isinstance(game, ReleasedGame)
    if game.exit is not None or (released and not {"modifier", "penalty"}.isdisjoint(game.reset().extra)):
        return False
    if released and shared != 0.0:  # the others' utilities, which weigh me by their trust in me, are shared
        return False
    return all(_memoryless(m, cares) for m in game.mechanisms)


def _memoryless(m: Mechanism, cares: bool) -> bool:
    if isinstance(m, Reciprocity):
        return not cares and not m.own_action
    if isinstance(m, CoalitionProduction):
        return False
    if isinstance(m, TeamProduction):
        return m.loyalty.gain == 0.0 and m.loyalty.loss == 0.0
    return isinstance(m, Synergy) or type(m).payoffs is Mechanism.payoffs


def _by_steps(objective: Objective, agent: int) -> tuple[np.ndarray, float]:
    """(x ``[T, 1]``, value): all steps at once, each on a grid that narrows around its best level."""
    limit = float(objective.limit[0])
    low, high = np.zeros((objective.horizon, 1)), np.full((objective.horizon, 1), limit)
    for k in range(ZOOMS + 1):
        share = np.linspace(0.0, 1.0, LEVELS if k == 0 else 21)[:, None, None]
        levels = low + share * (high - low)
        rows = [r[..., agent] for _, r, _ in objective.sequences.steps(objective.profile(levels))]
        best = np.stack(rows).argmax(-1)
        x = levels[best, np.arange(objective.horizon), 0][:, None]
        cell = (high - low) / (len(levels) - 1)
        low, high = np.maximum(x - cell, 0.0), np.minimum(x + cell, limit)
    return x, float(objective(x[None])[0])


def _starts(objective: Objective, own: np.ndarray, effort: Effort) -> list[np.ndarray]:
    """The own sequence first; then the best constants, and the best ways to stop late with what one did."""
    horizon, limit = objective.horizon, float(objective.limit[0])
    if effort.starts <= 1:
        return [own]
    steps, levels = np.arange(horizon)[:, None], np.linspace(0.0, limit, 41)
    constant = [np.full((horizon, 1), level) for level in levels]
    late = [
        np.where(steps < horizon - k, own, level) for k in (1, 2, 5, 10, 25) if k < horizon for level in levels[::4]
    ]
    candidates = np.stack(constant + late)
    order = np.argsort(-objective(candidates))
    return [own, *candidates[order[: effort.starts - 1]]]
