"""Programs that were interrupted: the checkpoints of a study's folder, and which of its runs they hold."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Sequence
from pathlib import Path

from coopgym.algorithms import checkpoint
from coopgym.algorithms.checkpoint import CheckpointError
from coopgym.algorithms.record import digest

FOLDER = "checkpoints"


def place(folder: Path, run_ids: Sequence[str]) -> Path:
    """Where the program of these runs is kept while it is trained; its records will have the same name."""
    return folder / FOLDER / f"{digest(run_ids)}.safetensors"


def begun(folder: Path, plan: Collection[str], missing: Collection[str]) -> list[list[str]]:
    """The run_ids of each program that a checkpoint in ``folder`` holds and that can go on, as it was cut then.

    plan: the runs of the design; missing: those of them that have no record. A checkpoint with runs that are wanted and
    not missing has been overtaken, and is deleted; one of another design is left alone; one that cannot be read is put
    aside with a RuntimeWarning.
    """
    programs: list[list[str]] = []
    for path in sorted((folder / FOLDER).glob("*.safetensors")):
        run_ids = _run_ids(path)
        taken = set().union(*programs)
        if any(run in plan and (run not in missing or run in taken) for run in run_ids):
            checkpoint.remove(path)
        elif run_ids and all(run in plan for run in run_ids):
            programs.append(run_ids)
    return programs


def put_aside(error: CheckpointError) -> str:
    """Rename the checkpoint that cannot be continued; a sentence that says so."""
    aside = checkpoint.put_aside(error.path)
    return f"{error.path} cannot be continued: {error.rule}; it is now {aside.name} and its runs begin again"


def tidy(folder: Path) -> None:
    """Remove the folder of checkpoints if nothing is left in it."""
    here = folder / FOLDER
    if here.is_dir() and not any(here.iterdir()):
        here.rmdir()


def _run_ids(path: Path) -> list[str]:
    try:
        run_ids: list[str] = checkpoint.describe(path)["run_ids"]
    except CheckpointError as error:
        warnings.warn(put_aside(error), RuntimeWarning, stacklevel=4)
        return []
    return run_ids
