"""``coopgym.train``: records, curves, refusals, interruption."""

import dataclasses
import json
import math

import numpy as np
import pytest

import coopgym
from coopgym.algorithms import record
from coopgym.algorithms.evaluation import best_constant

SMALL = {"total_steps": 400, "lanes": 4, "hidden": (8,), "evaluations": 2}


@pytest.fixture(scope="module")
def result():
    modes = ["private", coopgym.RewardMode("cooperative", 0.25), "cooperative"]
    return coopgym.train("IPPO", "SLCD-v1", reward_modes=modes, seeds=[3, 1], **SMALL)


def test_one_record_for_each_replica_in_payoff_units(result):
    assert [(r.reward_mode, r.mutuality, r.seed) for r in result.runs] == [
        ("private", None, 3), ("private", None, 1), ("cooperative", 0.25, 3), ("cooperative", 0.25, 1),
        ("cooperative", None, 3), ("cooperative", None, 1),
    ]  # fmt: skip
    played = result.evaluate()
    for r, run in enumerate(result.runs):
        assert run.welfare == pytest.approx(sum(run.payoff)) == pytest.approx(played.welfare[r, 0])
        assert run.status == "ok" and run.diverged_at is None and run.length == 100.0 and run.ended_by == "time_limit"
        assert run.env_steps == 400 and run.updates == 32 and run.lanes == 4 and run.replicas_in_program == 6
        assert run.best_constant_welfare == pytest.approx(best_constant("SLCD-v1")["private"]["welfare"])
        assert run.efficiency_best_constant == pytest.approx(run.welfare / run.best_constant_welfare)
        assert run.welfare_stochastic_sd > 0 and run.device == "cpu" and run.observation == "asymmetric"
        assert json.loads(run.hyperparameters)["hidden"] == [8]
        theta = result.policies[r].theta
        assert run.parameters == theta.numel() + theta.shape[1] * (theta.shape[2] - 1)  # the critic has no log std
    assert result.env_steps_per_second == pytest.approx(6 * 400 / result.seconds)


def test_rows_are_plain_json_without_nan(result):
    row = dataclasses.replace(result.runs[0], welfare=math.nan, payoff=[1.0, math.inf]).row()
    assert row["welfare"] is None and row["payoff"] == [1.0, None]
    for run in result.runs:
        json.dumps(run.row(), allow_nan=False)


def test_run_ids_name_the_problem_and_nothing_else(result):
    ids = [run.run_id for run in result.runs]
    assert len(set(ids)) == 6 and all(len(i) == 24 and set(i) <= set("0123456789abcdef") for i in ids)
    alone = coopgym.train("IPPO", "SLCD-v1", reward_modes="cooperative", seeds=[1], **SMALL)
    assert alone.runs[0].run_id == ids[5]
    np.testing.assert_allclose(alone.policies[0].theta, result.policies[5].theta, atol=1e-6)
    for change in ({"learning_rate": 0.01}, {"max_steps": 50}, {"observability": "full"}):
        other = coopgym.train("IPPO", "SLCD-v1", reward_modes="cooperative", seeds=[1], **{**SMALL, **change})
        assert other.runs[0].run_id != ids[5]
    assert record.canonical({"b": 0.1, "a": [1, None]}) == '{"a":[1,null],"b":0.1}'


def test_curves_have_a_row_for_each_run_metric_and_agent(result):
    rows = {(c["run_id"], c["metric"], c["agent"]): c for c in result.curves}
    first = result.runs[0].run_id
    evaluated = rows[first, "welfare_eval", -1]
    assert evaluated["env_steps"] == [400] and evaluated["value"] == pytest.approx([result.runs[0].welfare])
    assert evaluated["unit"] == "payoff"
    assert rows[first, "rate", 0]["value"] != rows[first, "rate", 1]["value"]
    assert len(rows) == len(result.curves)
    long = coopgym.train(
        "IPPO",
        "SLCD-v1",
        seeds=[0],
        max_steps=2,
        total_steps=520,
        lanes=1,
        rollout_steps=2,
        hidden=(4,),
        epochs=1,
        minibatches=2,
    )
    assert {len(c["value"]) for c in long.curves} == {20, 200}
    assert {run.status for run in long.runs} == {"ok"}


def test_saved_results_read_back(result, tmp_path):
    folder = result.save(tmp_path / "a" / "b")
    assert sorted(p.name for p in folder.iterdir()) == ["curves.json", "policy.json", "policy.safetensors", "runs.json"]
    rows = json.loads((folder / "runs.json").read_text())
    assert [row["run_id"] for row in rows] == [run.run_id for run in result.runs]


def test_progress_is_told_and_an_interruption_passes_through(capsys):
    states = []
    coopgym.train("MAPPO", "SLCD-v1", seeds=[0], progress=states.append, **SMALL)
    assert [(s.iteration, s.env_steps, s.total_steps) for s in states] == [(1, 400, 400)]
    coopgym.train("IPPO", "SLCD-v1", seeds=[0], progress=True, **SMALL)
    assert "400 of 400 steps a replica" in capsys.readouterr().err

    def stop(state):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        coopgym.train("IPPO", "SLCD-v1", seeds=[0], progress=stop, **SMALL)


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        (("IPO", "SLCD-v1"), {}, ValueError, "did you mean 'IPPO'"),
        (("TitForTat", "SLCD-v1"), {}, ValueError, "is a heuristic, not a learner"),
        (("IPPO", "SLDC-v1"), {}, ValueError, "did you mean 'SLCD-v1'"),
        (("IPPO", "SLCD-v1"), {"learning_rates": 1.0}, TypeError, "did you mean 'learning_rate'"),
        (("IPPO", "SLCD-v1"), {"max_step": 10}, TypeError, "did you mean 'max_steps'"),
        (("IPPO", "SLCD-v1"), {"lanes": 0}, ValueError, "lanes=0"),
        (("IPPO", "SLCD-v1"), {"discount": 1.5}, ValueError, "discount=1.5"),
        (("IPPO", "SLCD-v1"), {"hidden": (0,)}, ValueError, "hidden=0"),
        (("IPPO", "SLCD-v1"), {"activation": "rulu"}, ValueError, "did you mean 'relu'"),
        (("IPPO", "SLCD-v1"), {"reward_modes": ["altruistic"]}, ValueError, "reward_mode='altruistic'"),
        (("IPPO", "SLCD-v1"), {"seeds": []}, ValueError, r"seeds=\[\] is empty; give at least one"),
        (("IPPO", "SLCD-v1"), {"seeds": [-1]}, ValueError, "seed=-1"),
        (("IPPO", "SLCD-v1"), {"seeds": [0, 1, 0]}, ValueError, "seeds: 0 stands twice.*give each once"),
        (("IPPO", "SLCD-v1"), {"seeds": 0}, ValueError, "seeds=0 is out of range"),
        (("IPPO", "SLCD-v1"), {"seeds": 1.5}, ValueError, "seeds=1.5 is not a list; give 3, or a list"),
        (("IPPO", "SLCD-v1"), {"seeds": "3"}, ValueError, "seeds='3' is not a list"),
        (("IPPO", "SLCD-v1"), {"reward_modes": ["private", "private:0.5"]}, ValueError, "stands twice"),
        (("IPPO", "SLCD-v1"), {"reward_modes": []}, ValueError, r"reward_modes=\[\] is empty"),
        (("IPPO", "SLCD-v1"), {"reward_modes": 3}, ValueError, "reward_modes=3 is not a list"),
        (("IPPO", "SLCD-v1"), {"hidden": 0}, ValueError, "hidden=0 is out of range"),
        (("IPPO", "SLCD-v1"), {"hidden": "64"}, ValueError, "hidden='64' is not a list; give a list of widths"),
        (("IPPO", "SLCD-v1"), {"hidden": 1.5}, ValueError, "hidden=1.5 is not a list"),
        (("QMIX", "SLCD-v1"), {"hypernetwork": None}, ValueError, "hypernetwork=None is not a list"),
        (("IPPO", "SLCD-v1"), {"learning_rate": "1e-3"}, ValueError, "is text, not a number; write it without quotes"),
        (("IPPO", "SLCD-v1"), {"learning_rate": 10**400}, ValueError, "learning_rate=10+.* is out of range"),
        (("VDN", "SLCD-v1"), {"activation": "tanhh"}, ValueError, "did you mean 'tanh'"),
        (("IPPO", "SLCD-v1"), {"total_steps": 0}, ValueError, "total_steps=0"),
        *(
            (
                (name, "SLCD-v1"),
                {**more, "max_steps": 10, "lanes": 2},
                ValueError,
                f"^minibatches={wrong} are more .*; give at most {wrong - 1}$",
            )
            for name, wrong, more in (
                ("IPPO", 141, {"minibatches": 141}),
                ("IPPO", 3, {"minibatches": 3, "rollout_steps": 1}),
                ("MAPPO", 141, {"minibatches": 141}),
                ("COMA", 17, {"minibatches": 17}),
                ("VDN", 5, {"minibatches": 5, "pqn": True}),
                ("QMIX", 3, {"minibatches": 3, "pqn": True, "play_steps": 69}),
                ("SelfPlay_PPO", 71, {"minibatches": 71}),
                ("FCP", 71, {"minibatches": 71, "pool": 1}),
            )
        ),
        (("IPPO", "SLCD-v1"), {"epochs": 1001}, ValueError, r"epochs=1001 is out of range.*\[1, 1000\]"),
        (("VDN", "SLCD-v1"), {"epochs": 1001}, ValueError, "epochs=1001 is out of range"),
        (("ISAC", "SLCD-v1"), {"updates_per_step": 1001}, ValueError, "updates_per_step=1001 is out of range"),
        (("ISAC", "SLCD-v1"), {"batch": 32_001}, ValueError, "^batch=32001 is more than the 32000 .*at most 32000"),
        (("ISAC", "SLCD-v1"), {"replay_steps": 1_000_000, "lanes": 101}, ValueError, "^replay_steps=1000000 .* 990099"),
        (("ISAC", "SLCD-v1"), {"lanes": 100_001}, ValueError, "^lanes=100001 of 100 .* at most 100000 lanes"),
        (("IPPO", "SLCD-v1"), {"lanes": 100_001}, ValueError, "^lanes=100001 of 100 .* at most 100000 lanes"),
        (("LOLA", "SLCD-v1"), {"window": 1_000_000, "lanes": 12}, ValueError, "^lanes=12 of 1000000 .* at most 10"),
        (("IPPO", "SLCD-v1"), {"device": "tpu9"}, ValueError, "device='tpu9'"),
        (("IPPO", "SLCD-v1"), {"observability": "everything"}, ValueError, "observability='everything'"),
    ],
)
def test_bad_arguments_are_refused(arguments, options, error, message):
    with pytest.raises(error, match=message):
        coopgym.train(*arguments, **options)


def test_a_number_of_seeds_and_a_single_width_are_what_they_say():
    found = coopgym.train("IPPO", "SLCD-v1", reward_modes="private", seeds=3, total_steps=1, hidden=8, evaluations=1)
    assert [run.seed for run in found.runs] == [0, 1, 2] and found.settings.hidden == (8,)
    for text in (repr(found), repr(coopgym.audit(found.policies[0], "SLCD-v1"))):
        assert len(text) < 300 and "IPPO" in text and "SLCD-v1" in text and "\n" not in text
