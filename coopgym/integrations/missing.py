"""What is said when a library is not installed."""

from __future__ import annotations

import importlib.util

EXTRAS = {"stable_baselines3": "sb3", "torchrl": "torchrl", "ray": "rllib"}


def need(module: str, wanted_by: str) -> None:
    """ImportError in one line, with the extra to install, unless ``module`` is there."""
    try:
        found = importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):  # a name that is blocked, or half a module
        found = False
    if not found:
        raise ImportError(f'{wanted_by} needs {module}; pip install "coopgym[{EXTRAS[module]}]"')
