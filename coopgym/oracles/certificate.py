"""How much an agent could gain by leaving a profile of one step: the certificate of stage equilibria and optima."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from coopgym.envs.symmetry import exchange, reordered, roles
from coopgym.oracles.moves import ROUNDS, ZOOM, Objective, landmarks, put
from coopgym.oracles.result import Certificate
from coopgym.oracles.stage import StageGame

POINTS = 20_001  # own actions that are tried per agent
ORDER = "order"  # the place in a coalition's list of members, which is nobody's property


def alike(stage: StageGame, profile: np.ndarray) -> list[np.ndarray]:
    """Groups of agents that neither the game, nor the state, nor the profile ``[N]`` tells apart."""
    role = roles(stage.game)
    groups: list[list[int]] = []
    for agent in range(stage.n):
        for group in groups:
            first = group[0]
            if role[first] == role[agent] and profile[first] == profile[agent] and _same_place(stage, first, agent):
                group.append(agent)
                break
        else:
            groups.append([agent])
    return [np.array(group) for group in groups]


def _same_place(stage: StageGame, a: int, b: int) -> bool:
    """Whether the state is the same with agents a and b exchanged."""
    order, state = exchange(stage.n, a, b), stage.state
    extra = [value for name, value in state.extra.items() if name != ORDER]
    arrays = (np.asarray(x) for x in (state.actions, state.trust, state.damage, *extra))
    return all(np.array_equal(reordered(x, order), x) for x in arrays)


def certify(stage: StageGame, profile: np.ndarray, points: int = POINTS) -> Certificate:
    """The largest unilateral gain at a profile ``[N]``: points of each agent, limits, landmarks, then a closer look."""
    groups = alike(stage, profile)

    def reward(agent: int) -> Objective:
        return lambda joint: stage.rewards(joint)[..., agent]

    tried = [(reward(int(group[0])), group[:1]) for group in groups]
    method = f"{points:,} own actions of each agent, limits and thresholds, refined around the best"
    return _largest(stage, profile, tried, points, method, exhaustive=True)


def certify_optimum(
    stage: StageGame, profile: np.ndarray, objective: Objective, points: int = POINTS, *, concave: bool = False
) -> Certificate:
    """The largest rise of an objective at a profile ``[N]`` by moves of one agent, or of all that are alike together.

    Where the objective is concave and smooth no other move could raise it either.
    """
    groups = alike(stage, profile)
    tried = [(objective, group[:1]) for group in groups] + [(objective, group) for group in groups if len(group) > 1]
    method = f"{points:,} actions of each agent alone and of each role together, limits and thresholds, refined"
    return _largest(stage, profile, tried, points, method, exhaustive=concave)


def _largest(
    stage: StageGame,
    profile: np.ndarray,
    tried: list[tuple[Objective, np.ndarray]],
    points: int,
    method: str,
    *,
    exhaustive: bool,
) -> Certificate:
    marks, worst = landmarks(stage), Certificate(0.0, 0.0, method, exhaustive)
    for objective, members in tried:
        first = int(members[0])
        limit = float(stage.endowment[first])
        best, top, before = finest(objective, profile, members, limit, marks[first], points)
        gain = max(0.0, top - before)
        relative = gain / float(stage.size(before))
        if relative > worst.relative:
            deviation = {"agent": first, "agents": members.tolist(), "action": best}
            worst = Certificate(gain, relative, method, exhaustive, deviation)
    return worst


def finest(
    objective: Callable[[np.ndarray], np.ndarray],
    profile: np.ndarray,
    members: np.ndarray,
    limit: float,
    marks: np.ndarray,
    points: int,
) -> tuple[float, float, float]:
    """(own action, value, value of staying): the best of ``points`` common actions of ``members`` and near it."""
    own = np.concatenate([profile[members[:1]], np.linspace(0.0, limit, points), marks])
    values = objective(put(profile[None], members, own[None]))[0]
    before, width = values[0], limit / (points - 1)
    for _ in range(ROUNDS):
        best = own[np.argmax(values)]
        top = values.max()
        own = np.clip(np.concatenate([[best], best + width * ZOOM]), 0.0, limit)
        values = np.concatenate([[top], objective(put(profile[None], members, own[None, 1:]))[0]])
        width /= 8.0
    where = int(np.argmax(values))
    return float(own[where]), float(values[where]), float(before)
