"""Pickles of other libraries run code: they are loaded by an explicit word only, never because data names one."""

from __future__ import annotations

import base64
import hashlib
import json
import pickle
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

import coopgym
from coopgym.algorithms.policy import load_policy
from coopgym.cli.commands import app
from coopgym.explore.players import saved_in
from coopgym.study.ablation import run_ablation
from coopgym.study.records import Records
from coopgym.study.stored import policies_of, stored

pytest.importorskip("stable_baselines3")
GAME = "TrustDilemma-v1"


class Evil:
    """Leaves a file when it is unpickled."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return Path.touch, (Path(self.mark),)


@pytest.fixture
def evil(tmp_path, monkeypatch):
    """(a .zip as Stable-Baselines3 writes them, an RLlib checkpoint, what appears if either is loaded)."""
    monkeypatch.chdir(tmp_path)
    mark = tmp_path / "it ran"
    code = base64.b64encode(pickle.dumps(Evil(mark))).decode()
    (tmp_path / "handed").mkdir()
    with zipfile.ZipFile("handed/evil.zip", "w") as file:
        file.writestr("data", json.dumps({"policy_class": {":type:": "x", ":serialized:": code}}))
        file.writestr("_stable_baselines3_version", "2.9.0")
    Path("handed/rllib").mkdir()
    Path("handed/rllib/rllib_checkpoint.json").write_text("{}")
    Path("handed/rllib/class_and_ctor_args.pkl").write_bytes(pickle.dumps(Evil(mark)))
    return mark


@pytest.mark.parametrize("path", ["handed/evil.zip", "handed/rllib"])
def test_a_path_alone_is_not_enough(evil, path):
    pytest.importorskip("ray" if "rllib" in path else "stable_baselines3")
    for load in (
        lambda: coopgym.policy(path, GAME),
        lambda: coopgym.make_seat(GAME, 0, path),
        lambda: coopgym.make_seat(GAME, 0, {1: Path(path)}),
        lambda: coopgym.evaluate(path, GAME),
        lambda: coopgym.audit(path, GAME),
        lambda: coopgym.exploitability(path, GAME),
        lambda: coopgym.train("IPPO", GAME, agent=0, partners=path, seeds=[0], total_steps=100),
    ):
        with pytest.raises(ValueError, match="runs whatever code it holds; only if you trust"):
            load()
    told = CliRunner().invoke(app, ["audit", path, "--game", GAME])
    assert told.exit_code == 2 and "--trust" in told.stderr
    assert not evil.exists()


def test_with_trust_it_is_loaded(evil):
    with pytest.raises((TypeError, KeyError)):  # what it leaves is not a policy
        coopgym.policy("handed/evil.zip", GAME, trust=True)
    assert evil.exists()


@pytest.mark.parametrize("name", ["handed/evil.zip", "evil.zip", "./handed/rllib", "handed/other", "IPPO", 7, ["x"]])
@pytest.mark.parametrize("kind", ["heuristic", "seat"])
def test_a_policy_file_names_policies_by_the_register_only(evil, name, kind):
    game = coopgym.game(GAME)
    coopgym.policy("TitForTat", GAME).save("handed/other")
    about = json.loads(Path("handed/other.json").read_text())
    if kind == "seat":
        player = about | {"name": name, "seats": [1]}
        about = about | {"kind": "seat", "agent": 0, "own": dict(about), "players": [player]}
    Path("forged.json").write_text(json.dumps(about | ({"name": name} if kind == "heuristic" else {})))
    for load in (
        lambda: load_policy("forged"),
        lambda: coopgym.policy(Path("forged.json"), game),
        lambda: saved_in(Path("forged.json")),
    ):
        with pytest.raises(ValueError, match="is not a readable policy"):
            load()
    told = CliRunner().invoke(app, ["audit", "./forged.json", "--game", GAME])
    assert told.exit_code == 2 and told.stderr.startswith("error: ")
    assert not evil.exists()


def test_a_folder_that_was_handed_over_runs_nothing(evil):
    out = Path("study")
    run_ablation(GAME, ["TitForTat"], out=out, workers=1, reward_modes=["private"])
    records = Records(out)
    (row,) = records.read("runs")
    place = out / f"{row['policy_file']}.json"
    forged = json.dumps(json.loads(place.read_text()) | {"name": "handed/evil.zip"}).encode()
    place.write_bytes(forged)
    records.write("runs", "f" * 24, [row | {"policy_sha256": hashlib.sha256(forged).hexdigest()}])
    for command in (["evaluate", "study"], ["audit", "study"], ["study", "status", "study"]):
        told = CliRunner().invoke(app, command)
        assert told.exit_code == 2 and told.stderr.startswith("error: "), (command, told.stderr)
    ((_, runs),) = stored(out)
    with pytest.raises(ValueError, match="is not a readable policy"):
        policies_of(out, runs)
    assert not evil.exists()


STUDY = """
name = "forged"
games = ["TrustDilemma"]
algorithms = ["IPPO"]
seeds = 1
[budget]
steps = 100
[hyperparameters.IPPO]
agent = 0
partners = "handed/evil.zip"
"""


@pytest.mark.parametrize("text", [
    STUDY, STUDY.replace('"handed/evil.zip"', '"./handed/rllib"'), STUDY.replace("IPPO]", "all]"),
    STUDY.replace('"handed/evil.zip"', '{1 = "handed/evil.zip"}'),
    STUDY.replace("[hyperparameters.IPPO]", "[variants.a]"),
])  # fmt: skip
def test_a_study_file_loads_no_files(evil, text):
    Path("x.toml").write_text(text)
    Path("out").mkdir()
    Path("out/study.toml").write_text(text)
    for command in (
        ["run", "x.toml", "--dry-run"],
        ["run", "x.toml", "--out", "new"],
        ["status", "out"],
        ["card", "out"],
    ):
        told = CliRunner().invoke(app, ["study", *command])
        assert told.exit_code == 2 and told.stderr.startswith("error: "), (command, told.stderr, told.exception)
    assert not evil.exists() and not Path("new").exists()


def test_a_swapped_policy_is_refused(evil):
    out = Path("study")
    run_ablation(GAME, ["IPPO"], out=out, workers=1, reward_modes=["private"], seeds=2, steps=200, hidden=[4])
    first, second = (out / row["policy_file"] for row in Records(out).read("runs"))
    for suffix in (".json", ".safetensors"):
        one, other = (path.with_name(path.name + suffix) for path in (first, second))
        content = one.read_bytes()
        one.write_bytes(other.read_bytes())
        other.write_bytes(content)
    for command in (["evaluate", "study"], ["audit", "study"]):
        told = CliRunner().invoke(app, command)
        assert told.exit_code == 2 and "is not that in the record" in told.stderr, told.stderr
    ((_, runs),) = stored(out)
    with pytest.raises(ValueError, match="is not that in the record"):
        policies_of(out, runs)


def test_a_description_without_numbers_is_not_taken_for_a_trained_policy(evil):
    out = Path("study")
    run_ablation(GAME, ["IPPO"], out=out, workers=1, reward_modes=["private"], seeds=1, steps=200, hidden=[4])
    ((_, (run,)),) = stored(out)
    coopgym.policy("Constant_0", GAME).save("constant")
    (out / f"{run['policy_file']}.json").write_bytes(Path("constant.json").read_bytes())
    with pytest.raises(ValueError, match="is not that in the record"):
        policies_of(out, [run])
    for name in ("../constant", str(Path("constant").resolve()), "policies/../../constant"):
        with pytest.raises(ValueError, match="is not the name of a file"):
            policies_of(out, [run | {"policy_file": name}])


def test_a_stack_is_not_mistaken_for_that_of_another_result(evil):
    pair = [
        coopgym.train("IPPO", GAME, seeds=[seed], reward_modes=["private"], total_steps=200, hidden=[4]).save(
            f"s{seed}"
        )
        for seed in (0, 1)
    ]
    for suffix in ("json", "safetensors"):
        (pair[0] / f"policy.{suffix}").write_bytes((pair[1] / f"policy.{suffix}").read_bytes())
    told = CliRunner().invoke(app, ["evaluate", "s0"])
    assert told.exit_code == 2 and "is not that in the record" in told.stderr
    assert CliRunner().invoke(app, ["evaluate", "s1"]).exit_code == 0
