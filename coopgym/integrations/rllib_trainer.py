"""RLlib as a trainer of ablations: one run for each reward mode and seed, recorded as our own learners' are."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import torch

from coopgym.algorithms import record
from coopgym.algorithms.curves import Curves
from coopgym.algorithms.evaluation import DRAWN_EPISODES, EVALUATIONS, best_constant, enough_episodes, evaluate
from coopgym.algorithms.record import Run
from coopgym.algorithms.reference import Reference
from coopgym.envs.catalogue import entry
from coopgym.envs.catalogue import game as make_game
from coopgym.envs.game import Game
from coopgym.envs.reward import RewardMode
from coopgym.integrations.missing import need
from coopgym.mechanisms import checks

ALGORITHMS = ("PPO", "SAC")
OBJECTIVE, DISCOUNT = "continuing", 0.9  # RLlib bootstraps where time ends an episode; the discount of our configs


@dataclass(frozen=True)
class Settings:
    """What an ablation may change of RLlib's side: one policy per "agent" or "role", widths of the networks."""

    policies: str = "agent"
    hidden: tuple[int, ...] = (64, 64)


def planned_run_ids(
    algorithm: str,
    game: str,
    *,
    reward_modes: Iterable[RewardMode],
    seeds: Iterable[int],
    total_steps: int,
    evaluations: int = EVALUATIONS,
    episodes: int = DRAWN_EPISODES,
    **options: Any,
) -> list[str]:
    """The run_ids that ``train`` with the same arguments will give, in the same order; checks all of them."""
    need("ray", "the trainer rllib")
    checks.choice("algorithm", algorithm, ALGORITHMS)
    settings, made = _split(game, options)
    chosen = list(seeds)
    recipe, plan = _recipe(settings, total_steps), (evaluations, episodes)
    return [_run_id(algorithm, made, m, s, recipe, plan) for m in reward_modes for s in chosen]


def train(
    algorithm: str,
    game: str,
    *,
    reward_modes: Iterable[RewardMode],
    seeds: Iterable[int],
    total_steps: int,
    progress: Callable[[float], None],
    evaluations: int = EVALUATIONS,
    episodes: int = DRAWN_EPISODES,
    **options: Any,
) -> Reference:
    """Train one run: there is one mode and one seed. progress hears the share that is done."""
    settings, made = _split(game, options)
    (mode,), (seed,) = reward_modes, seeds
    started = start()
    try:
        return _train(algorithm, made, mode, seed, total_steps, settings, progress, (evaluations, episodes))
    finally:
        if started:
            import ray

            ray.shutdown()


def planned_recipe(
    algorithm: str,
    game: str,
    *,
    total_steps: int,
    evaluations: int = EVALUATIONS,
    episodes: int = DRAWN_EPISODES,
    **options: Any,
) -> dict[str, Any]:
    """The columns of a record that say how ``train`` with the same arguments trains; nothing is trained."""
    settings, made = _split(game, options)
    recipe, plan = _recipe(settings, total_steps), (evaluations, episodes)
    told = record.recipe(recipe, OBJECTIVE, DISCOUNT, plan, torch.__version__)
    return {"observation": made.default_observability, **told}


def described(algorithm: str) -> dict[str, Any]:
    """What records say of an algorithm of RLlib: kind, algorithm, paradigm."""
    return {"kind": "learner", "algorithm": _name(algorithm), "paradigm": "independent"}


def start(processors: int = 1) -> bool:
    """Start Ray on this machine, without its dashboard and with the least memory; False if it was there before."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    import ray

    if ray.is_initialized():
        return False
    ray.init(
        address="local", num_cpus=processors, include_dashboard=False, object_store_memory=100 * 2**20,
        logging_level=logging.ERROR, log_to_driver=False,
    )  # fmt: skip
    return True


def _train(
    algorithm: str,
    game: Game,
    mode: RewardMode,
    seed: int,
    total_steps: int,
    settings: Settings,
    tell: Callable[[float], None],
    plan: tuple[int, int],
) -> Reference:
    from coopgym.integrations import rllib_config
    from coopgym.integrations.rllib_policy import from_rllib

    made = {"PPO": rllib_config.ppo_config, "SAC": rllib_config.sac_config}[algorithm]
    config = made(game, reward_mode=mode, **asdict(settings)).debugging(seed=seed)
    evaluations, _ = plan
    learner, curves = config.build_algo(), Curves(evaluations)
    steps, iterations, clock = 0, 0, time.perf_counter()
    try:
        while steps < total_steps:
            before, iterations = steps, iterations + 1
            steps = int(learner.train()["env_runners"]["num_env_steps_sampled_lifetime"])
            if steps * evaluations // total_steps > before * evaluations // total_steps:
                curves.evaluated(evaluate([from_rllib(learner, game)], game, 1), steps, iterations)
            tell(min(1.0, steps / total_steps))
        seconds = time.perf_counter() - clock
        policy = from_rllib(learner, game, recipe={"algorithm": algorithm, **asdict(settings)})
    finally:
        learner.stop()
    recipe = _recipe(settings, total_steps)
    run = _record(algorithm, game, mode, seed, policy, recipe, plan, steps, iterations, seconds)
    return Reference((run,), (policy,), tuple(curves.rows([run.run_id])))


def _record(
    algorithm: str,
    game: Game,
    mode: RewardMode,
    seed: int,
    policy: Any,
    recipe: dict[str, Any],
    plan: tuple[int, int],
    steps: int,
    updates: int,
    seconds: float,
) -> Run:
    """The row of a run, measured by our own evaluation."""
    sure = evaluate([policy], game, enough_episodes(game, policy))
    _, episodes = plan
    drawn = evaluate([policy], game, episodes, seed=1, deterministic=False)
    best = best_constant(game, reward_modes=[mode])
    welfare, yardstick = float(sure.welfare[0].mean()), best["cooperative"]["welfare"]
    identity = _run_id(algorithm, game, mode, seed, recipe, plan)
    return Run(
        run_id=identity, **described(algorithm), seed=seed,
        **record.problem(game, mode), observation=policy.observability, action_kind="continuous",
        **record.recipe(recipe, OBJECTIVE, DISCOUNT, plan, torch.__version__),
        parameters=sum(p.numel() for p in policy.module.parameters()), env_steps=steps, updates=updates,
        **record.outcome(sure, 0), welfare_stochastic=float(drawn.welfare[0].mean()),
        welfare_stochastic_sd=float(drawn.welfare[0].std()),
        best_constant_welfare=yardstick, best_constant_reward=best[str(mode)]["return"],
        efficiency_best_constant=welfare / yardstick, device="cpu",
        precision="float32", replicas_in_program=1, program_seconds=seconds, seconds=seconds,
        env_steps_per_second=steps / max(seconds, 1e-9), program_id=record.digest([identity]),
        created=datetime.now(UTC).isoformat(),
    )  # fmt: skip


def _run_id(
    algorithm: str, game: Game, mode: RewardMode, seed: int, recipe: dict[str, Any], plan: tuple[int, int]
) -> str:
    setting, kind = game.default_observability, mode.kind
    return record.run_id(
        "learner", _name(algorithm), game, kind, record.mutuality(mode), seed, recipe, setting, OBJECTIVE, plan,
        torch.__version__,
    )  # fmt: skip


def _name(algorithm: str) -> str:
    return f"RLlib_{algorithm}"


def _recipe(settings: Settings, total_steps: int) -> dict[str, Any]:
    return {
        **asdict(settings), "total_steps": total_steps, "trainer": "rllib", "ray": record.series(version("ray")),
    }  # fmt: skip


def _split(game: str, options: dict[str, Any]) -> tuple[Settings, Game]:
    """(RLlib's settings, game) from options that belong to either; TypeError for one that belongs to neither."""
    own = {name: options[name] for name in ("policies", "hidden") if name in options}
    settings = Settings(own.get("policies", "agent"), tuple(own.get("hidden", (64, 64))))
    found, series = entry(game)
    return settings, make_game(f"{found.name}-{series}", **{k: v for k, v in options.items() if k not in own})
