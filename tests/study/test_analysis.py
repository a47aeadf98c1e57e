"""The analysis of a study finds what synthetic records were made to say, and says how sure it is."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.stats import ttest_ind
from synthetic import BEST, GAMES, field, row, table
from typer.testing import CliRunner

from coopgym.cli.commands import app
from coopgym.oracles.scores import scale
from coopgym.statistics import seeds_needed
from coopgym.study.analysis import health, paradigms, power, scores
from coopgym.study.analysis.analysis import analyse, analysis
from coopgym.study.analysis.page import page
from coopgym.study.analysis.rankings import Field, improvements, interquartile, profiles, ranks
from coopgym.study.analysis.runs import columns, load
from coopgym.study.records import Records

LEVELS = {"IPPO": 0.9, "MAPPO": 0.8, "IA2C": 0.7}


def loaded(rows):
    runs = columns(table(rows))
    return runs, scores.score(runs, scores.rulers(runs))


def of(rows):
    runs, points = loaded(rows)
    return Field.of(runs, points)


def test_scores_are_nash_to_optimum_where_that_is_defined_and_shares_of_the_best_constant_elsewhere():
    ends = scale("TrustDilemma-v1")
    rows = [row("IPPO", "TrustDilemma-v1", "private", 0, None, welfare=0.25 * ends.nash + 0.75 * ends.optimum)]
    rows += field({"IPPO": 0.6}, games=["SLCD-v1"], seeds=1, noise=0.0)
    runs, points = loaded(rows)
    assert dict(zip(runs.game, points, strict=True)) == pytest.approx({"TrustDilemma-v1": 0.75, "SLCD-v1": 0.6})
    kinds = {game: ruler.kind for game, ruler in scores.rulers(runs).items()}
    assert kinds == {"TrustDilemma-v1": "nash to optimum", "SLCD-v1": "best constant"}


def test_what_diverged_or_failed_counts_as_the_worst_of_its_game_and_mode():
    rows = [row("IPPO", "SLCD-v1", "private", s, x) for s, x in enumerate((0.9, 0.4))]
    rows += [
        row("IA2C", "SLCD-v1", "private", 0, 5.0, status="diverged"),
        row("IA2C", "SLCD-v1", "private", 1, None, status="failed"),
        row("IA2C", "SLCD-v1", "integrated", 0, None, status="failed"),
    ]
    assert loaded(rows)[1] == pytest.approx([0.9, 0.4, 0.4, 0.4, 0.0])


def test_ranks_interquartile_means_and_their_intervals():
    found = of(field(LEVELS))
    assert found.players == ["IA2C", "IPPO", "MAPPO"]
    order = ranks(found)
    assert order.mean.tolist() == [[3.0, 1.0, 2.0]] == order.low.tolist() == order.high.tolist()
    middle = interquartile(found)
    assert middle.mean == pytest.approx([0.7, 0.9, 0.8], abs=0.005)
    assert (middle.low < middle.mean).all() and (middle.mean < middle.high).all()
    assert (middle.high - middle.low < 0.012).all()


def test_ranks_of_classes_do_not_mix_games_of_different_size():
    """A game with huge returns decides no average: ranks are taken inside each game."""
    rows = field({"IPPO": [100.0, 0.1, 0.1, 0.1], "IA2C": [1.0, 0.2, 0.2, 0.2]}, noise=0.0)
    found = of(rows)
    assert dict(zip(found.players, ranks(found).mean[0], strict=True)) == {"IPPO": 1.75, "IA2C": 1.25}
    assert ranks(found, [[0], [0, 1]]).mean.tolist() == [[2.0, 1.0], [1.5, 1.5]]  # players are IA2C, IPPO


def test_a_player_that_lacks_a_game_is_not_scored_over_games_and_changes_nobodys_rank():
    rows = field(LEVELS) + field({"MeanFieldAC": 1.0}, games=list(GAMES)[:2])
    alone, found = (analysis(columns(table(x)))["rankings"]["private"] for x in (field(LEVELS), rows))
    told = {x["player"]: x for x in found["players"]}
    assert told["MeanFieldAC"]["missing_games"] == list(GAMES)[2:]
    assert told["MeanFieldAC"]["average_rank"] is told["MeanFieldAC"]["iqm"] is None
    assert [x["player"] for x in found["players"]][-1] == "MeanFieldAC"
    assert {name: told[name]["average_rank"]["value"] for name in LEVELS} == {
        x["player"]: x["average_rank"]["value"] for x in alone["players"]
    }
    assert of(rows).missing.sum() == 2


def test_players_that_lack_different_games_are_ranked_over_those_that_all_have_played_or_not_at_all():
    names = list(GAMES)
    apart = field({"IPPO": 1.0}, games=names[:1]) + field({"MAPPO": 0.9}, games=names[1:2])
    found = analysis(columns(table(apart)))["rankings"]["private"]
    assert found["leaders"] == found["games"] == []
    assert [x["average_rank"] for x in found["players"]] == [None, None]
    means = {x["player"]: x["mean_by_game"] for x in found["players"]}
    assert means["MAPPO"] == {names[0]: None, names[1]: pytest.approx(0.9, abs=0.02)}
    common = analysis(columns(table(apart + field({"IPPO": 1.0, "MAPPO": 0.9}, games=names[2:]))))
    assert common["rankings"]["private"]["games"] == sorted(names[2:], key=GAMES.get)
    assert common["rankings"]["private"]["leaders"] == ["IPPO"]


def test_a_tie_has_two_leaders():
    rows = field({"IPPO": [1.0, 0.2, 0.2, 0.1], "IA2C": [0.1, 0.1, 0.3, 0.9]}, noise=0.0)
    assert analysis(columns(table(rows)))["rankings"]["private"]["leaders"] == ["IA2C", "IPPO"]


def test_a_chance_of_improvement_is_the_share_of_pairs():
    first, second = [0.1, 0.5, 0.9], [0.2, 0.5, 0.6]
    rows = [row("IPPO", "SLCD-v1", "private", s, x) for s, x in enumerate(first)]
    rows += [row("IA2C", "SLCD-v1", "private", s, x) for s, x in enumerate(second)]
    (found,) = improvements(of(rows), 0)
    wins = np.mean([(a > b) + 0.5 * (a == b) for a in second for b in first])  # IA2C against IPPO
    assert (found["player"], found["against"]) == ("IA2C", "IPPO")
    assert found["value"] == pytest.approx(wins)
    assert 0.0 <= found["low"] <= found["value"] <= found["high"] <= 1.0


def test_a_profile_is_the_share_of_runs_above_each_level():
    rows = [row("IPPO", "SLCD-v1", "private", s, x) for s, x in enumerate((0.12, 0.5, 0.88, 0.97))]
    curve = profiles(of(rows))
    assert curve.mean[0, [0, 2, 3, 17, 18, 20]] == pytest.approx([1.0, 1.0, 0.75, 0.5, 0.25, 0.0])


# --- paradigms ---------------------------------------------------------------------------------------------------

INDEPENDENT, TOGETHER = [f"I{i}" for i in range(6)], [f"C{i}" for i in range(6)]
FAMILY = dict.fromkeys(INDEPENDENT, "independent") | dict.fromkeys(TOGETHER, "CTDE")


def contrasts(gap, mode, mutuality=None, spread=0.01, seeds=5, few=6):
    """Independent learners ``gap[game]`` above the others, algorithms a little apart."""
    levels = {}
    for i, name in enumerate([*INDEPENDENT[:few], *TOGETHER[:few]]):
        side = 0.5 if FAMILY[name] == "independent" else -0.5
        levels[name] = [0.5 + side * g + spread * (i % few) for g in gap.values()]
    return field(levels, list(gap), mode, seeds, families=FAMILY, mutuality=mutuality)


def test_a_planted_crossover_is_declared_and_no_other():
    stays = {"SLCD-v1": 0.2, "LoyaltyTeam-v1": 0.2, "GiftExchange-v1": 0.0}
    rows = contrasts(stays, "private") + contrasts(stays | {"SLCD-v1": -0.2}, "integrated")
    found = analysis(columns(table(rows)))["paradigms"]
    assert found["tests"] == 3
    assert [x["game"] for x in found["crossovers"] if x["declared"]] == ["SLCD-v1"]
    (one,) = (x for x in found["contrasts"] if (x["game"], x["mode"]) == ("SLCD-v1", "private"))
    assert one["value"] == pytest.approx(0.2, abs=0.01) and one["unit"] == "algorithm"
    assert one["low"] < 0.2 < one["high"] and one["low"] > 0.1


def test_noise_alone_declares_nothing():
    rows = contrasts(dict.fromkeys(GAMES, 0.0), "private") + contrasts(dict.fromkeys(GAMES, 0.0), "integrated")
    found = analysis(columns(table(rows)))["paradigms"]["crossovers"]
    assert len(found) == 4 and not any(x["declared"] for x in found)


def test_with_few_algorithms_runs_are_the_sample():
    own = (paradigms.OWN, paradigms.OWN)
    one = paradigms.sides(of(contrasts({"SLCD-v1": 0.2}, "private", few=2)), FAMILY, "SLCD-v1", {}, own)
    assert one.unit == "run" and [len(x) for x in one.samples] == [5, 5, 5, 5]
    x, y = np.concatenate(one.samples[:2]), np.concatenate(one.samples[2:])
    assert paradigms.one_sided(one)[0] == pytest.approx(ttest_ind(x, y, equal_var=False, alternative="greater").pvalue)


def test_the_mutuality_of_a_crossover_has_an_interval():
    """The contrast falls from 0.2 to -0.3, in a straight line: it is 0 at a mutuality of 0.4."""
    rows = contrasts({"SLCD-v1": 0.2}, "private", few=2)
    for m in (0.25, 0.5, 0.75, 1.0):
        rows += contrasts({"SLCD-v1": 0.2 - 0.5 * m}, "integrated", None if m == 1.0 else m, few=2)
    assert columns(table(rows)).modes == [
        "private",
        "integrated(0.25)",
        "integrated(0.5)",
        "integrated(0.75)",
        "integrated",
    ]
    told = analysis(columns(table(rows)))
    (found,) = told["paradigms"]["mutualities"]
    assert found["declared"] and [(x["from"], x["to"]) for x in told["paradigms"]["crossovers"]] == [
        ("private", "integrated")
    ]  # the ends alone are tested
    assert (found["game"], found["kind"]) == ("SLCD-v1", "integrated")
    at = found["mutuality"]
    assert at["value"] == pytest.approx(0.4, abs=0.03)
    assert at["low"] <= 0.4 <= at["high"] and at["high"] - at["low"] < 0.2
    place = f"{at['value']:.2f} [{at['low']:.2f}, {at['high']:.2f}]"
    text = f"SLCD-v1 (integrated): {place} (a change of sign from one end to the other is declared)"
    assert text in page(told | {"instability": []}, "x", "y")


def test_a_contrast_that_never_changes_sign_has_no_crossing():
    points = [(m, paradigms.Sides([np.array([1.0, 1.1])], [np.array([0.0, 0.1])])) for m in (0.0, 0.5, 1.0)]
    found = paradigms.crossing(points)
    assert found["mutuality"] == {"value": None, "low": None, "high": None}


def test_where_a_contrast_crosses_0_is_covered_as_often_as_it_says():
    """True contrasts of 0.3 and -0.2 at the ends: the line between them is 0 at a mutuality of 0.6."""
    draw, hits = np.random.default_rng(2), 0
    for _ in range(200):
        points = [(m, paradigms.Sides([x + 0.1 * draw.standard_normal(5)], [0.1 * draw.standard_normal(5)]))
                  for m, x in ((0.0, 0.3), (0.5, 0.05), (1.0, -0.2))]  # fmt: skip
        at = paradigms.crossing(points)["mutuality"]
        hits += at["low"] is not None and at["low"] <= 0.605 and at["high"] >= 0.595
    assert hits >= 180


# --- health, power, the whole --------------------------------------------------------------------------------------


def test_failures_are_counted_by_kind_and_reason():
    rows = [
        row("IPPO", "SLCD-v1", "private", 0, 0.5),
        row("IPPO", "SLCD-v1", "private", 1, 0.5, length=40.0, rate=[0.0, 0.01]),
        row("IPPO", "SLCD-v1", "private", 2, 0.5, status="diverged"),
        row("IPPO", "SLCD-v1", "private", 3, None, status="failed", reason="MemoryError: no room"),
    ]
    assert health.failures(columns(table(rows))) == [{
        "player": "IPPO", "runs": 4, "diverged": 1, "failed": 1, "reasons": {"MemoryError: no room": 1},
        "ended_early": 1, "at_zero": 1, "at_full": 0,
    }]  # fmt: skip


def test_a_curve_that_falls_back_is_unstable():
    assert health.drawdown(np.array([0.0, 10.0, 4.0, 8.0])) == pytest.approx(0.6)
    assert health.drawdown(np.array([1.0, 2.0, 3.0])) == 0.0 == health.drawdown(np.array([3.0, 2.0]))
    assert health.drawdown(np.array([1.0, np.nan])) == 1.0
    runs = columns(table([row("IPPO", "SLCD-v1", "private", s, 0.5) for s in range(2)]))
    curve = {"metric": "welfare_eval", "agent": -1}
    told = health.instability(runs, [
        {**curve, "run_id": runs.run_id[0], "value": [0.0, 10.0, 4.0, 8.0]},
        {**curve, "run_id": runs.run_id[1], "value": [0.0, 1.0, 2.0, 2.0]},
        {**curve, "run_id": "another", "value": [0.0, 1.0]},
    ])  # fmt: skip
    (found,) = told
    assert (found["curves"], found["unstable"], found["drawdown_largest"]) == (2, 1, pytest.approx(0.6))


def test_seeds_needed_are_those_of_the_statistics():
    assert power.seeds_needed is seeds_needed and power.seeds_needed(0.6823) == 35


def written(folder, rows, part="a"):
    records = Records(folder)
    records.write("runs", part, rows)
    return folder


def test_runs_are_read_once_each_and_failures_only_where_there_is_nothing_better(tmp_path):
    rows = field({"IPPO": 0.5}, games=["SLCD-v1"], seeds=3)
    written(tmp_path, rows[:2])
    written(tmp_path, [{**rows[1], "welfare": 7.0}], "b")
    written(tmp_path, [{**r, "status": "failed", "welfare": None} for r in rows[1:]], "z.failed")
    runs = load(Records(tmp_path))
    assert sorted(zip(runs.seed, runs.status, strict=True)) == [(0, "ok"), (1, "ok"), (2, "failed")]
    assert runs.welfare[runs.seed == 1].tolist() == [7.0]


def test_a_damaged_part_is_named(tmp_path):
    written(tmp_path, field({"IPPO": 0.5}, seeds=1))
    (tmp_path / "runs" / "a.parquet").write_bytes(b"not parquet")
    with pytest.raises(ValueError, match=r"runs/a\.parquet cannot be read .* does its runs again"):
        load(Records(tmp_path))


def test_the_whole_analysis_is_plain_data_and_the_same_twice(tmp_path):
    modes = ("private", "integrated")
    rows = [x for mode in modes for x in field(LEVELS, mode=mode, seeds=4, families={"MAPPO": "CTDE"})]
    rows += field({"MAPPO": 0.95}, mode="private", seeds=4, families={"MAPPO": "CTDE"}, variant="wide")
    rows += [row("TitForTat", game, "none", None, 0.99, kind="heuristic", paradigm="none") for game in GAMES]
    found = analyse(written(tmp_path, rows))
    assert json.loads(json.dumps(found, allow_nan=False)) == analyse(tmp_path)
    assert found["modes"] == list(modes) and found["games"] == list(GAMES)
    private = found["rankings"]["private"]["players"]
    assert [x["player"] for x in private] == ["MAPPO [wide]", "IPPO", "MAPPO", "IA2C"]
    assert set(private[0]["rank_by_class"]) == {"TR-1", "TR-2", "TR-3", "TR-4"}
    assert found["references"][0]["scores"] == pytest.approx({"BestConstant": 1.0, "TitForTat": 0.99})
    changes = [x for x in found["modes_compared"] if x["measure"] == "welfare" and x["algorithm"] == "IPPO"]
    assert len(changes) == 4 and all(abs(x["difference"]) < 0.03 * BEST and not x["found"] for x in changes)
    pooled = [x for x in found["modes_by_class"]["pairs"] if x["measure"] == "score"]
    assert {(x["game"], x["seeds"]) for x in pooled} == {(f"TR-{r}", 3) for r in (1, 2, 3, 4)}
    (whole,) = (x for x in found["modes_by_class"]["games"] if x["measure"] == "score")
    assert (whole["game"], whole["seeds"], whole["clusters"]) == ("all games", 12, 4)
    leaders = {(x["leader"], x["second"]) for x in found["power"]["integrated"]}
    assert leaders == {("IPPO", "MAPPO")}


def test_a_change_that_all_learners_share_in_one_game_of_two_is_found_among_pairs_and_not_over_games():
    """Eight learners gain 0.1 in one game and nothing in the other; a test over games cannot tell that from chance."""
    levels = {f"A{i}": [0.5, 0.5] for i in range(8)}
    games = ["DynamicPartnerSelection-v1", "SLCD-v1"]
    rows = field(levels, games, "private", 2) + field({k: [0.6, 0.5] for k in levels}, games, "integrated", 2)
    found = analysis(columns(table(rows)))
    assert not any(x["found"] for x in found["modes_compared"])
    changes = {x["game"]: x for x in found["modes_by_class"]["pairs"] if x["measure"] == "score"}
    own = {(r["algorithm"], r["reward_mode"]): [] for r in rows}
    for r in rows:
        if r["game"] == games[0]:
            own[r["algorithm"], r["reward_mode"]].append(r["welfare"] / BEST)
    expected = np.mean([np.mean(own[k, "integrated"]) - np.mean(own[k, "private"]) for k in levels])
    assert changes["TR-1"]["difference"] == pytest.approx(expected) and changes["TR-1"]["seeds"] == 8
    assert changes["TR-1"]["found"] and not changes["TR-2"]["found"]
    (whole,) = (x for x in found["modes_by_class"]["games"] if x["measure"] == "score")
    assert whole["p"] == 0.5 and not whole["found"] and whole["low"] < 0.0 < whole["high"]
    text = page(found | {"instability": []}, "x", "y")
    assert "p 0.5; 2 games, 16 pairs" in text and "Of 2 seeds no p is below 0.5" in text


def test_learners_of_the_sum_are_marked_and_contrasted_apart():
    """One that wants the sum of all rewards is far ahead under private rewards; it says nothing of paradigms."""
    rows = contrasts({"SLCD-v1": 0.2, "GiftExchange-v1": 0.2}, "private", few=2)
    for game in ("SLCD-v1", "GiftExchange-v1"):
        rows += [row("VDN", game, "private", s, 1.5 + 0.01 * s, "CTDE", team_reward=True) for s in range(5)]
    found = analysis(columns(table(rows)))
    assert [round(x["value"], 1) for x in found["paradigms"]["contrasts"]] == [0.2, 0.2]
    assert [round(x["value"], 1) for x in found["paradigms"]["beside_team"]] == [-0.9, -0.9]
    players = {x["player"]: x["team"] for x in found["rankings"]["private"]["players"]}
    assert players["VDN"] and not any(is_team for name, is_team in players.items() if name != "VDN")
    text = page(found | {"instability": []}, "x", "y")
    assert "| VDN† |" in text and "left out of the contrast of paradigms" in text


def test_scores_of_two_scales_are_never_in_one_mean():
    """In TrustDilemma something is at stake, in SLCD not: who leads by a hair in the one is behind in the other."""
    ends, rows = scale("TrustDilemma-v1"), []
    for name, (staked, share) in {"IPPO": (0.2, 0.99), "MAPPO": (0.9, 0.98)}.items():
        rows += field({name: share}, games=["SLCD-v1"], seeds=4, noise=0.001)
        welfare = (1.0 - staked) * ends.nash + staked * ends.optimum
        rows += [row(name, "TrustDilemma-v1", "private", s, None, welfare=welfare) for s in range(4)]
    found = analysis(columns(table(rows)))["rankings"]["private"]
    assert found["at_stake"] == ["TrustDilemma-v1"]
    own = {x["player"]: x for x in found["players"]}
    assert [own[name]["iqm"]["value"] for name in ("IPPO", "MAPPO")] == pytest.approx([0.2, 0.9])
    assert [own[name]["iqm_of_share"]["value"] for name in ("IPPO", "MAPPO")] == pytest.approx([0.99, 0.98], abs=0.002)
    assert [own[name]["rank_at_stake"]["value"] for name in ("IPPO", "MAPPO")] == [2.0, 1.0]


def test_the_command_prints_the_ranking_and_writes_a_page(tmp_path):
    written(tmp_path, field(LEVELS, seeds=3))
    out = tmp_path / "out"
    told = CliRunner().invoke(app, ["study", "analyze", str(tmp_path), "--out", str(out)])
    assert told.exit_code == 0, told.output
    assert "IPPO" in told.stdout and "analysis.md" in told.stdout
    assert json.loads((out / "analysis.json").read_text())["learner_runs"] == 36
    page = (out / "analysis.md").read_text()
    assert "| IPPO | 1.00 [1.00, 1.00] |" in page
    assert json.loads(CliRunner().invoke(app, ["study", "analyze", str(tmp_path), "--json"]).stdout)["runs"] == 36
    assert CliRunner().invoke(app, ["study", "analyze", str(tmp_path), "--out", str(out)]).exit_code == 0
    (out / "analysis.md").write_text("my own notes")
    refused = CliRunner().invoke(app, ["study", "analyze", str(tmp_path), "--out", str(out)])
    assert refused.exit_code == 2 and "was not written by coopgym" in refused.stderr
    assert (out / "analysis.md").read_text() == "my own notes" and not (tmp_path / "analysis.md").exists()
    missing = CliRunner().invoke(app, ["study", "analyze", str(tmp_path / "none")])
    assert missing.exit_code == 2 and "there are no records in" in missing.stderr
