"""docs/validation.md is what its measurements say, and says what evidence there is not."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE, RESULTS = ROOT / "docs" / "validation.md", ROOT / "benchmarks" / "results" / "validation.json"
pytestmark = pytest.mark.skipif(not PAGE.exists(), reason="not a checkout")


def test_the_page_is_up_to_date():
    subprocess.run([sys.executable, ROOT / "docs" / "validation_tables.py"], check=True)


def test_its_pictures_exist_and_are_small():
    pictures = re.findall(r"\]\((case_\w+\.png)\)", PAGE.read_text())
    assert len(pictures) == 4
    assert all((PAGE.parent / name).stat().st_size < 150_000 for name in pictures)


def test_the_written_sentences_agree_with_the_measured_ones():
    found = json.loads(RESULTS.read_text())["found"]
    assert found["holds"] and found["departures"] == []
    assert found["verdicts"][0].startswith("No case score reaches the 95th percentile of random parameters")
    (success,) = [x for x in found["verdicts"] if "better than everything beside it" in x]
    (failure,) = [x for x in found["verdicts"] if "the counter-example" in x]
    assert "Apple, quarters after 36" in success and "no better than no reciprocity" in failure


def test_everything_took_less_than_a_minute_and_the_loops_agree():
    content = json.loads(RESULTS.read_text())
    assert content["seconds"]["strict"] < 60
    assert {row["report"] for row in content["loops"]} == {1, 2, 3, 4}
    assert all(row["difference"] < 1e-5 for row in content["loops"])
