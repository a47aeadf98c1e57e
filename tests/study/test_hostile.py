"""A small, seeded version of benchmarks/hostile.py: harmed folders and files end in sentences and change nothing."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
import hostile

from coopgym.study import formats


def test_harmed_folders_and_study_files_end_in_sentences(capsys):
    counts, wrong = hostile.attack(folders=12, files=25, seed=7, every=12)
    assert wrong == []
    ended = {name: sum(n for key, n in counts.items() if key.endswith(f": {name}")) for name in ("done", "sentence")}
    assert sum(ended.values()) == sum(counts.values()) and min(ended.values()) > 20


@pytest.mark.parametrize("text", [hostile.BOMB, hostile.MERGES, "a: &a [*a]", "a: &a\n  b: *a"])
def test_bombs_of_aliases_are_refused_in_a_short_sentence(text):
    assert len(text) < 700
    with pytest.raises(ValueError, match=r"aliases stand for|merges have too many entries") as told:
        formats.data(text, ".yaml")
    assert len(str(told.value)) < 300


def test_ordinary_aliases_and_merges_are_read():
    text = "a: &a {x: 1, y: [1, 2]}\nb: {<<: *a, z: *a}\n"
    assert formats.data(text, ".yaml")["b"] == {"x": 1, "y": [1, 2], "z": {"x": 1, "y": [1, 2]}}
