"""Playing stored policies again: from a folder that a study or ``TrainResult.save`` has written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from coopgym.algorithms.evaluation import Evaluation, evaluate
from coopgym.study import twins
from coopgym.study.identity import FOLDER, labels, mode_label
from coopgym.study.records import Records, Row
from coopgym.study.stored import lone_policy, lone_run, nothing_in, places_in, policy_of, saved_runs, saved_stack


def evaluate_run(
    folder: str | Path, *, episodes: int = 100, seed: int = 0, news: Callable[[str, float], None] | None = None
) -> list[dict[str, Any]]:
    """One row for each trained policy in ``folder``: its run, and means over ``episodes`` deterministic episodes.

    folder: of ``coopgym train``, ``ablate`` or ``study run``, a folder of such folders, or the file of one policy,
    which is played in the game that it names. algorithm, game: with what differs among runs that would otherwise share
    a name.

    welfare [payoff, sum over agents], payoff [list over agents], cooperation [mean share of endowment], trust [mean
    over pairs at the end], length [steps]. team_reward: whether it was trained on the sum of all agents' rewards.
    duplicate_of: run_id of the row under an earlier mode that this one repeats, as both are one training problem.
    Raises FileNotFoundError where there is no policy, ValueError for a damaged one.
    """
    places, tell = places_in(Path(folder)), news or (lambda name, share: None)
    alone = None if places else lone_policy(folder)
    if alone is not None:
        return [_row(lone_run(alone), evaluate([alone], alone.game, episodes, seed), 0) | {"duplicate_of": None}]
    many = len(places) > 1
    found = [
        (run | {FOLDER: place.name} if many else run, row)
        for place in places for run, row in _of_place(place, episodes, seed, tell)
    ]  # fmt: skip
    if not found:
        raise nothing_in(folder, "trained policy")
    named = labels(run for run, _ in found)
    repeats = {id(run): first["run_id"] for run, first in twins.pairs(run for run, _ in found)}
    found = [(run, row | {"duplicate_of": repeats.get(id(run))}) for run, row in found]
    return [row | dict(zip(("game", "algorithm", "reward_mode"), named.cell(run), strict=True)) for run, row in found]


def _of_place(
    folder: Path, episodes: int, seed: int, tell: Callable[[str, float], None]
) -> Iterator[tuple[Row, dict[str, Any]]]:
    """(run, row) of each policy that one folder holds."""
    if (folder / "runs.json").is_file():
        runs = saved_runs(folder)
        stack = saved_stack(folder, runs[0])
        if len(stack) != len(runs):
            raise ValueError(f"{folder / 'policy'} holds {len(stack)} policies, and runs.json names {len(runs)} runs")
        played = evaluate(stack, stack.game, episodes, seed)
        yield from ((run, _row(run, played, r)) for r, run in enumerate(runs))
        return
    runs = [run for run in Records(folder).read("runs") if run["policy_file"]]
    for i, run in enumerate(runs):
        policy = policy_of(folder, run)
        yield run, _row(run, evaluate([policy], policy.game, episodes, seed), 0)
        tell("evaluating", (i + 1) / len(runs))


def _row(run: Row, played: Evaluation, r: int) -> dict[str, Any]:
    return {
        "run_id": run["run_id"],
        "algorithm": run["algorithm"],
        "game": run["game"],
        "reward_mode": mode_label(run),
        "seed": run["seed"],
        "team_reward": twins.of_the_sum(run),
        "episodes": played.episodes,
        "welfare": float(played.welfare[r].mean()),
        "payoff": played.payoffs[r].mean(0).tolist(),
        "cooperation": float(played.cooperation[r].mean()),
        "trust": float(played.final_trust[r].mean()),
        "length": float(played.lengths[r].mean()),
    }
