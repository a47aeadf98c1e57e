"""Trained policies on disk: where they are, which belong together, and how they come back."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from coopgym.algorithms.policy import Policy
from coopgym.algorithms.record import mutuality
from coopgym.algorithms.storage import load
from coopgym.envs.game import Game
from coopgym.envs.reward import RewardMode
from coopgym.files import inside
from coopgym.study import identity
from coopgym.study.records import Records, Row

NEEDED = (  # columns of a run that whatever plays its policy reads
    "run_id", "algorithm", "game", "game_hash", "reward_mode", "mutuality", "seed", "status", "hyperparameters_hash",
    "env_steps",
)  # fmt: skip


def stored(place: str | Path, game: str | None = None) -> list[tuple[Path, list[Row]]]:
    """(folder, its runs that may be played side by side) of every program that has left policies under ``place``.

    place: a folder of ``coopgym train`` or ``ablate``, one of such folders (whose names the rows then have as
    ``folder``), or what ``TrainResult.save`` wrote. game: only this one. Raises FileNotFoundError where there is no
    policy.
    """
    places = places_in(Path(place))
    found = [
        (folder, [run | ({identity.FOLDER: folder.name} if len(places) > 1 else {}) for run in group])
        for folder in places for group in programs_of(runs_in(folder, game))
    ]  # fmt: skip
    if not found:
        raise nothing_in(place)
    return found


def nothing_in(place: str | Path, what: str = "policy") -> FileNotFoundError:
    """What is said where no run has left a policy; inside of a folder of runs it names that folder."""
    given = Path(place)
    above = next((folder for folder in list(given.parents)[:2] if given.exists() and _holds_runs(folder)), None)
    if above is not None:
        return FileNotFoundError(f"{str(place)!r} is a part of the folder of runs {str(above)!r}; give that folder")
    return FileNotFoundError(f"there is no {what} in {str(place)!r}; make one with `coopgym train`")


def lone_policy(place: str | Path) -> Policy | None:
    """The policy in the file that ``place`` names, with or without suffix; None where it names anything else.

    Raises:
        ValueError: If the file is no policy, or a stack of several; it names the folder that says whose they are.
    """
    path = Path(place)
    stem = path.with_suffix("") if path.suffix in (".json", ".safetensors") else path
    if path.is_dir() or not stem.with_name(stem.name + ".json").is_file():
        return None
    found = load(path, None)
    if found.stacked:
        raise ValueError(f"{str(place)!r} holds the policies of several runs; give its folder {str(path.parent)!r}")
    return found


def lone_run(played: Policy) -> Row:
    """What a policy in a file of its own says about its run, in columns of ``runs``; of private rewards by default."""
    about = getattr(played, "about", None) or {}
    mode = RewardMode.of(about.get("reward_mode") or "private")
    return {
        "run_id": about.get("run_id"),
        "algorithm": played.name,
        "game": played.game.id,
        "seed": about.get("seed"),
        "game_hash": played.game.hash,
        "reward_mode": mode.kind,
        "mutuality": mutuality(mode),
    }


def policies_of(folder: Path, runs: Sequence[Row]) -> list[Policy]:
    """What these runs of a folder have learned.

    Raises:
        ValueError: If a policy is damaged, lies outside of the folder, or is not the one in the record of its run.
    """
    if not runs[0].get("policy_file"):  # TrainResult.save: a stack
        stack = saved_stack(folder, runs[0])
        if len(stack) <= max(run["position"] for run in runs):
            raise ValueError(f"{folder / 'policy'} holds {len(stack)} policies, and runs.json names more runs")
        return [stack[run["position"]] for run in runs]
    first = policy_of(folder, runs[0])
    return [first, *(policy_of(folder, run, first.game) for run in runs[1:])]


def policy_of(folder: Path, run: Row, game: Game | None = None) -> Policy:
    """The policy of one run: the file in its record, with the checksum and the game in its record.

    Args:
        folder: Folder of the records.
        run: A row of the table ``runs`` with a policy.
        game: The game, where it is known already.

    Raises:
        ValueError: If the file is damaged, lies outside of ``folder``, or belongs to another run.
    """
    path = inside(folder, run["policy_file"])
    if not run["policy_sha256"]:
        raise ValueError(f"the record of run {run['run_id']} has no checksum of its policy; run it again")
    found = load(path, game, sha256=run["policy_sha256"], numbers=bool(run["parameters"]))
    if found.game.hash != run["game_hash"]:
        raise ValueError(f"{path} is a policy for {found.game!r}, and the record of its run says {run['game']}")
    return found


def saved_stack(folder: Path, run: Row) -> Any:
    """The stack of policies beside a runs.json of ``TrainResult.save``, with the checksum that ``run`` names."""
    stack = load(folder / "policy", None, sha256=run.get("policy_sha256"))
    if not stack.stacked:
        raise ValueError(f"{folder / 'policy'} is one policy, and runs.json describes a stack; save it again")
    return stack


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
        found = [run | {"position": k, "policy_file": None} for k, run in enumerate(saved_runs(folder))]
    else:
        found = [run for run in Records(folder).read("runs") if run["policy_file"]]
    return [run for run in found if run["status"] == "ok" and (game is None or run["game"] == game)]


def saved_runs(folder: Path) -> list[Row]:
    """The rows of a runs.json that ``TrainResult.save`` wrote; ValueError for anything else."""
    path = folder / "runs.json"
    try:
        runs = json.loads(path.read_bytes())
        lacking = [name for run in runs for name in NEEDED if name not in run]
    except (ValueError, TypeError, RecursionError) as error:
        raise ValueError(f"{path} cannot be read ({type(error).__name__}: {error}); save the result again") from None
    if lacking or not isinstance(runs, list) or not runs:
        raise ValueError(f"{path} does not describe runs; save the result again")
    return runs


def programs_of(runs: Sequence[Row]) -> Iterator[list[Row]]:
    """Runs that may be measured side by side: repeats of one configuration, under any reward modes."""
    for group in identity.beside(runs):
        yield [dict(run) for run in group]
