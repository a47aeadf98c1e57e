"""Deviation gains of known strategies: what partners' reactions are worth, and who owes what to whom."""

from __future__ import annotations

import numpy as np
import pytest
from players import GAME, against, always, defects_at_the_end, generous, grim, tit_for_tat

import coopgym
from coopgym.audit.behaviour import audit
from coopgym.audit.effort import QUICK, Effort
from coopgym.audit.measures import CATALOGUE, PAYOFF

FINE = Effort(**{**vars(QUICK), "name": "fine", "levels": 21, "starts": (0.0, 0.25, 0.5, 0.75, -5, -1)})


def tried(player, game=GAME, effort="quick", mode="private"):
    return audit(player, game, mode, ["deviations", "free_riding"], effort)


def test_what_one_does_anyway_gains_nothing():
    best = tried(always(0.5), effort=FINE).deviations
    same = best.paid.gain[0, :, :, 10]  # the level 0.5
    assert (same == 0.0).all() and (best.paid.loss[0, :, :, 10] == 0.0).all()


@pytest.mark.parametrize("player", [always(0.0), always(0.5), always(1.0), defects_at_the_end(3)])
def test_partners_who_do_not_react_deter_nothing(player):
    best = tried(player).deviations
    assert (best.deterrence == 0.0).all()
    assert (best.paid.gain == best.replayed.gain).all()


def test_a_grim_partner_deters_what_would_pay_against_a_replay():
    best = tried(against(grim())).deviations
    assert best.replayed.best[0, 0] > 100.0
    assert best.deterrence[0, 0] > 100.0  # agent 0 faces the grim one
    assert best.deterrence[0, 1] == 0.0  # agent 1 faces a constant
    softer = tried(against(generous(0.5))).deviations
    assert 0.0 < softer.deterrence[0, 0] < best.deterrence[0, 0]


def test_one_last_step_cannot_be_deterred():
    best = tried(against(grim())).deviations
    last = best.paid.gain[0, 0, -1]  # at the last step
    assert (last == best.replayed.gain[0, 0, -1]).all() and last.max() > 0.0


def test_the_selfish_reply_is_the_best_sustained_rate_against_a_constant():
    found = tried(always(0.5), effort=FINE).deviations
    best = found.best_deviation()
    assert (best["start"] == 0).all() and (best["span"] == GAME.horizon).all()
    assert np.allclose(best["rate"], found.selfish)
    grid = coopgym.solve(GAME, "nash").actions / GAME.endowment
    assert np.allclose(found.selfish, grid, atol=0.05)  # the reply to 0.5 is near the equilibrium


def test_the_published_deviation_in_the_released_trust_dilemma():
    # audit of constants at one half in integrated rewards: to 0.30 from the start, +379.9, partner -8,885
    levels = Effort(**{**vars(FINE), "starts": (0.0,), "spans": (None,)})
    found = tried(0.5, coopgym.game("TrustDilemma-v0"), levels, "integrated").deviations
    at = int(np.argmax(found.rewarded.gain[0, 0, 0, :21, 0]))
    assert found.levels[at] == pytest.approx(0.30)
    assert found.rewarded.gain[0, 0, 0, at, 0] == pytest.approx(379.9, abs=0.5)
    assert found.rewarded.loss[0, 0, 0, at, 0] == pytest.approx(-8_885.0, abs=5.0)


def test_onset_is_the_earliest_exploiting_start_at_the_best_level():
    found = tried(always(0.5), effort=FINE).values
    assert (found["onset"] == 0.0).all() and (found["exploitable"] > 0.0).all()
    nothing = tried(found_equilibrium()).values
    assert (nothing["exploitable"] == 0.0).all() and (nothing["onset"] == np.inf).all()
    assert np.isnan(nothing["harm_ratio"]).all()


def found_equilibrium():
    return (coopgym.solve(GAME, "nash").actions / GAME.endowment).tolist()


def test_types_of_a_public_good():
    game = coopgym.game("PublicGoods-v1")
    rates = [1.0, *[0.0] * (game.n - 1)]
    found = tried(rates, game)
    kind, index = found.free_riding.kind[0], found.values["free_riding"][0]
    assert kind[0] == "altruistic" and set(kind[1:]) - {"unknown"} == {"selfish"}
    assert index[0] == pytest.approx(1.0 / game.n - 1.0)
    assert np.allclose(index[1:], 1.0 / game.n)
    assert np.isnan(tried(0.0, game).values["free_riding"]).all()  # nobody gives anything


def test_equal_contributors_to_equal_shares_ride_on_nobody():
    found = tried(0.5, coopgym.game("TeamProduction-v1")).values
    assert np.allclose(found["free_riding"], 0.0)


def test_renaming_agents_renames_results():
    game = coopgym.game("TeamProduction-v1")
    rates = np.array([0.1, 0.4, 0.7, 0.9])
    order = np.array([2, 0, 3, 1])
    plain, moved = (tried(r.tolist(), game).values for r in (rates, rates[order]))
    for name in ("best_gain", "harm_at_best", "externality", "sacrifice", "free_riding", "deterrence"):
        assert np.allclose(moved[name][0], plain[name][0][order], rtol=1e-9, atol=1e-6), name


def test_exploitability_is_found_in_full_only():
    full = Effort(**{**vars(QUICK), "name": "own", "exploit": True})
    short = coopgym.game("SLCD-v1", max_steps=12)
    found = tried(tit_for_tat(short), short, full).values
    assert (found["exploitability"] >= found["best_gain"] - 1e-6).all()
    assert np.isnan(tried(tit_for_tat()).values["exploitability"]).all()


def test_shares_do_not_depend_on_the_unit_of_payoffs():
    small, large = (coopgym.game("PublicGoods-v1", endowment=e, max_steps=10) for e in (0.01, 50.0))
    one, two = (audit(tit_for_tat(game), game, effort="quick").values for game in (small, large))
    names = [name for name in one if CATALOGUE[name].unit not in (PAYOFF, "reward")]
    assert {"best_gain_relative", "best_gain_relative_reward"} <= set(names)
    for name in names:
        np.testing.assert_allclose(one[name], two[name], rtol=1e-7, atol=1e-9, err_msg=name)
