"""An ablation trains what is missing, keeps what is there, and does not depend on how the work is shared out."""

from __future__ import annotations

import csv
import itertools
from dataclasses import replace

import pytest

import coopgym
from coopgym.envs.reward import RewardMode
from coopgym.study import program
from coopgym.study.ablation import run_ablation
from coopgym.study.cells import Cell, groups
from coopgym.study.engines.local import Local
from coopgym.study.records import Records
from coopgym.study.replay import evaluate_run
from coopgym.study.runner import Runner, Work

TINY = {"lanes": 2, "hidden": (8,), "max_steps": 10}  # a tenth of the game, so that a program takes a second


def small(folder, **changes):
    design = {"algorithms": ["IPPO"], "reward_modes": ["private", "cooperative"], "seeds": 2, "steps": 200}
    return run_ablation("TrustDilemma-v1", out=folder, **(design | {"workers": 1, "device": "cpu"} | TINY | changes))


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ablation")
    return small(folder)


def outcome(result):
    return {(r["algorithm"], r["reward_mode"], r["seed"]): (r["run_id"], r["welfare"], r["rate"]) for r in result.runs}


def test_every_cell_of_the_design_is_a_record_and_a_policy(finished):
    cells = set(itertools.product(["IPPO"], ["private", "cooperative"], [0, 1]))
    assert set(outcome(finished)) == cells
    assert [(x.algorithm, x.reward_mode, x.runs) for x in finished.lines] == [
        ("IPPO", "private", 2),
        ("IPPO", "cooperative", 2),
    ]
    assert finished.failures == []
    assert finished.skipped == 0
    for run in finished.runs:
        assert run["welfare"] == pytest.approx(sum(run["payoff"]))
        loaded = coopgym.load_policy(finished.folder / run["policy_file"])
        assert loaded.game.horizon == 10


def test_the_yardstick_is_the_best_of_the_constants(finished):
    game = coopgym.game("TrustDilemma-v1", max_steps=10)
    best = coopgym.evaluate(coopgym.list_algorithms("constant"), game, episodes=1).welfare.max()
    assert finished.lines[0].best_constant == pytest.approx(best)


def test_running_again_trains_nothing_and_says_the_same(finished, monkeypatch):
    monkeypatch.setattr(program, "train", None)  # would fail if it were called
    again = small(finished.folder)
    assert (again.skipped, again.failures) == (4, [])
    assert again.lines == finished.lines


def test_more_seeds_add_to_what_is_there_and_change_nothing_of_it(finished, tmp_path):
    part = small(tmp_path, seeds=1, reward_modes=["private"])
    whole = small(tmp_path)
    assert (part.skipped, whole.skipped) == (0, 1)
    assert outcome(whole).keys() == outcome(finished).keys()
    for cell, (run, welfare, rate) in outcome(finished).items():
        again = outcome(whole)[cell]
        assert again[0] == run
        assert again[1] == pytest.approx(welfare, rel=1e-4)
        assert again[2] == pytest.approx(rate, rel=1e-4)


def test_another_budget_is_another_run(finished):
    other = small(finished.folder, steps=400)
    assert other.skipped == 0
    assert not {r["run_id"] for r in other.runs} & {r["run_id"] for r in finished.runs}
    assert small(finished.folder).lines == finished.lines


def test_a_damaged_part_is_done_again(finished, tmp_path):
    first = small(tmp_path)
    (part,) = (tmp_path / "runs").glob("*.parquet")
    part.write_bytes(part.read_bytes()[:100])
    with pytest.warns(RuntimeWarning, match="cannot be read"):
        again = small(tmp_path)
    assert again.skipped == 0
    assert again.lines == first.lines


def test_processes_give_what_one_process_gives(finished, tmp_path):
    """Two workers, so the four replicas are cut into two programs, each trained in a process of its own."""
    shares = []
    result = small(tmp_path, workers=2, news=lambda name, share: shares.append((name, share)))
    assert result.failures == []
    assert len(list((tmp_path / "runs").glob("*.parquet"))) == 2
    assert {name for name, _ in shares} == {"IPPO 1/2", "IPPO 2/2"}
    assert max(share for _, share in shares) == 1.0
    for cell, (run, welfare, _) in outcome(finished).items():
        assert outcome(result)[cell][0] == run
        assert outcome(result)[cell][1] == pytest.approx(welfare, rel=1e-4)


def test_policies_that_need_no_training_stand_beside_the_learners(tmp_path):
    chosen = {"algorithms": ["IPPO", "TitForTat", "SocialOptimum", "Constant_40"], "seeds": 2}
    result = small(tmp_path, **chosen)
    lines = {(x.algorithm, x.reward_mode): x for x in result.lines}
    assert len(lines) == 8 and {x.runs for k, x in lines.items() if k[0] != "IPPO"} == {1}  # once, not once a seed
    game = coopgym.game("TrustDilemma-v1", max_steps=10)
    for mode in ("private", "cooperative"):
        best = coopgym.solve(game, "social_optimum", mode)
        assert lines["SocialOptimum", mode].welfare.mean == pytest.approx(best.welfare)
    runs = [run for run in result.runs if run["algorithm"] == "SocialOptimum"]
    assert [(run["kind"], run["seed"], run["env_steps"]) for run in runs] == [("oracle", None, None)] * 2
    assert coopgym.load_policy(tmp_path / runs[0]["policy_file"]).rates.shape == (10, 2)
    again = small(tmp_path, **chosen)
    assert (again.skipped, again.lines) == (10, result.lines)
    assert {row["algorithm"] for row in evaluate_run(tmp_path)} == set(chosen["algorithms"])


def test_an_oracle_that_does_not_apply_is_refused_before_anything_is_trained(tmp_path):
    with pytest.raises(ValueError, match=r"Loyalty cannot be used on TrustDilemma-v1: .*coopetitive"):
        small(tmp_path, algorithms=["IPPO", "Loyalty"])
    assert not list(tmp_path.iterdir())


def test_a_program_that_fails_is_named_and_the_others_are_kept(tmp_path, monkeypatch):
    train = program.train

    def fragile(algorithm, *args, **kwargs):
        if algorithm == "MAPPO":
            raise MemoryError("no room")
        return train(algorithm, *args, **kwargs)

    monkeypatch.setattr(program, "train", fragile)
    result = small(tmp_path, algorithms=["IPPO", "MAPPO"])
    assert len(result.runs) == 4
    assert result.failures == [
        "MAPPO on TrustDilemma-v1 (private, cooperative; seeds 0, 1) failed: MemoryError: no room"
    ]


def test_an_interrupt_keeps_what_is_finished(tmp_path, monkeypatch):
    train = program.train

    def interrupted(algorithm, *args, **kwargs):
        if algorithm == "MAPPO":
            raise KeyboardInterrupt
        return train(algorithm, *args, **kwargs)

    monkeypatch.setattr(program, "train", interrupted)
    with pytest.raises(KeyboardInterrupt):
        small(tmp_path, algorithms=["IPPO", "MAPPO"])
    assert len(Records(tmp_path).done()) == 4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"algorithms": ["IPOP"]}, "did you mean 'IPPO'"),
        ({"reward_modes": ["selfish"]}, "reward_mode='selfish' is not known"),
        ({"reward_modes": ["integrated:2"]}, r"mutuality='2' is out of range"),
        ({"seeds": 0}, "seeds=0 is out of range"),
        ({"steps": 0}, "total_steps=0 is out of range"),
        ({"device": "tpu"}, "device='tpu' is not known"),
        ({"workers": 0}, "workers=0 is out of range"),
    ],
)
def test_wrong_values_are_refused_before_anything_is_made(tmp_path, change, message):
    with pytest.raises(ValueError, match=message):
        small(tmp_path / "new", **change)
    assert not (tmp_path / "new").exists()


def test_a_sweep_of_mutuality_is_a_design_of_its_own():
    modes = [RewardMode.of(text) for text in ("private", "integrated:0.5", "integrated")]
    assert modes == [RewardMode("private"), RewardMode("integrated", 0.5), RewardMode("integrated")]


def test_missing_cells_make_as_few_programs_as_possible():
    a, b = RewardMode("private"), RewardMode("cooperative")
    assert groups([(a, 0), (a, 1), (b, 0), (b, 1), (b, 2)]) == [((a, b), (0, 1)), ((b,), (2,))]


@pytest.mark.parametrize(("workers", "seeds"), [(1, [(0, 1, 2)]), (2, [(0, 2), (1,)]), (9, [(0,), (1,), (2,)])])
def test_a_cell_is_cut_into_as_many_programs_as_there_are_workers(tmp_path, workers, seeds):
    cell = Cell("IPPO", "SLCD-v1", (RewardMode("private"), RewardMode("cooperative")), (0, 1, 2), 10)
    runner = Runner([cell], Records(tmp_path), Local(workers), Work(pieces=None))
    assert [program.seeds for program in runner.programs()] == seeds
    two = Runner([cell, replace(cell, algorithm="IA2C")], Records(tmp_path), Local(2), Work(pieces=None))
    assert [program.seeds for program in two.programs()] == [(0, 1, 2), (0, 1, 2)]


def test_stored_policies_play_as_their_records_say(finished, tmp_path):
    rows = evaluate_run(finished.folder, episodes=3)
    recorded = {run["run_id"]: run for run in finished.runs}
    for row in rows:
        if row["run_id"] in recorded:
            assert row["welfare"] == pytest.approx(recorded[row["run_id"]]["welfare"], rel=1e-6)
    assert len(rows) >= 4


def test_a_folder_saved_by_train_can_be_played_too(tmp_path):
    result = coopgym.train("IPPO", "TrustDilemma-v1", seeds=[0], total_steps=100, device="cpu", **TINY)
    rows = evaluate_run(result.save(tmp_path / "saved"), episodes=2)
    assert [row["run_id"] for row in rows] == [run.run_id for run in result.runs]
    assert [row["welfare"] for row in rows] == pytest.approx([run.welfare for run in result.runs], rel=1e-6)


def test_a_folder_without_policies_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no trained policy"):
        evaluate_run(tmp_path)


def test_an_index_says_which_policy_is_whose(tmp_path):
    options = {
        "seeds": [0, 1],
        "steps": 1,
        "out": tmp_path,
        "workers": 1,
        "reward_modes": ["private", "integrated:0.5"],
    }
    run_ablation("SLCD-v1", ["IPPO", "TitForTat"], **options)
    lines = list(csv.DictReader((tmp_path / "policies" / "index.csv").read_text().splitlines()))
    found = [(line["algorithm"], line["reward_mode"], line["seed"]) for line in lines]
    assert found[:4] == [("IPPO", mode, seed) for mode in ("integrated(0.5)", "private") for seed in "01"]
    assert {name for name, _, _ in found} == {"IPPO", "TitForTat"} and all(line["game"] == "SLCD-v1" for line in lines)
    for line in lines:
        policy = coopgym.load_policy(tmp_path / line["policy"])
        welfare = coopgym.evaluate([policy], "SLCD-v1").welfare.mean()
        assert welfare == pytest.approx(float(line["welfare"]), rel=1e-6)
    before = (tmp_path / "policies" / "index.csv").stat().st_mtime_ns
    run_ablation("SLCD-v1", ["IPPO", "TitForTat"], **options)
    assert (tmp_path / "policies" / "index.csv").stat().st_mtime_ns == before
