"""One row for each run: everything needed to run it again, what came out, and where it comes from."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

import coopgym
from coopgym.envs.game import Game
from coopgym.envs.reward import KINDS, RewardMode

if TYPE_CHECKING:
    from coopgym.algorithms.evaluation import Evaluation

NO_MODE = "none"  # the reward mode of a record that stands for all of them


@dataclass(frozen=True)
class Run:
    """The record of one replica or reference policy, in payoff units; None where something does not apply.

    Columns and units are those of the table ``runs``; lists are in the game's agent order. NaN is never stored.
    """

    # identity
    run_id: str
    kind: str
    algorithm: str
    paradigm: str
    game: str
    report: int
    reward_mode: str
    mutuality: float | None
    seed: int | None
    # problem
    agents: int
    horizon: int
    game_hash: str
    game_options: str
    observation: str
    action_kind: str
    objective: str | None
    discount: float | None
    # recipe
    hyperparameters: str
    hyperparameters_hash: str
    parameters: int | None = None
    env_steps: int | None = None
    updates: int | None = None
    episodes: int | None = None
    evaluations: int | None = None
    study: str | None = None
    variant: str | None = None  # the name of these hyperparameters in a study that has several
    bins: int | None = None
    team_reward: bool = False
    # outcome of the deterministic policy
    status: str = "ok"
    reason: str | None = None
    diverged_at: int | None = None
    welfare: float | None = None
    payoff: list[float] | None = None
    reward_private: list[float] | None = None
    reward_integrated: list[float] | None = None
    reward_cooperative: list[float] | None = None
    rate: list[float] | None = None
    above_baseline: list[float] | None = None
    final_trust: float | None = None
    final_reputation_damage: float | None = None
    length: float | None = None
    ended_by: str | None = None
    # outcome of the stochastic policy
    welfare_stochastic: float | None = None
    welfare_stochastic_sd: float | None = None
    episodes_stochastic: int | None = None
    # against references
    best_constant_welfare: float | None = None
    best_constant_reward: float | None = None  # of the mode trained on, summed over agents
    open_loop_welfare: float | None = None
    upper_bound_welfare: float | None = None
    efficiency_best_constant: float | None = None
    efficiency_upper_bound: float | None = None
    # provenance
    package_version: str = field(default_factory=lambda: coopgym.__version__)
    source_revision: str | None = None
    source_clean: bool | None = None
    torch_version: str | None = None
    device: str | None = None
    precision: str | None = None
    replicas_in_program: int | None = None
    lanes: int | None = None
    program_seconds: float | None = None
    seconds: float | None = None
    env_steps_per_second: float | None = None
    program_id: str | None = None
    created: str | None = None
    # links
    duplicate_of: str | None = None
    policy_file: str | None = None
    policy_sha256: str | None = None
    origin: str = "own"

    def row(self) -> dict[str, Any]:
        """The record as a dict; a number that is not finite becomes None."""
        return {name: finite(value) for name, value in dataclasses.asdict(self).items()}


def problem(game: Game, mode: RewardMode | None) -> dict[str, Any]:
    """The columns of a record that say which game was played, and for which rewards (None: it plays alike in all)."""
    return {
        "game": game.id, "report": game.report, "reward_mode": mode.kind if mode else NO_MODE,
        "mutuality": mutuality(mode) if mode else None,
        "agents": game.n, "horizon": game.horizon, "game_hash": game.hash, "game_options": canonical(game.options),
    }  # fmt: skip


def recipe(
    settings: dict[str, Any], objective: str, discount: float, evaluation: tuple[int, int], torch: str
) -> dict[str, Any]:
    """The columns of a record that say how a learner was trained and evaluated: see ``run_id``."""
    points, episodes = evaluation
    return {
        "objective": objective, "discount": discount, "hyperparameters": canonical(settings),
        "hyperparameters_hash": digest(settings, 6), "evaluations": points, "episodes_stochastic": episodes,
        "torch_version": torch,
    }  # fmt: skip


def canonical(value: Any) -> str:
    """Canonical JSON: sorted keys, no spaces, floats by their shortest round-trip representation."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=lambda x: np.asarray(x).tolist())


def digest(value: Any, size: int = 12) -> str:
    """BLAKE2b of the canonical JSON of ``value``, in ``2 size`` hex digits."""
    return hashlib.blake2b(canonical(value).encode(), digest_size=size).hexdigest()


def run_id(
    kind: str,
    algorithm: str,
    game: Game,
    reward_mode: str,
    mutuality: float | None,
    seed: int | None,
    hyperparameters: dict[str, Any],
    observation: str,
    objective: str | None,
    evaluation: tuple[int, int] | None = None,
    torch: str | None = None,
) -> str:
    """24 hex digits that name a run: all that ``coopgym.study.identity`` calls its configuration, and the seed.

    Device, time and who shared the program are not part of it. evaluation: points of the curve and episodes of the
    stochastic policy, of a learner; torch: its version.
    """
    return digest({
        "kind": kind, "algorithm": algorithm, "game": game.id, "game_hash": game.hash, "reward_mode": reward_mode,
        "mutuality": mutuality, "seed": seed, "hyperparameters": hyperparameters, "observation": observation,
        "objective": objective, "evaluation": evaluation, "package": series(coopgym.__version__),
        "torch": series(torch),
    })  # fmt: skip


def series(version: str | None) -> str | None:
    """``2.13`` of ``2.13.0+cpu``: what of a version decides a result; None where it is not known."""
    return ".".join(version.split("+")[0].split(".")[:2]) if version else None


def mutuality(mode: RewardMode) -> float | None:
    """None for the three pure modes."""
    return None if mode.mutuality == 1.0 or mode.kind == "private" else mode.mutuality


def outcome(played: Evaluation, r: int) -> dict[str, Any]:
    """The outcome columns of a record, from the evaluation of policy ``r``: means over its episodes."""

    def mean(x: Any) -> Any:
        return x[r].mean(0).tolist()

    return {
        "welfare": float(played.welfare[r].mean()), "payoff": mean(played.payoffs),
        **{f"reward_{mode}": mean(played.rewards[mode]) for mode in KINDS},
        "rate": mean(played.rates), "above_baseline": mean(played.above_baseline),
        "final_trust": mean(played.final_trust), "final_reputation_damage": mean(played.final_damage),
        "length": mean(played.lengths), "ended_by": str(played.ended_by[r][0]),
    }  # fmt: skip


def finite(value: Any) -> Any:
    """``value`` with every number that is not finite replaced by None, inside lists too."""
    if isinstance(value, (list, tuple)):
        return [finite(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
