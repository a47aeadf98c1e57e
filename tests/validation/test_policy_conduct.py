"""Policies laid beside the documented actors: planted schedules, constants, shuffled records, seats, stored runs."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import kendalltau

import coopgym
from coopgym.algorithms.policy import SchedulePolicy
from coopgym.study.conduct import audit_folder, likeness
from coopgym.study.records import Records
from coopgym.validation.conduct import audit_case, documented_games
from coopgym.validation.conduct.measures import evidence, measures, rubric, tau
from coopgym.validation.conduct.nulls import best_constants, shuffled
from coopgym.validation.conduct.play import play_phases
from coopgym.validation.conduct.record import Laid, Record, _seats, laid_out, record_of
from coopgym.validation.files import read_data

GAMES = tuple(f"{name}-v1" for name in ("SLCD", "RenaultNissan", "ApacheProject", "AppleAppStore"))


def planted(game: Any, record: Record, scale: float | np.ndarray = 1.0) -> SchedulePolicy:
    """A policy that plays the documented levels, phase by phase."""
    return SchedulePolicy(game, record.by_agent(record.levels)[record.phase_of] * scale, "planted")


def test_four_games_are_documented() -> None:
    assert tuple(f"{name}-v1" for name in documented_games()) == GAMES


@pytest.mark.parametrize("id", GAMES)
def test_who_plays_the_documented_levels_is_like_the_record(id: str) -> None:
    game = coopgym.game(id)
    record = record_of(game)
    found = audit_case(planted(game, record), game)
    assert found.levels[0] == pytest.approx(record.levels)
    expected = {"band_share": 1.0, "rmse": 0.0, "r2": 1.0, "tau": 1.0, "turns": 1.0}
    assert {name: found.measures[name][0] for name in expected} == pytest.approx(expected)
    alike = 0.75 if id.startswith("Apache") else 1.0  # all contributors alike lack the documented ratio of 4.2
    assert found.measures["score"][0] == pytest.approx(alike)
    assert (found.percentiles["r2"] > 95.0).all() and (found.beats_constants()).all()
    assert "no phases of its own" in found.caution


def test_contributors_as_unequal_as_documented() -> None:
    game = coopgym.game("ApacheProject-v1")
    unequal = np.linspace(2.0, 8.4, 40) / 5.2
    unequal = np.where(np.arange(40) < 39, unequal * (40 - 8.4 / 5.2) / unequal[:39].sum(), 8.4 / 5.2)
    record = record_of(game)
    schedule = SchedulePolicy(game, 0.5 * record.by_agent(record.levels)[record.phase_of] * unequal)
    found = audit_case(schedule, game)
    ratio = found.scored.by_section()["asymmetry"][0]
    assert ratio == 24 and 2.8 < unequal.max() / unequal.min() < 6.3


def test_constants_have_the_analytic_values() -> None:
    record = record_of(coopgym.game("SLCD-v1"))
    d = np.array([[0.70, 0.65], [0.60, 0.45], [0.40, 0.35]])
    assert record.levels == pytest.approx(d)
    found = audit_case([0.5, [0.65, 0.4]], "SLCD-v1").measures
    assert found["rmse"] == pytest.approx([np.sqrt(((d - c) ** 2).mean()) for c in (0.5, np.array([0.65, 0.4]))])
    assert found["band_share"] == pytest.approx([3 / 6, 4 / 6])  # .6, .4, .45 and none of .7, .65, .35 lie near .5
    assert (found["tau"] == 0.0).all() and (found["turns"] == 0.0).all()
    best = best_constants(record)
    within, about = ((d - d.mean(0)) ** 2).sum(), ((d - d.mean()) ** 2).sum()
    assert best["r2"] == pytest.approx(1.0 - within / about)
    assert best["rmse"] == pytest.approx(np.sqrt(within / 6))
    assert best["band_share"] == pytest.approx(4 / 6)


def test_no_constant_beats_the_best_constants() -> None:
    record = record_of(coopgym.game("AppleAppStore-v1"))
    rng, best = np.random.default_rng(0), best_constants(record)
    found = measures(np.broadcast_to(rng.uniform(0, 1, (3000, 1, 3)), (3000, 5, 3)), record)
    for name in ("band_share", "r2", "tau", "turns"):
        assert found[name].max() <= best[name] + 1e-12
    assert found["rmse"].min() >= best["rmse"]


def test_rank_correlation_is_scipys() -> None:
    record = record_of(coopgym.game("RenaultNissan-v1"))
    levels = np.random.default_rng(1).integers(0, 4, (200, 5, 2)) / 10.0  # many ties, as the record has one
    ours = tau(levels, record)
    for x, y in zip(levels[:, :, 0], ours[:, 0], strict=True):
        expected = kendalltau(x, record.levels[:, 0]).statistic if np.ptp(x) else 0.0
        assert y == pytest.approx(expected)


def test_a_record_out_of_order() -> None:
    slcd, apple = (record_of(coopgym.game(id)) for id in ("SLCD-v1", "AppleAppStore-v1"))
    every = shuffled(slcd)
    assert len(every) == 36 and len(np.unique(every.reshape(36, -1), axis=0)) == 36
    some = shuffled(apple, 500)
    assert some.shape == (500, 5, 3)
    assert (np.sort(some, axis=1) == np.sort(apple.levels, axis=0)).all()
    assert not np.array_equal(some[..., 0].argsort(1), some[..., 2].argsort(1))  # each actor by itself


def test_percentile_of_every_order_of_one_actor() -> None:
    game = coopgym.game("ApacheProject-v1")
    record = record_of(game)
    orders = [np.array(p) for p in permutations(range(4))]
    schedules = [SchedulePolicy(game, record.by_agent(record.levels[p])[record.phase_of]) for p in orders]
    found = audit_case(schedules, game)
    r2 = found.measures["r2"].round(9)
    expected = [100.0 * ((r2 < x).mean() + 0.5 * (r2 == x).mean()) for x in r2]
    assert found.percentiles["r2"] == pytest.approx(expected)
    assert found.percentiles["r2"].max() == found.percentiles["rmse"].max() == pytest.approx(100.0 * (1.0 - 1 / 48))


def test_seats_are_found_by_name_not_by_place() -> None:
    game = coopgym.game("RenaultNissan-v1")  # lists Nissan first; the case lists Renault first
    record = record_of(game)
    assert record.actors == ("Renault", "Nissan") and record.seats.tolist() == [1, 0]
    played = play_phases([coopgym.policy([0.2, 0.9], game)], game, record)
    assert played.levels[0] == pytest.approx(np.tile([0.9, 0.2], (5, 1)))
    assert played.agents[0] == pytest.approx([0.2, 0.9])


def test_exchanging_unlike_actors_costs_the_asymmetry() -> None:
    game = coopgym.game("SLCD-v1")
    record = record_of(game)
    exchanged = planted(game, replace(record, levels=record.levels[:, ::-1]))
    found = audit_case([planted(game, record), exchanged], game)
    sections = found.scored.by_section()
    assert sections["asymmetry"].tolist() == [12.0, 0.0]
    assert sections["trend"].tolist() == [12.0, 12.0]
    assert found.measures["r2"][1] < found.measures["r2"][0]


def test_company_does_not_matter() -> None:
    game = coopgym.game("AppleAppStore-v1")
    one = planted(game, record_of(game))
    alone = audit_case(one, game)
    beside = audit_case([0.3, one, "TitForTat", 0.9], game)
    assert beside.policies[1] == "planted"
    assert np.array_equal(beside.levels[1], alone.levels[0])
    assert beside.percentiles["score"][1] == alone.percentiles["score"][0]


@pytest.mark.parametrize("id", GAMES)
def test_rubrics_ask_for_what_there_is_and_weigh_alike(id: str) -> None:
    record = record_of(coopgym.game(id))
    facts, asked = evidence(record.levels, record), rubric(record)
    assert {item.key for item in asked.items} <= set(facts)
    totals = {s: sum(x.points for x in asked.items if x.section == s) for s in ("level", "order", "trend", "asymmetry")}
    assert len(set(totals.values())) == 1 and sum(totals.values()) == asked.out_of


def test_phases_share_the_horizon() -> None:
    assert laid_out([12, 40, 4, 15, 8], 100).tolist() == [0, 15, 66, 71, 90, 100]
    assert record_of(coopgym.game("AppleAppStore-v1")).bounds.tolist() == [0, 16, 36, 48, 54, 66]
    with pytest.raises(ValueError, match="horizon=5 leaves one of 5 phases without a step"):
        laid_out([12, 40, 4, 15, 8], 5)


def test_other_games_are_refused() -> None:
    with pytest.raises(ValueError, match="game='TrustDilemma'"):
        audit_case(0.5, "TrustDilemma-v1")
    with pytest.raises(ValueError, match="name the game that the policies play"):
        audit_case(0.5)


@pytest.fixture(scope="module")
def trained() -> Any:
    tiny = {"lanes": 2, "hidden": (8,)}
    return coopgym.train("IPPO", "SLCD-v1", seeds=range(2), total_steps=1, evaluations=1, **tiny)


def test_trained_policies_and_stored_ones(trained: Any, tmp_path: Path) -> None:
    found = audit_case(trained)
    assert found.levels.shape == (6, 3, 2)
    json.dumps(found.to_dict(), allow_nan=False)
    rows = audit_folder(trained.save(tmp_path / "run"))
    assert [row["run_id"] for row in rows] == [run.run_id for run in trained.runs]
    assert [row["r2"] for row in rows] == pytest.approx(found.measures["r2"].tolist(), abs=1e-6)
    lines = likeness(rows)
    assert [line.runs for line in lines] == [2, 2, 2]
    assert lines[0].measures["r2"].mean == max(line.measures["r2"].mean for line in lines)
    with pytest.raises(FileNotFoundError, match="no policy in"):
        audit_folder(tmp_path / "nothing")
    runs = tmp_path / "run" / "runs.json"
    runs.write_text(runs.read_text().replace('"SLCD-v1"', '"TrustDilemma-v1"'))
    with pytest.raises(FileNotFoundError, match="plays one of SLCD"):
        audit_folder(tmp_path / "run")


def test_a_study_on_disk(trained: Any, tmp_path: Path) -> None:
    run, policy = trained.runs[3], trained.policies[3]
    (tmp_path / "policies").mkdir()
    policy.save(tmp_path / "policies" / "one")
    sha256 = hashlib.sha256((tmp_path / "policies" / "one.safetensors").read_bytes()).hexdigest()
    Records(tmp_path).write("runs", "one", [{**run.row(), "policy_file": "policies/one", "policy_sha256": sha256}])
    (row,) = audit_folder(tmp_path)
    assert (row["algorithm"], row["reward_mode"], row["seed"]) == ("IPPO", "integrated", 1)
    assert row["r2"] == pytest.approx(audit_case(policy, "SLCD-v1").measures["r2"][0])
    (line,) = likeness([row])
    assert line.measures["r2"].mean == row["r2"] and line.measures["r2"].low is None
    json.dumps(line.to_dict(), allow_nan=False)


def test_contradictory_data_are_refused_by_name() -> None:
    good = read_data("conduct")["games"]["SLCD"]
    for wrong, field in (({**good, "full_level": 0.0}, "full_level"), ({**good, "agents": {}}, "agents")):
        with pytest.raises(ValueError, match=field):
            Laid.model_validate(wrong)
    with pytest.raises(ValueError, match="half_width"):
        Laid.model_validate({name: x for name, x in good.items() if name != "half_width"})
    with pytest.raises(ValueError, match="each must belong to one of them"):
        _seats(("samsung_0", "sharp_1"), good["agents"])
