"""Policies that need no training, measured and recorded as learners are: heuristics, constants and oracles."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
    """What was measured: records and policies in the same order, one for each reward mode; there is no curve."""

    runs: tuple[Run, ...]
    policies: tuple[Policy, ...]
    curves: tuple[dict[str, Any], ...] = ()


def measure(
    algorithm: str | Sequence[str],
    game: Game | str,
    *,
    reward_modes: Iterable[str | RewardMode] | None = KINDS,
    **game_options: Any,
) -> Reference:
    """Play policies by name under each reward mode; an oracle answers the mode, all others play alike.

    reward_modes: None for one record of each that stands for all modes. Raises ValueError for a learner
    (``coopgym.train`` trains it), an unknown name, a game it cannot play, or an oracle without a mode.
    """
    made, modes = make_game(game, **game_options), _modes(reward_modes)
    entries = [_entry(name, made, modes) for name in ([algorithm] if isinstance(algorithm, str) else algorithm)]
    best = best_constant(made, reward_modes=[mode for mode in modes if mode])
    pairs = [_measured(found, made, mode, best) for found in entries for mode in modes]
    program = record.digest([run.run_id for run, _ in pairs])
    return Reference(tuple(replace(run, program_id=program) for run, _ in pairs), tuple(p for _, p in pairs))


def planned_run_ids(
    algorithm: str, game: Game | str, *, reward_modes: Iterable[str | RewardMode] | None, **game_options: Any
) -> list[str]:
    """The run_ids that ``measure`` of one policy will give with the same arguments; nothing is solved or played."""
    made, modes = make_game(game, **game_options), _modes(reward_modes)
    found = _entry(algorithm, made, modes)
    return [_run_id(found, made, mode) for mode in modes]


def _modes(reward_modes: Iterable[str | RewardMode] | None) -> list[RewardMode | None]:
    return [None] if reward_modes is None else [RewardMode.of(mode) for mode in reward_modes]


def _entry(algorithm: str, game: Game, modes: list[RewardMode | None]) -> registry.Algorithm:
    found = registry.algorithm(algorithm)
    if found.kind == "learner":
        raise ValueError(f"{algorithm!r} is a learner; coopgym.train trains it")
    if found.by_mode and None in modes:
        raise ValueError(f"reward_modes=None has no meaning for {algorithm!r}, which answers a mode; name the modes")
    found.check(game)
    return found


def _run_id(found: registry.Algorithm, game: Game, mode: RewardMode | None) -> str:
    kind, mutuality = (record.NO_MODE, None) if mode is None else (mode.kind, record.mutuality(mode))
    return record.run_id(found.kind, found.name, game, kind, mutuality, None, {}, "", None)


def _measured(
    found: registry.Algorithm, game: Game, mode: RewardMode | None, best: dict[str, dict[str, Any]]
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
        best_constant_reward=best[str(mode)]["return"] if mode else None, efficiency_best_constant=welfare / yardstick,
        device="cpu", precision="float64", created=datetime.now(UTC).isoformat(),
    )  # fmt: skip
    return run, policy
