"""What is said when a library is not installed, and what nobody is asked to train."""

from __future__ import annotations

import subprocess
import sys

import pytest

import coopgym
from coopgym.study import trainers
from coopgym.study.ablation import run_ablation

BLOCK = """
import sys
class Gone:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == {name!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Gone())
import coopgym
"""
CALLS = {
    "stable_baselines3": ("sb3", ["import coopgym.sb3", "coopgym.policy('model.zip', 'TrustDilemma-v1')"]),
    "torchrl": ("torchrl", ["import coopgym.torchrl"]),
    "ray": (
        "rllib",
        [
            "import coopgym.rllib",
            "from coopgym.study.ablation import run_ablation as run; run('SLCD-v1', ['PPO'], trainer='rllib', out='x')",
        ],
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_one_line_says_which_extra_to_install(name, tmp_path):
    extra, calls = CALLS[name]
    code = BLOCK.format(name=name) + "".join(f"try:\n    {c}\nexcept ImportError as e:\n    print(e)\n" for c in calls)
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    lines = told.stdout.splitlines()
    assert len(lines) == len(calls), told.stdout
    for line in lines:
        assert f"needs {name}" in line and f'pip install "coopgym[{extra}]"' in line


def test_trainers_are_known_by_name():
    assert trainers.check("own") == "own"
    with pytest.raises(ValueError, match="did you mean 'rllib'"):
        trainers.check("rlib")


def test_a_learner_of_ours_is_not_rllibs(tmp_path):
    pytest.importorskip("ray")
    with pytest.raises(ValueError, match="'IPPO' is not trained by rllib; choose PPO, SAC"):
        run_ablation("SLCD-v1", ["IPPO"], trainer="rllib", out=tmp_path)


def test_a_path_to_one_of_our_own_policies_is_a_partner(tmp_path):
    pytest.importorskip("torch")
    coopgym.policy(0.25, "GiftExchange-v1").save(tmp_path / "quarter")
    env = coopgym.make_seat("GiftExchange-v1", 1, tmp_path / "quarter")
    env.reset()
    assert env.step([10.0])[-1]["actions"][0] == 25.0
    with pytest.raises(FileNotFoundError):
        coopgym.policy(tmp_path / "nobody", "GiftExchange-v1")
