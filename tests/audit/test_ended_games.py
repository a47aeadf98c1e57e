"""Games that a rule ends early: the end of an episode is neither an answer nor forgiveness. Answers known by hand."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from players import against, always, defects_at_the_end, forgives_after, grim, tit_for_tat

import coopgym
from coopgym.algorithms.policy import SchedulePolicy
from coopgym.audit.behaviour import audit
from coopgym.audit.effort import QUICK, Effort
from coopgym.audit.panel import grim_trigger

ENDING = ["TrustDilemma-v1", "PartnerHoldUp-v1", "PlatformEcosystem-v1"]  # a rule ends them once trust is lost
LASTS = "the episode ended while the answer lasted"
LONG = Effort(**{**vars(QUICK), "name": "long", "shock_spans": (5,), "shocks": (0.5,)})
ONCE = Effort(**{**vars(QUICK), "name": "once", "shock_spans": (1,)})


def without_rule(game):
    return dataclasses.replace(game, exit=None)


@pytest.mark.parametrize("name", ENDING)
def test_grim_trigger_never_forgives_wherever_the_game_ends(name):
    game = coopgym.game(name)
    row = audit(grim_trigger(game), game, measures=["impulses"]).record()
    for measure in ("forgiveness", "unforgiving", "grim_answers", "reciprocal_answers"):
        assert math.isnan(row[measure]) and f"{measure}: " in row["undefined"]
    assert LASTS in row["undefined"]
    found = audit(grim_trigger(game), game, measures=["impulses"])
    assert found.impulses.interrupted_share == 1.0 and any("lasted when the episode ended" in x for x in found.notes)
    endless = audit(grim_trigger(without_rule(game)), without_rule(game), measures=["impulses"]).record()
    assert endless["unforgiving"] == endless["grim_answers"] == 1.0 and math.isnan(endless["forgiveness"])


def test_what_is_over_before_the_end_is_measured_as_in_a_game_without_the_rule():
    game = coopgym.game("TrustDilemma-v1")
    for k in (1, 3, 8):
        found = audit(against(forgives_after(k, game)), game, "private", ["impulses"], ONCE)
        assert found.values["forgiveness"][0, 1] == k and found.values["unforgiving"][0, 1] == 0.0
        free = without_rule(game)
        other = audit(against(forgives_after(k, free)), free, "private", ["impulses"], ONCE)
        np.testing.assert_array_equal(found.values["forgiveness"], other.values["forgiveness"])


def test_an_answer_that_the_end_cuts_short_is_of_no_known_kind():
    game = coopgym.game("TrustDilemma-v1")
    found = audit(against(forgives_after(8, game)), game, "private", ["impulses"], LONG).impulses
    bad = int(np.flatnonzero(found.shocks[:, 0] < 0)[0])
    assert 2 <= found.observed[0, 0, bad] < 10  # steps: trust is lost before it forgives
    assert found.answer[0, 0, 1, bad] == pytest.approx(1.0)  # it fell from 0.5 to 0, as far as the shock
    assert found.interrupted[0, 0, 1, bad] and np.isnan(found.half_life[0, 0, 1, bad])
    assert np.isnan(found.residual[0, 0, 1, bad])
    assert np.isnan(found.response[0, 0, 1, bad, int(found.observed[0, 0, bad]) :]).all()
    # agent 0 is a constant, whose only kind is known: the interrupted answer is left out of the shares
    assert found.kinds()["unconditional_answers"][0] == 1.0


def test_contrition_is_measured_while_the_game_goes_on():
    game = coopgym.game("TrustDilemma-v1")
    both = audit(grim(game), game, "private", ["impulses"], ONCE)
    # who defects by 0.25 for a step meets a grim partner and is grim itself: from the second step on it falls by 0.5
    found = both.impulses
    played = found.observed[0, 0, int(np.flatnonzero(found.shocks[:, 0] < 0)[0])] - 1
    assert played < 9
    assert both.values["contrition"][0] == pytest.approx([2.0 * (played - 1) / played] * 2)


def test_short_episodes_do_not_make_anybody_grim():
    short = coopgym.game("SLCD-v1", max_steps=10)
    found = audit(against(tit_for_tat(short)), short, "private", ["impulses"], ONCE)
    assert np.isnan(found.values["unforgiving"][0, 1]) and LASTS in found.undefined["unforgiving"]
    longer = coopgym.game("SLCD-v1", max_steps=20)
    found = audit(against(tit_for_tat(longer)), longer, "private", ["impulses"], ONCE)
    assert found.values["forgiveness"][0, 1] == 1.0


def test_trust_that_a_game_has_no_time_to_regain_is_not_called_lost_for_ever():
    game = coopgym.game("TrustDilemma-v1")
    found = audit(tit_for_tat(game), game, measures=["trust"])  # two of them pass the breach to and fro
    assert np.isnan(found.values["trust_recovery"]).all() and "trust_recovery" in found.undefined
    free = without_rule(game)
    assert not np.isnan(audit(tit_for_tat(free), free, measures=["trust"]).values["trust_recovery"]).any()


def test_only_episodes_that_reach_their_last_step_have_an_end_game():
    whole = coopgym.game("SLCD-v1")
    assert audit(defects_at_the_end(5, whole), whole, measures=["cooperation"]).values["endgame"] == pytest.approx(-0.5)
    game = coopgym.game("TrustDilemma-v1")
    rates = np.full((game.horizon, game.n), 0.5)
    rates[30:] = 0.0  # trust falls and the game is over, long before its last step
    found = audit(SchedulePolicy(game, rates), game, measures=["cooperation"])
    assert found.cooperation.playing.sum() < 60
    assert np.isnan(found.values["endgame"]).all() and "endgame" in found.undefined


def test_a_deviation_after_the_end_was_not_tried():
    game = coopgym.game("TrustDilemma-v1")
    over = audit(always(0.0, game), game, measures=["deviations"]).deviations  # a game of a few steps
    late = over.paid.gain[0, :, 1:]  # from the middle on, and at the last step
    assert np.isnan(late).all() and not np.isnan(over.paid.gain[0, :, 0]).any()
    assert np.isfinite(over.paid.best).all() and np.isfinite(over.replayed.best).all()
    lasting = audit(always(0.5, game), game, measures=["deviations"]).deviations
    assert np.isfinite(lasting.paid.gain).all()


def test_partners_who_are_replayed_do_not_stop_where_the_undisturbed_game_ended():
    game = coopgym.game("TrustDilemma-v1")
    tried = Effort(**{**vars(QUICK), "name": "all", "starts": (0.0,), "levels": 2, "spans": (None,)})
    gains = audit(against(always(0.6, game), 0.0), game, "private", ["deviations"], tried).deviations
    # agent 0 never gives, so trust is lost early; where it gives all, the game goes on, and a constant partner plays
    # what it always plays: replayed or asked again, it is the same
    full = list(gains.levels).index(1.0)
    assert gains.paid.gain[0, 0, 0, full, 0] == pytest.approx(gains.replayed.gain[0, 0, 0, full, 0], rel=1e-12)
    assert (gains.deterrence == 0.0).all()
