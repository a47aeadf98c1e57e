"""One measurement of one learner, in a process of its own: ``python benchmarks/learner_cells.py '<cell as JSON>'``.

A cell says what to measure; the last line of standard output is the answer as JSON. Called by ``learners.py``.
"""

from __future__ import annotations

import json
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import dataclasses
import logging
import resource
import signal
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import gymnasium
import torch

import coopgym
from coopgym.algorithms import registry
from coopgym.algorithms.learner import Learner, Problem
from coopgym.algorithms.memory import keep_freed_memory
from coopgym.envs.reward import KINDS, RewardMode

PROGRESS = 0.1  # of the budget, at which learners are timed
TOO_LONG = 75  # the exit code of a measurement that reached its limit
LONG = 4.0  # seconds: an iteration that takes longer is timed at once, without another one to warm up


def cell(
    device: str, algorithm: str, game: str, replicas: int, seconds: float, limit: float, options: dict[str, Any]
) -> Any:
    """Game-steps a second over all replicas, seconds an iteration, and the memory that learner and games take.

    seconds: the least time; limit: the most, from when the learner has been made.
    """
    settle(device)
    before = memory(device)
    learner = build(device, algorithm, game, replicas, options)
    signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, limit)
    iterations, took, computed = timed(learner, seconds, finisher(device))
    steps = learner.steps_per_iteration * replicas * iterations
    return {
        "lanes": learner.games.batch[1], "steps_per_iteration": learner.steps_per_iteration * replicas,
        "iterations": iterations, "seconds_per_iteration": took / iterations,
        "figure": steps / took, "per_cpu_second": steps / computed,
        "memory_mib": (memory(device) - before) / 2**20,
    }  # fmt: skip


def build(device: str, algorithm: str, game: str, replicas: int, options: dict[str, Any]) -> Learner:
    """The learner with default hyperparameters but ``options``; seeds times the three modes where that comes out."""
    found = registry.algorithm(algorithm, "learner")
    keep_freed_memory()  # as coopgym.train does
    assert found.settings is not None
    names = {field.name for field in dataclasses.fields(found.settings)}
    if "warmup" in names:  # play before learning begins is no part of a steady pace
        options = {"warmup": 0, **options}
    modes = [RewardMode(KINDS[r % len(KINDS)]) for r in range(replicas)]
    seeds = [r // len(KINDS) for r in range(replicas)]
    made = coopgym.game(game)
    problem = Problem(made, tuple(modes), tuple(seeds), made.default_observability, torch.device(device))
    learner: Learner = found.build(problem, found.settings(**options))
    replay = getattr(learner, "replay", None)
    if replay is not None:
        replay.rows.zero_()  # memory that is asked for but not yet touched does not count as used
    return learner


def timed(learner: Learner, seconds: float, finish: Callable[[], Any]) -> tuple[int, float, float]:
    """(iterations, seconds they took together, seconds of the processor), after one that learns."""
    while True:
        start, used, updates = time.perf_counter(), time.process_time(), learner.updates
        learner.iterate(PROGRESS)
        finish()
        took = time.perf_counter() - start
        if learner.updates > updates:
            break
    if took > LONG:
        return 1, took, time.process_time() - used
    iterations, start, used = 0, time.perf_counter(), time.process_time()
    while time.perf_counter() - start < seconds:
        learner.iterate(PROGRESS)
        iterations += 1
    finish()
    return iterations, time.perf_counter() - start, time.process_time() - used


def sb3(device: str, algorithm: str, game: str, lanes: int, seconds: float, options: dict[str, Any]) -> Any:
    """Environment steps a second of a Stable-Baselines3 learner that controls all agents of the joint environment."""
    import stable_baselines3
    from stable_baselines3.common.vec_env import DummyVecEnv

    settle(device)
    envs = DummyVecEnv([lambda: gymnasium.make(f"coopgym/{game}")] * lanes)
    policy = {"net_arch": [64, 64], "activation_fn": torch.nn.SiLU}
    model = getattr(stable_baselines3, algorithm)("MlpPolicy", envs, device=device, policy_kwargs=policy, **options)
    at_once = lanes * options.get("n_steps", 40)
    model.learn(at_once)
    steps, start, used = 0, time.perf_counter(), time.process_time()
    while time.perf_counter() - start < seconds:
        model.learn(at_once, reset_num_timesteps=False)
        steps += at_once
    took, computed = time.perf_counter() - start, time.process_time() - used
    return {"lanes": lanes, "figure": steps / took, "per_cpu_second": steps / computed}


def ablation(device: str, algorithm: str, game: str, steps: int) -> Any:
    """Wall time of a whole ablation: 7 seeds times 3 reward modes, with evaluations and records."""
    start = time.perf_counter()
    result = coopgym.train(algorithm, game, seeds=range(7), total_steps=steps, device=device)
    wall = time.perf_counter() - start
    welfare = {mode: sum(r.welfare for r in result.runs if r.reward_mode == mode) / 7 for mode in KINDS}
    return {
        "figure": result.env_steps_per_second, "wall_seconds": wall, "training_seconds": result.seconds,
        "welfare": welfare, "diverged": sum(r.status != "ok" for r in result.runs),
    }  # fmt: skip


def give_up(*_: Any) -> None:
    """Whoever asked had no more time; ``learners.py`` knows this code."""
    os._exit(TOO_LONG)


def settle(device: str) -> None:
    """One thread, no news, and what torch loads at its first product already loaded."""
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    x = torch.randn(2, 64, 64, device=device, requires_grad=True)
    torch.baddbmm(x, x, x).sum().backward()


def finisher(device: str) -> Callable[[], Any]:
    """Waits until the device has done what it was asked."""
    return torch.cuda.synchronize if device == "cuda" else bool


def memory(device: str) -> int:
    """The most bytes that were in use so far: resident on a CPU, allocated by torch on a GPU."""
    if device == "cuda":
        return int(torch.cuda.max_memory_allocated())
    try:
        with open("/proc/self/status") as lines:
            return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024
    except (OSError, StopIteration):
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


if __name__ == "__main__":
    asked = json.loads(sys.argv[1])
    work = {"cell": cell, "sb3": sb3, "ablation": ablation}[asked.pop("measure")]
    print(json.dumps(work(**asked)))
