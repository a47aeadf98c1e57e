"""coopgym: twenty continuous-action games of coopetition, with the reward apart from the payoff.

Importing it enters the games in the registries of Gymnasium and PettingZoo. Everything below is imported when it is
first asked for, so that ``import coopgym`` loads these two, NumPy, and nothing heavier.
"""

from __future__ import annotations

# isort: off
import coopgym._command  # noqa: F401  # before anything that takes time to import

# isort: on
import importlib
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from coopgym.envs.registration import register_all
from coopgym.extras import explained

if TYPE_CHECKING:
    import coopgym.statistics as statistics
    import coopgym.testing as testing
    from coopgym.algorithms.evaluation import Evaluation, evaluate
    from coopgym.algorithms.policy import Policy, load_policy, policy
    from coopgym.algorithms.registry import list_algorithms
    from coopgym.algorithms.training import TrainResult, train
    from coopgym.audit import Room
    from coopgym.envs.aec import make_aec
    from coopgym.envs.catalogue import game, list_games
    from coopgym.envs.game import Game
    from coopgym.envs.parallel import make_parallel
    from coopgym.envs.reward import RewardMode
    from coopgym.envs.seat import make_seat
    from coopgym.envs.vector import make_vec
    from coopgym.oracles.dilemma import Dilemma, dilemma
    from coopgym.oracles.exploitability import Exploitability, exploitability
    from coopgym.oracles.result import Solution
    from coopgym.oracles.scores import score
    from coopgym.oracles.solve import solve
    from coopgym.report.compare import Comparison, compare
    from coopgym.validation.validate import Validation, validate

    audit: Room  # a package that can be called

try:
    __version__ = version("coopgym")
except PackageNotFoundError:  # a source tree that was never installed
    __version__ = "0+unknown"

register_all()

_ROOMS = ("audit", "statistics", "testing")
_HOMES = {
    "Comparison": "coopgym.report.compare",
    "Dilemma": "coopgym.oracles.dilemma",
    "Evaluation": "coopgym.algorithms.evaluation",
    "Exploitability": "coopgym.oracles.exploitability",
    "Game": "coopgym.envs.game",
    "Policy": "coopgym.algorithms.policy",
    "RewardMode": "coopgym.envs.reward",
    "Solution": "coopgym.oracles.result",
    "TrainResult": "coopgym.algorithms.training",
    "Validation": "coopgym.validation.validate",
    "compare": "coopgym.report.compare",
    "dilemma": "coopgym.oracles.dilemma",
    "evaluate": "coopgym.algorithms.evaluation",
    "exploitability": "coopgym.oracles.exploitability",
    "game": "coopgym.envs.catalogue",
    "list_algorithms": "coopgym.algorithms.registry",
    "list_games": "coopgym.envs.catalogue",
    "load_policy": "coopgym.algorithms.policy",
    "make_aec": "coopgym.envs.aec",
    "make_parallel": "coopgym.envs.parallel",
    "make_seat": "coopgym.envs.seat",
    "make_vec": "coopgym.envs.vector",
    "policy": "coopgym.algorithms.policy",
    "score": "coopgym.oracles.scores",
    "solve": "coopgym.oracles.solve",
    "train": "coopgym.algorithms.training",
    "validate": "coopgym.validation.validate",
}

__all__ = [
    "Comparison",
    "Dilemma",
    "Evaluation",
    "Exploitability",
    "Game",
    "Policy",
    "RewardMode",
    "Solution",
    "TrainResult",
    "Validation",
    "audit",
    "compare",
    "dilemma",
    "evaluate",
    "exploitability",
    "game",
    "list_algorithms",
    "list_games",
    "load_policy",
    "make_aec",
    "make_parallel",
    "make_seat",
    "make_vec",
    "policy",
    "score",
    "solve",
    "statistics",
    "testing",
    "train",
    "validate",
]


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        with explained(f"coopgym.{name}"):
            return importlib.import_module(f"coopgym.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'coopgym' has no attribute {name!r}; its names are {', '.join(__all__)}")
    with explained(f"coopgym.{name}"):
        value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
