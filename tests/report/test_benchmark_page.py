"""docs/benchmarks.md is what benchmarks/results says, and leaves no file out."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE, RESULTS = ROOT / "docs" / "benchmarks.md", ROOT / "benchmarks" / "results"
pytestmark = pytest.mark.skipif(not PAGE.exists(), reason="not a checkout")


@pytest.fixture(scope="module")
def sections():
    """The page's sections by the file that each is made from."""
    parts = re.split(r"^## ", PAGE.read_text(), flags=re.MULTILINE)[1:]
    return {re.search(r"`benchmarks/results/([\w-]+)\.json`", part)[1]: part for part in parts}


def test_the_page_is_up_to_date():
    subprocess.run([sys.executable, ROOT / "docs" / "benchmark_tables.py"], check=True)


def test_every_file_has_a_section_with_command_date_commit_device_and_load(sections):
    assert set(sections) == {path.stem for path in RESULTS.glob("*.json")}
    for name, part in sections.items():
        about = json.loads((RESULTS / f"{name}.json").read_text())["machine"]
        assert about["date"] in part and about["commit"][:12] in part and about["processor"] in part, name
        assert f"load {about['load_average']}" in part, name
        assert ("(**busy**)" in part) == (about["load_average"] > 2.0), name
        assert ("not all committed" in part) == (not about["clean"]), name
        assert re.search(r"```text\n.*python", part), name


def test_every_program_that_is_named_exists(sections):
    for name, part in sections.items():
        for program in re.findall(r"benchmarks/\w+\.py", part):
            assert (ROOT / program).exists(), f"{name}: {program}"


def test_figures_are_those_of_the_files(sections):
    faces = json.loads((RESULTS / "cpu.json").read_text())["results"]["faces"]
    for row in faces:
        shown = next(line for line in sections["cpu"].splitlines() if line.startswith(f"| {row['what']} |"))
        assert float(shown.split("|")[-2].replace(",", "")) == pytest.approx(row["figure"], rel=1e-3)
