"""A study that is changed and run again in its folder: what was made stays, and is not taken for what is asked now."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from coopgym.cli.commands import app
from coopgym.report.page.cells import cells
from coopgym.report.page.material import Material
from coopgym.study import study
from coopgym.study.audits import audit_runs
from coopgym.study.records import Records
from coopgym.study.summary import summarise

STUDY = """
name = "tiny"
games = ["TrustDilemma"]
algorithms = ["IPPO"]
reward_modes = ["private"]
seeds = 2
device = "cpu"
workers = 1
[budget]
steps = 40
[evaluation]
points = 2
episodes = 4
[hyperparameters.all]
lanes = 2
[variants.thin]
hidden = [4]
[variants.wide]
hidden = [8]
[game_options.all]
max_steps = 4
"""


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "tiny.toml"
    path.write_text(STUDY)
    study.run(path, out=tmp_path / "out")
    return path


@pytest.mark.parametrize(
    "change",
    [("episodes = 4", "episodes = 8"), ("points = 2", "points = 1"), ("steps = 40", "steps = 80"),
     ("max_steps = 4", "max_steps = 5")],
    ids=["episodes", "points", "steps", "game"],
)  # fmt: skip
def test_a_changed_study_makes_other_runs_and_keeps_both_apart(source, tmp_path, change):
    before = {row["run_id"]: row for row in Records(tmp_path / "out").read("runs")}
    source.write_text(STUDY.replace(*change))
    assert study.plan(source, out=tmp_path / "out").others == 4
    done = study.run(source, out=tmp_path / "out")
    assert (done.skipped, done.status.count("ok"), done.status.others) == (0, 4, 4)
    rows = Records(tmp_path / "out").read("runs")
    assert len(rows) == 8 and {row["run_id"]: row for row in rows if row["run_id"] in before} == before
    assert [line.runs for line in summarise(rows)] == [2] * 4
    told = CliRunner().invoke(app, ["study", "status", str(tmp_path / "out")])
    assert "not counted: 4 runs" in told.output
    told = CliRunner().invoke(app, ["study", "card", str(tmp_path / "out"), "--out", str(tmp_path / "data")])
    assert told.exit_code == 0 and "left out: 4 runs" in told.output


def test_variants_of_one_study_stay_apart_everywhere(source, tmp_path):
    names = {"IPPO [thin]", "IPPO [wide]"}
    assert {line.algorithm for line in summarise(Records(tmp_path / "out").read("runs"))} == names
    assert {cell.player for cell in cells(Material.read(tmp_path / "out"))} == names
    assert len(audit_runs(tmp_path / "out").rows) == 4
    told = CliRunner().invoke(app, ["audit", str(tmp_path / "out")])
    assert told.exit_code == 0 and all(name in told.output for name in names)
    told = CliRunner().invoke(app, ["study", "analyze", str(tmp_path / "out")])
    assert told.exit_code == 0 and all(name in told.output for name in names)
