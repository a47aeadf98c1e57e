"""Programs that were interrupted: the checkpoints of a study's folder, and which of its runs they hold."""

from __future__ import annotations

import re
import warnings
from collections.abc import Collection, Sequence
from pathlib import Path

from coopgym.algorithms import checkpoint
from coopgym.algorithms.checkpoint import CheckpointError
from coopgym.algorithms.record import digest
from coopgym.files import set_aside

FOLDER = "checkpoints"
NAME = re.compile(r"[0-9a-f]{24}\.safetensors")  # as ``place`` names them


def place(folder: Path, run_ids: Sequence[str]) -> Path:
    """Where the program of these runs is kept while it is trained; its records will have the same name."""
    return folder / FOLDER / f"{digest(run_ids)}.safetensors"


def begun(folder: Path, plan: Collection[str], missing: Collection[str]) -> list[list[str]]:
    """The run_ids of each program that a checkpoint in ``folder`` holds and that can go on, as it was cut then.

    A checkpoint with runs that are wanted and not missing has been overtaken, and is deleted; one of another design is
    left alone, and so is every file that is no checkpoint of this package.

    Args:
        folder: Where the study's files of this machine are.
        plan: The runs of the design.
        missing: Those of them that have no record.
    """
    programs: list[list[str]] = []
    for path in sorted((folder / FOLDER).glob("*.safetensors")):
        run_ids = _run_ids(path, bool(missing)) if NAME.fullmatch(path.name) else []
        taken = set().union(*programs)
        if any(run in plan and (run not in missing or run in taken) for run in run_ids):
            checkpoint.remove(path)
        elif run_ids and all(run in plan for run in run_ids):
            programs.append(run_ids)
    return programs


def put_aside(error: CheckpointError) -> str:
    """Give the checkpoint that cannot be continued another name, which is free; a sentence that says so."""
    aside = set_aside(error.path, ".aside")
    return f"{error.path} cannot be continued: {error.rule}; it is now {aside.name} and its runs begin again"


def tidy(folder: Path) -> None:
    """Remove the folder of checkpoints if nothing is left in it."""
    here = folder / FOLDER
    if here.is_dir() and not any(here.iterdir()):
        here.rmdir()


def _run_ids(path: Path, wanted: bool) -> list[str]:
    """The runs of a checkpoint; of one that is damaged none, and it is set aside if runs are about to be done again."""
    try:
        run_ids: list[str] = checkpoint.describe(path)["run_ids"]
        return run_ids
    except CheckpointError as error:
        text = put_aside(error) if error.damaged and wanted else f"{error.path} is left alone: {error.rule}"
    except OSError as error:
        text = f"{path} is left alone: it cannot be read ({error})"
    warnings.warn(text, RuntimeWarning, stacklevel=4)
    return []
