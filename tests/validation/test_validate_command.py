"""``coopgym validate``: tables for people, JSON for machines, pictures, and exit codes."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from coopgym.cli.commands import app
from coopgym.validation import protocol


def call(*arguments: Any) -> Result:
    return CliRunner().invoke(app, ["validate", *map(str, arguments)], env={"COLUMNS": "120"})


@pytest.fixture
def one_wrong_record(monkeypatch: pytest.MonkeyPatch) -> None:
    data = copy.deepcopy(protocol.read_data("tr3_sweep"))
    data["figures"]["mean"]["apache_score"]["recorded"] = 44
    monkeypatch.setattr(protocol, "read_data", lambda name: data)


def test_published_recorded_and_ours_stand_beside_each_other() -> None:
    told = call(1)
    assert told.exit_code == 0, told.output
    rows = [line.split() for line in told.stdout.splitlines() if "cooperation_increase_power" in line]
    assert [row[1:4] for row in rows] == [["166", "170.168", "170.167"], ["166", "166.141", "166.14"]]
    assert {row[-1] for row in rows} == {"yes"}
    assert "120 of 120 recorded figures reproduced" in told.stdout


def test_strict_adds_nulls_ablations_and_verdicts() -> None:
    told = call(3, "--strict")
    assert told.exit_code == 0, told.output
    for words in ("random parameters", "no loyalty", "clipped_pct", "No case score reaches the 95th percentile"):
        assert words in told.stdout


def test_json_alone() -> None:
    found = json.loads(call(3, "--json").stdout)
    assert found["holds"] and found["reports"]["3"]["scores"] == {"mean": [45.0, 60], "sum": [60.0, 60]}


def test_a_departure_is_named_and_the_exit_code_is_1(one_wrong_record: None) -> None:
    told = call(3)
    assert told.exit_code == 1
    assert "NO" in told.stdout and "97 of 98 recorded figures reproduced" in told.stdout
    assert "departs: TR-3, mean: apache_score is 45, recorded 44 ± 0" in told.stderr
    found = call(3, "--json")
    assert found.exit_code == 1 and not json.loads(found.stdout)["holds"]


@pytest.mark.parametrize("report", ["5", "two", "1,9"])
def test_a_report_that_does_not_exist_gives_exit_code_2(report: str) -> None:
    told = call(report)
    assert told.exit_code == 2 and told.stdout == ""
    assert f"error: report='{report}' does not exist" in told.stderr


def test_help_has_an_example() -> None:
    assert "Example: coopgym validate 3 --strict" in call("--help").stdout


def test_pictures_are_saved_and_named(tmp_path: Path) -> None:
    told = call(3, "--plot", tmp_path / "plots", "--json")
    assert json.loads(told.stdout)["pictures"] == [str(tmp_path / "plots" / "case_apache.png")]
    assert (tmp_path / "plots" / "case_apache.png").read_bytes().startswith(b"\x89PNG")
