"""Records are whole or absent, survive damage, and hold no number that is not one."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import os
import time
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from made_up import curves, rows

from coopgym.study.parts import DamageError, ForeignError, decode, encode
from coopgym.study.records import Records
from coopgym.study.schema import PUBLISHED, RUNS, SCHEMAS

PART = "0123456789abcdef01234567"  # a name as programs give


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


def harmed(path, harm):
    data = path.read_bytes()
    path.write_bytes({"cut": data[: len(data) // 2], "scrambled": data[::-1], "foreign": b"not parquet"}[harm])


def untrained(count):
    """Records that need neither curves nor a policy."""
    return [row | {"kind": "constant"} for row in rows(seeds=count)[:count]]


def listing(folder):
    """(name, content, time of the last change) of every file."""
    return sorted((str(x), x.read_bytes(), x.stat().st_mtime_ns) for x in folder.rglob("*") if x.is_file())


@pytest.mark.parametrize("harm", ["cut", "scrambled", "foreign"])
def test_a_damaged_part_is_named_by_reading_and_set_aside_by_repair_only(tmp_path, harm):
    records, (first, second) = Records(tmp_path), untrained(2)
    records.write("runs", "good", [first])
    path = records.write("runs", PART, [second])
    harmed(path, harm)
    before = listing(tmp_path)
    with pytest.warns(RuntimeWarning, match=rf"{PART}\.parquet cannot be read .* its runs count as missing"):
        assert records.done() == {first["run_id"]}
    assert records.done() == {first["run_id"]}  # said once
    assert [row["run_id"] for row in records.read("runs")] == [first["run_id"]]
    assert not records.has(PART) and listing(tmp_path) == before
    records.repair([first["run_id"]])  # nothing of this plan is missing
    assert listing(tmp_path) == before
    (tmp_path / "runs" / f"{PART}.damaged").write_text("an older one")
    with pytest.warns(RuntimeWarning, match=rf"{PART}\.parquet cannot be read .* its runs will be done again"):
        records.repair([first["run_id"], second["run_id"]])
    assert (tmp_path / "runs" / f"{PART}.damaged").read_text() == "an older one"
    assert (tmp_path / "runs" / f"{PART}-2.damaged").exists() and not path.exists()


@pytest.mark.parametrize("error", [TimeoutError("no answer"), PermissionError("not yours")])
def test_what_cannot_be_reached_is_not_damaged(tmp_path, monkeypatch, error):
    records, (row,) = Records(tmp_path), untrained(1)
    records.write("runs", PART, [row])
    before = listing(tmp_path)

    def away(self, name):
        raise error

    monkeypatch.setattr("coopgym.study.store.Folder.read", away)
    for read in (lambda: records.read("runs"), records.done, lambda: records.repair([row["run_id"], "other"])):
        with pytest.raises(type(error)):
            read()
    assert listing(tmp_path) == before


def test_files_of_others_are_left_alone(tmp_path):
    records, (row,) = Records(tmp_path), untrained(1)
    records.write("runs", PART, [row])
    pq.write_table(pa.table({"note": ["mine"]}), tmp_path / "runs" / "notes.parquet")
    (tmp_path / "runs" / "sales.parquet").write_text("not Parquet at all")
    pq.write_table(pa.table({"note": ["mine"]}), tmp_path / "runs" / f"{'0' * 24}.parquet")
    before = listing(tmp_path)
    with pytest.warns(RuntimeWarning, match=r"\.parquet cannot be read") as told:
        assert [found["run_id"] for found in records.read("runs")] == [row["run_id"]]
    said = " ".join(str(each.message) for each in told)
    assert said.count("is left alone") == 2 and "notes.parquet" in said
    with pytest.warns(RuntimeWarning) as told:
        Records(tmp_path).repair([row["run_id"], "other"])
    assert "it is now" not in " ".join(str(each.message) for each in told) and listing(tmp_path) == before
    with pytest.warns(RuntimeWarning, match="was not written by coopgym; it is now"):
        records.write("runs", "0" * 24, [row])
    assert {name for name, *_ in before} < {name for name, *_ in listing(tmp_path)}


def test_no_flipped_bit_passes_for_a_missing_column(tmp_path):
    """In every byte of the footer, and here and there in the rest: the rows are equal, or the part is damaged."""
    row = rows(seeds=1)[0]
    (whole,) = [Records(tmp_path).write("runs", "a", [row])]
    data, want = whole.read_bytes(), Records(tmp_path).read("runs")
    footer = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    places = [*range(0, footer, 41), *range(footer, len(data))]
    wrong = []
    for k, place in enumerate(places):
        harm = bytearray(data)
        harm[place] ^= 1 << (k % 8)
        with contextlib.suppress(DamageError):
            columns = ["welfare", "status", "run_id"] if k % 2 else RUNS.names
            schema = pa.schema([RUNS.field(name) for name in columns])
            found = decode(bytes(harm), "runs", schema).to_pylist()
            if found != [{name: row[name] for name in columns} for row in want]:
                wrong.append(place)
    assert wrong == []


def test_the_data_sets_of_0_1_0_are_read_and_a_column_that_0_1_0_wrote_is_missed():
    for name, table, count in (("cpu", "runs", 80), ("audit", "audits", 1)):
        paths = sorted((Path(__file__).parents[2] / "data_cards" / name / table).glob("*.parquet"))
        schema = PUBLISHED[table]
        assert len(paths) == count
        for path in paths[:3]:
            found = decode(path.read_bytes(), table, schema)
            assert found.schema.names == schema.names and not found["welfare"].null_count
            for lost in ("welfare", "run_id", "package_version"):
                sink = pa.BufferOutputStream()
                pq.write_table(pq.read_table(path).drop_columns([lost]), sink)
                with pytest.raises((DamageError, ForeignError)):
                    decode(sink.getvalue().to_pybytes(), table, schema)


def test_reading_some_columns_of_many_rows_is_checked_and_cheap(tmp_path):
    row = rows(seeds=1)[0]
    table = pa.Table.from_pylist([row], schema=RUNS)
    data = encode(pa.concat_tables([table] * 200_000).combine_chunks(), row_group_size=65_536)
    schema = pa.schema([RUNS.field(name) for name in ("run_id", "welfare")])
    start = time.process_time()
    assert len(decode(data, "runs", schema)) == 200_000
    assert time.process_time() - start < 2.0
    with pytest.raises(DamageError, match="another checksum"):
        decode(data[:5000] + bytes([data[5000] ^ 1]) + data[5001:], "runs", schema)


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


def test_a_part_without_a_checksum_is_read_if_it_is_of_a_version_that_wrote_none(tmp_path):
    records, (row, *_) = Records(tmp_path), rows(seeds=1)
    path = records.write("runs", PART, [row])
    table = pq.ParquetFile(path).read()
    place = table.schema.get_field_index("package_version")

    def rewritten(version, **changes):
        told = table.set_column(place, "package_version", pa.array([version], pa.string()))
        return told.append_column("later", [[1]]) if changes.get("more") else told.drop_columns(changes["less"])

    pq.write_table(rewritten("0.1.0", more=True), path)
    (found,) = Records(tmp_path).read("runs")
    assert found["welfare"] == row["welfare"] and "later" not in found
    neither = "neither a checksum nor the column 'variant'"
    for version, columns, reason in (
        ("0.1.0", ["evaluations"], None), ("0.1.0", ["variant"], neither), (None, ["variant"], neither),
        ("0.2.0", ["evaluations"], "lost its checksum, which coopgym '0.2.0' writes"),
        ("0.2.0", [], "lost its checksum"), ("1.0.0", [], "lost its checksum"),
    ):  # fmt: skip
        pq.write_table(rewritten(version, less=columns), path)
        if reason is None:
            assert Records(tmp_path).read("runs")[0]["evaluations"] is None
        else:
            with pytest.warns(RuntimeWarning, match=reason):
                assert Records(tmp_path).read("runs") == []


@pytest.mark.parametrize("table", ["runs", "curves"])
def test_a_value_changed_by_another_program_counts_as_damage(tmp_path, table):
    """The other program drops the checksum; rows of curves name no version, the runs beside them do."""
    records, (row, *_) = Records(tmp_path), rows(seeds=1)
    records.write("curves", PART, curves([row], points=3))
    records.write("runs", PART, [row | {"package_version": "0.2.0"}])
    path = tmp_path / table / f"{PART}.parquet"
    found = pq.ParquetFile(path).read()
    name = {"runs": "welfare", "curves": "unit"}[table]
    forged = pa.nulls(len(found), found.schema.field(name).type)
    pq.write_table(found.set_column(found.schema.get_field_index(name), name, forged), path)
    with pytest.warns(RuntimeWarning, match=f"{table}/{PART}.parquet cannot be read .it has lost its checksum"):
        assert Records(tmp_path).read(table) == []
    with pytest.warns(RuntimeWarning, match="its runs will be done again"):
        Records(tmp_path).repair([row["run_id"]])
    assert not Records(tmp_path).done() and not path.exists()


def test_curves_of_0_1_0_without_a_checksum_are_read():
    card = Records(Path(__file__).parents[2] / "data_cards" / "audit")
    assert card.read("curves") and card.read("runs")
