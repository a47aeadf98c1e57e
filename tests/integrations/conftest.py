"""Examples as modules, so that tests can run them briefly."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="session")
def example():
    """The module of an example, by its name."""

    def load(name):
        found = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
        module = sys.modules[name] = importlib.util.module_from_spec(found)  # dataclasses look there
        found.loader.exec_module(module)
        return module

    return load


@pytest.fixture(scope="module")
def cluster():
    """Ray in its smallest form, for the tests of a file: those of studies make another cluster in the same process."""
    ray = pytest.importorskip("ray")
    from coopgym.integrations.rllib_trainer import start

    started = start(processors=3)
    yield ray
    if started:
        ray.shutdown()
