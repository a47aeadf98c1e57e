"""The ``infos`` of many games, laid out as Gymnasium's SyncVectorEnv lays them out: a value and a mask for each key."""

from __future__ import annotations

from typing import Any

import numpy as np

from coopgym.envs.episode import STATE_KEYS
from coopgym.envs.game import Game
from coopgym.mechanisms.arrays import Array, is_torch, namespace
from coopgym.mechanisms.base import State

Report = dict[str, Any]


def of_state(game: Game, state: State, mask: Array, kind: str) -> Report:
    """What a reset tells of the games in ``mask`` ``[n]``: the entries of a step, zero where they speak of a move."""
    infos: Report = {}
    for key, value in state_report(game, state, kind).items():
        _put(infos, key, value, mask)
    return infos


def of_step(game: Game, report: Report, known: Array, fresh: Array | None = None) -> Report:
    """What a step tells of the games ``known`` ``[n]``; those that are ``fresh`` ``[n]`` it has only reset."""
    infos: Report = {}
    about_state = state_keys(game)
    for key, value in report.items():
        _put(infos, key, value if fresh is None or key in about_state else _without(value, fresh), known)
    return infos


def with_final(game: Game, report: Report, fresh: Report, last_seen: Array, done: Array) -> Report:
    """A step whose finished games are reset at once: their last report goes to ``final_info``, ``final_obs``.

    ``fresh``: the report of their new states. In NumPy ``final_obs`` is an array of arrays, None for games that go on.
    """
    infos = of_step(game, report, ~done)
    for key in [k for k in fresh if not k.startswith("_")]:
        value = fresh[key]
        if key in infos:
            where = done.reshape(done.shape + (1,) * (value.ndim - 1)) if hasattr(value, "ndim") else True
            value = namespace(done).where(where, value, infos[key]) if hasattr(value, "ndim") else value
        infos[key], infos[f"_{key}"] = value, done | True if f"_{key}" in infos else fresh[f"_{key}"]
    final = last_seen
    if not is_torch(done):
        final = np.full(done.shape, None, dtype=object)
        for i in np.flatnonzero(done):
            final[i] = last_seen[i].copy()
    infos["final_obs"], infos["_final_obs"] = final, namespace(done).copy(done)
    infos["final_info"], infos["_final_info"] = of_step(game, report, done), namespace(done).copy(done)
    return infos


def state_keys(game: Game) -> set[str]:
    """Keys that say something of a state, so that a reset tells them too."""
    return {"trust", "reputation", *STATE_KEYS, *game.facts}


def state_report(game: Game, state: State, kind: str) -> Report:
    """The report on states that nobody has acted in yet."""
    moved = 0.0 * state.actions
    report = {
        "payoffs": moved, "rewards": moved, "trust": state.trust, "reputation": state.damage, "actions": moved,
    }  # fmt: skip
    if kind == "all":
        known = state_keys(game)
        for key, value in game.info(state, state, state.actions).items():
            report[key] = value if key in known else _without(value, state.time >= 0.0)
    return report


def _without(value: Any, fresh: Array) -> Any:
    """``value`` with zero for the games that are ``fresh`` ``[n]``; a number that all games share, spread over them."""
    if isinstance(value, str):
        return value
    x = _for_each(value, fresh)
    where = fresh.reshape(fresh.shape + (1,) * (x.ndim - 1))
    return namespace(fresh).where(where, x.new_zeros(()) if is_torch(x) else x.dtype.type(0), x)


def _for_each(value: Any, mask: Array) -> Any:
    """An array with an entry for each game: ``value``, or a number that all games share, on the device of ``mask``."""
    if not is_torch(mask):
        return np.broadcast_to(value, mask.shape) if not np.ndim(value) else value
    import torch

    x = torch.as_tensor(value, device=mask.device)
    return x if x.ndim else x.expand(mask.shape)


def _put(infos: Report, key: str, value: Any, mask: Array) -> None:
    """Add a copy of a value and its mask; in NumPy the games outside the mask hold zero, or None among objects."""
    if is_torch(mask):
        infos[key] = value if isinstance(value, str) else _for_each(value, mask).clone()
        infos[f"_{key}"] = mask.clone()
        return
    if not mask.any():
        return
    if isinstance(value, str):
        array = np.full(mask.shape, value, dtype=object)
    else:
        x = _for_each(value, mask)
        number = x.ndim == 1 and x.dtype.kind == "f"  # one a game: a Python number where the game is alone
        array = np.array(x, dtype=(np.int64 if key == "step" else np.float64) if number else None)
    if not mask.all():
        blank: Any = None if array.dtype == object else 0
        array[~mask] = blank
    infos[key], infos[f"_{key}"] = array, mask.copy()
