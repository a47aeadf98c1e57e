"""Folders side by side: the right lines, paired by the right seeds, with the intervals of the statistics module."""

from __future__ import annotations

import csv
import json

import numpy as np
import pandas as pd
import pytest
from made_up import rows
from typer.testing import CliRunner

import coopgym
from coopgym.cli.commands import app
from coopgym.report.compare import compare
from coopgym.statistics import mean_interval, sign_flip_p
from coopgym.study.records import Records

GAME = "TrustDilemma-v1"


def folder(place, welfare, seeds=range(4), steps=1000, algorithms=("IPPO",), modes=("private",), **changes):
    """Records of learners whose welfare is a function of seed, algorithm and mode."""
    settings = {"total_steps": steps, "learning_rate": 0.1} | changes.pop("settings", {})
    made = []
    for row in rows(algorithms, modes, len(list(seeds)), game=changes.pop("game", GAME)):
        seed = list(seeds)[row["seed"]]
        value = float(welfare(seed) + 100.0 * (row["algorithm"] == "MAPPO") + 10.0 * (row["reward_mode"] != "private"))
        row |= {
            "seed": seed, "welfare": value, "efficiency_best_constant": value / 11000.0, "game_hash": "aa",
            "game_options": "{}", "hyperparameters": json.dumps(settings), "package_version": "0.2.0",
            "run_id": f"{place.name} {row['run_id']} {seed} {steps}",
        }  # fmt: skip
        made.append(row | changes)
    Records(place).write("runs", f"part{steps}", made)
    return place


def test_designs_that_differ_in_their_steps_are_paired_by_seed(tmp_path):
    noise = np.random.default_rng(1).normal(size=8)
    short = folder(tmp_path / "short", lambda s: 1000.0 + 50.0 * s)
    long = folder(tmp_path / "long", lambda s: 1010.0 + 50.0 * s + noise[s], seeds=range(1, 6), steps=20000)
    found = compare([short, long])
    assert [line.algorithm for line in found.lines] == ["IPPO [1,000 steps]", "IPPO [20,000 steps]"]
    assert [line.folder for line in found.lines] == ["short", "long"]
    assert [line.runs for line in found.lines] == [4, 5]
    (change,) = [x for x in found.differences if x.measure == "welfare"]
    expected = 10.0 + noise[1:4]  # seeds 1, 2, 3 are on both sides
    mean, low, high = mean_interval(expected)
    assert (change.of, change.against, change.pairs) == ("IPPO [20,000 steps]", "IPPO [1,000 steps]", 3)
    assert (change.difference, change.low, change.high) == pytest.approx((mean, low, high))
    assert change.p == pytest.approx(sign_flip_p(expected)) and change.adjusted >= change.p and not change.found


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"settings": {"learning_rate": 0.5}}, ("IPPO [learning_rate=0.1]", "IPPO [learning_rate=0.5]")),
        ({"package_version": "0.1.0"}, ("IPPO [coopgym 0.2]", "IPPO [coopgym 0.1]")),
        ({"algorithms": ("IA2C",)}, ("IPPO", "IA2C")),
        ({"modes": ("cooperative",)}, ("IPPO", "IPPO")),
        ({"game_hash": "bb", "game_options": '{"max_steps":20}'}, ("IPPO", "IPPO")),
        ({"game": "TrustDilemma-v0", "game_hash": "cc"}, ("IPPO", "IPPO")),
        ({}, ("IPPO [a]", "IPPO [b]")),
    ],
    ids=["hyperparameter", "package", "algorithm", "mode", "option", "version", "nothing"],
)
def test_whatever_differs_between_folders_is_compared_and_named(tmp_path, changes, names):
    first = folder(tmp_path / "a", lambda s: 1000.0 + s)
    second = folder(tmp_path / "b", lambda s: 1003.0 + s, **changes)
    found = compare([first, second])
    (change,) = [x for x in found.differences if x.measure == "welfare"]
    assert change.pairs == 4
    assert change.difference == pytest.approx(13.0 if "modes" in changes else 3.0)
    assert (change.against.partition(" on ")[0].partition(",")[0], change.of) == names
    assert len(found.lines) == 2 and not any("counterpart" in note for note in found.notes)
    assert len({(x.game, x.algorithm, x.reward_mode) for x in found.lines}) == 2


def test_each_algorithm_and_mode_has_its_own_counterpart(tmp_path):
    both = {"algorithms": ("IPPO", "MAPPO"), "modes": ("private", "cooperative")}
    first = folder(tmp_path / "a", lambda s: 1000.0 + s, **both)
    second = folder(tmp_path / "b", lambda s: 1005.0 + s, steps=9, **both)
    third = folder(tmp_path / "c", lambda s: 1000.0, steps=7, algorithms=("IPPO", "VDN"))
    found = compare([first, second, third])
    welfare = [x for x in found.differences if x.measure == "welfare"]
    pairs = {(x.of, x.against, x.reward_mode): x.difference for x in welfare}
    for name in ("IPPO", "MAPPO"):
        for mode in ("private", "cooperative"):
            assert pairs[f"{name} [9 steps]", f"{name} [1,000 steps]", mode] == pytest.approx(5.0)
    assert pairs["IPPO [7 steps]", "IPPO [1,000 steps]", "private"] == pytest.approx(-1.5)
    assert len(pairs) == 5
    assert any("VDN" in note for note in found.notes)


def test_designs_of_one_folder_are_compared_with_each_other(tmp_path):
    folder(tmp_path / "a", lambda s: 1000.0 + s)
    found = compare(folder(tmp_path / "a", lambda s: 1002.0 + s, steps=20000))
    (change,) = [x for x in found.differences if x.measure == "welfare"]
    assert (change.difference, change.low, change.high) == pytest.approx((2.0, 2.0, 2.0))
    parents = compare(tmp_path)
    assert parents.lines == found.lines


def test_without_common_seeds_the_difference_has_no_interval_and_says_so(tmp_path):
    first = folder(tmp_path / "a", lambda s: 1000.0 + s)
    second = folder(tmp_path / "b", lambda s: 1000.0 + s, seeds=range(10, 14), steps=9)
    found = compare([first, second])
    (change,) = [x for x in found.differences if x.measure == "welfare"]
    assert (change.pairs, change.low, change.high) == (0, None, None)
    assert change.difference == pytest.approx(10.0) and change.p < 0.01
    assert any("share no seed" in note for note in found.notes)


def test_what_failed_is_counted_and_in_no_mean(tmp_path):
    first = folder(tmp_path / "a", lambda s: 1000.0 + s)
    (lost,) = rows(("IPPO",), ("private",), 1, game=GAME)
    lost |= {"seed": 9, "run_id": "lost", "status": "diverged", "welfare": 1e9, "package_version": "0.2.0"}
    lost |= {"hyperparameters": json.dumps({"total_steps": 1000, "learning_rate": 0.1}), "game_hash": "aa"}
    Records(first).write("runs", "other", [lost])
    found = compare(first)
    assert [(line.runs, line.left_out) for line in found.lines] == [(4, 1)]
    assert found.lines[0].means["welfare"].mean == pytest.approx(1001.5)
    assert any("1 runs diverged or failed" in note for note in found.notes)


def test_table_csv_json_and_picture_say_the_same(tmp_path):
    first = folder(tmp_path / "a", lambda s: 1000.0 + s)
    second = folder(tmp_path / "b", lambda s: 1003.0 + s * s, steps=9)
    found = coopgym.compare([first, str(second)])
    assert isinstance(found, coopgym.Comparison)
    assert isinstance(found.table, pd.DataFrame) and len(found.table) == 2
    with pytest.raises(AttributeError):
        found.lines = ()
    for name, write in (("mine.csv", found.to_csv), ("mine.json", found.to_json)):
        (tmp_path / name).write_text("thesis, chapter\n")
        with pytest.raises(ValueError, match="was not written by coopgym"):
            write(tmp_path / name)
        assert write(write(tmp_path / "again" / name)).exists()  # its own it replaces
    told = list(csv.DictReader(found.to_csv(tmp_path / "t.csv").read_text().splitlines()))
    for row, (_, line) in zip(told, found.table.iterrows(), strict=True):
        assert row["algorithm"] == line["algorithm"]
        assert float(row["welfare"]) == line["welfare"] and float(row["welfare_low"]) == line["welfare_low"]
    assert float(told[0]["pairs"] or told[1]["pairs"]) == 4
    assert found.plot(tmp_path / "p.png").stat().st_size > 10_000
    json.dumps(found.to_dict(), allow_nan=False)


def test_the_command_prints_and_writes(tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    first = folder(tmp_path / "a", lambda s: 1000.0 + s)
    second = folder(tmp_path / "b", lambda s: 1003.0 + s * s, settings={"hidden": [32, 32]})
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.parquet")}
    told = CliRunner().invoke(app, ["compare", str(first), str(second), "--out", str(tmp_path / "new")])
    assert told.exit_code == 0, told.output
    assert "hidden=(32, 32)" in told.stdout
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == [
        "comparison.csv", "comparison.json", "comparison.png",
    ]  # fmt: skip
    plain = CliRunner().invoke(app, ["compare", str(first), "--json"])
    assert json.loads(plain.stdout)["lines"][0]["runs"] == 4
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.parquet")} == before
    missing = CliRunner().invoke(app, ["compare", str(tmp_path / "none")])
    assert missing.exit_code == 2 and "there is no folder" in missing.stderr


def test_learners_of_the_sum_are_marked_and_differences_name_them_so(tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    places = [
        folder(tmp_path / name, lambda s: 1000.0 + s, algorithms=("IPPO", "VDN"), steps=steps, team_reward=name == "b")
        for name, steps in (("a", 10), ("b", 20))
    ]
    found = compare(places)
    assert [line.team for line in found.lines] == [False, True, False, True]
    told = " ".join(CliRunner().invoke(app, ["compare", *map(str, places)]).stdout.split())
    assert "VDN [20 steps]† VDN [10 steps] private welfare" in told
    assert told.count("another objective than the others'") == 1 and "10 steps]†" not in told
    assert found.plot(tmp_path / "p.png").exists()


def test_a_difference_of_rates_stays_between_minus_and_plus_one(tmp_path):
    places = []
    for name, rates in (("a", (0.0, 1.0)), ("b", (1.0, 0.0))):
        rows_of = [row | {"rate": [rates[row["seed"]]] * 3} for row in rows(("IPPO",), ("private",), 2, game=GAME)]
        settings = json.dumps({"total_steps": len(name), "name": name})
        made = [r | {"hyperparameters": settings, "run_id": f"{name}{r['seed']}"} for r in rows_of]
        Records(tmp_path / name).write("runs", "part", made)
        places.append(tmp_path / name)
    (change,) = [x for x in compare(places).differences if x.measure == "cooperation"]
    assert (change.difference, change.low, change.high) == (0.0, -1.0, 1.0)
