"""A study's file is read whole, refused with a sentence that helps, and turned into cells."""

from __future__ import annotations

from pathlib import Path

import pytest

import coopgym
from coopgym.envs.reward import KINDS, RewardMode
from coopgym.study import config
from coopgym.study.cells import Cell
from coopgym.study.estimate import Estimates, table

STUDIES = Path(__file__).resolve().parents[2] / "studies"
SMALL = 'name = "x"\ngames = ["TrustDilemma", "SLCD-v1"]\nalgorithms = ["IPPO", "TitForTat", "Nash"]\nseeds = 2\n'


def cells(text):
    found, excluded = config.parse(text).design()
    return {(c.algorithm, c.game.removesuffix("-v1"), c.variant): c for c in found}, excluded


@pytest.fixture(scope="module")
def examples():
    return {path.stem: config.load(path) for path in STUDIES.glob("*.toml")}


def test_every_example_is_a_design(examples):
    assert set(examples) == {"audit", "reference", "cpu", "mutuality", "width"}
    for name, example in examples.items():
        assert example.name == name and example.description
        found, _ = example.design()
        assert len({str(cell) for cell in found}) == len(found)


def test_the_reference_study_counts_what_is_distinct(examples):
    found, excluded = examples["reference"].design()
    learners = [cell for cell in found if cell.learns]
    assert len(learners) == 15 * 20 + 11  # MeanFieldAC needs three agents
    assert sum(cell.replicas for cell in learners) == 311 * 3 * 7
    constants = [cell for cell in found if cell.algorithm.startswith("Constant_")]
    assert (len(constants), {cell.replicas for cell in constants}) == (2020, {1})
    assert sum(x.algorithm == "MeanFieldAC" for x in excluded) == 9 and all(x.reason for x in excluded)
    assert len(found) + len(excluded) == 126 * 20


def test_the_sweep_goes_from_private_to_integrated_on_the_case_studies(examples):
    modes = examples["mutuality"].reward_modes
    assert (modes[0], modes[-1]) == (RewardMode("private"), RewardMode("integrated"))
    assert [mode.mutuality for mode in modes[1:]] == pytest.approx([i / 10 for i in range(1, 11)])
    assert len(examples["mutuality"].all_games()) == 4


def test_the_widths_are_variants_of_each_learner(examples):
    found, _ = examples["width"].design()
    widths = {cell.options["hidden"][0] for cell in found if (cell.algorithm, cell.game) == ("QMIX", "GiftExchange-v1")}
    assert widths == {16, 32, 64, 128}


def test_the_cpu_study_is_for_an_hour_on_two_cores(examples):
    found, _ = examples["cpu"].design()
    assert 0.4 < sum(map(Estimates().seconds, found)) / 2 / 3600 < 1.5


def test_the_audit_study_has_enough_distinct_runs(examples):
    found, excluded = examples["audit"].design()
    assert sum(cell.replicas for cell in found) == 8 * 19 * 3 * 3 == 1_368 and not excluded
    assert max(coopgym.game(cell.game).n for cell in found) <= 6


def test_cells_and_their_runs():
    found, excluded = cells(SMALL + 'reward_modes = ["private", {kind = "cooperative", mutuality = [0.0, 0.5]}]')
    assert not excluded and len(found) == 6
    learner, rule, oracle = (found[name, "SLCD", ""] for name in ("IPPO", "TitForTat", "Nash"))
    assert [len(cell.plan()) for cell in (learner, rule, oracle)] == [4, 1, 2]
    assert set(oracle.plan().values()) == {(RewardMode("private"), None), (RewardMode("cooperative", 0.5), None)}
    assert list(rule.plan().values()) == [(None, None)]


def test_groups_of_games_and_algorithms():
    some = config.parse('name = "x"\ngames = "TR-2"\nalgorithms = ["heuristics", "TitForTat", "oracles"]')
    assert some.all_games() == coopgym.list_games(2)
    assert some.algorithms == [*coopgym.list_algorithms("heuristic"), *coopgym.list_algorithms("oracle")]
    assert [str(mode) for mode in some.reward_modes] == list(KINDS) and some.seeds == list(range(7))
    old = config.parse('name = "x"\nversion = "v0"\ngames = ["SLCD", "TeamProduction-v1"]\nalgorithms = "IPPO"')
    assert old.all_games() == ["SLCD-v0", "TeamProduction-v1"]


def test_budgets_by_algorithm_crowd_and_game():
    text = """
        [budget]
        steps = 100
        crowd = 10
        games = { SLCD = 55 }
        [budget.algorithms]
        IPPO = 70
        MAPPO = { crowd = 5, games = { SLCD = 33 } }
    """
    budget = config.parse(SMALL + text).budget
    of = budget.of_cell
    assert [of("IA2C", game, n) for game, n in (("TrustDilemma-v1", 2), ("ApacheProject-v1", 40), ("SLCD-v1", 2))] == [
        100, 10, 55,
    ]  # fmt: skip
    assert (of("IPPO", "SLCD-v1", 2), of("IPPO", "ApacheProject-v1", 40)) == (70, 70)
    assert [of("MAPPO", "SLCD-v1", 2), of("MAPPO", "ApacheProject-v1", 40), of("MAPPO", "RecoveryRace-v1", 2)] == [
        33, 5, 100,
    ]  # fmt: skip


def test_options_go_to_whom_they_belong():
    text = """
        [hyperparameters]
        all = { lanes = 3, epochs = 2 }
        IPPO = { lanes = 4 }
        [game_options]
        all = { max_steps = 10 }
        SLCD = { max_steps = 20 }
    """
    found, _ = cells(SMALL.replace('"Nash"', '"IA2C"') + text)
    assert found["IPPO", "SLCD", ""].options == {"lanes": 4, "epochs": 2, "max_steps": 20}
    assert found["IA2C", "TrustDilemma", ""].options == {"lanes": 3, "max_steps": 10}
    assert found["TitForTat", "TrustDilemma", ""].options == {"max_steps": 10}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ('games = ["Trust"]', r"games=\['Trust'\]: unknown game 'Trust'; did you mean 'TrustDilemma-v1'"),
        ('algorithms = "IPOP"', "unknown algorithm 'IPOP'; did you mean 'IPPO'"),
        ("algorithms = []", r"algorithms=\[\]: it is empty; name at least one"),
        ("seeds = 0", r"seeds=0 is out of range; give a whole number in \[1, 10000\]"),
        ("seeds = [1, -2]", "seeds.1=-2: input should be greater than or equal to 0"),
        ('reward_modes = ["selfish"]', "reward_mode='selfish' is not known; choose one of private"),
        ('reward_modes = {kind = "integrated", mutuality = [2.0]}', "mutuality=2.0 is out of range"),
        ('reward_modes = {kind = "integrated"}', "is no sweep; give"),
        ("seedz = 3", "seedz is not a field; did you mean 'seeds'"),
        ("budget = {step = 3}", "budget.step is not a field; did you mean 'steps'"),
        ("budget = {steps = 0}", "budget.steps=0: input should be greater than or equal to 1"),
        ("budget = {algorithms = {TitForTat = 3}}", "'TitForTat' is a heuristic, not a learner"),
        ('engine = "slurm"', "engine='slurm': input should be 'local' or 'ray'"),
        ("device = 3", "device=3: input should be a valid string"),
        ("games = [", "this is not TOML"),
    ],
)
def test_what_is_wrong_is_named_with_rule_and_cure(change, message):
    name = change.split(" =")[0]
    lines = [line for line in SMALL.splitlines() if not line.startswith(name)]
    with pytest.raises(ValueError, match=message):
        config.parse("\n".join([*lines, change]))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("[hyperparameters.all]\nlens = 3", r"hyperparameters.all.lens: nothing in this study .* mean 'lanes'"),
        ("[variants.a]\nhiden = [3]", "variants.a.hiden: nothing in this study has such an option; did you mean"),
        ("[game_options.all]\nsteps = 3", "game_options.all.steps: nothing in this study"),
    ],
)
def test_options_that_nothing_takes_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        config.parse(SMALL + change).design()


def test_a_missing_field_and_the_file_are_named(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('name = "x"\ngames = "all"\n')
    with pytest.raises(ValueError, match=r"mine\.toml: algorithms is missing; every study has to say it"):
        config.load(path)


def test_an_estimate_goes_by_the_table_and_then_by_what_was_measured():
    cell = Cell("IPPO", "TrustDilemma-v1", (RewardMode("private"),), (0, 1), 10_000)
    speed = table()["IPPO"][2]
    assert Estimates().seconds(cell) == pytest.approx(1.0 + 20_000 / speed)
    assert Estimates().speed("IPPO", 80) == pytest.approx(table()["IPPO"][40] * 2.0**-1.2)
    rows = [{"algorithm": "IA2C", "agents": 2, "env_steps_per_second": 3.0 * table()["IA2C"][2]}]
    assert Estimates(rows).speed("IA2C", 2) == 3.0 * table()["IA2C"][2]
    assert Estimates(rows).speed("IPPO", 2) == pytest.approx(3.0 * speed)  # a machine three times as fast
