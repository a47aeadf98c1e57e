"""What is seen: the joint observation and the per-agent ones under three observability settings."""

from __future__ import annotations

import dataclasses

import numpy as np

from coopgym.envs.game import Game
from coopgym.mechanisms import checks
from coopgym.mechanisms.arrays import Array, namespace
from coopgym.mechanisms.base import State

SETTINGS = ("full", "asymmetric", "minimal")


def public_entries(game: Game, state: State) -> list[Array]:
    """The state entries that everybody sees, each ``[..., k]``, in the order of the game's mechanisms."""
    return [state.extra[name] for mechanism in game.mechanisms for name in mechanism.observed]


def joint(game: Game, state: State) -> Array:
    """``[..., N + 3 N^2 + 1 + k]``: last actions, T, R and D row by row, completed steps, public entries."""
    xp = namespace(game.endowment)
    batch = state.actions.shape[:-1]
    flat = (*batch, game.n * game.n)
    constant = game.interdependence.reshape(-1)
    if batch:
        constant = xp.broadcast(constant, flat)
    parts = [state.actions, state.trust.reshape(flat), state.damage.reshape(flat), constant, state.time[..., None]]
    return xp.concat(parts + public_entries(game, state))


def per_agent(game: Game, state: State, setting: str) -> Array:
    """``[..., N, d]``, one row an agent i.

    own last action; others' last actions in index order; T whole (full) or row T_i. (asymmetric, minimal); damage that
    others hold against i; for each j != i the mean damage held against j; row D_i.; time / horizon; public entries.
    ``minimal`` stops after the second and third of these without the others: own action and T_i.. d = N^2 + 4N + k,
    5N + k, N + 1. The released games (-v0) see rows of R instead of columns, and no public entries.
    """
    xp = namespace(game.endowment)
    n, batch = game.n, state.actions.shape[:-1]
    if setting == "minimal":
        return xp.concat([state.actions[..., None], state.trust])
    order = game.own_first
    actions = state.actions[..., order]
    trust = state.trust if setting == "asymmetric" else _for_each(xp, n, state.trust.reshape((*batch, n * n)))
    against, public = _reputation(game, state)
    parts = [
        actions,
        trust,
        against,
        public[..., order[:, 1:]],
        xp.broadcast(game.interdependence, (*batch, n, n)) if batch else game.interdependence,
    ]
    entries = public_entries(game, state) if game.version != "v0" else []
    common = [(state.time / game.horizon)[..., None], *entries]
    return xp.concat([*parts, _for_each(xp, n, xp.concat(common) if entries else common[0])])


def narrowed(game: Game, rows: Array, seen: str, wanted: str) -> Array:
    """Per-agent observations of ``wanted`` out of those of ``seen``, a setting that shows at least as much."""
    if seen == wanted:
        return rows
    n, agents = game.n, np.arange(game.n)[:, None]
    trust = n + np.arange(n) + (n * agents if seen == "full" else 0 * agents)
    if wanted == "minimal":
        index = np.hstack([0 * agents, trust])
    else:
        rest = np.arange(n + n * n, rows.shape[-1])
        index = np.hstack([np.tile(np.arange(n), (n, 1)), trust, np.tile(rest, (n, 1))])
    return rows[..., agents, index]


def _for_each(xp, n: int, row: Array) -> Array:  # type: ignore[no-untyped-def]
    """``[..., k]`` repeated for each agent: ``[..., N, k]``."""
    return xp.broadcast(row[..., None, :], (*row.shape[:-1], n, row.shape[-1]))


def _reputation(game: Game, state: State) -> tuple[Array, Array]:
    """(damage ``[..., N, N]`` seen by each agent as its own, public mean ``[..., N]``)."""
    xp = namespace(game.endowment)
    if game.version == "v0":  # released rule: what i itself has recorded, and means of rows with their diagonal
        return state.damage, xp.sum(state.damage) / game.n
    return xp.swap(state.damage), xp.sum(state.damage, -2) / (game.n - 1)


def observe(game: Game, state: State, setting: str = "joint") -> Array:
    """The joint observation, or the per-agent ones for a setting; ValueError for an unknown setting."""
    return joint(game, state) if setting == "joint" else per_agent(game, state, setting)


def check_setting(setting: str) -> str:
    """``setting`` if it is one of the three; ValueError otherwise."""
    return checks.choice("observability", setting, SETTINGS)


def bounds(game: Game, setting: str = "joint") -> tuple[np.ndarray, np.ndarray]:
    """(low, high) float64 NumPy arrays of an observation's shape. ``game`` must be in NumPy."""
    lowest, highest = (_extreme(game, high=high) for high in (False, True))
    low = dataclasses.replace(game, interdependence=np.zeros((game.n, game.n)))
    high = dataclasses.replace(game, interdependence=np.ones((game.n, game.n)))
    object.__setattr__(high, "interdependence", np.ones((game.n, game.n)))  # its diagonal too: a bound, not a game
    return observe(low, lowest, setting), observe(high, highest, setting)


def constant_features(game: Game, setting: str) -> np.ndarray:
    """Bool, of an observation's shape: entries that never change during any episode of this game."""
    eye = np.eye(game.n)
    low, high = (_extreme(game, high=high) for high in (False, True))
    low = low._replace(trust=np.maximum(low.trust, eye))
    high = high._replace(damage=np.minimum(high.damage, 1.0 - eye))
    return np.asarray(observe(game, low, setting) == observe(game, high, setting))


def _extreme(game: Game, *, high: bool) -> State:
    """A state with every entry at its lowest or at its highest."""
    n = game.n
    full = np.full((n, n), float(high))
    state = game.reset()
    extra = dict(state.extra)
    for mechanism in game.mechanisms:
        for name, limits in mechanism.observed.items():
            lowest, highest = map(np.asarray, limits)
            counted = np.isinf(lowest) & np.isfinite(highest)  # a waiting time, which falls by one a step
            limit = highest if high else np.where(counted, -float(game.horizon), lowest)
            extra[name] = np.broadcast_to(limit, extra[name].shape).astype(np.float64)
    time = np.array(float(game.horizon if high else 0))
    return State(time, game.endowment * float(high), full, full, extra)
