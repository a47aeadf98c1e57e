"""Roles: agents that a game does not tell apart."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator
from typing import Any

import numpy as np

from coopgym.envs.game import Game


@functools.lru_cache(maxsize=64)
def roles(game: Game) -> np.ndarray:
    """Role ``[N]`` of each agent, numbered in order of appearance; ``game`` must be in NumPy.

    Two agents have one role if exchanging them leaves every parameter of the game and of its mechanisms as it is. Such
    exchanges form a group, so it is enough to try each agent against the first of every role.
    """
    parameters = list(_per_agent(game, game.n))
    first: list[int] = []
    result = np.zeros(game.n, dtype=np.int64)
    for agent in range(game.n):
        alike = (role for role, other in enumerate(first) if _unchanged(parameters, exchange(game.n, agent, other)))
        result[agent] = next(alike, len(first))
        if result[agent] == len(first):
            first.append(agent)
    result.flags.writeable = False  # it is kept, and handed to all who ask about this object
    return result


def exchange(n: int, a: int, b: int) -> np.ndarray:
    """The order ``[n]`` of agents in which a and b have changed places."""
    order = np.arange(n)
    order[[a, b]] = b, a
    return order


def _unchanged(parameters: list[np.ndarray], order: np.ndarray) -> bool:
    return all(np.allclose(reordered(x, order), x, rtol=1e-12, atol=0.0) for x in parameters)


def reordered(x: np.ndarray, order: np.ndarray) -> np.ndarray:
    """An array ``[..., N]`` or ``[..., N, N]`` with its agents in another order; others as they are."""
    n = len(order)
    if x.shape[-1:] != (n,):
        return x
    x = x[..., order]
    return x[..., order, :] if x.shape[-2:] == (n, n) else x


def _per_agent(value: Any, n: int) -> Iterator[np.ndarray]:
    """The arrays with an axis of agents in a dataclass, however deep."""
    if isinstance(value, np.ndarray):
        if value.shape[-1:] == (n,):
            yield value
    elif isinstance(value, tuple):
        for part in value:
            yield from _per_agent(part, n)
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            if field.name != "own_first":  # positions, not a parameter
                yield from _per_agent(getattr(value, field.name), n)
