"""The README tells the truth.

Its blocks are run by ``pages``, as those of docs/ are, with two differences: each Python block stands alone, and of the
shell blocks, ``coopgym`` lines get a budget of one training iteration. ``make`` lines are not run (``make test`` would
run this file): they are asked for their recipe (``make -n``), whose ``coopgym`` command is run in the same reduced way.
No network.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys

import pages
import pytest
from pages import ROOT
from typer.testing import CliRunner

from coopgym.cli.commands import app

PAGE = ROOT / "README.md"
README = PAGE.read_text()
BLOCKS = pages.blocks(PAGE)
SHELL = [line for block in BLOCKS if block.language == "bash" for line in block.code.splitlines()]


def recipe(target: str) -> list[str]:
    told = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True, check=True)
    return told.stdout.splitlines()


def test_it_holds_the_blocks_that_are_tested_here():
    assert set(re.findall(r"^```(\w+)$", README, re.M)) == {"python", "bash", "text"}
    assert SHELL[:2] == ["make ablation", "make test"]
    assert {line.split()[0] for line in SHELL} == {"make", "coopgym"}
    assert not any(block.excuse for block in BLOCKS)


def test_blocks_run_in_the_order_of_the_text(tmp_path):
    pages.run(PAGE, tmp_path, small=True, alone=True)


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_make_targets_call_the_commands_that_are_tested(tmp_path, monkeypatch):
    (command,) = [line for line in recipe("ablation") if "coopgym ablate" in line]
    assert shlex.split(command)[1:3] == ["ablate", "AppleAppStore-v1"]
    monkeypatch.chdir(tmp_path)
    words = shlex.split(pages.shortened(f"coopgym {shlex.join(shlex.split(command)[1:])}"))[1:]
    told = CliRunner().invoke(app, words)
    assert told.exit_code == 0, told.output
    assert (tmp_path / "runs" / "ablation" / "ablation.png").exists()
    assert any("-m pytest" in line for line in recipe("test"))
    for target in ("lint", "bench", "setup", "readme", "docs"):
        recipe(target)


def test_the_table_of_games_is_up_to_date():
    subprocess.run([sys.executable, ROOT / "docs" / "readme_tables.py"], check=True)


def test_pictures_and_pages_that_it_links_to_exist():
    for target in re.findall(r"\]\(([^)]+)\)", README):
        assert (ROOT / target).is_file(), target


def test_the_ablation_names_the_processor_that_made_it():
    """Training gives the same digits on one kind of processor only, so a table without one would promise too much."""
    part = README.split("<!-- ablation:")[1].split("<!-- /ablation -->")[0]
    assert re.search(r"^Made on: .+, torch \S+, numpy \S+; \d{4}-\d\d-\d\d\.", part, re.M)
    told = subprocess.run(
        [sys.executable, ROOT / "docs" / "readme_tables.py", "--machine"], capture_output=True, text=True, check=True
    )
    assert any("readme_tables.py --machine" in line for line in recipe("ablation"))
    assert re.match(r"Made on: .+ \(\S+\), \d+ cores, .+ torch \S+, numpy \S+; \d{4}-\d\d-\d\d\.", told.stdout)
