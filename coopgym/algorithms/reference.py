"""Policies that need no training, measured and recorded as learners are: heuristics, constants and oracles."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from coopgym.algorithms import record, registry
from coopgym.algorithms.evaluation import best_constant, enough_episodes, evaluate
from coopgym.algorithms.policy import Policy
from coopgym.algorithms.record import Run
from coopgym.envs.catalogue import game as make_game
from coopgym.envs.game import Game
from coopgym.envs.reward import KINDS, RewardMode


@dataclass(frozen=True, eq=False)
class Reference:
    """What was measured: one record and one policy for each reward mode, in the same order; there is no curve."""

    runs: tuple[Run, ...]
    policies: tuple[Policy, ...]
    curves: tuple[dict[str, Any], ...] = ()


def measure(
    algorithm: str, game: Game | str, *, reward_modes: Iterable[str | RewardMode] = KINDS, **game_options: Any
) -> Reference:
    """Play a policy by name under each reward mode; an oracle answers the mode, all others play alike.

    Raises ValueError for a learner (``coopgym.train`` trains it), an unknown name, or a game it cannot play.
    """
    found, made = _entry(algorithm), make_game(game, **game_options)
    found.check(made)
    modes = [RewardMode.of(mode) for mode in reward_modes]
    best = best_constant(made, reward_modes=modes)
    pairs = [_measured(found, made, mode, best) for mode in modes]
    program = record.digest([run.run_id for run, _ in pairs])
    return Reference(tuple(replace(run, program_id=program) for run, _ in pairs), tuple(p for _, p in pairs))


def planned_run_ids(
    algorithm: str, game: Game | str, *, reward_modes: Iterable[str | RewardMode], **game_options: Any
) -> list[str]:
    """The run_ids that ``measure`` with the same arguments will give; nothing is solved or played."""
    found, made = _entry(algorithm), make_game(game, **game_options)
    found.check(made)
    return [_run_id(found, made, RewardMode.of(mode)) for mode in reward_modes]


def _entry(algorithm: str) -> registry.Algorithm:
    found = registry.algorithm(algorithm)
    if found.kind == "learner":
        raise ValueError(f"{algorithm!r} is a learner; coopgym.train trains it")
    return found


def _run_id(found: registry.Algorithm, game: Game, mode: RewardMode) -> str:
    return record.run_id(found.kind, found.name, game, mode.kind, record.mutuality(mode), None, {}, "", None)


def _measured(
    found: registry.Algorithm, game: Game, mode: RewardMode, best: dict[str, dict[str, Any]]
) -> tuple[Run, Policy]:
    policy = found.policy(game, mode)
    episodes = enough_episodes(game, policy)
    played = evaluate([policy], game, episodes)
    welfare, yardstick = float(played.welfare[0].mean()), best["cooperative"]["welfare"]
    run = Run(
        run_id=_run_id(found, game, mode), kind=found.kind, algorithm=found.name, paradigm=found.paradigm,
        seed=None, **record.problem(game, mode), observation=policy.observability, action_kind=found.actions,
        objective=None, discount=None,
        hyperparameters="{}", hyperparameters_hash=record.digest({}, 6), episodes=episodes,
        **record.outcome(played, 0), best_constant_welfare=yardstick,
        best_constant_reward=best[str(mode)]["return"], efficiency_best_constant=welfare / yardstick,
        device="cpu", precision="float64", created=datetime.now(UTC).isoformat(),
    )  # fmt: skip
    return run, policy
