"""Shared fixtures: where the golden arrays are, and one torch thread for every test process."""

from __future__ import annotations

import json
import os
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("NUMBA_NUM_THREADS", "1")  # else importing quantecon gives torch a thread for each core

import pytest

ROOT = Path(__file__).resolve().parents[1]


WHOLE = ("browser", "report", "study", "validation", "docs/test_site.py")  # one worker makes what their tests share


@pytest.hookimpl(tryfirst=True)  # pytest-xdist reads the groups in its own
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the tests of a file that share costly fixtures to one worker, which pytest-xdist does with a group."""
    for item in items:
        place = item.path.relative_to(ROOT / "tests").as_posix()
        if place.startswith(WHOLE) and not any(item.iter_markers("xdist_group")):
            item.add_marker(pytest.mark.xdist_group(place))


@pytest.fixture(scope="session")
def golden() -> Path:
    """The folder of numbers recorded from the released package; it stands beside the repository."""
    folder = ROOT.parent / "shared" / "golden"
    if not folder.is_dir():
        pytest.skip("the golden arrays are not beside this checkout")
    return folder


@pytest.fixture(scope="session")
def part_e() -> dict:
    """Check values of the v1 games from an independent implementation of the specification."""
    return json.loads((ROOT / "tests" / "data" / "part_e.json").read_text())
