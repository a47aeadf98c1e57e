"""Randomised partners, trust, strangers, and partners of other seeds."""

from __future__ import annotations

import numpy as np
import pytest
from players import GAME, against, always, generous, tit_for_tat

import coopgym
from coopgym.algorithms.policy import FixedPolicy
from coopgym.audit.behaviour import audit
from coopgym.audit.conditional import binned, least_squares
from coopgym.audit.panel import stranger


def linear(seen):
    """0.2 + 0.4 x the other's last rate - 0.1 x the own last rate + 0.15 x trust in the other."""
    own, other = seen[..., 0] / 100.0, seen[..., 1] / 100.0
    trust = seen[..., [0, 1], [3, 2]]
    return 100.0 * (0.2 + 0.4 * other - 0.1 * own + 0.15 * trust)


def test_a_planted_linear_policy_is_recovered():
    found = audit(linear, GAME, measures=["conditional"], effort="quick")
    values = found.values
    assert np.allclose(values["conditional_slope"], 0.4, rtol=0.02)
    assert np.allclose(values["own_slope"], -0.1, rtol=0.02)
    assert np.allclose(values["trust_slope"], 0.15, rtol=0.02)
    assert (values["conditional_fit"] > 0.999).all()
    assert np.allclose(found.conditional.lags[0, 0, 1, 1:], 0.0, atol=2e-3)  # no longer memory


@pytest.mark.parametrize(("partner", "slope"), [(tit_for_tat(), 1.0), (generous(0.3), 0.7), (always(0.5), 0.0)])
def test_slopes_of_known_strategies(partner, slope):
    found = audit(against(partner), GAME, measures=["conditional"])
    assert found.values["conditional_slope"][0, 1] == pytest.approx(slope, abs=1e-6)
    assert found.values["reciprocity_slope"][0, 1] == pytest.approx(slope, abs=1e-6)
    assert found.values["conditional_slope"][0, 0] == pytest.approx(0.0, abs=1e-9)
    assert found.values["conditional_sign"][0, 1] == np.sign(slope)
    curve = found.conditional.curve[0, 1]
    assert np.allclose(np.diff(curve), slope / 5, atol=0.06)  # five bins of [0, 1]


def test_intervals_of_least_squares_cover_the_truth():
    rng = np.random.default_rng(0)
    x = rng.random((400, 200, 2))
    y = 0.1 + x @ np.array([0.5, -0.2]) + 0.3 * x[..., 0] * rng.standard_normal((400, 200))  # unequal variances
    found = least_squares(x, y, np.ones(y.shape, dtype=bool))
    error = np.sqrt(found.covariance[..., 0, 0])
    inside = np.abs(found.beta[..., 0] - 0.5) <= 1.96 * error
    assert 0.91 <= inside.mean() <= 0.98


def test_rows_that_were_not_played_do_not_count():
    rng = np.random.default_rng(1)
    x, on = rng.random((50, 3)), np.arange(50) < 40
    y = x @ np.array([1.0, 2.0, 3.0]) - 4.0
    assert np.allclose(least_squares(x, np.where(on, y, 99.0), on).beta, [1.0, 2.0, 3.0])
    assert np.isnan(least_squares(x, y, np.arange(50) < 3).beta).all()
    means = binned(np.array([0.1, 0.15, 0.95]), np.array([1.0, 3.0, 5.0]), np.array([True, True, True]), 2)
    assert means.tolist() == [2.0, 5.0]


def test_trust_of_constants():
    high, low = (audit(always(rate), GAME, measures=["trust"]).values for rate in (0.9, 0.05))
    assert (high["trust"] > low["trust"]).all()
    assert high["trust_efficiency"] == pytest.approx(0.0)  # constants earn the same whatever trust does
    played = coopgym.evaluate(0.9, GAME, 1)
    assert high["final_trust"] == pytest.approx(float(played.final_trust[0]), abs=1e-6)
    assert (high["hysteresis"] > 0.0).all()  # trust lags behind the rate


def test_payoffs_among_strangers_are_those_of_a_seat_among_them():
    found = audit(always(0.5), GAME, measures=["partners"]).partners
    for i, (name, rate) in enumerate((("Constant_0", 0.0), ("Constant_100", 1.0))):
        p = found.panel.index(name)
        assert p == i
        for agent in range(2):
            rates = [rate, rate]
            rates[agent] = 0.5
            alone = coopgym.evaluate(rates, GAME, 1).payoffs[0]
            assert found.payoffs[0, agent, p] == pytest.approx(alone[agent])
            assert found.hosts[0, agent, p] == pytest.approx(alone[1 - agent])


def test_givers_are_exploited_by_defectors_and_defectors_are_not():
    game = coopgym.game("PublicGoods-v1")
    giver, defector = (audit(rate, game, measures=["partners"]).values for rate in (1.0, 0.0))
    assert (giver["exploited_by_defectors"][:, 0] > 0.0).all()
    assert (defector["exploited_by_defectors"][:, 0] == 0.0).all()


def test_partners_of_other_seeds():
    rates = (0.1, 0.4, 0.9, 0.2)
    stack = FixedPolicy.stack([always(rate) for rate in rates])
    found = audit(stack, GAME, ["private", "private", "private", "cooperative"], ["partners"])
    cross = found.values["cross_payoff"]
    for r, partner in enumerate((1, 2, 0)):
        alone = coopgym.evaluate([rates[r], rates[partner]], GAME, 1).payoffs[0]
        assert cross[r, 0] == pytest.approx(alone[0])
    assert np.isnan(cross[3]).all() and "cross_payoff: no other" in found.record(3)["undefined"]
    assert "cross_payoff: " not in found.record(0)["undefined"]


def test_the_panel():
    for name in ("GrimTrigger", "GenerousTitForTat", "BaselinePlus", "StageSelfish", "BestConstant", "Constant_25"):
        played = coopgym.evaluate(stranger(name, GAME), GAME, 1)
        assert played.lengths[0] == GAME.horizon
    assert np.allclose(coopgym.evaluate(stranger("GrimTrigger", GAME), GAME, 1).rates, 0.4)
    selfish = coopgym.evaluate(stranger("StageSelfish", GAME), GAME, 1).rates[0]
    assert np.allclose(selfish, coopgym.solve(GAME, "nash").actions / GAME.endowment, atol=1e-6)
