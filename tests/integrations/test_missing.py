"""What is said when a library is not installed, and what nobody is asked to train."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import coopgym
from coopgym.extras import EXTRAS
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


EVERYTHING = """
G = "TrustDilemma-v1"
names = {name: (lambda name=name: getattr(coopgym, name)) for name in coopgym.__all__}
calls = {
    "train": lambda: coopgym.train("IPPO", G, total_steps=10),
    "evaluate": lambda: coopgym.evaluate("Random", G, episodes=1),
    "policy": lambda: coopgym.policy("x.zip", G, trust=True),
    "load_policy": lambda: coopgym.load_policy("x", G),
    "save": lambda: coopgym.policy(0.5, G).save("half"),
    "make_vec": lambda: coopgym.make_vec(G, backend="torch"),
    "to": lambda: coopgym.game(G).to("torch"),
    "solve": lambda: coopgym.solve(G, "nash"),
    "dilemma": lambda: coopgym.dilemma(G),
    "exploitability": lambda: coopgym.exploitability("Constant_50", G),
    "score": lambda: coopgym.score(10.0, G, nash=1.0, optimum=20.0),
    "validate": lambda: coopgym.validate(3),
    "compare": lambda: coopgym.compare(["x"]),
    "check": lambda: coopgym.testing.check(coopgym.game(G, max_steps=3)),
    "render": lambda: (lambda env: (env.reset(), env.render()))(coopgym.make_parallel(G, render_mode="rgb_array")),
    "sb3": lambda: __import__("coopgym.sb3"), "rllib": lambda: __import__("coopgym.rllib"),
    "torchrl": lambda: __import__("coopgym.torchrl"),
}
for name, call in {**names, **calls}.items():
    if name in SKIPPED:
        continue
    try:
        call()
    except ImportError as missing:
        print(name, "|", missing)
    except Exception as error:
        if "No module named" in str(error):
            print(name, "|", error)
"""
# with these blocked, whole groups of calls need not be tried: they need nothing that the blocked one brings
SLOW = {
    "check",
    "rllib",
    "sb3",
    "torchrl",
    "solve",
    "exploitability",
    "dilemma",
    "validate",
    "evaluate",
    "train",
    "save",
}


@pytest.mark.parametrize(
    ("name", "skipped", "wanted"),
    [
        ("torch", {"solve", "exploitability", "dilemma", "validate", "check"}, {"train", "load_policy", "make_vec"}),
        ("pydantic", SLOW - {"validate"}, {"validate", "Validation"}),
        ("scipy", {"check", "rllib", "train"}, {"validate", "exploitability", "statistics"}),
        ("matplotlib", SLOW, {"render"}),
        ("safetensors", SLOW - {"train"}, set()),
    ],
)
def test_every_public_name_says_which_extra_to_install(name, skipped, wanted, tmp_path):
    code = BLOCK.format(name=name) + f"SKIPPED = {skipped!r}\n" + EVERYTHING
    call = [sys.executable, "-W", "ignore", "-c", code]
    told = subprocess.run(call, capture_output=True, text=True, check=True, cwd=tmp_path)
    lines = [line.split(" | ", 1) for line in told.stdout.splitlines()]
    for _, line in lines:
        assert f"needs {name}, which is not installed" in line and f'pip install "coopgym[{EXTRAS[name]}]"' in line, (
            line
        )
    assert wanted <= {public for public, _ in lines}


@pytest.mark.parametrize("name", ["pydantic", "pyarrow"])
def test_the_rooms_of_studies_say_so_too(name, tmp_path):
    modules = {"pydantic": ("study", "config"), "pyarrow": ("study", "records", "parts", "schema")}[name]
    code = BLOCK.format(name=name) + "".join(
        f"try:\n    import coopgym.study.{module}\nexcept ImportError as e:\n    print(e)\n" for module in modules
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    line = f'coopgym.study needs {name}, which is not installed; pip install "coopgym[report]"'
    assert told.stdout.splitlines() == [line] * len(modules), told.stdout


def test_every_extra_is_named_for_what_it_brings():
    """The table of modules and extras against pyproject.toml: the module's distribution is in that extra."""
    found = tomllib.loads((Path(coopgym.__file__).parents[1] / "pyproject.toml").read_text())["project"]
    brought = {"PIL": "pillow", "yaml": "pyyaml", "stable_baselines3": "stable-baselines3", "tensordict": "torchrl"}
    for module, extra in EXTRAS.items():
        listed = {re.split(r"[\[<>=]", name)[0] for name in found["optional-dependencies"][extra]}
        assert brought.get(module, module) in listed, f"{module} is not in {extra}"
    known = {brought.get(module, module) for module in EXTRAS}
    for extra in set(EXTRAS.values()):
        for name in found["optional-dependencies"][extra]:
            distribution = re.split(r"[\[<>=]", name)[0]
            assert distribution in known | {"coopgym"}, f"{distribution} of {extra} has no entry"


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
