"""Load a policy from a third-party library, chosen by the type of the object or file."""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import Any

from coopgym.algorithms.policy import Policy, load_policy
from coopgym.envs.foreign import SUFFIX
from coopgym.envs.game import Game
from coopgym.integrations.missing import need

LIBRARIES = {"stable_baselines3": "sb3", "torchrl": "torchrl", "ray": "rllib"}  # module: the name of its own here
CHECKPOINT = "rllib_checkpoint.json"  # what RLlib leaves in the folder of an algorithm
MODULES = {"ray": "ray", "tensordict": "torchrl"}  # by the root of a model's class; the rest is Stable-Baselines3's


def load(spec: Any, game: Game, trust: bool = False) -> Policy:
    """A policy for ``game`` from a path or from a model of a library; see ``coopgym.policy``."""
    if isinstance(spec, (str, os.PathLike)):
        path = Path(spec)
        if path.suffix == SUFFIX:
            return _made("stable_baselines3", path, game, trust=trust)
        if (path / CHECKPOINT).exists():
            return _made("ray", path, game, trust=trust)
        return load_policy(path, game)
    roots = [kind.__module__.split(".")[0] for kind in type(spec).__mro__]
    return _made(next((MODULES[root] for root in roots if root in MODULES), "stable_baselines3"), spec, game)


def rebuilt(library: str, game: Game, recipe: dict[str, Any], tensors: dict[str, Any]) -> Policy:
    """A policy that was saved as data: a recipe of ``library`` and its parameters."""
    module = next((module for module, name in LIBRARIES.items() if name == library), None)
    if module is None or not hasattr(home := _home(module, f"a policy of {library}"), "rebuilt"):
        raise ValueError(f"its library {library!r} is unknown to this package")
    made: Policy = home.rebuilt(game, recipe, tensors)
    return made


def _made(module: str, spec: Any, game: Game, **options: Any) -> Policy:
    """What ``from_sb3``, ``from_torchrl`` or ``from_rllib`` makes of it."""
    made: Policy = getattr(_home(module, f"the policy {spec!r}"), f"from_{LIBRARIES[module]}")(spec, game, **options)
    return made


def _home(module: str, wanted_by: str) -> Any:
    need(module, wanted_by)
    return importlib.import_module(f"coopgym.integrations.{LIBRARIES[module]}_policy")
