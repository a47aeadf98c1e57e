"""A training run on disk: one safetensors file from which the same program goes on as if nothing had happened.

The file holds tensors, and JSON in its header: nothing in it is ever run. It says which program wrote it, and goes on
with no other one: with another seed or hyperparameter, or another version, the result would be nobody's.
"""

from __future__ import annotations

import json
import time
import warnings
import zlib
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors import torch as files
from torch import Tensor

import coopgym
from coopgym.algorithms import record, snapshot
from coopgym.algorithms.curves import Curves
from coopgym.algorithms.learner import Learner, Problem
from coopgym.files import atomic_path, sweep
from coopgym.mechanisms import checks

FORMAT = "coopgym-checkpoint-2"
TEXTS = ("about", "learner")  # entries of the header, both JSON
LEARNER, CURVES = "learner/", "curves/"  # how names of tensors begin
SHARE = 0.05  # of the time is the most that is spent on writing while a run goes on


FAMILY = "coopgym-checkpoint-"  # how the formats of all versions begin


class CheckpointError(ValueError):
    """A checkpoint that cannot be continued; ``rule`` says why.

    damaged: its content is not what was written, or it is not a checkpoint at all.
    """

    def __init__(self, path: Path, rule: str, damaged: bool = False) -> None:
        super().__init__(f"{path} cannot be continued: {rule}; delete it, or name another file")
        self.path, self.rule, self.damaged = path, rule, damaged


class Checkpoint:
    """The file of one training run. ``seconds``: least time between two writings while the run goes on.

    A writing that takes long makes the next ones rarer, unless ``seconds`` is 0: then there is one after each
    iteration. One that fails is a RuntimeWarning, and the run goes on.
    """

    def __init__(self, path: str | Path, seconds: float, identity: dict[str, Any], run_ids: list[str]) -> None:
        self.path = Path(path)
        self.seconds = checks.number("checkpoint_seconds", seconds, 0.0, 1e9)
        if self.path.is_dir():
            raise ValueError(f"checkpoint={str(path)!r} is a folder; give the name of a file")
        self.identity, self.run_ids = json.loads(record.canonical(identity)), run_ids
        self.iteration = -1  # of what the file holds
        self.due = time.monotonic() + self.seconds

    def resume(self, learner: Learner, curves: Curves, device: torch.device) -> tuple[int, float]:
        """(iterations done, seconds they took) after ``learner`` and ``curves`` are what they were; (0, 0) at first.

        CheckpointError if the file is damaged or another program's, TypeError if this learner cannot be kept.
        """
        snapshot.capture(learner)  # better now than at the first writing
        self.path.parent.mkdir(parents=True, exist_ok=True)
        sweep(self.path.parent, self.path.name)
        if not self.path.exists():
            return 0, 0.0
        about, data, tensors = read(self.path)
        self._compare(about["identity"])
        try:
            snapshot.restore(learner, _under(LEARNER, tensors), data, device)
        except ValueError as error:
            raise CheckpointError(self.path, str(error)) from error
        curves.take(_under(CURVES, tensors), about["metrics"], about["welfare"])
        self.iteration = about["iteration"]
        return self.iteration, about["seconds"]

    def offer(self, learner: Learner, curves: Curves, iteration: int, seconds: float) -> None:
        """Write if it is time to."""
        start = time.monotonic()
        if start >= self.due:
            self.write(learner, curves, iteration, seconds)
            end = time.monotonic()
            rest = max(self.seconds, (end - start) * (1.0 / SHARE - 1.0))
            self.due = end + rest if self.seconds else end

    def write(self, learner: Learner, curves: Curves, iteration: int, seconds: float) -> None:
        """Put the state after ``iteration`` iterations in the place of what the file held, unless it holds that."""
        if iteration == self.iteration:
            return
        kept, data = snapshot.capture(learner)
        tensors = {LEARNER + name: x.cpu() for name, x in kept.items()}
        tensors |= {CURVES + name: x for name, x in curves.tensors().items()}
        about = {
            "identity": self.identity, "run_ids": self.run_ids, "iteration": iteration, "seconds": seconds,
            "metrics": list(curves.points), "welfare": curves.welfare,
        }  # fmt: skip
        texts = dict(zip(TEXTS, (json.dumps(about), json.dumps(data)), strict=True))
        header = {"format": FORMAT, "checksum": _checksum(texts, tensors), **texts}
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)  # whoever found it empty may have tidied it away
            with atomic_path(self.path) as place:
                files.save_file(tensors, place, header)  # straight from memory: a replay may fill half of the machine's
        except (OSError, SafetensorError) as error:
            text = f"the checkpoint {self.path} could not be written ({error}); the run goes on without it"
            warnings.warn(text, RuntimeWarning, stacklevel=2)
        else:
            self.iteration = iteration

    def _compare(self, written: dict[str, Any]) -> None:
        """CheckpointError naming the first thing in which two programs differ."""
        for name in {**self.identity, **written}:
            then, now = written.get(name), self.identity.get(name)
            if then != now:
                raise CheckpointError(self.path, f"it was written with {name}={then!r}, and this program has {now!r}")


def identity(algorithm: str, problem: Problem, recipe: dict[str, Any], evaluations: int) -> dict[str, Any]:
    """All that must be the same for a run to go on to the same end."""
    return {
        "package_version": coopgym.__version__, "torch_version": torch.__version__, "device": problem.device.type,
        "algorithm": algorithm, "game": problem.game.id, "game_hash": problem.game.hash,
        "observability": problem.setting, "reward_modes": [str(mode) for mode in problem.modes],
        "seeds": list(problem.seeds), "evaluations": evaluations, **recipe,
    }  # fmt: skip


def describe(path: Path) -> dict[str, Any]:
    """What a checkpoint says about itself: identity, run_ids, iteration, seconds. CheckpointError if it cannot."""
    try:
        about = json.loads(_header(path)["about"])
        if not (isinstance(about["run_ids"], list) and all(isinstance(run, str) for run in about["run_ids"])):
            raise TypeError("its run_ids are no list of names")
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        if isinstance(error, CheckpointError):
            raise
        raise CheckpointError(path, f"it is damaged ({error})", damaged=True) from error
    return dict(about)


def read(path: Path) -> tuple[dict[str, Any], dict[str, Any], dict[str, Tensor]]:
    """(about, description of the learner, tensors) of a whole file; CheckpointError for any other."""
    header = _header(path)
    try:
        tensors = files.load_file(path)
    except SafetensorError as error:
        raise CheckpointError(path, f"it is damaged ({error})", damaged=True) from error
    if header.get("checksum") != _checksum({name: header.get(name, "") for name in TEXTS}, tensors):
        raise CheckpointError(path, "it is damaged (its content has another checksum)", damaged=True)
    return json.loads(header["about"]), json.loads(header["learner"]), tensors


def remove(path: Path) -> None:
    """Delete a checkpoint and what an interrupted writing may have left beside it."""
    path.unlink(missing_ok=True)
    sweep(path.parent, path.name)


def _header(path: Path) -> dict[str, str]:
    try:
        with safe_open(path, "pt") as file:
            header: dict[str, str] = file.metadata() or {}
    except SafetensorError as error:
        raise CheckpointError(path, f"it is damaged, or no checkpoint ({error})", damaged=True) from error
    if not str(header.get("format")).startswith(FAMILY):
        raise CheckpointError(path, "it is no checkpoint of coopgym", damaged=True)
    if header.get("format") != FORMAT:
        raise CheckpointError(path, f"its format is {header.get('format')!r}, and this package reads {FORMAT!r}")
    return header


def _checksum(texts: dict[str, str], tensors: dict[str, Tensor]) -> str:
    """Against damage, not against forgery: nothing in a file is run."""
    total = zlib.crc32("".join(texts[name] for name in TEXTS).encode())
    for name in sorted(tensors):
        total = zlib.crc32(f"{name} {tensors[name].dtype} {tuple(tensors[name].shape)}".encode(), total)
        total = zlib.crc32(_bytes(tensors[name]), total)
    return f"{total:08x}"


def _bytes(x: Tensor) -> memoryview:
    return x.reshape(-1).view(torch.uint8).numpy().data


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): x for name, x in tensors.items() if name.startswith(prefix)}
