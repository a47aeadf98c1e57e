"""The README tells the truth.

Python blocks are run as they stand. Of the shell blocks, ``coopgym`` lines are run in order with the budget cut to one
training iteration and folders moved to a temporary one. ``make`` lines are not run (``make test`` would run this file):
they are asked for their recipe (``make -n``), whose ``coopgym`` command is run in the same reduced way. No network.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from coopgym.cli.commands import app

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
PYTHON = [code for language, code in BLOCKS if language == "python"]
SHELL = [line for language, code in BLOCKS if language == "bash" for line in code.splitlines()]
GIVES_A_BUDGET = ("train", "ablate")


def run_small(line: str, folder: Path) -> None:
    """Run a ``coopgym`` line with a budget of one iteration and its folder under ``folder``."""
    words = shlex.split(line)[1:]
    for option in ("--seeds", "--steps"):
        if option in words:
            words[words.index(option) + 1] = "1"
        elif words[0] in GIVES_A_BUDGET:
            words += [option, "1"]
    words = [str(folder / word) if word.startswith("runs/") else word for word in words]
    told = CliRunner().invoke(app, words + (["--workers", "1"] if words[0] == "ablate" else []))
    assert told.exit_code == 0, (line, told.output)


def recipe(target: str) -> list[str]:
    told = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True, check=True)
    return told.stdout.splitlines()


def test_it_holds_the_blocks_that_are_tested_here():
    assert {language for language, _ in BLOCKS} == {"python", "bash", "text"}
    assert SHELL[:2] == ["make ablation", "make test"]
    assert {line.split()[0] for line in SHELL} == {"make", "coopgym"}


@pytest.mark.parametrize("code", PYTHON, ids=range(len(PYTHON)))
def test_python_blocks_run(code):
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, capture_output=True, timeout=300)


def test_commands_run_in_the_order_of_the_text(tmp_path):
    for line in SHELL:
        if line.startswith("coopgym"):
            run_small(line, tmp_path)


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_make_targets_call_the_commands_that_are_tested(tmp_path):
    (command,) = [line for line in recipe("ablation") if "coopgym ablate" in line]
    assert shlex.split(command)[1:3] == ["ablate", "AppleAppStore-v1"]
    run_small(command, tmp_path)
    assert (tmp_path / "runs" / "ablation" / "ablation.png").exists()
    assert any("-m pytest" in line for line in recipe("test"))
    for target in ("lint", "bench", "setup", "readme"):
        recipe(target)


def test_the_table_of_games_is_up_to_date():
    subprocess.run([sys.executable, ROOT / "docs" / "readme_tables.py"], check=True)


def test_pictures_and_pages_that_it_links_to_exist():
    for target in re.findall(r"\]\(([^)]+)\)", README):
        assert (ROOT / target).is_file(), target
