"""What a run is: what decides it tells it apart, what does not leaves it a repeat, and names say what differs."""

from __future__ import annotations

import itertools
import json

import pytest
from made_up import rows

import coopgym
from coopgym.algorithms.training import planned_run_ids
from coopgym.study.identity import configuration, labels, repeats

SETTINGS = {"hidden": [64, 64], "learning_rate": 0.003, "total_steps": 1000, "objective": "finite"}


def run(seed=0, settings=None, mode="private", **changes):
    """A row of a learner, with all that identifies it."""
    (row,) = rows(("IPPO",), (mode,), 1, game="TrustDilemma-v1")
    row |= {
        "seed": seed, "game_hash": "aa", "game_options": '{"tension":"report"}', "observation": "full",
        "objective": "finite", "hyperparameters": json.dumps(SETTINGS | (settings or {})), "env_steps": 1024,
        "evaluations": 20, "episodes_stochastic": 64, "package_version": "0.2.0", "torch_version": "2.13.0+cpu",
        "variant": None,
    }  # fmt: skip
    return row | {"run_id": str(sorted((row | changes).items(), key=str))} | changes


CHANGES = {
    "steps": ({"settings": {"total_steps": 20000}}, "IPPO [1,000 steps]", "IPPO [20,000 steps]"),
    "hyperparameter": ({"settings": {"hidden": [32, 32]}}, "IPPO [hidden=(64, 64)]", "IPPO [hidden=(32, 32)]"),
    "package": ({"package_version": "0.1.0"}, "IPPO [coopgym 0.2]", "IPPO [coopgym 0.1]"),
    "torch": ({"torch_version": "2.8.1"}, "IPPO [torch 2.13]", "IPPO [torch 2.8]"),
    "observation": ({"observation": "minimal"}, "IPPO [observation=full]", "IPPO [observation=minimal]"),
    "points": ({"evaluations": 4}, "IPPO [20 evaluations]", "IPPO [4 evaluations]"),
    "episodes": ({"episodes_stochastic": 4}, "IPPO [64 episodes drawn]", "IPPO [4 episodes drawn]"),
    "objective": ({"objective": "continuing"}, "IPPO [objective=finite]", "IPPO [objective=continuing]"),
    "algorithm": ({"algorithm": "IA2C"}, "IPPO", "IA2C"),
    "folder": ({"folder": "b"}, "IPPO", "IPPO [b]"),
    "variant": ({"variant": "small", "settings": {"hidden": [8]}}, "IPPO", "IPPO [small]"),
}  # fmt: skip
GAMES = {
    "option": (
        {"game_hash": "bb", "game_options": '{"tension":"report","max_steps":20}'}, "TrustDilemma-v1 [max_steps=20]",
    ),
    "version": ({"game": "TrustDilemma-v0", "game_hash": "cc"}, "TrustDilemma-v0"),
    "rules": ({"game_hash": "dd"}, "TrustDilemma-v1 [parameters dd]"),
}  # fmt: skip


@pytest.mark.parametrize("kind", CHANGES)
def test_what_differs_is_no_repeat_and_is_what_the_name_says(kind):
    changes, first, second = CHANGES[kind]
    both = [run(seed, **more) for more in ({}, changes) for seed in (0, 1)]
    assert [len(own) for own in repeats(both).values()] == [2, 2]
    named = labels(both)
    assert [named.player(row) for row in both] == [first] * 2 + [second] * 2
    assert {named.game(row) for row in both} == {"TrustDilemma-v1"}


@pytest.mark.parametrize("kind", GAMES)
def test_games_of_other_options_or_rules_are_other_games(kind):
    changes, second = GAMES[kind]
    both = [run(seed, **more) for more in ({}, changes) for seed in (0, 1)]
    assert [len(own) for own in repeats(both).values()] == [2, 2]
    named = labels(both)
    expected = "TrustDilemma-v1 [parameters aa]" if kind == "rules" else "TrustDilemma-v1"
    assert [named.game(row) for row in both] == [expected] * 2 + [second] * 2
    assert {named.player(row) for row in both} == {"IPPO"}


@pytest.mark.parametrize("pair", list(itertools.combinations([*CHANGES, *GAMES], 2)), ids="-".join)
def test_any_two_changes_make_four_kinds_of_runs_and_four_names(pair):
    first, second = ((CHANGES | GAMES)[name][0] for name in pair)
    designs = [{}, first, second]
    if not set(first) & set(second):
        designs.append(first | second)
    all_ = [run(seed, **changes) for changes in designs for seed in (0, 1, 2)]
    named = labels(all_)
    groups = repeats(all_)
    assert [len(own) for own in groups.values()] == [3] * len(designs)
    assert len({named.cell(row) for row in all_}) == len(designs)
    assert all(len({named.cell(row) for row in own}) == 1 for own in groups.values())
    assert all(len(named.player(row)) < 80 for row in all_)


def test_the_seed_the_clock_and_company_do_not_tell_runs_apart():
    other = run(1, device="cuda", seconds=9.0, replicas_in_program=7, study="another", package_version="0.2.7")
    other |= {"torch_version": "2.13.1", "game_options": '{"tension":"report","max_steps":100}', "mutuality": 1.0}
    assert configuration(run(0)) == configuration(other)
    assert labels([run(0), other])(other) == "IPPO on TrustDilemma-v1, private"


def test_a_run_that_is_there_twice_counts_once_and_the_one_that_ended_well():
    ((*own,),) = repeats([run(0, welfare=1.0), run(0, welfare=2.0, status="diverged"), run(1)]).values()
    assert [row["welfare"] for row in own] == [1.0, own[1]["welfare"]]


def test_records_of_an_earlier_version_are_read_and_never_pooled_with_todays():
    old = run(2, package_version="0.1.0")
    for name in ("evaluations", "game_hash", "torch_version"):
        del old[name]
    named = labels([run(0), old])
    assert configuration(old) != configuration(run(2))
    assert named.player(old) == "IPPO [coopgym 0.1]"
    assert labels([old]).player(old) == "IPPO"


def test_what_is_not_known_is_another_thing_than_what_is():
    both = [run(0), run(1, evaluations=None)]
    assert [labels(both).player(row) for row in both] == ["IPPO [20 evaluations]", "IPPO"]
    bare = rows(seeds=2, modes=("private",))
    assert [len(own) for own in repeats(bare).values()] == [2, 2]  # two algorithms


def test_budgets_that_differ_from_game_to_game_do_not_split_a_learner():
    crowd = run(0, settings={"total_steps": 250}, game="SynergySearch-v1", game_hash="ee")
    named = labels([run(0), crowd])
    assert {named.player(row) for row in (run(0), crowd)} == {"IPPO"}
    assert named.player(run(0, settings={"total_steps": 1})) == "IPPO"  # one that was not among them


def test_names_of_variants_stand_for_their_settings_and_the_rest_is_said():
    designs = [
        {"variant": "wide", "settings": {"hidden": [256], "learning_rate": 0.1}}, {"variant": "thin"},
        {"variant": "thin", "settings": {"total_steps": 9}},
    ]  # fmt: skip
    all_ = [run(0, **changes) for changes in designs]
    assert [labels(all_).player(row) for row in all_] == [
        "IPPO [wide, 1,000 steps]", "IPPO [thin, 1,000 steps]", "IPPO [thin, 9 steps]",
    ]  # fmt: skip


def test_long_labels_are_cut_and_still_differ():
    many = {f"setting_{k}": "x" * 60 for k in range(9)}
    all_ = [run(0), run(0, settings=many), run(0, settings=many | {"setting_8": "y"})]
    found = [labels(all_).player(row) for row in all_]
    assert len(set(found)) == 3
    assert max(map(len, found)) < 250


def test_the_plan_of_evaluation_and_the_versions_are_part_of_a_run_id(monkeypatch):
    asked = {"reward_modes": ["private"], "seeds": [0], "total_steps": 1000}
    plain = planned_run_ids("IPPO", "TrustDilemma-v1", **asked)
    others = [planned_run_ids("IPPO", "TrustDilemma-v1", **asked, **{name: 7}) for name in ("evaluations", "episodes")]
    monkeypatch.setattr("torch.__version__", "1.99.0")
    others.append(planned_run_ids("IPPO", "TrustDilemma-v1", **asked))
    monkeypatch.setattr(coopgym, "__version__", "0.99.1")
    others.append(planned_run_ids("IPPO", "TrustDilemma-v1", **asked))
    assert len({*plain, *(name for names in others for name in names)}) == 5
