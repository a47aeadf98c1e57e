"""A study's file may be TOML or YAML: the same fields, the same sentences, and nothing in it is run."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from coopgym.cli.commands import app
from coopgym.study import config, study
from coopgym.study.cards import card

yaml = pytest.importorskip("yaml")
STUDIES = Path(__file__).resolve().parents[2] / "studies"
SMALL = "name: x\ngames: [TrustDilemma, SLCD-v1]\nalgorithms: [TitForTat, Constant_40]\nseeds: 2\n"


def parse(text):
    return config.parse(text, ".yaml")


@pytest.mark.parametrize("path", sorted(STUDIES.glob("*.toml")), ids=lambda path: path.stem)
def test_every_example_says_the_same_in_yaml(path, tmp_path):
    import tomllib

    plain = tomllib.loads(path.read_text())
    for name in ("copy.yaml", "copy.YML"):
        (tmp_path / name).write_text(yaml.safe_dump(plain))
        assert config.load(tmp_path / name) == config.load(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("seeds: 0", r"seeds=0 is out of range; give a whole number in \[1, 10000\]"),
        ("seedz: 3", "seedz is not a field; did you mean 'seeds'"),
        ("budget: {step: 3}", "budget.step is not a field; did you mean 'steps'"),
        ("reward_modes: {kind: integrated, mutuality: [2.0]}", "mutuality=2.0 is out of range"),
        ("games: [Trust]", "unknown game 'Trust'; did you mean 'TrustDilemma-v1'"),
        ("games: [", "this is not YAML: .*; see studies/"),
        ("seeds: 2\nseeds: 3", "this is not YAML: 'seeds' stands twice"),
        ("budget:\n  steps: 1\n  steps: 2", "'steps' stands twice .*line"),
        ("games: !!python/object/apply:os.getcwd []", "could not determine a constructor"),
        ("device: 2026-11-25", "device=.* it must be text; write it in quotes"),
        ("seeds: {[1]: 2}", "this is not YAML: .*unhashable"),
    ],
)
def test_what_is_wrong_is_named_as_it_is_in_toml(change, message):
    name = change.split(":")[0]
    lines = [line for line in SMALL.splitlines() if not line.startswith(name)]
    with pytest.raises(ValueError, match=message):
        parse("\n".join([*lines, change]))


def test_a_key_may_come_from_an_anchor_and_be_changed():
    shares = "budget:\n  algorithms:\n    IPPO: &quick {steps: 7, crowd: 3}\n    MAPPO: {<<: *quick, steps: 9}\n"
    budget = parse(SMALL.replace("TitForTat", "IPPO, MAPPO") + shares).budget
    assert [budget.of_cell(name, "SLCD-v1", 2) for name in ("IPPO", "MAPPO")] == [7, 9]
    assert budget.of_cell("MAPPO", "ApacheProject-v1", 40) == 3


@pytest.mark.parametrize(("text", "found"), [("", "NoneType"), ("- 1\n", "list"), ("word", "str")])
def test_what_has_no_fields_is_no_study(text, found):
    with pytest.raises(ValueError, match=f"this is not a study: it holds {found}, not fields"):
        parse(text)


def test_another_suffix_is_refused_with_those_that_there_are(tmp_path):
    (tmp_path / "mine.json").write_text("{}")
    told = CliRunner().invoke(app, ["study", "run", str(tmp_path / "mine.json"), "--dry-run"])
    assert told.exit_code == 2
    assert "mine.json: it ends in '.json', and a study's file ends in .toml or .yaml or .yml" in told.stderr


def test_without_pyyaml_one_line_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(ValueError, match=r"YAML needs the module 'yaml'.*pip install \"coopgym\[study\]\"$"):
        parse(SMALL)


def test_the_file_stays_beside_the_records_as_it_came(tmp_path):
    (tmp_path / "x.yaml").write_text("# mine\n" + SMALL)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "study.toml").write_text("somebody else's")
    with pytest.raises(ValueError, match="name another folder with --out, or move that file away"):
        study.run(tmp_path / "x.yaml", out=tmp_path / "out")
    assert (tmp_path / "out" / "study.toml").read_text() == "somebody else's"
    (tmp_path / "out" / "study.toml").unlink()
    done = study.run(tmp_path / "x.yaml", out=tmp_path / "out")
    assert done.status.count("ok") == 4
    assert (tmp_path / "out" / "study.yaml").read_text() == "# mine\n" + SMALL
    assert study.status(tmp_path / "out").count("ok") == 4


@pytest.mark.filterwarnings("ignore")  # of the libraries that mlcroissant uses
def test_a_data_set_holds_the_file_as_it_came(tmp_path):
    pytest.importorskip("mlcroissant")
    (tmp_path / "x.yml").write_text(SMALL)
    study.run(tmp_path / "x.yml", out=tmp_path / "out")
    assert (card.make(tmp_path / "out", tmp_path / "data").folder / "study.yml").read_text() == SMALL
