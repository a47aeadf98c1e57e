"""``coopgym.train``: every replica (seed times reward mode) of one algorithm on one game as one program."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from coopgym import numerics
from coopgym.algorithms import checkpoint as checkpoints
from coopgym.algorithms import record, registry
from coopgym.algorithms.curves import Curves
from coopgym.algorithms.evaluation import (
    DRAWN_EPISODES,
    EVALUATIONS,
    Evaluation,
    best_constant,
    enough_episodes,
    evaluate,
)
from coopgym.algorithms.interrupts import patience, terminable
from coopgym.algorithms.learner import Learner, Problem
from coopgym.algorithms.memory import keep_freed_memory
from coopgym.algorithms.policy import Policy
from coopgym.algorithms.record import Run
from coopgym.algorithms.seating import Seat
from coopgym.algorithms.storage import packed
from coopgym.envs import observation
from coopgym.envs.catalogue import entry
from coopgym.envs.catalogue import game as make_game
from coopgym.envs.game import Game
from coopgym.envs.reward import KINDS, RewardMode
from coopgym.envs.reward import reward_modes as one_or_more
from coopgym.extras import explains
from coopgym.files import check_own, output_path, write_atomically
from coopgym.mechanisms import checks


@dataclass(frozen=True)
class Progress:
    """How far a training program is: iterations, environment steps of one replica, seconds, present mean welfare.

    resumed: the iterations that were read from a checkpoint, 0 for a run that began anew.
    """

    iteration: int
    iterations: int
    env_steps: int
    total_steps: int
    seconds: float
    welfare: float | None
    resumed: int = 0


@dataclass(frozen=True, eq=False)
class TrainResult:
    """What came out: one record and one policy for each replica, in the same order.

    runs: records in payoff units (``run.row()`` is a dict). policies: one for each replica. curves: rows of the table
    ``curves``. seconds: time spent training (evaluation not counted). best_constant: see ``best_constant``; of a seat
    where only one agent learned.
    """

    algorithm: str
    game: Game
    settings: Any
    runs: tuple[Run, ...]
    policies: tuple[Policy, ...]
    curves: tuple[dict[str, Any], ...]
    seconds: float
    env_steps_per_second: float
    best_constant: dict[str, dict[str, Any]]

    def __repr__(self) -> str:
        modes = ", ".join(dict.fromkeys(run.reward_mode for run in self.runs))
        seeds = len({run.seed for run in self.runs})
        return (
            f"<coopgym training: {self.algorithm} on {self.game.id}, {len(self.runs)} runs ({modes}; {seeds} seeds), "
            f"{self.seconds:.0f} s; .runs, .policies, .curves, .evaluate()>"
        )

    @property
    def stack(self) -> Policy:
        """All policies as one."""
        return type(self.policies[0]).stack(self.policies)

    def evaluate(self, episodes: int = 1, seed: int = 0, **options: Any) -> Evaluation:
        """``coopgym.evaluate`` of all policies; the first axis of its arrays is the replica."""
        return evaluate(list(self.policies), self.game, episodes, seed, **options)

    def save(self, path: Any) -> Path:
        """Write a folder: policy.safetensors and policy.json (all replicas), curves.json, and last runs.json.

        Raises:
            OverwriteError: If one of these names is taken by a file that this method did not write.
        """
        folder = output_path(path, "path")
        sha256 = hashlib.sha256(packed(self.stack)[".safetensors"]).hexdigest()
        runs = [run.row() | {"policy_sha256": sha256} for run in self.runs]
        files = {"curves.json": json.dumps(record.finite(list(self.curves))), "runs.json": json.dumps(runs, indent=1)}
        for name in files:
            check_own(folder / name, _is_saved)
        self.stack.save(folder / "policy")
        for name, text in files.items():
            write_atomically(folder / name, text.encode())
        return folder


def _is_saved(content: bytes) -> bool:
    """True for the content of a runs.json or curves.json that ``TrainResult.save`` wrote."""
    try:
        rows = json.loads(content)
        return isinstance(rows, list) and all("run_id" in row for row in rows)
    except (ValueError, TypeError, RecursionError):
        return False


@explains("coopgym.train")
def train(
    algorithm: str,
    game: Game | str,
    *,
    reward_modes: str | RewardMode | Iterable[str | RewardMode] = KINDS,
    seeds: int | Iterable[int] = range(7),
    total_steps: int = 500_000,
    device: str = "auto",
    observability: str | None = None,
    progress: Callable[[Progress], None] | bool = False,
    threads: int = 1,
    evaluations: int = EVALUATIONS,
    episodes: int = DRAWN_EPISODES,
    checkpoint: str | Path | None = None,
    checkpoint_seconds: float = 60.0,
    agent: int | str | None = None,
    partners: Any = None,
    **options: Any,
) -> TrainResult:
    """Train one replica for each reward mode and seed, all of them as one tensor program.

    seeds: how many (3 for 0, 1 and 2), or which, each once.
    total_steps: environment steps of each replica, rounded up to whole iterations. device: "cpu", "cuda" or "auto".
    observability: "full", "asymmetric", "minimal", or None for the game's own. progress: True for a line on stderr, or
    a function of ``Progress``. threads: of torch on a CPU. evaluations: points of the evaluation curve. episodes: how
    many the stochastic policy plays at the end.

    agent, partners: both or neither; with them only this agent (index or id) learns, for its own reward, and the other
    seats are played by what ``coopgym.policy`` takes, or by a dict of it by agent, as in ``coopgym.make_seat``; a
    function is known to the records by its name alone. ``options`` are hyperparameters of the algorithm and options of
    the game.

    checkpoint: a file from which the run goes on if it is there, to the same result, bit for bit, as without a break
    (on the same kind of processor or GPU). It is written once ``checkpoint_seconds`` have passed since the last writing
    (more where that took long; 0: after each iteration), on Ctrl-C and SIGTERM (which then raise KeyboardInterrupt
    after the iteration under way; a second one at once), and at the end: it stays there, and asked again the same call
    only evaluates. Nothing else is written.

    Raises ValueError for unknown names, values out of range, and a checkpoint that is damaged or of another program,
    TypeError for an unknown option; they name the nearest valid one, or the cure.
    """
    found = registry.algorithm(algorithm, "learner")
    settings, made = _settings(found, game, options)
    found.check(made)
    modes, checked = one_or_more(reward_modes, once=True), checks.seeds(seeds)
    checks.whole("total_steps", total_steps, 1, 10**12)
    checks.whole("episodes", episodes, 1, 1_000_000)
    setting = observation.check_setting(observability or made.default_observability)
    seat = _seat(found, made, agent, partners)
    pairs, where = [(mode, seed) for mode in modes for seed in checked], device_of(device)
    problem = Problem(
        made, tuple(m for m, _ in pairs), tuple(s for _, s in pairs), setting, where, seat and seat.to(where)
    )
    keep_freed_memory()
    ended = terminable() if checkpoint else nullcontext()
    with numerics.threads(checks.whole("threads", threads, 1, 1024)), ended:
        learner: Learner = found.build(problem, settings)
        curves = Curves(evaluations)
        recipe = _recipe(settings, total_steps, seat)
        kept = None
        if checkpoint is not None:
            plan = (evaluations, episodes)
            ids = [_run_id(found, made, mode, seed, recipe, setting, plan) for mode, seed in pairs]
            identity = checkpoints.identity(found.name, problem, recipe, evaluations)
            kept = checkpoints.Checkpoint(checkpoint, checkpoint_seconds, identity, ids)
        seconds, iterations = _loop(problem, learner, total_steps, curves, _reporter(progress), kept)
        return _result(found, problem, settings, recipe, learner, curves, seconds, iterations, episodes)


def planned_run_ids(
    algorithm: str,
    game: Game | str,
    *,
    reward_modes: str | RewardMode | Iterable[str | RewardMode],
    seeds: int | Iterable[int],
    total_steps: int,
    observability: str | None = None,
    evaluations: int = EVALUATIONS,
    episodes: int = DRAWN_EPISODES,
    agent: int | str | None = None,
    partners: Any = None,
    **options: Any,
) -> list[str]:
    """The run_ids that ``train`` with the same arguments will give, in the same order; nothing is trained."""
    found = registry.algorithm(algorithm, "learner")
    settings, made = _settings(found, game, options)
    found.check(made)
    setting = observation.check_setting(observability or made.default_observability)
    checks.whole("total_steps", total_steps, 1, 10**12)
    recipe, chosen = _recipe(settings, total_steps, _seat(found, made, agent, partners)), checks.seeds(seeds)
    modes = one_or_more(reward_modes, once=True)
    plan = (evaluations, episodes)
    return [_run_id(found, made, mode, seed, recipe, setting, plan) for mode in modes for seed in chosen]


def planned_recipe(
    algorithm: str,
    game: Game | str,
    *,
    total_steps: int,
    observability: str | None = None,
    evaluations: int = EVALUATIONS,
    episodes: int = DRAWN_EPISODES,
    agent: int | str | None = None,
    partners: Any = None,
    **options: Any,
) -> dict[str, Any]:
    """The columns of a record that say how ``train`` with the same arguments trains; nothing is trained."""
    found = registry.algorithm(algorithm, "learner")
    settings, made = _settings(found, game, options)
    recipe, plan = _recipe(settings, total_steps, _seat(found, made, agent, partners)), (evaluations, episodes)
    return {
        "observation": observability or made.default_observability, "team_reward": settings.team_reward,
        **record.recipe(recipe, settings.objective, settings.discount, plan, torch.__version__),
    }  # fmt: skip


def _recipe(settings: Any, total_steps: int, seat: Seat | None) -> dict[str, Any]:
    """All that decides a result besides the problem: schedules depend on the budget, so it is part of it."""
    return {**dataclasses.asdict(settings), "total_steps": total_steps, **(seat.described() if seat else {})}


def _seat(found: registry.Algorithm, game: Game, agent: int | str | None, partners: Any) -> Seat | None:
    """The seat that a user asked for, or None; ValueError for half of one, or a learner that has no use for it."""
    if agent is None and partners is None:
        return None
    if agent is None or partners is None:
        raise ValueError(f"agent={agent!r} and partners={partners!r}: give both, or neither to train all agents")
    if not found.seated:
        raise ValueError(f"{found.name} trains all seats together; leave out agent and partners, or choose IPPO")
    return Seat.of(game, agent, partners)


def _run_id(
    found: registry.Algorithm,
    game: Game,
    mode: RewardMode,
    seed: int,
    recipe: dict[str, Any],
    setting: str,
    plan: tuple[int, int],
) -> str:
    """Identity of one replica. plan: points of its curve, and episodes of the stochastic policy."""
    return record.run_id(
        "learner", found.name, game, mode.kind, record.mutuality(mode), seed, recipe, setting, recipe["objective"],
        plan, torch.__version__,
    )  # fmt: skip


def _loop(
    problem: Problem,
    learner: Learner,
    total_steps: int,
    curves: Curves,
    report: Callable[[Progress], None],
    kept: checkpoints.Checkpoint | None,
) -> tuple[float, int]:
    """(seconds of training, iterations)."""
    size = learner.steps_per_iteration
    iterations = -(-total_steps // size)
    first, seconds = (0, 0.0) if kept is None else kept.resume(learner, curves, learner.alive.device)

    def tell(done: int) -> None:
        report(Progress(done, iterations, done * size, iterations * size, seconds, curves.welfare, first))

    if first:
        tell(first)
    done, whole = first, True
    try:
        for i in range(first, iterations):
            with patience() if kept else nullcontext():
                whole = False
                seconds += _iterate(problem, learner, curves, i, iterations)
                done, whole = i + 1, True
            if kept:
                kept.offer(learner, curves, done, seconds)
            tell(done)
    except KeyboardInterrupt:
        if kept and whole:  # a second interrupt may have come in the middle of an iteration
            kept.write(learner, curves, done, seconds)
        raise
    if kept:
        kept.write(learner, curves, done, seconds)
    return seconds, iterations


def _iterate(problem: Problem, learner: Learner, curves: Curves, i: int, iterations: int) -> float:
    """Iteration ``i``, and the evaluation if one is due; seconds of the former."""
    start, steps = time.perf_counter(), (i + 1) * learner.steps_per_iteration
    curves.add(learner.iterate(i / iterations), steps, learner.updates)
    seconds = time.perf_counter() - start
    if curves.due(i + 1, iterations):
        curves.evaluated(evaluate(problem.seated(learner.policy()), problem.game, 1), steps, learner.updates)
    return seconds


def _result(
    found: registry.Algorithm,
    problem: Problem,
    settings: Any,
    recipe: dict[str, Any],
    learner: Learner,
    curves: Curves,
    seconds: float,
    iterations: int,
    episodes: int,
) -> TrainResult:
    """Evaluate the final policies and write the records."""
    game, stack, seat = problem.game, problem.seated(learner.policy()), problem.seat
    steps = iterations * learner.steps_per_iteration
    speed = steps * problem.replicas / max(seconds, 1e-9)
    reference = best_constant(game, reward_modes=problem.modes, seat=seat)
    sure = evaluate(stack, game, enough_episodes(game, stack))
    drawn = evaluate(stack, game, episodes, seed=1, deterministic=False)
    runs, plan = [], (curves.evaluations, episodes)
    for r in range(problem.replicas):
        mode, seed = problem.modes[r], problem.seeds[r]
        identity = _run_id(found, game, mode, seed, recipe, problem.setting, plan)
        diverged = int(learner.diverged_at[r])
        welfare = float(sure.welfare[r].mean())
        best = reference["cooperative"]["welfare"] if seat is None else None  # what all could do, not one of them
        runs.append(
            Run(
                run_id=identity, kind="learner", algorithm=found.name, paradigm=found.paradigm, seed=seed,
                **record.problem(game, mode), observation=problem.setting, action_kind=found.actions,
                bins=getattr(settings, "bins", None),
                team_reward=settings.team_reward,
                **record.recipe(recipe, settings.objective, settings.discount, plan, torch.__version__),
                parameters=sum(problem.counts(theta) for theta in learner.parameters.values()), env_steps=steps,
                updates=learner.updates, status="ok" if diverged < 0 else "diverged",
                reason=None if diverged < 0 else "a number in an update was not finite",
                diverged_at=None if diverged < 0 else diverged, **record.outcome(sure, r),
                welfare_stochastic=float(drawn.welfare[r].mean()), welfare_stochastic_sd=float(drawn.welfare[r].std()),
                best_constant_welfare=best,
                best_constant_reward=None if seat else reference[str(mode)]["return"],
                efficiency_best_constant=welfare / best if best else None,
                device=_device_name(problem.device), precision="float32", replicas_in_program=problem.replicas,
                lanes=learner.games.batch[1], program_seconds=seconds, seconds=seconds / problem.replicas,
                env_steps_per_second=speed, created=datetime.now(UTC).isoformat(),
            )
        )  # fmt: skip
    program = record.digest([run.run_id for run in runs])
    runs = [dataclasses.replace(run, program_id=program) for run in runs]
    policies = tuple(
        stack.replica(r, algorithm=found.name, run_id=run.run_id, reward_mode=str(problem.modes[r]), seed=run.seed)
        for r, run in enumerate(runs)
    )
    rows = tuple(curves.rows([run.run_id for run in runs], None if seat is None else seat.agent))
    return TrainResult(found.name, game, settings, tuple(runs), policies, rows, seconds, speed, reference)


def _settings(found: registry.Algorithm, game: Game | str, options: dict[str, Any]) -> tuple[Any, Game]:
    """(hyperparameters, game) from options that belong to either; TypeError for one that belongs to neither."""
    assert found.settings is not None
    own = {field.name for field in dataclasses.fields(found.settings)}
    theirs: set[str] = set()
    if isinstance(game, str):
        of_game, version = entry(game)
        theirs = set(of_game.options(version))
    for name in options:
        if name not in own | theirs:
            hint = checks.nearest(name, own | theirs)
            raise TypeError(
                f"neither {found.name} nor {game} has an option {name!r};{hint} {found.name} has "
                f"{', '.join(sorted(own))}" + (f"; {game} has {', '.join(sorted(theirs))}" if theirs else "")
            )
    settings = found.settings(**{k: v for k, v in options.items() if k in own})
    made = make_game(game, **{k: v for k, v in options.items() if k not in own})
    if hasattr(settings, "check_game"):  # a user's own algorithm may lack it
        settings.check_game(made)
    return settings, made


def device_of(name: str) -> torch.device:
    """The device of a name; ValueError for an unknown one, and for a GPU that is not there."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError:
        raise ValueError(f"device={name!r} is not known; choose 'auto', 'cpu' or 'cuda'") from None
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ValueError(f"device={name!r} asks for a GPU that torch does not see here; use device='cpu'")
    return device


def _device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"


def _reporter(progress: Callable[[Progress], None] | bool) -> Callable[[Progress], None]:
    """A function of Progress that does what the user asked for."""
    if callable(progress):
        return progress
    return _print_line if progress else lambda state: None


def _print_line(state: Progress) -> None:
    since = f", went on from {state.resumed * state.env_steps // state.iteration:,}" if state.resumed else ""
    welfare = "" if state.welfare is None else f", mean welfare {state.welfare:,.0f}"
    end = "\n" if state.iteration == state.iterations else ""
    text = f"\r{state.env_steps:,} of {state.total_steps:,} steps a replica, {state.seconds:.0f} s{since}{welfare}"
    print(text, end=end, file=sys.stderr, flush=True)
