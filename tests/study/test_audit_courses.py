"""Courses over an episode are kept with an audit: rates and trust by step, rates by documented phase and actor."""

from __future__ import annotations

import numpy as np
import pytest

import coopgym
from coopgym.algorithms.policy import SchedulePolicy
from coopgym.audit.behaviour import audit
from coopgym.study.audits import AUDIT_CURVES, TABLES, audit_runs, curves_of
from coopgym.study.records import Records
from coopgym.validation.conduct import audit_case

RUNS = [{"run_id": "r"}]
PARTS = ["cooperation", "trust"]


def curves(player, game, measures=PARTS):
    found = audit(player, game, measures=measures)
    return {row["metric"]: row for row in curves_of(found, RUNS, game)}


def test_rates_and_trust_by_step_are_those_that_the_game_itself_goes_through():
    game = coopgym.game("TrustDilemma-v1", max_steps=12)
    schedule = np.random.default_rng(0).uniform(0.5, 1.0, (12, game.n))
    found = curves(SchedulePolicy(game, schedule, "drawn"), game)
    state, trust = game.reset(()), []
    for rates in schedule:
        state = game.step(state, rates * game.endowment)[0]
        felt = np.minimum(state.trust, 1.0 - state.damage)
        trust.append(felt[~np.eye(game.n, dtype=bool)].mean())
    assert np.allclose(found["rate_by_step"]["value"], schedule.mean(1))
    assert np.allclose(found["trust_by_step"]["value"], trust)
    assert found["rate_by_step"]["x"][0] == 0 and found["trust_by_step"]["x"][-1] == 12
    assert "rate_by_phase" not in found


def test_rates_by_phase_are_what_the_audit_of_the_case_finds():
    game = coopgym.game("AppleAppStore-v1")
    drawn = SchedulePolicy(game, np.random.default_rng(1).random((game.horizon, game.n)), "drawn")
    row = curves(drawn, game)["rate_by_phase"]
    expected = audit_case([drawn], game, permutations=2).levels[0]
    assert np.allclose(np.reshape(row["value"], expected.shape), expected)
    assert (max(row["x"]), max(row["y"])) == (4, 2)


def test_a_game_too_short_for_its_phases_has_none():
    game = coopgym.game("AppleAppStore-v1", max_steps=4)
    assert set(curves(0.5, game, ["cooperation"])) == {"rate_by_step"}


def test_nothing_is_kept_of_steps_after_the_end():
    game = coopgym.game("PartnerHoldUp-v1")
    found = audit(0.0, game, measures=PARTS)
    length = int(found.cooperation.playing.sum())
    assert length < game.horizon, "this game ends early where nobody gives"
    for row in curves_of(found, RUNS, game):
        assert np.isfinite(row["value"][:length]).all() and np.isnan(row["value"][length:]).all()


def test_they_are_stored_and_read_back(tmp_path):
    from coopgym.study.ablation import run_ablation

    run_ablation(
        "SLCD-v1", ["TitForTat"], reward_modes=["private"], seeds=1, steps=1, out=tmp_path, workers=1, max_steps=10
    )  # fmt: skip
    found = audit_runs(tmp_path, out=tmp_path)
    there = {row["metric"] for row in Records(tmp_path, TABLES).read("audit_curves")}
    assert {"rate_by_step", "trust_by_step", "rate_by_phase"} <= there == {row["metric"] for row in found.curves}
    assert set(found.curves[0]) == set(AUDIT_CURVES.names)
    with pytest.raises(AttributeError):
        audit(0.5, "SLCD-v1", measures=["outcome"]).cooperation  # noqa: B018
