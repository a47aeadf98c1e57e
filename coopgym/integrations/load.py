"""One door for models and files of other libraries: whose they are decides who makes a policy of them."""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import Any

from coopgym.algorithms.policy import Policy, load_policy
from coopgym.envs.foreign import SUFFIX
from coopgym.envs.game import Game
from coopgym.integrations.missing import EXTRAS, need

CHECKPOINT = "rllib_checkpoint.json"  # what RLlib leaves in the folder of an algorithm
MODULES = {"ray": "ray", "tensordict": "torchrl"}  # by the root of a model's class; the rest is Stable-Baselines3's


def load(spec: Any, game: Game) -> Policy:
    """A policy for ``game`` from a path or from a model of a library; see ``coopgym.policy``."""
    if isinstance(spec, (str, os.PathLike)):
        path = Path(spec)
        if path.suffix == SUFFIX:
            return _made("stable_baselines3", path, game)
        return _made("ray", path, game) if (path / CHECKPOINT).exists() else load_policy(path, game)
    roots = [kind.__module__.split(".")[0] for kind in type(spec).__mro__]
    return _made(next((MODULES[root] for root in roots if root in MODULES), "stable_baselines3"), spec, game)


def _made(module: str, spec: Any, game: Game) -> Policy:
    """What ``from_sb3``, ``from_torchrl`` or ``from_rllib`` makes of it."""
    need(module, f"the policy {spec!r}")
    name = EXTRAS[module]
    home = importlib.import_module(f"coopgym.integrations.{name}_policy")
    made: Policy = getattr(home, f"from_{name}")(spec, game)
    return made
