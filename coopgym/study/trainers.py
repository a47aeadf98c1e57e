"""Who trains the learners of a study: this package, or another library that leaves the same records."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from coopgym.algorithms import registry, training
from coopgym.algorithms.reference import Reference
from coopgym.mechanisms import checks

OWN = "own"
OTHERS = {"rllib": "coopgym.integrations.rllib_trainer"}  # imported when asked for
DEFAULTS = {OWN: "IPPO,MAPPO", "rllib": "PPO"}  # algorithms of an ablation that names none


def check(trainer: str) -> str:
    """``trainer`` if it is one; ValueError naming the nearest otherwise."""
    return checks.choice("trainer", trainer, (OWN, *OTHERS))


def trains(trainer: str, algorithm: str) -> bool:
    """True if this trainer trains the algorithm, False if it needs no training; ValueError for another's learner."""
    known = () if trainer == OWN else _module(trainer).ALGORITHMS
    if algorithm in known:
        return True
    learner = registry.algorithm(algorithm).kind == "learner"
    if learner and trainer != OWN:
        raise ValueError(
            f"{algorithm!r} is not trained by {trainer}; choose {', '.join(known)}, or the trainer {OWN!r}"
        )
    return learner


def planned_run_ids(trainer: str) -> Callable[..., list[str]]:
    """The trainer's own: the run_ids that training will give, for the same arguments."""
    found: Callable[..., list[str]] = (training if trainer == OWN else _module(trainer)).planned_run_ids
    return found


def recipe(trainer: str, algorithm: str, game: str, **design: Any) -> dict[str, Any]:
    """What records say of how an algorithm is trained; of one that needs no training, that there is nothing to say."""
    if not trains(trainer, algorithm):
        return {"hyperparameters": "{}"}
    found = training if trainer == OWN else _module(trainer)
    told: dict[str, Any] = found.planned_recipe(algorithm, game, **design)
    return told


def described(trainer: str, algorithm: str) -> dict[str, Any]:
    """What records say of an algorithm: kind, algorithm, paradigm."""
    if trainer != OWN and trains(trainer, algorithm):
        described: dict[str, Any] = _module(trainer).described(algorithm)
        return described
    found = registry.algorithm(algorithm)
    return {"kind": found.kind, "algorithm": found.name, "paradigm": found.paradigm}


def train(trainer: str, algorithm: str, game: str, report: Callable[[float], None], **design: Any) -> Reference:
    """What another library trains: records, policies and curves."""
    done: Reference = _module(trainer).train(algorithm, game, progress=report, **design)
    return done


def _module(trainer: str) -> Any:
    return importlib.import_module(OTHERS[trainer])
