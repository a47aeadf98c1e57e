"""Records are whole or absent, survive damage, and hold no number that is not one."""

from __future__ import annotations

import dataclasses
import math
import os
from datetime import UTC, datetime

import pyarrow.parquet as pq
import pytest
from made_up import curves, rows

from coopgym.study.records import Records
from coopgym.study.schema import SCHEMAS


def test_a_row_comes_back_as_it_went_in(tmp_path):
    records, (row, *_) = Records(tmp_path), rows(seeds=1)
    records.write("runs", "part", [row])
    (found,) = records.read("runs")
    assert set(found) == set(SCHEMAS["runs"].names)
    assert {name: found[name] for name in row} == row
    assert all(found[name] is None for name in set(found) - set(row))


def test_parts_are_joined_and_the_later_of_two_rows_with_one_key_is_kept(tmp_path):
    records, (first, second, *_) = Records(tmp_path), rows(seeds=2)
    records.write("runs", "a", [first, second])
    records.write("runs", "b", [{**first, "welfare": -1.0}])
    assert {row["run_id"]: row["welfare"] for row in records.read("runs")} == {
        first["run_id"]: -1.0,
        second["run_id"]: second["welfare"],
    }
    assert records.done() == {first["run_id"], second["run_id"]}


def test_curves_are_keyed_by_run_metric_and_agent(tmp_path):
    records = Records(tmp_path)
    made = curves(rows(seeds=2), points=3)
    records.write("curves", "a", made)
    assert len(records.read("curves")) == len(made)


def test_numbers_that_are_not_finite_become_null(tmp_path):
    records, (row, *_) = Records(tmp_path), rows(seeds=1)
    path = records.write("runs", "a", [{**row, "welfare": math.nan, "rate": [0.5, math.inf, 0.25]}])
    table = pq.ParquetFile(path).read()
    assert table["welfare"].to_pylist() == [None]
    assert table["rate"].to_pylist() == [[0.5, None, 0.25]]


def test_an_unknown_column_is_refused_before_anything_is_written(tmp_path):
    records, (row, *_) = Records(tmp_path), rows(seeds=1)
    with pytest.raises(ValueError, match=r"\['wellfare'\] are not in the table"):
        records.write("runs", "a", [{**row, "wellfare": 1.0}])
    assert list(tmp_path.rglob("*.*")) == []


@pytest.mark.parametrize("harm", ["cut", "scrambled", "foreign"])
def test_a_damaged_part_is_named_set_aside_and_its_runs_are_missing(tmp_path, harm):
    records, (first, second, *_) = Records(tmp_path), rows(seeds=2)
    records.write("runs", "good", [first])
    path = records.write("runs", "harmed", [second])
    data = path.read_bytes()
    path.write_bytes({"cut": data[: len(data) // 2], "scrambled": data[::-1], "foreign": b"not parquet"}[harm])
    with pytest.warns(RuntimeWarning, match=r"harmed\.parquet cannot be read .* will be done again"):
        assert records.done() == {first["run_id"]}
    assert (tmp_path / "runs" / "harmed.damaged").exists()
    assert records.done() == {first["run_id"]}  # said once


def test_a_write_that_fails_leaves_no_trace(tmp_path, monkeypatch):
    records, (row, *_) = Records(tmp_path), rows(seeds=1)
    records.write("runs", "a", [row])

    def full(handle):
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space"):
        records.write("runs", "a", [{**row, "welfare": 0.0}])
    monkeypatch.undo()
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["a.parquet"]
    assert records.read("runs")[0]["welfare"] == row["welfare"]


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(ValueError, match="is a file; give the name of a folder"):
        Records(tmp_path / "taken")


def test_the_stored_columns_are_those_of_the_record_of_a_run():
    from coopgym.algorithms.record import Run

    assert {column.name for column in dataclasses.fields(Run)} == set(SCHEMAS["runs"].names)


def test_a_moment_given_as_text_is_stored_as_a_moment(tmp_path):
    records, (row, *_) = Records(tmp_path), rows(seeds=1)
    records.write("runs", "a", [row | {"created": "2026-01-02T03:04:05+00:00"}])
    assert records.read("runs")[0]["created"] == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_records_of_an_earlier_version_lack_columns_and_of_a_later_one_have_more(tmp_path):
    records, (row, *_) = Records(tmp_path), rows(seeds=1)
    path = records.write("runs", "a", [row])
    table = pq.ParquetFile(path).read()
    pq.write_table(table.drop_columns(["variant"]).append_column("later", [[1]]), path)
    (found,) = records.read("runs")
    assert set(found) == set(SCHEMAS["runs"].names) and found["variant"] is None
    assert found["welfare"] == row["welfare"]
