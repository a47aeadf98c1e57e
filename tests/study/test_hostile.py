"""A small, seeded version of benchmarks/hostile.py: harmed folders and files end in sentences and change nothing."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
import hostile

from coopgym.cli.commands import app
from coopgym.study import formats
from coopgym.study.parts import encode


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A small study with audits, as the benchmark makes it."""
    return hostile.base(tmp_path_factory.mktemp("whole"))


def test_harmed_folders_and_study_files_end_in_sentences(capsys):
    counts, wrong = hostile.attack(folders=12, files=25, seed=7, every=12)
    assert wrong == []
    ended = {name: sum(n for key, n in counts.items() if key.endswith(f": {name}")) for name in ("done", "sentence")}
    assert sum(ended.values()) == sum(counts.values()) and min(ended.values()) > 20


@pytest.mark.parametrize(
    "options", ["[1]", "null", "7", '{"no such option": 1}', '{"max_steps": "x"}', "[" * 20_000, "{"]
)
def test_options_in_a_record_that_no_game_has_end_in_a_sentence_or_are_shown(whole, tmp_path, options):
    folder = shutil.copytree(whole / "out", tmp_path / "out")
    for part in (folder / "runs").glob("*.parquet"):
        table = pq.read_table(part)
        place = table.column_names.index("game_options")
        forged = table.set_column(place, "game_options", pa.array([options] * len(table), pa.string()))
        part.write_bytes(encode(forged))  # with a checksum, or nobody would read it
    for command in (
        "study analyze {}",
        "report {} --out {}.html",
        "audit {}",
        "evaluate {} --episodes 1",
        "study status {}",
    ):
        told = CliRunner().invoke(app, command.replace("{}", str(folder)).split())
        assert told.exit_code in (0, 1, 2), told.output
        assert told.exception is None or isinstance(told.exception, SystemExit), (command, repr(told.exception)[:300])
        assert len(told.stderr) < 2000


@pytest.mark.parametrize("text", [hostile.BOMB, hostile.MERGES, "a: &a [*a]", "a: &a\n  b: *a"])
def test_bombs_of_aliases_are_refused_in_a_short_sentence(text):
    assert len(text) < 700
    with pytest.raises(ValueError, match=r"aliases stand for|merges have too many entries") as told:
        formats.data(text, ".yaml")
    assert len(str(told.value)) < 300


def test_ordinary_aliases_and_merges_are_read():
    text = "a: &a {x: 1, y: [1, 2]}\nb: {<<: *a, z: *a}\n"
    assert formats.data(text, ".yaml")["b"] == {"x": 1, "y": [1, 2], "z": {"x": 1, "y": [1, 2]}}
