"""Audits of a study on disk: complete, resumable, comparable between reward modes."""

from __future__ import annotations

import json

import numpy as np
import pytest

import coopgym
from coopgym.audit.measures import CATALOGUE
from coopgym.cli import main
from coopgym.study import audits as audit_records
from coopgym.study.ablation import run_ablation
from coopgym.study.audits import AUDITS, audit_runs
from coopgym.study.hacking import hacking
from coopgym.study.records import Records


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Two learners hardly trained, and a heuristic, on a short game."""
    folder = tmp_path_factory.mktemp("studies") / "study"
    run_ablation(
        "SLCD-v1", ["IPPO", "TitForTat"], reward_modes=["private", "integrated"], seeds=2, steps=1, out=folder,
        workers=1, device="cpu", max_steps=30,
    )  # fmt: skip
    return folder


def test_every_run_has_one_row_and_a_second_call_measures_nothing(study, monkeypatch):
    found = audit_runs(study, out=study)
    assert len(found.rows) == 6 and found.skipped in (0, 6)
    assert len({row["run_id"] for row in found.rows}) == 6
    monkeypatch.setattr(audit_records, "audit", None)
    again = audit_runs(study, out=study)
    assert again.skipped == 6
    strip = lambda rows: [{k: v for k, v in row.items() if k != "created"} for row in rows]  # noqa: E731
    assert strip(again.rows) == strip(found.rows)


def test_rows_say_what_an_audit_of_the_policy_says(study):
    row = next(row for row in audit_runs(study, out=study).rows if row["algorithm"] == "TitForTat")
    assert set(row) == set(AUDITS.names)
    own = coopgym.game("SLCD-v1", max_steps=30)
    plain = audit_records.audit("TitForTat", own).record()
    for name in CATALOGUE:
        if row[name] is not None:
            assert row[name] == pytest.approx(plain[name]), name
        else:
            assert np.isnan(plain[name]) or name in row["infinite"].split("; ")
    assert row["retaliation"] == pytest.approx(1.0)


def test_replicas_measured_together_and_alone_agree(study):
    rows = [row for row in audit_runs(study, out=study).rows if row["algorithm"] == "IPPO"]
    run = next(r for r in audit_records.Records(study).read("runs") if r["run_id"] == rows[1]["run_id"])
    one = coopgym.load_policy(study / run["policy_file"])
    alone = audit_records.audit(one, one.game, run["reward_mode"]).record()
    for name in ("welfare", "best_gain", "deterrence", "retaliation", "conditional_slope", "trust", "panel_payoff"):
        assert rows[1][name] == pytest.approx(alone[name], rel=1e-4, abs=1e-4), name


def test_the_command(study, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["audit", str(study)])
    told = capsys.readouterr().out
    assert ended.value.code == 0 and "retaliation" in told and "TitForTat" in told
    with pytest.raises(SystemExit):
        main(["audit", str(study.parent), "--game", "SLCD-v1", "--json"])
    assert len(json.loads(capsys.readouterr().out)) == 6
    with pytest.raises(SystemExit) as ended:
        main(["audit", str(study), "--game", "GiftExchange-v1"])
    assert ended.value.code == 2 and "no policy" in capsys.readouterr().err


def made_up(mode, seed, **more):
    row = {"game": "G", "algorithm": "A", "reward_mode": mode, "mutuality": None, "seed": seed}
    row |= {"return_private": 10.0, "return_integrated": 20.0, "return_cooperative": 10.0}
    return row | {"welfare": 10.0, "final_trust": 0.5, "payoff_by_agent": [6.0, 4.0]} | more


def test_a_reward_that_rises_while_welfare_falls_is_a_sign_of_hacking():
    rows = [made_up("private", s) for s in range(5)]
    rows += [
        made_up("integrated", s, return_integrated=25.0 + 0.1 * s, welfare=8.0 - 0.1 * s, payoff_by_agent=[4.0, 4.0])
        for s in range(5)
    ]
    (one,) = hacking(rows)
    assert one.fell == ("welfare",) and one.seeds == 5
    assert one.gained.mean == pytest.approx(5.2) and one.changes["least_payoff"].mean == 0.0
    better = [{**row, "welfare": 12.0} if row["reward_mode"] == "integrated" else row for row in rows]
    assert hacking(better)[0].fell == ()


def test_a_saved_result_and_the_result_itself_give_the_same_rows(tmp_path):
    design = {"reward_modes": ["private", "cooperative"], "seeds": [0], "total_steps": 1, "max_steps": 30}
    made = coopgym.train("IPPO", "SLCD-v1", **design)
    found = audit_runs(made.save(tmp_path / "one"))
    direct = audit_records.audit(made, made.game, ["private", "cooperative"])
    assert [row["welfare"] for row in found.rows] == pytest.approx(direct.values["welfare"].tolist())
    assert [row["reward_mode"] for row in found.rows] == ["private", "cooperative"]
    metrics = {row["metric"] for row in found.curves}
    assert {"answer_defection", "answer_gift", "conditional_curve", "fingerprint"} <= metrics
    assert all(len(row["value"]) == len(row["x"]) for row in found.curves)


def test_a_folder_without_policies_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="make one with"):
        audit_runs(tmp_path)


def test_the_file_of_a_policy_is_played_by_itself(study, tmp_path, capsys):
    def told(*arguments):
        with pytest.raises(SystemExit) as ended:
            main([*map(str, arguments), "--json", "-q"])
        return ended.value.code, json.loads(capsys.readouterr().out)

    def same(row, other, names):
        assert {name: row[name] for name in names} == pytest.approx({name: other[name] for name in names})

    runs = [run for run in Records(study).read("runs") if run["algorithm"] == "IPPO"]
    audited = {row["run_id"]: row for row in told("audit", study)[1]}
    played = {row["run_id"]: row for row in told("evaluate", study, "--episodes", 2)[1]}
    for run in runs[:2]:
        for ending in (".json", ".safetensors", "")[: 1 if run["seed"] else 3]:
            file = study / f"{run['policy_file']}{ending}"
            code, (row,) = told("audit", file)
            assert code == 0 and row["reward_mode"] == run["reward_mode"] and row["game"] == run["game"]
            same(row, audited[run["run_id"]], ("welfare", "best_gain", "level"))
            code, (row,) = told("evaluate", file, "--episodes", 2)
            assert code == 0 and row.keys() == played[run["run_id"]].keys()
            same(row, played[run["run_id"]], ("welfare", "cooperation", "trust", "length", "seed"))
    for inner in ("policies", "policies/index.csv"):
        for command in ("audit", "evaluate"):
            code, answer = told(command, study / inner)
            wanted = f"is a part of the folder of runs {str(study)!r}; give that folder"
            assert code == 2 and wanted in answer["error"]["message"]
    stack = coopgym.train("IPPO", "SLCD-v1", seeds=[0], total_steps=1, max_steps=30).save(tmp_path / "saved")
    code, answer = told("evaluate", stack / "policy.json")
    assert code == 2 and f"several runs; give its folder {str(stack)!r}" in answer["error"]["message"]


def test_a_policy_of_no_run_is_audited_by_name(capsys):
    with pytest.raises(SystemExit):
        main(["audit", "TitForTat", "--game", "TrustDilemma-v1", "--json"])
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["algorithm"], row["retaliation"], row["run_id"]) == ("TitForTat", 1.0, None)
    with pytest.raises(SystemExit) as ended:
        main(["audit", "Nothing", "--game", "TrustDilemma-v1"])
    assert ended.value.code == 2
