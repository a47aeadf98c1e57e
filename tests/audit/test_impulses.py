"""Answers to a defection, move by move: each strategy gets the verdict that is known for it."""

from __future__ import annotations

import numpy as np
import pytest
from players import GAME, against, always, forgives_after, generous, grim, tit_for_tat

import coopgym
from coopgym.audit.behaviour import audit
from coopgym.audit.effort import QUICK, Effort

ONE_STEP = Effort(**{**vars(QUICK), "name": "one step", "shock_spans": (1,)})


def answers(player, game=GAME, effort=ONE_STEP):
    return audit(player, game, "private", ["impulses"], effort)


# partner of an agent that plays 0.5, which defects by 0.25 for one step:
# retaliation, steps until it is halved, area of the punishment, kind
TABLE = [
    (always(0.5), 0.0, np.nan, 0.0, "unconditional"),
    (tit_for_tat(), 1.0, 1.0, 0.25, "reciprocal"),
    (generous(0.2), 0.8, 1.0, 0.2, "reciprocal"),
    (generous(0.8), 0.2, 1.0, 0.05, "weak"),
    (forgives_after(1), 2.0, 1.0, 0.5, "reciprocal"),  # it falls from 0.5 to 0, twice the shock
    (forgives_after(4), 2.0, 4.0, 2.0, "reciprocal"),
    (grim(), 2.0, np.inf, 0.5 * 49, "grim"),
]


@pytest.mark.parametrize(
    ("partner", "retaliation", "half_life", "area", "kind"), TABLE, ids=lambda x: getattr(x, "name", "")
)
def test_known_partners(partner, retaliation, half_life, area, kind):
    found = answers(against(partner))
    shock = found.impulses.shocks[:, 0] < 0
    assert found.values["retaliation"][0, 1] == pytest.approx(retaliation)
    assert found.values["punishment_area"][0, 1] == pytest.approx(area)
    assert found.impulses.half_life[0, 0, 1, shock] == pytest.approx(half_life, nan_ok=True)
    assert found.values["retaliation"][0, 0] == 0.0  # agent 0 is a constant
    assert found.values[f"{kind}_answers"][0] >= 0.5 if kind != "unconditional" else True
    assert found.values["unconditional_answers"][0] == (1.0 if kind == "unconditional" else 0.5)


def test_grim_trigger_does_not_forgive_and_the_share_says_so():
    assert answers(against(grim())).values["unforgiving"][0, 1] == 1.0
    assert answers(against(forgives_after(3))).values["unforgiving"][0, 1] == 0.0
    assert answers(against(grim())).values["residual"][0, 1] == pytest.approx(1.0)


def test_two_tit_for_tats_pass_a_defection_to_and_fro_for_ever():
    found = answers(tit_for_tat()).impulses
    bad = int(np.flatnonzero(found.shocks[:, 0] < 0)[0])
    theirs, own = found.response[0, 0, 1, bad, :6], found.response[0, 0, 0, bad, :6]
    assert np.allclose(theirs, [0.0, -0.25, 0.0, -0.25, 0.0, -0.25])
    assert np.allclose(own, [-0.25, 0.0, -0.25, 0.0, -0.25, 0.0])
    assert (found.half_life[0, 0, 1, bad]) == np.inf


def test_gifts_are_returned_by_tit_for_tat_and_not_by_grim():
    assert answers(against(tit_for_tat())).values["gratitude"][0, 1] == pytest.approx(1.0)
    assert answers(against(tit_for_tat())).values["negativity"][0, 1] == pytest.approx(1.0)
    assert answers(against(grim())).values["gratitude"][0, 1] == 0.0


def test_a_partner_that_makes_up_for_a_defection_answers_inversely():
    def generous_to_the_needy(seen):
        other = seen[..., [1, 0], 0]  # what each sees of the other: its last action
        return np.where(seen[..., 9] > 0.0, 100.0 - other, 50.0)

    found = answers(generous_to_the_needy).values
    assert (found["inverse_response"] > 0.9).all()
    assert found["inverse_answers"][0] == 1.0


def test_punishing_costs_the_punisher_what_it_forgoes():
    found = answers(against(grim()))
    shock = int(np.flatnonzero(found.impulses.shocks[:, 0] < 0)[0])
    at = int(found.impulses.shocks[shock, 3])
    # agent 0 plays 0.5 again after its defection; agent 1 plays 0 where it would have played 0.5
    stage = GAME.payoffs(GAME.reset(), np.array([[50.0, 0.0], [50.0, 50.0]]))
    per_step = stage[0, 1] - stage[1, 1]
    assert found.values["punisher_payoff"][0, 0] == pytest.approx(per_step * (GAME.horizon - at - 1))


def test_reactions_to_actions_and_reactions_through_trust_are_told_apart():
    def trusting(seen):
        return 100.0 * seen[..., [0, 1], [3, 2]]

    large = Effort(**{**vars(ONE_STEP), "shocks": (0.9,)})  # below the baseline, or trust would not fall
    through_trust = answers(trusting, effort=large).values
    assert (through_trust["retaliation"] > 0.05).all()
    assert np.allclose(through_trust["retaliation_to_actions"], 0.0, atol=1e-9)
    to_actions = answers(against(tit_for_tat())).values
    assert to_actions["retaliation_to_actions"][0, 0] == pytest.approx(1.0)


def test_who_gives_nothing_cannot_defect_and_the_record_says_why():
    row = answers(always(0.0)).record()
    assert np.isnan(row["retaliation"]) and "retaliation: " in row["undefined"]
    assert row["gratitude"] == 0.0


def test_defections_of_several_sizes_and_lengths():
    more = Effort(**{**vars(QUICK), "name": "more", "shocks": (0.1, 0.5), "shock_spans": (1, 5)})
    found = answers(against(tit_for_tat()), effort=more).impulses
    assert found.answer.shape == (1, 2, 2, 8)
    assert np.allclose(found.answer[0, 0, 1], 1.0)
    assert np.allclose(found.size[0, 0], found.shocks[:, 1])


def test_the_game_of_forty():
    found = audit("TitForTat", coopgym.game("ApacheProject-v1"), "private")
    assert np.isfinite(found.values["retaliation"][0]).all()
    assert "4 of 40 agents" in found.notes[0]
    assert np.isfinite(found.values["best_gain"][0]).sum() == 4
