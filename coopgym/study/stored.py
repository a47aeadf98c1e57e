"""Trained policies on disk: where they are, which belong together, and how they come back."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from coopgym.algorithms.policy import Policy, load_policy
from coopgym.study.records import Records, Row


def stored(place: str | Path, game: str | None = None) -> list[tuple[Path, list[Row]]]:
    """(folder, its runs that may be played side by side) of every program that has left policies under ``place``.

    place: a folder of ``coopgym train`` or ``ablate``, one of such folders, or what ``TrainResult.save`` wrote. game:
    only this one. Raises FileNotFoundError where there is no policy.
    """
    found = [(folder, group) for folder in places_in(Path(place)) for group in programs_of(runs_in(folder, game))]
    if not found:
        raise FileNotFoundError(f"there is no policy in {str(place)!r}; make one with `coopgym train`")
    return found


def policies_of(folder: Path, runs: Sequence[Row]) -> list[Policy]:
    """What these runs of a folder have learned."""
    if not runs[0].get("policy_file"):  # TrainResult.save: a stack
        stack: Any = load_policy(folder / "policy")
        return [stack[run["position"]] for run in runs]
    first = load_policy(folder / runs[0]["policy_file"])
    return [first, *(load_policy(folder / run["policy_file"], first.game) for run in runs[1:])]


def places_in(place: Path) -> list[Path]:
    """The folder itself, or those in it that hold runs."""
    if _holds_runs(place):
        return [place]
    return sorted(inner for inner in place.glob("*") if _holds_runs(inner))


def _holds_runs(folder: Path) -> bool:
    return (folder / "runs").is_dir() or (folder / "runs.json").is_file()


def runs_in(folder: Path, game: str | None) -> list[Row]:
    """Rows of runs that ended well and left a policy."""
    if (folder / "runs.json").is_file():
        runs = json.loads((folder / "runs.json").read_text())
        found = [run | {"position": k, "policy_file": None} for k, run in enumerate(runs)]
    else:
        found = [run for run in Records(folder).read("runs") if run["policy_file"]]
    return [run for run in found if run["status"] == "ok" and (game is None or run["game"] == game)]


def programs_of(runs: Sequence[Row]) -> Iterator[list[Row]]:
    """Runs that may be measured side by side: of one algorithm, one game and one recipe."""
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for run in runs:
        key = (run["algorithm"], run["game_hash"], run["hyperparameters_hash"], run["env_steps"])
        groups.setdefault(key, []).append(run)
    yield from groups.values()
