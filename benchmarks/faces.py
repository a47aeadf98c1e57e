"""Steps a second of every face, beside plain Gymnasium environments in the same run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
from timing import per_second

import coopgym

BLOCK = 200  # steps between two looks at the clock


def gymnasium_steps(env: Any) -> Callable[[], int]:
    """Play an environment with actions drawn beforehand, resetting at the end of each episode."""
    env.reset(seed=0)
    env.action_space.seed(0)
    actions = [env.action_space.sample() for _ in range(BLOCK)]

    def act() -> int:
        for action in actions:
            _, _, terminated, truncated, _ = env.step(action)
            if terminated or truncated:
                env.reset()
        return BLOCK

    return act


def parallel_steps(env: Any) -> Callable[[], int]:
    """Play a PettingZoo parallel environment."""
    env.reset(seed=0)
    rng = np.random.default_rng(0)
    spaces = {agent: env.action_space(agent) for agent in env.possible_agents}
    moves = [{a: (rng.random(1) * s.high).astype(np.float32) for a, s in spaces.items()} for _ in range(BLOCK)]

    def act() -> int:
        for move in moves:
            env.step(move)
            if not env.agents:
                env.reset()
        return BLOCK

    return act


def aec_rounds(env: Any) -> Callable[[], int]:
    """Play a PettingZoo AEC environment; a unit is one round, in which every agent acts once."""
    env.reset(seed=0)
    share = {agent: (0.5 * env.action_space(agent).high).astype(np.float32) for agent in env.possible_agents}
    n = len(share)

    def act() -> int:
        for _ in range(20 * n):
            if not env.agents:
                env.reset()
            agent = env.agent_selection
            env.last()
            over = env.terminations[agent] or env.truncations[agent]
            env.step(None if over else share[agent])
        return 20

    return act


def vector_steps(env: Any, actions: Any) -> Callable[[], int]:
    """Play a vector environment; a unit is one step of one game."""
    env.reset(seed=0)

    def act() -> int:
        for _ in range(5):
            env.step(actions)
        return 5 * env.num_envs

    return act


def rows() -> list[dict[str, Any]]:
    """One row a measurement: name, agents, unit and figure."""
    plain = {id: gymnasium.make(id) for id in ("CartPole-v1", "Pendulum-v1", "MountainCarContinuous-v0")}
    joint = ("TrustDilemma-v1", "AppleAppStore-v1", "PlatformEcosystem-v1", "ApacheProject-v1", "TrustDilemma-v0")
    work: list[tuple[str, int, Callable[[], int]]] = [
        (f"{id} (Gymnasium itself)", 1, gymnasium_steps(env)) for id, env in plain.items()
    ]
    for id in joint:
        work.append((f"{id} Gymnasium face", coopgym.game(id).n, gymnasium_steps(gymnasium.make(f"coopgym/{id}"))))
    for id in ("TrustDilemma-v1", "PlatformEcosystem-v1", "ApacheProject-v1"):
        work.append((f"{id} Parallel face", coopgym.game(id).n, parallel_steps(coopgym.make_parallel(id))))
    work.append(("PlatformEcosystem-v1 AEC face (rounds)", 5, aec_rounds(coopgym.make_aec("PlatformEcosystem-v1"))))
    vector = gymnasium.make_vec("coopgym/TrustDilemma-v1", num_envs=1024)
    actions = np.full((1024, 2), 50.0, dtype=np.float32)
    work.append(("TrustDilemma-v1 NumPy vector face, 1,024 games", 2, vector_steps(vector, actions)))
    return [{"what": name, "agents": n, "unit": "steps/s", "figure": per_second(act)} for name, n, act in work]
