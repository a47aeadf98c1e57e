"""Two reward modes are one problem exactly where their rewards are the same; runs and analyses say so."""

from __future__ import annotations

import numpy as np
import pytest
from synthetic import field, row, table
from typer.testing import CliRunner

import coopgym
from coopgym.cli.commands import app
from coopgym.envs.reward import KINDS, RewardMode
from coopgym.statistics import OF_THE_SUM
from coopgym.study import identity, study, twins
from coopgym.study.analysis.analysis import analysis
from coopgym.study.analysis.runs import columns
from coopgym.study.cards import pack
from coopgym.study.records import Records

PRIVATE, INTEGRATED, COOPERATIVE = map(RewardMode, KINDS)
TEAM = {"v1": {"cooperative": PRIVATE}, "v0": {"cooperative": INTEGRATED}}


@pytest.mark.parametrize("version", ["v1", "v0"])
@pytest.mark.parametrize("name", ["TrustDilemma", "SLCD", "LoyaltyTeam", "GiftExchange"])
def test_the_sum_over_a_team_is_the_same_in_two_modes_of_a_version(name, version):
    """The column sums of I and of 1/N are 1; a released game shares integrated utilities instead of payoffs, and where
    it multiplies each agent's reward by a number of its own the sums differ."""
    differ = "modifier" in coopgym.game(f"{name}-{version}").reset().extra
    assert differ == (version == "v0" and name in ("LoyaltyTeam", "GiftExchange"))
    for mode in (PRIVATE, INTEGRATED, COOPERATIVE):
        found = twins.original(f"{name}-{version}", "{}", mode, team=True)
        assert found == (None if differ else TEAM[version].get(mode.kind))
        assert twins.original(f"{name}-{version}", "{}", mode) is None


def test_where_two_kinds_of_rewards_agree_and_only_there():
    """By the matrices of every game that has constant ones: W of two modes, and their column sums."""
    agree = 0
    for name in coopgym.list_games(1):
        made = coopgym.game(name)
        matrices = [made.reward_matrix(mode, made.reset()) for mode in (PRIVATE, INTEGRATED, COOPERATIVE)]
        for k, mode in enumerate((PRIVATE, INTEGRATED, COOPERATIVE)):
            for team in (False, True):
                own = [w.sum(0) if team else w for w in matrices]
                first = next((i for i in range(k) if np.allclose(own[i], own[k])), None)
                expected = None if first is None else (PRIVATE, INTEGRATED, COOPERATIVE)[first]
                assert twins.original(name, "{}", mode, team) == expected
                agree += first is not None
    assert agree


def test_any_share_of_cooperative_rewards_adds_up_to_the_payoffs():
    half = RewardMode("cooperative", 0.5)
    assert twins.original("SLCD-v1", "{}", half, team=True) == PRIVATE
    assert twins.original("SLCD-v1", "{}", half) is None
    assert twins.original("SLCD-v1", "{}", RewardMode("integrated", 0.5), team=True) is None


def test_nobody_depends_on_anybody(monkeypatch):
    alone = coopgym.game("PublicGoods-v1")
    object.__setattr__(alone, "interdependence", np.zeros((alone.n, alone.n)))
    monkeypatch.setattr(identity, "make_game", lambda *_, **__: alone)
    assert twins.original("no dependence", "{}", INTEGRATED) == PRIVATE
    assert twins.original("no dependence", "{}", RewardMode("integrated", 0.3)) == PRIVATE
    assert twins.original("no dependence", "{}", COOPERATIVE) is None
    twins._played.cache_clear()


TINY = """
name = "twins"
games = ["SLCD"]
algorithms = ["VDN", "IPPO", "Constant_40"]
seeds = 2
device = "cpu"
workers = 1
[budget]
steps = 60
[hyperparameters.all]
hidden = [8]
lanes = 2
[game_options.all]
max_steps = 6
"""


def test_runs_name_the_run_that_they_repeat(tmp_path):
    (tmp_path / "x.toml").write_text(TINY)
    assert not study.run(tmp_path / "x.toml", out=tmp_path / "out").failures
    named = {run["run_id"]: run for run in Records(tmp_path / "out").read("runs")}
    linked = [run for run in named.values() if run["duplicate_of"]]
    assert {(run["algorithm"], run["reward_mode"], run["seed"]) for run in linked} == {
        ("VDN", "cooperative", 0), ("VDN", "cooperative", 1),
    }  # fmt: skip
    for run in linked:
        first = named[run["duplicate_of"]]
        same = ("algorithm", "game_hash", "hyperparameters", "seed")
        assert [run[name] for name in same] == [first[name] for name in same] and first["reward_mode"] == "private"
        assert run["welfare"] == pytest.approx(first["welfare"], rel=1e-3)
    _, cells, excluded, records = study.opened(tmp_path / "out")
    packed = pack.pack(records, cells, excluded, tmp_path / "set")["runs"]
    assert {run["run_id"]: run["duplicate_of"] for run in packed} == {
        run["run_id"]: run["duplicate_of"] for run in named.values()
    }


def both(noise=0.01):
    """A team learner of which private and cooperative runs are the same, beside one of which they are not."""
    rows = []
    for mode in KINDS:
        rows += field({"IPPO": 0.5 + 0.1 * KINDS.index(mode)}, ["SLCD-v1"], mode, 5, noise)
        rows += [row("VDN", "SLCD-v1", mode, s, 0.6 + 0.01 * s, "CTDE", team_reward=True) for s in range(5)]
    return rows


def test_repeats_stay_in_their_ranking_and_are_left_out_of_what_counts_runs_or_compares_modes():
    found = analysis(columns(table(both())))
    assert (found["learner_runs"], found["duplicates"]) == (30, 5)
    for mode in KINDS:
        assert {x["player"] for x in found["rankings"][mode]["players"]} == {"IPPO", "VDN"}
    assert {x["player"]: x["runs"] for x in found["failures"]} == {"IPPO": 15, "VDN": 10}
    pairs = {(x["algorithm"], x["before"], x["after"]) for x in found["modes_compared"]}
    assert ("VDN", "private", "integrated") in pairs and ("IPPO", "private", "cooperative") in pairs
    assert not any(name == "VDN" and "cooperative" in modes for name, *modes in pairs)


def test_two_modes_in_which_everything_repeats_are_no_test_of_a_crossover():
    rows = [x | {"paradigm": "independent", "team_reward": True} for x in both() if x["algorithm"] == "IPPO"]
    found = analysis(columns(table([*rows, *(x for x in both() if x["algorithm"] == "VDN")])))["paradigms"]
    assert [(x["from"], x["to"]) for x in found["crossovers"]] == [("private", "integrated")]
    assert {x["mode"] for x in found["contrasts"]} == set(KINDS) and found["objective"] == "team"


def test_a_repeat_whose_first_run_is_not_there_counts_as_itself():
    rows = [x for x in both() if x["reward_mode"] != "private"]
    assert analysis(columns(table(rows)))["duplicates"] == 0


def test_what_repeats_another_mode_is_left_out_of_comparisons_of_modes_whatever_they_are_made_from():
    """Runs, and audits that know no run: a learner of the sum has one problem under private and cooperative rewards."""
    modes = [{"reward_mode": kind, "mutuality": None} for kind in KINDS]
    about = {"kind": "learner", "game": "SLCD-v1", "game_options": "{}"}
    team = [{**about, **mode, "seed": s, "algorithm": "VDN", "team_reward": True} for mode in modes for s in (0, 1)]
    alone = [{**row, "algorithm": "IPPO", "team_reward": False} for row in team]
    assert twins.distinct(team + alone) == [row for row in team if row["reward_mode"] != "cooperative"] + alone
    audits = [
        {**row, "team_reward": None, "hyperparameters": '{"team_reward":true}', "effort": "quick"} for row in team
    ]
    assert [row["reward_mode"] for row in twins.distinct(audits)] == ["private"] * 2 + ["integrated"] * 2
    late = [row for row in team if row["reward_mode"] == "cooperative" or row["seed"] == 0]
    assert len(twins.distinct(late)) == 3  # seed 1 has no private run that it could repeat
    own = [{**row, "game": "MyGame-v1"} for row in team]
    assert twins.distinct(own) == own


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """What each command that shows runs side by side prints of VDN and IPPO under two modes."""
    place = tmp_path_factory.mktemp("told")
    (place / "twins.toml").write_text(TINY)
    study.run(place / "twins.toml", out=place / "out")
    made = str(place / "out")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", "200")
        short = ["SLCD-v1", "--steps", "1", "--seeds", "1", "--modes", "private,cooperative", "--quiet"]
        wanted = (
            ["compare", made],
            ["audit", made],
            ["evaluate", made, "--episodes", "1"],
            ["ablate", *short, "--algorithms", "VDN,IPPO", "--workers", "1", "--out", str(place / "ablation")],
            ["train", "VDN", *short, "--out", str(place / "trained")],
        )
        found = {args[0]: CliRunner().invoke(app, args) for args in wanted}
    assert all(each.exit_code == 0 for each in found.values()), found
    return {name: each.stdout for name, each in found.items()}


@pytest.mark.parametrize("command", ["compare", "audit", "evaluate", "ablate", "train"])
def test_commands_mark_learners_of_the_sum_and_say_which_rows_repeat_which(told, command):
    text = " ".join(told[command].split())
    assert "VDN†" in text and "IPPO†" not in text and "Constant_40†" not in text
    assert text.count("VDN") == text.count("VDN†") + text.count("train VDN")
    assert text.count(OF_THE_SUM) == 1
    again = "VDN† in SLCD-v1: the rows under cooperative rewards repeat those under private rewards."
    assert text.count(again) == text.count("repeat those under") == 1


def test_sentences_on_repeats_gather_learners_and_games():
    both = [(name, game, "cooperative", "private") for name in ("VDN†", "QMIX†") for game in ("G-v1", "H-v1")]
    (one,) = twins.notes([*both, *both])
    assert one.startswith("VDN†, QMIX† in G-v1, H-v1: the rows under cooperative rewards repeat")
    (many,) = twins.notes((f"L{k}", "G-v1", "cooperative", "private") for k in range(9))
    assert many.startswith("L0, L1, L2, L3, L4, 4 more in G-v1")
    assert twins.notes([]) == []


def test_pairs_and_distinct_part_the_rows():
    rows = [row("VDN", "SLCD-v1", mode, seed, 0.5, team_reward=True) for mode in KINDS for seed in range(2)] + [
        row("IPPO", "SLCD-v1", mode, 0, 0.5) for mode in KINDS
    ]
    found = twins.pairs(rows)
    assert [(one["reward_mode"], first["reward_mode"], one["seed"] - first["seed"]) for one, first in found] == [
        ("cooperative", "private", 0)
    ] * 2
    assert len(twins.distinct(rows)) == len(rows) - 2
    assert twins.of_the_sum(rows[0]) and not twins.of_the_sum(rows[-1])
