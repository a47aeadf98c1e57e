"""Shared fixtures: where the golden arrays are, and one torch thread for every test process."""

from __future__ import annotations

import json
import os
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("NUMBA_NUM_THREADS", "1")  # else importing quantecon gives torch a thread for each core

import pytest

ROOT = Path(__file__).resolve().parents[1]


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
