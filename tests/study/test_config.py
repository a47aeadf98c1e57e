"""A study's file is read whole, refused with a sentence that helps, and turned into cells."""

from __future__ import annotations

import dataclasses
import datetime
import math
from pathlib import Path

import pytest

import coopgym
from coopgym.algorithms.registry import algorithm
from coopgym.envs.catalogue import entry
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
    budget = config.parse(SMALL.replace('"IPPO",', '"IPPO", "MAPPO",') + text).budget
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
        ("seeds = [1, -2]", "seed=-2 is out of range; give a whole number in"),
        ('reward_modes = ["selfish"]', "reward_mode='selfish' is not known; choose one of private"),
        ('reward_modes = {kind = "integrated", mutuality = [2.0]}', "mutuality=2.0 is out of range"),
        ('reward_modes = {kind = "integrated"}', "is no sweep; give"),
        ("seedz = 3", "seedz is not a field; did you mean 'seeds'"),
        ("budget = {step = 3}", "budget.step is not a field; did you mean 'steps'"),
        ("budget = {steps = 0}", "budget.steps=0: input should be greater than or equal to 1"),
        ("budget = {algorithms = {TitForTat = 3}}", "'TitForTat' is a heuristic, not a learner"),
        ('engine = "slurm"', "engine='slurm': input should be 'local' or 'ray'"),
        ("device = 3", "device=3: it must be text; write it in quotes"),
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


GOOD = {"name": "x", "games": ["TrustDilemma", "SLCD-v1"], "algorithms": ["IPPO", "QMIX", "TitForTat"], "seeds": 2}
FIELDS = [
    *config.Config.model_fields, *(f"budget.{name}" for name in config.Budget.model_fields),
    "budget.algorithms.IPPO", "budget.games.SLCD", "budget.algorithms.IPPO.games.SLCD",
    *(f"evaluation.{name}" for name in config.EvaluationPlan.model_fields),
    *(f"{table}.{key}" for table in ("hyperparameters", "game_options") for key in ("all", "IPPO", "SLCD", "Nobody")),
    "variants.a", *(f"hyperparameters.IPPO.{name}" for name in ("agent", "partners", "checkpoint", "device", "nobody")),
    *(f"hyperparameters.{a}.{f.name}" for a in ("IPPO", "QMIX") for f in dataclasses.fields(algorithm(a).settings)),
    *(f"game_options.SLCD.{name}" for name in entry("SLCD-v1")[0].options()),
]  # fmt: skip
WRONG = (
    None, True, -1, 0, 3.5, 10**400, 10**5000, math.nan, math.inf, -0.0, "", "x", "1e-3", "\x1b[31m[red]\n",
    b"x", [], [None], [[]], ["x", "x"], [0, 0], [{}], {}, {"a": 1}, {1: {2: 3}}, {"": {"": ""}},
    datetime.date(2020, 1, 1), float, {"games": {"Nobody": 1}}, {"Nobody": {"a": 1}},
)  # fmt: skip


def changed(data, place, value):
    """A copy of the data of a file with one field set."""
    first, _, rest = place.partition(".")
    inner = data.get(first, {}) if rest else value
    return data | {first: changed(inner if isinstance(inner, dict) else {}, rest, value) if rest else value}


@pytest.mark.parametrize("place", FIELDS)
def test_whatever_stands_in_a_field_it_is_taken_or_refused_in_one_sentence(place):
    refused = 0
    for value in WRONG:
        try:
            config.of(changed(GOOD, place, value)).design()
        except ValueError as error:  # nothing else may come
            refused += 1
            text = str(error)
            assert "\n" not in text and "\x1b" not in text and 10 < len(text) < 1200, text
            assert place.split(".")[0] in text or place.split(".")[-1] in text, text
            assert "Traceback" not in text and "__init__" not in text and "unhashable" not in text, text
    assert refused >= len(WRONG) // 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("[game_options.TrustDilema]\nmax_steps = 5", r"game_options: unknown game .*did you mean 'TrustDilemma-v1'"),
        ("[game_options.SLCD-v0]\nmax_steps = 5", "this study plays SLCD-v1, not SLCD-v0; write SLCD-v1"),
        ("[game_options.SLCD]\nmax_stepz = 5", r"game_options.SLCD.max_stepz: SLCD-v1 has no such .* mean 'max_steps'"),
        ("[game_options.SLCD]\nmax_steps = 0", r"game_options of SLCD-v1: max_steps=0 is out of range"),
        ("[game_options]\nSLCD = {}\nSLCD-v1 = {}", "two tables for SLCD-v1; keep one"),
        ("[budget.games]\nSLCC = 5", "unknown game 'SLCC'; did you mean 'SLCD-v1'"),
        ("[budget.games]\nSLCD-v0 = 5", "this study plays SLCD-v1, not SLCD-v0"),
        ("[budget.games]\nSLCD = 5\nSLCD-v1 = 6", "SLCD-v1 stands twice"),
        ("[budget.algorithms]\nIPOP = 5", "unknown algorithm 'IPOP'; did you mean 'IPPO'"),
        ("[budget.algorithms.IPPO.games]\nTrust = 5", "unknown game 'Trust'; did you mean 'TrustDilemma-v1'"),
        ("[hyperparameters.IPOP]\nlanes = 5", "unknown algorithm 'IPOP'; did you mean 'IPPO'"),
        ("[hyperparameters.IPPO]\nagent = 0", r"hyperparameters.IPPO.agent: IPPO has no such hyperparameter"),
        ('[hyperparameters.IPPO]\npartners = "evil.zip"', "hyperparameters.IPPO.partners: IPPO has no such"),
        ("[hyperparameters.IPPO]\nmax_steps = 5", "hyperparameters.IPPO.max_steps: IPPO has no such"),
        ("[hyperparameters.all]\nagent = 0", "hyperparameters.all.agent: nothing in this study has such an option"),
        ("[variants.a]\npartners = 'evil.zip'", "variants.a.partners: nothing in this study has such an option"),
        ('[hyperparameters.IPPO]\nactivation = "tanhh"', "IPPO: activation='tanhh' is not known; did you mean 'tanh'"),
        ("[hyperparameters.all]\nhidden = [0]", r"hyperparameters.all: hidden=0 is out of range; give a whole number"),
        ("[variants.a]\nhidden = [0]", r"variants.a: hidden=0 is out of range"),
        ("[hyperparameters.all]\nlearning_rate = -1\n[variants.a]\nlanes = 2", "hyperparameters.all: learning_rate=-1"),
        ('[hyperparameters.IPPO]\nlearning_rate = "1e-3"', "is text, not a number; write it without quotes"),
        ("[hyperparameters.IPPO]\nlearning_rate = nan", "learning_rate=nan is out of range"),
        ("[hyperparameters.IPPO]\nlearning_rate = 1" + 400 * "0", "learning_rate=10+.* is out of range"),
        (
            "[hyperparameters.IPPO]\nminibatches = 100000",
            "hyperparameters.IPPO: minibatches=100000 are more than the 800",
        ),
        (
            "[variants.a]\nlanes = 1\n[hyperparameters.all]\nminibatches = 101",
            "hyperparameters.all: minibatches=101 are",
        ),
        (
            "[game_options.GiftExchange]\nmax_steps = 5",
            r"^game_options.GiftExchange: .* not play GiftExchange-v1; add it",
        ),
        (
            "[hyperparameters.MAPPO]\nlanes = 2",
            "^hyperparameters.MAPPO: this study does not train MAPPO; add it to alg",
        ),
        (
            "[budget.algorithms]\nMAPPO = 300",
            "^budget.algorithms.MAPPO: this study does not train MAPPO; add it to alg",
        ),
        (
            "[budget.games]\nGiftExchange = 5",
            "^budget.games.GiftExchange: this study does not play GiftExchange-v1; add",
        ),
        ("[budget.algorithms.IPPO.games]\nGiftExchange = 5", "^budget.algorithms.IPPO.games.GiftExchange: .* not play"),
        ("[budget]\ncrowd = 5", "^budget.crowd=5: a crowd is .* more than 8 agents, .* this study has 2; leave it out"),
        (
            "[budget.algorithms.IPPO]\ncrowd = 5",
            "^budget.algorithms.IPPO.crowd=5: a crowd is .*; leave it out, or give",
        ),
        ("[variants.a]\nwindow = 5", "^variants.a.window: nothing in this study has such an option"),
        ("[variants]\na = {bins = 3, epochs = 3}", "no learner of this study has all of bins, epochs"),
    ],
)
def test_names_and_values_that_nothing_could_take_are_refused_before_anything_is_trained(change, message):
    small = SMALL.replace('"IPPO",', '"IPPO", "COMA",')
    with pytest.raises(ValueError, match=message):
        config.parse(small + change).design()


def test_a_seed_that_stands_twice_is_refused():
    with pytest.raises(ValueError, match="seeds: 0 stands twice, which would count one run twice; give each once"):
        config.parse(SMALL.replace("seeds = 2", "seeds = [0, 1, 0]"))


def test_yaml_reads_numbers_as_yaml_does_and_a_byte_order_mark_is_no_text(tmp_path):
    text = "name: x\ngames: SLCD\nalgorithms: IPPO\nhyperparameters: {IPPO: {learning_rate: 1e-3, clip: 2E1}}\n"
    (cell,), _ = config.parse(text, ".yaml").design()
    assert cell.options == {"learning_rate": 0.001, "clip": 20.0}
    for name, content in (("a.yaml", text), ("a.toml", 'name = "x"\ngames = "SLCD"\nalgorithms = "IPPO"\n')):
        (tmp_path / name).write_bytes(b"\xef\xbb\xbf" + content.encode())
        assert config.load(tmp_path / name).name == "x"
        assert config.parse("\ufeff" + content, name[1:]).name == "x"
    (tmp_path / "b.toml").write_bytes('name = "x"'.encode("utf-16"))
    with pytest.raises(ValueError, match="not text in UTF-8"):
        config.load(tmp_path / "b.toml")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("a = " + 2000 * "[" + 2000 * "]", ".toml"),
        ("a: " + 9000 * "[" + 9000 * "]", ".yaml"),
        ("a: " + 9000 * "{a: ", ".yaml"),
        ("a:\n " + 9000 * "- ", ".yaml"),
        ("a = 1" + 5000 * "0", ".toml"),
        ("a: 1" + 5000 * "0", ".yaml"),
        ("a: 2020-13-45", ".yaml"),
        ("? [a, b]\n: c", ".yaml"),
        ("? {a: b}\n: c", ".yaml"),
        ("a: !!python/object:os.system x", ".yaml"),
        ("- a\n- b", ".yaml"),
        ("1: 2\nname: x", ".yaml"),
        ("", ".yaml"),
        ("", ".toml"),
    ],
)
def test_text_that_is_no_study_is_refused_in_one_sentence(text, kind):
    with pytest.raises(ValueError) as told:
        config.parse(text, kind)
    assert "\n" not in str(told.value) and len(str(told.value)) < 1000


def test_what_no_variant_fits_is_told():
    small = SMALL.replace('"IPPO",', '"IPPO", "COMA",')
    _, excluded = config.parse(small + "[variants]\na = {bins = 3}").design()
    assert {(x.algorithm, x.reason) for x in excluded} == {("IPPO", config.NO_VARIANT)}
