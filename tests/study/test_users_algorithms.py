"""Algorithms that a user registered, and scripts without a guard, where processes share the work."""

from __future__ import annotations

import subprocess
import sys

import pytest

from coopgym.algorithms.heuristics import constant
from coopgym.algorithms.registry import ALGORITHMS, algorithm, register
from coopgym.study.ablation import run_ablation

OWN = """
from coopgym.algorithms.heuristics import constant
from coopgym.algorithms.registry import register

@register("Mine", kind="heuristic")
def mine(game):
    return constant(game, 40)
"""
RUN = """
from coopgym.study.ablation import run_ablation
found = run_ablation("SLCD-v1", ["Constant_50", "Random", "Mine"], seeds=1, workers=2, out="out")
print(sorted({row["algorithm"] for row in found.runs}), *found.failures)
"""
ALL = "['Constant_50', 'Mine', 'Random']"


def ran(folder, *call):
    call = [sys.executable, "-W", "ignore", *call]
    return subprocess.run(call, capture_output=True, text=True, cwd=folder, timeout=300, check=False)


def test_a_script_without_a_guard_ends_in_an_error_that_names_the_cure(tmp_path):
    (tmp_path / "script.py").write_text(OWN + RUN)
    told = ran(tmp_path, "script.py")
    assert told.returncode != 0
    last = told.stderr.splitlines()[-1]
    assert '`if __name__ == "__main__":`' in last and "workers=1" in last


def test_what_a_notebook_registers_fails_alone_and_what_a_module_registers_is_known(tmp_path):
    told = ran(tmp_path, "-c", OWN + RUN)  # like a notebook, it has no file that another process could import
    assert told.stdout.startswith("['Constant_50', 'Random']"), told.stderr
    assert "'Mine' is registered in a notebook" in told.stdout and "workers=1" in told.stdout
    (tmp_path / "own_algorithms.py").write_text(OWN)
    assert ran(tmp_path, "-c", "import own_algorithms" + RUN).stdout.strip() == ALL


@pytest.fixture
def broken():
    @register("Broken", kind="heuristic")
    def build(game):
        return constant(game, 400)  # no rate

    yield "Broken"
    del ALGORITHMS["Broken"]


def test_a_policy_of_a_user_that_fails_takes_no_other_with_it(tmp_path, broken):
    assert not algorithm(broken).ours and algorithm("Random").ours and algorithm("Constant_3").ours
    found = run_ablation("SLCD-v1", ["Constant_50", broken, "TitForTat"], seeds=1, workers=1, out=tmp_path)
    assert {row["algorithm"] for row in found.runs} == {"Constant_50", "TitForTat"}
    (failure,) = found.failures
    assert "Broken" in failure and "rate" in failure
