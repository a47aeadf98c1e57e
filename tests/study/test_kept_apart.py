"""Two designs in one folder, in all pairs: whoever reads it keeps them apart, and drops nothing."""

from __future__ import annotations

import itertools
import shutil

import numpy as np
import pytest

import coopgym
from coopgym.envs.reward import RewardMode
from coopgym.report.page.build import report
from coopgym.report.page.cells import cells
from coopgym.report.page.material import Material
from coopgym.study.analysis.analysis import analyse
from coopgym.study.analysis.runs import load
from coopgym.study.audits import audit_runs
from coopgym.study.cells import Cell
from coopgym.study.hacking import by_cell
from coopgym.study.program import Program, carry_out
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
    found = audit_runs(folder)
    shown = by_cell(found.rows)
    assert len(found.rows) == 20 == sum(len(seeds) for modes in shown.values() for seeds in modes.values())
    assert len(shown) == 5
    again = audit_runs(folder)
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
