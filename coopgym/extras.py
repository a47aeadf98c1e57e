"""Libraries that a core installation does not have: which extra brings each, and what is said where one is missing."""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

EXTRAS = {  # module -> the smallest extra that brings it
    "rich": "cli",
    "typer": "cli",
    "PIL": "report",
    "jinja2": "report",
    "matplotlib": "report",
    "pandas": "report",
    "plotly": "report",
    "pyarrow": "report",
    "pydantic": "report",
    "scipy": "report",
    "safetensors": "learn",
    "torch": "learn",
    "stable_baselines3": "sb3",
    "ray": "rllib",
    "tensordict": "torchrl",
    "torchrl": "torchrl",
    "fsspec": "study",
    "mlcroissant": "study",
    "yaml": "study",
    "starlette": "explore",
    "uvicorn": "explore",
}


def installed(module: str) -> bool:
    """Whether a module can be found; False also for one that is blocked, or there by half."""
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def sentence(module: str | None, wanted_by: str) -> str:
    """What is missing, and the command that installs it."""
    top = str(module).partition(".")[0]
    extra = EXTRAS.get(top)
    cure = f'pip install "coopgym[{extra}]"' if extra else f"pip install {top}"
    return f"{wanted_by} needs {top}, which is not installed; {cure}"


@contextmanager
def explained(wanted_by: str) -> Iterator[None]:
    """Name the extra to install where a library that one of them brings is missing.

    Raises:
        ModuleNotFoundError: In place of Python's own, with the same ``name``. What no extra brings is passed on.
    """
    try:
        yield
    except ModuleNotFoundError as missing:
        if str(missing.name).partition(".")[0] not in EXTRAS or "pip install" in str(missing):
            raise
        raise ModuleNotFoundError(sentence(missing.name, wanted_by), name=missing.name) from missing


def explains(wanted_by: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorator of a public function that imports optional libraries when it is called; see ``explained``."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            with explained(wanted_by):
                return function(*args, **kwargs)

        return call

    return decorate
