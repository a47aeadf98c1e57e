"""docs/study.md says what the records of its study say: of a small study here, of the published one if it is there."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from pathlib import Path

import numpy as np
import pyarrow.dataset as ds
import pytest
from scipy.stats import rankdata

from coopgym.study import study
from coopgym.study.cards import card

pytest.importorskip("mlcroissant")
ROOT = Path(__file__).parents[2]
DOCS, PAGE, DATA = ROOT / "docs", ROOT / "docs" / "study.md", ROOT / "data_cards" / "cpu"
pytestmark = [
    pytest.mark.skipif(not DOCS.exists(), reason="not a checkout"),
    pytest.mark.filterwarnings("ignore"),  # of the libraries that mlcroissant uses
]
TINY = """
name = "small"
description = "Three learners on two games"
games = ["LoyaltyTeam", "SLCD"]
algorithms = ["IPPO", "MAPPO", "VDN", "TitForTat", "Constant_40"]
seeds = 2
device = "cpu"
workers = 1
[budget]
steps = 60
[hyperparameters.all]
lanes = 2
hidden = [8]
[game_options.all]
max_steps = 6
"""


@pytest.fixture(scope="module")
def tables():
    """The module that makes the page."""
    sys.path.insert(0, str(DOCS))
    try:
        found = importlib.util.spec_from_file_location("study_tables", DOCS / "study_tables.py")
        module = importlib.util.module_from_spec(found)
        found.loader.exec_module(module)
    finally:
        sys.path.remove(str(DOCS))
    return module


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A data set of a study that takes seconds."""
    place = tmp_path_factory.mktemp("page")
    (place / "small.toml").write_text(TINY)
    study.run(place / "small.toml", out=place / "out")
    return card.make(place / "out", place / "small", ["welfare_eval"]).folder


@pytest.fixture(scope="module", params=["small", "cpu"])
def told(request, tables):
    """(page, rows of the runs, counts) of a data set."""
    if request.param == "cpu" and not DATA.exists():
        pytest.skip("the published study is not there")
    folder = DATA if request.param == "cpu" else request.getfixturevalue("small")
    text = PAGE.read_text() if request.param == "cpu" else tables.made(folder)
    rows = ds.dataset(folder / "runs").to_table().to_pylist()
    return text, rows, json.loads((folder / "counts.json").read_text())


def cells(text, heading):
    """Rows of the first table below a heading, as lists of text."""
    lines = text.split(f"\n## {heading}", 1)[1].split("\n## ", 1)[0].splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines if line.startswith("|")]
    return rows[2:]


def learners(rows, mode=None):
    return [row for row in rows if row["kind"] == "learner" and mode in (None, row["reward_mode"])]


def test_the_page_of_the_repository_is_up_to_date(tables):
    if not DATA.exists():
        pytest.skip("the published study is not there")
    assert tables.main([]) == 0


def test_every_part_is_there(told):
    text, _, _ = told
    heads = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert heads[:2] == ["What was asked", "In short"] and heads[-1] == "How it was made"
    for mode in ("Private", "Integrated", "Cooperative"):
        assert f"{mode} rewards: who leads" in heads
    for part in ("Independent against centrally trained", "Failures and instability", "Seeds that a claim"):
        assert any(head.startswith(part) for head in heads), part
    assert "Chance that a run of" in text and "nan" not in text


def test_budgets_are_those_of_the_runs(told):
    text, rows, _ = told
    shown = {row[0]: row[2:] for row in cells(text, "What was asked")}
    for name, (runs, least, most) in shown.items():
        steps = [row["env_steps"] for row in learners(rows) if row["algorithm"] == name]
        assert [runs, least, most] == [str(len(steps)), f"{min(steps):,}", f"{max(steps):,}"]


@pytest.mark.parametrize("mode", ["private", "integrated", "cooperative"])
def test_average_ranks_are_what_numpy_makes_of_the_runs(told, mode):
    """By the mean welfare of each learner in each game: a scale that grows with welfare changes no rank."""
    text, rows, _ = told
    own = [row for row in learners(rows, mode) if row["mutuality"] is None]
    if any(row["status"] != "ok" for row in own):
        pytest.skip("what diverged has the worst score, which is not a number of the runs")
    names, games = sorted({r["algorithm"] for r in own}), sorted({r["game"] for r in own})
    means = np.array([
        [np.mean([r["welfare"] for r in own if (r["algorithm"], r["game"]) == (n, g)] or [-np.inf]) for g in games]
        for n in names
    ])  # fmt: skip
    expected = dict(zip(names, rankdata(-means, axis=0).mean(1), strict=True))
    shown = cells(text, f"{mode.capitalize()} rewards: who leads")
    told_ranks = {row[0].rstrip("†"): row[1].split()[0] for row in shown}
    assert told_ranks == {name: f"{x:.2f}" for name, x in expected.items()}
    for row in shown:
        for cell in row[1:-1]:  # average rank, score, one for each class: all of them inside their intervals
            value, low, high = map(float, re.fullmatch(r"(\S+) \[(\S+), (\S+)\]", cell).groups())
            assert low <= value <= high


def test_failures_and_totals_are_counted(told):
    text, rows, counts = told
    own = [row for row in learners(rows) if not row["duplicate_of"]]
    shown = {row[0]: row[1:4] for row in cells(text, "Failures and instability")}
    for name, numbers in shown.items():
        states = [row["status"] for row in own if row["algorithm"] == name]
        expected = [len(states), states.count("diverged"), states.count("failed")]
        assert [int(x.replace(",", "")) for x in numbers] == expected
    diverged = sum(row["status"] == "diverged" for row in own)
    assert f"Of {len(own):,} runs of learners {diverged} diverged" in text
    assert f"{counts['rows_runs']:,} records, {counts['learner_runs']:,} of them of learners" in text
    assert f"{len(learners(rows)):,} are of learners" in text


def test_the_command_writes_and_checks(small, tables, tmp_path):
    page, data = tmp_path / "page.md", ["--data", str(small), "--page", str(tmp_path / "page.md")]
    with pytest.raises(SystemExit, match="out of date"):
        tables.main(data)
    assert tables.main([*data, "--write"]) == 0 and tables.main(data) == 0
    assert str(ROOT) not in page.read_text() and str(tmp_path) not in page.read_text()
    page.write_text(page.read_text().replace("1", "2", 1))
    with pytest.raises(SystemExit, match="out of date"):
        tables.main(data)


def test_the_published_data_set_is_small_and_whole():
    if not DATA.exists():
        pytest.skip("the published study is not there")
    assert sum(path.stat().st_size for path in DATA.rglob("*") if path.is_file()) < 5 * 2**20
    counts = json.loads((DATA / "counts.json").read_text())
    assert counts["planned"] == sum(counts[f"status_{name}"] for name in ("ok", "diverged", "failed", "missing"))
    for line in (DATA / "checksums.sha256").read_text().splitlines():
        assert (DATA / line.split("  ")[1]).exists()
