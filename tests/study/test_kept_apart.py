"""Two designs in one folder, in all pairs: whoever reads it keeps them apart, and drops nothing."""

from __future__ import annotations

import itertools
import shutil
import subprocess
import sys

import numpy as np
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

import coopgym
from coopgym.cli.commands import app
from coopgym.envs.reward import RewardMode
from coopgym.report.compare import compare
from coopgym.report.page.build import report
from coopgym.report.page.cells import cells
from coopgym.report.page.material import Material
from coopgym.study import claims
from coopgym.study.analysis.analysis import analyse
from coopgym.study.analysis.runs import load
from coopgym.study.audits import audit_policy, audit_runs
from coopgym.study.cells import Cell
from coopgym.study.hacking import by_cell
from coopgym.study.program import Busy, Overtaken, Program, carry_out
from coopgym.study.records import Records
from coopgym.study.replay import evaluate_run
from coopgym.study.stored import stored
from coopgym.study.summary import summarise

BASE = {"max_steps": 4, "lanes": 2, "hidden": (4,), "rollout_steps": 4, "minibatches": 1}
DESIGNS = {
    "base": {},
    "steps": {"steps": 64},
    "hyperparameter": {"options": {"learning_rate": 0.5}},
    "option": {"options": {"max_steps": 5}},
    "variant": {"options": {"hidden": (8,)}, "variant": "wide"},
    "version": {"game": "TrustDilemma-v0"},
    "package": {"package": "0.1.9"},
    "evaluation": {"episodes": 3},
}
MODES = (RewardMode("private"), RewardMode("cooperative"))
SEEDS = (0, 1)


def made(folder, game="TrustDilemma-v1", steps=32, options=(), variant="", package=None, episodes=2, name="IPPO"):
    """Train a design into a folder, in this process."""
    cell = Cell(name, game, MODES, SEEDS, steps, BASE | dict(options), variant, evaluations=2, episodes=episodes)
    with pytest.MonkeyPatch.context() as patch:
        if package:
            patch.setattr(coopgym, "__version__", package)
        program = Program(
            (name,), game, MODES, SEEDS, steps, "cpu", str(folder), cell.options, 1e9, 2, episodes, None, variant,
            tuple(cell.plan()),
        )  # fmt: skip
        carry_out(program, lambda news: None)
    return folder


@pytest.fixture(scope="module")
def designs(tmp_path_factory):
    place = tmp_path_factory.mktemp("designs")
    return {name: made(place / name, **design) for name, design in DESIGNS.items()}


def together(place, *folders):
    for folder in folders:
        shutil.copytree(folder, place, dirs_exist_ok=True)
    return place


@pytest.fixture(params=list(itertools.combinations(DESIGNS, 2)), ids="-".join)
def pair(request, designs, tmp_path):
    """(folder with two designs, the rows of each)."""
    own = [designs[name] for name in request.param]
    return together(tmp_path / "both", *own), [Records(folder).read("runs") for folder in own]


def means(parts):
    """Mean welfare of each design under each mode, sorted."""
    return sorted(
        float(np.mean([row["welfare"] for row in rows if row["reward_mode"] == mode.kind]))
        for rows in parts for mode in MODES
    )  # fmt: skip


def test_the_table_has_a_line_for_each_and_the_mean_of_each(pair):
    folder, parts = pair
    lines = summarise(Records(folder).read("runs"))
    assert [line.runs for line in lines] == [2] * 4
    assert len({(line.game, line.algorithm, line.reward_mode) for line in lines}) == 4
    assert sorted(line.welfare.mean for line in lines) == pytest.approx(means(parts))


def test_policies_are_played_and_grouped_by_what_they_are(pair):
    folder, parts = pair
    rows = evaluate_run(folder, episodes=1)
    assert len(rows) == 8
    assert len({(row["game"], row["algorithm"], row["reward_mode"]) for row in rows}) == 4
    groups = [{run["run_id"] for run in runs} for _, runs in stored(folder)]
    assert sorted(map(sorted, groups)) == sorted(sorted(row["run_id"] for row in rows) for rows in parts)


def test_an_audit_shows_every_run(designs, tmp_path):
    folder = together(tmp_path / "all", *(designs[name] for name in ("base", "steps", "variant", "option", "version")))
    found = audit_runs(folder, out=folder)
    shown = by_cell(found.rows)
    assert len(found.rows) == 20 == sum(len(seeds) for modes in shown.values() for seeds in modes.values())
    assert len(shown) == 5
    again = audit_runs(folder, out=folder)
    assert again.skipped == 20
    assert by_cell(again.rows).keys() == shown.keys()


def test_studies_in_one_folder_are_named_by_their_folders(designs, tmp_path):
    for name in "ab":
        shutil.copytree(designs["base"], tmp_path / name)
    rows = evaluate_run(tmp_path, episodes=1)
    assert {row["algorithm"] for row in rows} == {"IPPO [a]", "IPPO [b]"}
    assert len(rows) == 8
    assert [len(runs) for _, runs in stored(tmp_path)] == [4, 4]


def test_the_analysis_ranks_and_counts_each(pair):
    folder, _ = pair
    runs = load(Records(folder))
    there = {(runs.game[k], runs.player[k], runs.mode[k]) for k in range(len(runs))}
    assert len(runs) == 8 and len(there) == 4
    found = analyse(folder)
    assert found["learner_runs"] == 8
    told = {
        (each["player"], game): mean
        for ranking in found["rankings"].values() for each in ranking["players"]
        for game, mean in each["mean_by_game"].items() if mean is not None
    }  # fmt: skip
    assert set(told) == {(player, game) for game, player, _ in there}
    assert {row["seeds"] for row in found["modes_compared"]} <= {2}


def test_the_report_has_a_cell_for_each(pair):
    folder, parts = pair
    found = cells(Material.read(folder))
    assert sorted(cell.found["welfare"].mean for cell in found) == pytest.approx(means(parts))
    assert [len(cell.rows) for cell in found] == [2] * 4
    assert len({(cell.game, cell.player, cell.mode) for cell in found}) == 4
    links = {tuple(sorted(cell.link.items())) for cell in found}
    assert len(links) == 4  # what a click shows


def test_a_parent_folder_is_reported_and_analysed_by_the_names_of_its_studies(designs, tmp_path):
    for name, design in (("first", "base"), ("second", "steps"), ("third", "base")):
        shutil.copytree(designs[design], tmp_path / name)
    names = {"IPPO [first, 32 steps]", "IPPO [second, 64 steps]", "IPPO [third, 32 steps]"}
    assert {cell.player for cell in cells(Material.read(tmp_path))} == names
    assert set(analyse(tmp_path)["players"]) == names
    page = report(tmp_path, tmp_path / "page.html").path.read_text()
    assert "IPPO [second, 64 steps]" in page


def test_two_runners_of_overlapping_designs_train_nothing_twice_and_leave_records_that_match(tmp_path):
    """Seeds 0 and 1 are asked for by both, at the same time, in processes of their own and cut in different ways."""
    code = """
import sys
from coopgym.study.ablation import run_ablation
options = {"max_steps": 4, "lanes": 2, "hidden": (4,), "rollout_steps": 4, "minibatches": 1}
found = run_ablation("TrustDilemma-v1", ["IPPO"], reward_modes=["private"], seeds=int(sys.argv[1]), steps=200,
                     out=sys.argv[2], workers=1, **options)
assert not found.failures and len(found.runs) == int(sys.argv[1]), found
"""
    folder = tmp_path / "out"
    command = [sys.executable, "-W", "error", "-c", code]
    both = [subprocess.Popen([*command, str(n), str(folder)], stderr=subprocess.PIPE, text=True) for n in (2, 3)]
    told = [process.communicate(timeout=300)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], told
    trained = [row["run_id"] for part in (folder / "runs").iterdir() for row in pq.read_table(part).to_pylist()]
    assert len(trained) == len(set(trained)) == 3
    rows = Records(folder).read("runs")
    Records(folder).verify()  # a warning is an error
    assert sorted(path.name for path in (folder / "policies").glob("*.json")) == sorted(
        f"{row['policy_file'].removeprefix('policies/')}.json" for row in rows
    )
    assert not (folder / "claims").exists()


def test_runs_that_another_program_has_made_meanwhile_are_left_out_of_the_next_plan(tmp_path):
    made(tmp_path)
    options = BASE | {}
    plan = Cell("IPPO", "TrustDilemma-v1", MODES, (*SEEDS, 2), 32, options, evaluations=2, episodes=2).plan()
    wide = Program(
        ("IPPO",), "TrustDilemma-v1", MODES, (*SEEDS, 2), 32, "cpu", str(tmp_path), options, 1e9, 2, 2, None, "",
        tuple(plan),
    )  # fmt: skip
    news = []
    carry_out(wide, news.append)
    assert news == [Overtaken()]
    held = []
    with claims.claim(Records(tmp_path).store, wide.runs[-1]):
        carry_out(wide, held.append)
    assert held == [Busy()]


@pytest.fixture(scope="module")
def mixed(designs, tmp_path_factory):
    """A learner beside heuristics, a constant and an oracle, as a study has them."""
    folder = together(tmp_path_factory.mktemp("mixed") / "out", designs["base"])
    for names, modes in ((("TitForTat", "Constant_50"), ()), (("Nash",), MODES)):
        cells = [Cell(name, "TrustDilemma-v1", modes, options={"max_steps": 4}) for name in names]
        runs = tuple(run for cell in cells for run in cell.plan())
        program = Program(names, "TrustDilemma-v1", modes, (None,), 0, "cpu", str(folder), {"max_steps": 4}, runs=runs)
        carry_out(program, lambda news: None)
    return folder


def test_what_needs_no_training_is_audited_evaluated_reported_and_compared(mixed, tmp_path):
    names = {"IPPO", "TitForTat", "Constant_50", "Nash"}
    rows = audit_runs(mixed).rows
    assert {row["algorithm"] for row in rows} == names
    assert {row["reward_mode"] for row in rows if row["algorithm"] == "TitForTat"} == {"none"}
    alone = audit_policy("TitForTat", coopgym.game("TrustDilemma-v1", max_steps=4))
    (own,) = (row for row in rows if row["algorithm"] == "TitForTat")
    assert own["best_gain"] == alone["best_gain"] and own["welfare"] == alone["welfare"]
    assert by_cell(rows).keys() == {("TrustDilemma-v1", name) for name in names}
    assert {row["algorithm"] for row in evaluate_run(mixed, episodes=1)} == names
    assert {cell.player for cell in cells(Material.read(mixed))} == names
    assert {line.algorithm for line in compare(mixed).lines} == names
    told = CliRunner().invoke(app, ["audit", str(mixed)])
    assert told.exit_code == 0 and "Constant_50" in told.output
    assert report(mixed, tmp_path / "page.html").runs == 8
