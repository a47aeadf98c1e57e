"""docs/algorithms.md is what the register, the measurements and the list of tests say; the list names real tests."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import coopgym

ROOT = Path(__file__).parents[2]
DATA, PAGE = ROOT / "docs" / "algorithms.json", ROOT / "docs" / "algorithms.md"
pytestmark = pytest.mark.skipif(not DATA.exists(), reason="not a checkout")


@pytest.fixture(scope="module")
def data():
    return json.loads(DATA.read_text())


def all_names():
    kinds = ("learner", "oracle", "heuristic")
    return {name for kind in kinds for name in coopgym.list_algorithms(kind)} | {"Constant"}


def test_the_page_is_up_to_date():
    subprocess.run([sys.executable, ROOT / "docs" / "algorithm_pages.py"], check=True)


def test_there_are_as_many_as_said():
    counts = [len(coopgym.list_algorithms(kind)) for kind in ("learner", "oracle", "heuristic", "constant")]
    assert counts == [16, 7, 2, 101] and sum(counts) == 126
    assert "126 algorithms: 16 learners, 7 oracles, 2 heuristics and 101 constants." in PAGE.read_text()


def test_every_test_that_is_named_exists(data):
    names = [test["test"] for test in data["tests"]]
    for name in names:
        file, _, function = name.partition("::")
        tree = ast.parse((ROOT / "tests" / file).read_text())
        assert function in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, name
    pairs = [(test["area"], test["test"]) for test in data["tests"]]
    assert len(set(pairs)) == len(pairs)


def test_who_is_covered_by_name_is_named_in_that_file(data):
    concepts = {"Nash", "Equilibrium", "TrustAware", "SocialOptimum", "Loyalty"}  # tested under their concepts' names
    for test in data["tests"]:
        text = (ROOT / "tests" / test["test"].partition("::")[0]).read_text()
        for name in test["covers"]:
            known = name in text or 'list_algorithms("learner")' in text or name in concepts
            assert known or test["test"].startswith("oracles/"), f"{test['test']} does not name {name}"


def test_nobody_is_left_out_or_made_up(data):
    assert set(data["limits"]) == all_names()
    covered = {name for test in data["tests"] for name in [*test["covers"], *test.get("shares", [])]}
    assert covered == all_names()
    assert {test["area"] for test in data["tests"]} == set(data["areas"])


def test_every_learner_has_what_all_learners_must_have(data):
    for area in ("replicas", "seeds", "units", "crowd", "refusals"):
        covered = {name for test in data["tests"] if test["area"] == area for name in test["covers"]}
        assert covered >= set(coopgym.list_algorithms("learner")), area
