"""One episode as each face shows it, recorded under the same names, so that faces can be compared number for number."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from coopgym import seeding
from coopgym.envs import observation
from coopgym.envs.aec import make_aec
from coopgym.envs.game import Game
from coopgym.envs.joint import JointEnv
from coopgym.envs.parallel import make_parallel
from coopgym.envs.reward import RewardMode
from coopgym.envs.vector import make_vec
from coopgym.mechanisms.arrays import is_torch, to_numpy

Trace = dict[str, np.ndarray]
Player = Callable[[bool], Trace]  # plays the episode on one environment; with True, ruins all that is handed out


def actions_of(game: Game, steps: int, seed: int) -> np.ndarray:
    """Actions ``[steps, N]`` in single precision: levels that hold for a while, corners, and some out of range."""
    rng = seeding.generator(seed, "testing")
    rates = np.repeat(rng.random((steps // 5 + 1, game.n)), 5, axis=0)[:steps]
    rates = rates + rng.choice([0.0, 0.0, -0.3, 0.3], (steps, game.n))
    actions: np.ndarray = (rates * game.endowment).astype(np.float32)
    return actions


def shortened(game: Game, steps: int | None) -> Game:
    """The game with a horizon of at most ``steps``."""
    return game if steps is None else dataclasses.replace(game, horizon=min(steps, game.horizon))


def kernel(game: Game, mode: str, actions: np.ndarray, seed: int) -> Trace:
    """The episode by the game alone: observations ``[T + 1, d]``, payoffs, rewards ``[T, N]``, trust, ends."""
    rng = seeding.generator(seed, "game")
    state = game.reset(draws=rng.random(game.reset_draws) if game.reset_draws else None)
    rows: list[dict[str, Any]] = []
    first = observation.joint(game, state)
    for action in actions:
        before = state
        draws = rng.standard_normal(game.step_draws) if game.step_draws else None
        state, payoffs, ended = game.step(before, action.astype(np.float64), draws)
        row = {
            "observations": observation.joint(game, state),
            "payoffs": payoffs,
            "rewards": game.rewards(RewardMode.of(mode).weights, before, state, payoffs),
            "trust": state.trust,
            "reputation": state.damage,
            "terminated": bool(ended),
            "truncated": bool(game.truncated(state)),
        }
        rows.append(row)
        if row["terminated"] or row["truncated"]:
            break
    return stacked(first, rows)


def gymnasium_player(game: Game, mode: str, actions: np.ndarray, seed: int) -> Player:
    """The episode by the joint Gymnasium environment."""
    env = JointEnv(game, reward_mode=mode)

    def play(spoil: bool) -> Trace:
        first, info = env.reset(seed=seed)
        first = kept([first, info], spoil)[0]
        rows = []
        for action in actions:
            seen, _, terminated, truncated, info = kept(env.step(action), spoil)
            rows.append(row_of(seen, info, terminated, truncated))
            if terminated or truncated:
                break
        return stacked(first, rows)

    return play


def vector_player(game: Game, mode: str, actions: np.ndarray, seed: int, backend: str = "numpy") -> Player:
    """The episode by a vector environment of one game; torch in double precision."""
    dtype = None
    if backend == "torch":
        import torch

        dtype = torch.float64
    env = make_vec(game, 1, backend=backend, dtype=dtype, reward_mode=mode)

    def play(spoil: bool) -> Trace:
        first = kept(env.reset(seed=seed), spoil)[0][0]
        rows = []
        for action in actions:
            seen, _, terminated, truncated, infos = kept(env.step(action[None]), spoil)
            info = {k: v[0] for k, v in infos.items() if k in ("payoffs", "rewards", "trust", "reputation")}
            rows.append(row_of(seen[0], info, terminated[0], truncated[0]))
            if terminated[0] or truncated[0]:
                break
        return stacked(first, rows)

    return play


def parallel_player(game: Game, mode: str, actions: np.ndarray, seed: int) -> Player:
    """The episode by the PettingZoo Parallel environment; its state is the joint observation."""
    env = make_parallel(game, reward_mode=mode)

    def play(spoil: bool) -> Trace:
        kept(env.reset(seed=seed), spoil)
        first, rows = kept([env.state()], spoil)[0], []
        for action in actions:
            given = {agent: action[i : i + 1] for i, agent in enumerate(env.possible_agents)}
            _, rewards, terminated, truncated, infos = kept(env.step(given), spoil)
            state = kept([env.state()], spoil)[0]
            rows.append(by_agent(env.possible_agents, state, rewards, terminated, truncated, infos))
            if not env.agents:
                break
        return stacked(first, rows)

    return play


def aec_player(game: Game, mode: str, actions: np.ndarray, seed: int) -> Player:
    """The episode by the PettingZoo AEC environment, a row for each cycle."""
    env = make_aec(game, reward_mode=mode)

    def play(spoil: bool) -> Trace:
        env.reset(seed=seed)
        first, rows = kept([env.state()], spoil)[0], []
        for action in actions:
            for value in action:
                kept([env.last()[0]], spoil)
                env.step(np.array([value]))
            state = kept([env.state()], spoil)[0]
            rows.append(by_agent(env.possible_agents, state, env.rewards, env.terminations, env.truncations, env.infos))
            if rows[-1]["terminated"] or rows[-1]["truncated"]:
                break
        while env.agents:
            if not (env.terminations[env.agent_selection] or env.truncations[env.agent_selection]):
                break
            env.step(None)
        return stacked(first, rows)

    return play


def row_of(seen: Any, info: dict[str, Any], terminated: Any, truncated: Any) -> dict[str, Any]:
    """One step of a face that reports on all agents together."""
    told = {key: info[key] for key in ("payoffs", "rewards", "trust", "reputation")}
    return {"observations": seen, **told, "terminated": bool(terminated), "truncated": bool(truncated)}


def by_agent(
    agents: list[str], state: np.ndarray, rewards: Any, terminated: Any, truncated: Any, infos: Any
) -> dict[str, Any]:
    """One step of a face that reports on each agent; all must end together."""
    ends = {(terminated[a], truncated[a]) for a in agents}
    assert len(ends) == 1, f"agents leave apart: terminations {terminated}, truncations {truncated}"
    return {
        "observations": state,
        "payoffs": np.array([infos[a]["payoff"] for a in agents]),
        "rewards": np.array([rewards[a] for a in agents]),
        "terminated": terminated[agents[0]],
        "truncated": truncated[agents[0]],
    }


def kept(handed: Iterable[Any], spoil: bool) -> list[Any]:
    """Copies of what a call handed out; with ``spoil`` the originals are overwritten, as a careless user might."""
    return [_copied(item, spoil) for item in handed]


def _copied(item: Any, spoil: bool) -> Any:
    if isinstance(item, dict):
        return {key: _copied(value, spoil) for key, value in item.items()}
    if not (isinstance(item, np.ndarray) or is_torch(item)):
        return item
    copy = np.array(to_numpy(item))
    if spoil and copy.dtype.kind == "f":
        item[...] = -1e6
    return copy


def stacked(first: np.ndarray, rows: list[dict[str, Any]]) -> Trace:
    """The rows of an episode as arrays with a leading time axis."""
    trace = {key: np.array([row[key] for row in rows]) for key in rows[0]}
    trace["observations"] = np.concatenate([first[None], trace["observations"]])
    return trace


def compare(one: Trace, other: Trace, tolerance: float) -> None:
    """AssertionError naming the first number that differs; what only one of the two tells is left out."""
    for key in (key for key in one if key in other):
        a, b = one[key], other[key]
        assert a.shape == b.shape, f"{key} have shapes {a.shape} and {b.shape}: the episodes have different lengths"
        # observations are handed out in single precision
        close = np.isclose(a, b, rtol=3e-7 if key == "observations" else tolerance, atol=max(tolerance, 1e-12))
        if not close.all():
            at = tuple(int(i) for i in np.argwhere(~close)[0])
            raise AssertionError(f"{key}{list(at)} is {a[at]!r} and {b[at]!r}")
