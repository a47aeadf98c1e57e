"""Outcome, cooperation and fairness of strategies that are known by hand."""

from __future__ import annotations

import json

import numpy as np
import pytest
from players import GAME, always, defects_at_the_end, tit_for_tat

import coopgym
from coopgym.algorithms.policy import SchedulePolicy
from coopgym.audit.behaviour import FAMILIES, audit
from coopgym.audit.fairness import of_surplus
from coopgym.audit.measures import CATALOGUE

BASIC = ("outcome", "cooperation", "fairness")


def values(player, measures=BASIC, game=GAME):
    return audit(player, game, measures=measures).values


def test_always_defect():
    found = values(always(0.0))
    assert found["welfare"] == GAME.endowment.sum() * GAME.horizon
    assert (found["level"] == 0.0).all() and (found["at_baseline"] == 0.0).all()
    assert (found["emergence"] == np.inf).all() and (found["surplus"] == 0.0).all()
    assert np.isnan(found["jain"]).all()  # there is nothing to share


def test_always_cooperate():
    found = values(always(1.0))
    assert (found["level"] == 1.0).all() and (found["at_baseline"] == 1.0).all()
    assert (found["emergence"] == 0.0).all() and (found["endgame"] == 0.0).all()
    assert np.allclose(found["margin"], 0.7)


def test_defection_in_the_last_steps_only():
    found = values(defects_at_the_end(1))
    assert np.allclose(found["endgame"], -0.5 / 5)  # one of five last steps
    assert np.allclose(values(defects_at_the_end(5))["endgame"], -0.5)
    assert np.allclose(found["level"], 0.5 * 99 / 100)


def test_cooperation_that_emerges():
    rates = np.full((100, 2), 0.1)
    rates[40:] = 0.9
    found = values(SchedulePolicy(GAME, rates))
    # the mean of five reaches 0.3 with the second high rate: (3 x 0.1 + 2 x 0.9) / 5 = 0.42
    assert found["emergence"].tolist() == [[41.0, 41.0]]
    assert np.allclose(found["unsteadiness"], 0.0)
    assert found["distance"] == 0.0


def test_coordination_is_about_what_moves_beside_a_line():
    steps = np.arange(100)
    wave = 0.5 + 0.3 * np.sin(2 * np.pi * steps / 25)
    together, opposed = np.stack([wave, wave], 1), np.stack([wave, 1.0 - wave], 1)
    assert values(SchedulePolicy(GAME, together))["coordination"] == pytest.approx(1.0)
    assert values(SchedulePolicy(GAME, opposed))["coordination"] == pytest.approx(-1.0)
    line = np.stack([steps / 99, steps / 99], 1)
    assert np.isnan(values(SchedulePolicy(GAME, line))["coordination"])


@pytest.mark.parametrize("game", ["SLCD-v1", "TeamProduction-v1", "TrustDilemma-v0"])
def test_yardsticks_of_the_best_constant(game):
    made = coopgym.game(game)
    best = coopgym.algorithms.evaluation.best_constant(made)["private"]
    found = audit(best["level"] / 100.0, made, measures=["outcome"]).values
    assert found["efficiency"] == pytest.approx(1.0, rel=1e-9)
    assert found["efficiency_bound"] <= 1.0
    assert found["price_of_anarchy"] >= 1.0 - 1e-9


def test_outcome_is_what_evaluation_says():
    found, played = values(tit_for_tat()), coopgym.evaluate(tit_for_tat(), GAME, 1)
    for mode in ("private", "integrated", "cooperative"):
        assert found[f"return_{mode}"] == pytest.approx(float(played.returns(mode).mean()))
    assert found["welfare"] == pytest.approx(float(played.welfare.mean()))


def test_shares_in_closed_cases():
    equal, one = of_surplus(np.array([[1.0, 1.0]]), np.ones(2)), of_surplus(np.array([[1.0, 0.0]]), np.ones(2))
    assert (equal.jain, equal.gini, equal.least_share, equal.nash_product) == (1.0, 0.0, 1.0, 1.0)
    assert (one.jain, one.gini, one.least_share, one.nash_product) == (0.5, 0.5, 0.0, 0.0)
    three = of_surplus(np.array([[1.0, 2.0, 3.0]]), np.array([1.0, 2.0, 3.0]))
    assert three.jain == pytest.approx(36 / 42) and three.gini == pytest.approx(8 / 36)
    assert three.jain_rate == pytest.approx(1.0) and three.gini_rate == pytest.approx(0.0)
    negative = of_surplus(np.array([[2.0, -1.0]]), np.ones(2))
    assert np.isnan(negative.jain) and "less than" in negative.undefined["jain"]


@pytest.mark.parametrize(
    ("player", "game"),
    [
        *((player, "SLCD-v1") for player in (0.0, 0.3, 1.0, "TitForTat", "Random")),
        *((player, "PublicGoods-v1") for player in (0.0, "TitForTat")),
        ("TitForTat", "TrustDilemma-v1"),
        ("TitForTat", "SynergySearch-v1"),
        (0.1, "CoalitionFormation-v0"),
    ],
)
def test_every_value_is_in_its_range_and_what_is_missing_has_a_reason(player, game):
    found = audit(player, game)
    row = found.record()
    for name, x in found.values.items():
        measure = CATALOGUE[name]
        assert x.shape == ((1, len(found.agents)) if measure.agents else (1,)), name
        known = x[~np.isnan(x)]
        assert ((known >= measure.low - 1e-9) & (known <= measure.high + 1e-9)).all(), (name, x)
        if np.isnan(row[name]):
            assert name in found.undefined and f"{name}: " in row["undefined"]
    assert all(isinstance(x, (float, int, str)) for x in row.values())
    json.dumps(found.to_dict())


def test_unknown_names_are_refused_with_the_nearest():
    with pytest.raises(ValueError, match="fairness"):
        audit(0.5, GAME, measures=["fairnes"])
    with pytest.raises(ValueError, match="quick"):
        audit(0.5, GAME, effort="quik")
    assert set(BASIC) <= set(FAMILIES)
