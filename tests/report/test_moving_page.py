"""docs/moving.md names every rule of the released games, and its tables are those of the code."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import coopgym
from coopgym.envs import released

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "moving.md"
pytestmark = pytest.mark.skipif(not PAGE.exists(), reason="not a checkout")


@pytest.fixture(scope="module")
def rules():
    """The lines of the page's table of rules."""
    part = re.search(r"<!-- rules: .*?-->(.*?)<!-- /rules -->", PAGE.read_text(), re.DOTALL)[1]
    return [line for line in part.splitlines() if line.startswith("| *")]


def test_its_tables_are_up_to_date():
    subprocess.run([sys.executable, ROOT / "docs" / "moving_tables.py"], check=True)


def test_every_rule_that_the_code_marks_is_on_the_page_once(rules):
    marked = re.findall(r"\*([a-z][a-z ]+)\*", Path(released.__file__).read_text())
    shown = [name for line in rules for name in re.findall(r"\*([^*|]+)\*", line.split("|")[1])]
    assert sorted(shown) == sorted(marked) and len(set(shown)) == 12


def test_a_rule_stands_with_its_sentence_and_its_games(rules):
    (line,) = [x for x in rules if x.startswith("| *tier multiplier*")]
    assert "multiplied by the tier after the update" in line and "| ReputationMarket |" in line
    (line,) = [x for x in rules if x.startswith("| *multipliers last*")]
    assert line.endswith("| all |")
    (line,) = [x for x in rules if x.startswith("| *memory of now*")]
    assert line.count(",") >= 4 and all(id.split("-")[0] in line for id in coopgym.list_games(4))


def test_links_lead_somewhere():
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", PAGE.read_text()):
        assert (PAGE.parent / target).exists(), target


def test_the_tests_it_names_exist():
    for name in re.findall(r"`(tests/[\w/]+\.py)`", PAGE.read_text()):
        assert (ROOT / name).exists(), name
