"""Dilemmas of one step by hand, labels at their thresholds, and the scale from selfish play to the optimum."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

import coopgym
from coopgym.mechanisms.base import Mechanism
from coopgym.mechanisms.value import LogarithmicValue
from coopgym.oracles.dilemma import dilemma, label_of, slopes
from coopgym.oracles.result import RefusedError
from coopgym.oracles.scores import scale, score
from coopgym.oracles.stage import StageGame
from coopgym.report.catalogue import dilemmas


@dataclasses.dataclass(frozen=True, eq=False)
class Hunt(Mechanism):
    """A stag hunt: everybody's share of the catch is what the most reluctant hunter brings; coming along costs."""

    cost: float = 0.4

    def payoffs(self, state, actions, payoffs):
        rates = actions / 100.0
        return payoffs + 1.0 + 2.0 * np.minimum(rates[..., :1], rates[..., 1:]) - self.cost * rates


@dataclasses.dataclass(frozen=True, eq=False)
class Unit(Mechanism):
    """All payoffs in another unit."""

    factor: float = 1.0

    def payoffs(self, state, actions, payoffs):
        return self.factor * payoffs


def hunt(cost):
    game = coopgym.game("TrustDilemma-v1")
    return dataclasses.replace(game, name="Hunt", mechanisms=(Hunt(cost),), exit=None)


def test_the_public_good_by_hand():
    """Five citizens, multiplier 2, endowment 50, loyalty .5, benefit .6, joy .2: giving costs 0.38 of each unit."""
    found = dilemma("PublicGoods-v1")
    assert found.label == "dilemma"
    assert found.welfare_nash == pytest.approx(250.0)
    assert found.price_of_anarchy == pytest.approx(2.40, abs=0.005)  # as tabulated for one shot at first loyalty
    assert found.lost == pytest.approx(1.0 - 1.0 / found.price_of_anarchy)
    assert found.own == pytest.approx(-0.38)
    assert found.greed * (found.optimum.rewards) == pytest.approx(0.38 * 50.0)
    assert found.fear * 50.0 == pytest.approx(0.38 * 50.0)
    assert found.rate == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("name", "mode", "label", "price"),
    [
        ("TrustDilemma-v1", "private", "trivial", 1.0035),
        ("GiftExchange-v1", "private", "trivial", 1.0031),
        ("SLCD-v1", "private", "trivial", 1.0030),
        ("TeamProduction-v1", "private", "dilemma", 1.27),
        ("LoyaltyTeam-v1", "private", "harmony", 1.0),
        ("CoalitionFormation-v1", "private", "dilemma", 1.46),
        ("PublicGoods-v1", "integrated", "harmony", 1.0),
        ("DynamicPartnerSelection-v1", "integrated", "trivial", 1.0),
    ],
)
def test_labels_and_prices_of_the_catalogue(name, mode, label, price):
    found = dilemma(name, mode)
    assert found.label == label
    assert found.price_of_anarchy == pytest.approx(price, abs=5e-3 if price > 1.1 else 3e-4)
    assert (found.greed >= 0.0).all()
    assert (found.fear >= -1e-9).all()


def test_a_stag_hunt_is_coordination_and_a_dear_one_is_not():
    found = dilemma(hunt(0.4))
    assert found.optimum.actions == pytest.approx([100.0, 100.0], abs=0.1)
    assert found.greed.max() < 1e-4
    assert found.label == "coordination"
    assert dilemma(hunt(2.5)).label == "harmony"  # staying at home is best for all


def quiet(theta, gamma):
    """Two agents whose first unit costs more than it adds: nobody contributes unless the other does."""
    game = coopgym.game("TrustDilemma-v1")
    synergy = dataclasses.replace(game.mechanisms[0], value=LogarithmicValue(theta), synergy=gamma)
    return dataclasses.replace(game, name="Quiet", mechanisms=(synergy,), exit=None)


def test_an_equilibrium_at_a_corner_is_found():
    """theta .6, gamma 3.5, cooperative: from (0, 0) a lone unit adds .6 - 1 < 0, and G stays 0."""
    game = quiet(0.6, 3.5)
    stage = StageGame.of(game, "cooperative")
    alone = stage.rewards(np.stack([np.linspace(0.0, 100.0, 1001), np.zeros(1001)], -1))[:, 0]
    assert alone.argmax() == 0  # so (0, 0) is an equilibrium
    found = dilemma(game, "cooperative")
    assert found.optimum.actions == pytest.approx([100.0, 100.0])
    assert found.label == "coordination"
    assert dilemma(quiet(20.0, 0.7), "cooperative").label == "harmony"


@pytest.mark.parametrize("factor", [1e-4, 1e4])
@pytest.mark.parametrize("id", ["ApacheProject-v1", "TeamProduction-v1", "GiftExchange-v1"])
def test_shares_and_labels_do_not_depend_on_the_unit_of_payoffs(id, factor):
    game = coopgym.game(id)
    other = dataclasses.replace(game, mechanisms=(*game.mechanisms, Unit(factor)))
    one, two = dilemma(game), dilemma(other)
    assert one.label == two.label
    for name in ("lost", "greed", "fear"):
        np.testing.assert_allclose(getattr(two, name), getattr(one, name), rtol=1e-6, atol=1e-12)
    assert two.nash.status == "certified"


def test_a_small_endowment_has_the_label_and_the_shares_of_a_large_one():
    small, large = dilemma("PublicGoods-v1", endowment=0.01), dilemma("PublicGoods-v1", endowment=50.0)
    assert small.label == large.label == "dilemma"
    for name in ("lost", "greed", "fear"):
        np.testing.assert_allclose(getattr(small, name), getattr(large, name), rtol=1e-9)


def test_thresholds():
    assert label_of(0.01, 0.001, several=False) == "dilemma"
    assert label_of(0.0099, 0.001, several=False) == "trivial"
    assert label_of(0.0, 0.0, several=False) == "harmony"
    assert label_of(0.0, 0.0, several=True) == "coordination"
    assert label_of(0.0002, 0.0001, several=False) == "trivial"


def test_slopes_are_those_of_the_formula():
    """pi_i = e - a_i + 20 ln(1 + a_i) + 0.35 sqrt(a_0 a_1) at 25: own -1 + 20/26 + 0.175, cross 0.175."""
    own, cross = slopes(StageGame.of(coopgym.game("TrustDilemma-v1")), np.array([25.0, 25.0]))
    assert own == pytest.approx([-1.0 + 20.0 / 26.0 + 0.175] * 2, abs=1e-5)
    assert cross == pytest.approx([0.175] * 2, abs=1e-5)


def test_results_are_plain_data():
    plain = json.loads(json.dumps(dilemma("TeamProduction-v1").to_dict()))
    assert plain["label"] == "dilemma"
    assert plain["nash"]["status"] == "certified"
    assert plain["lost"] == pytest.approx(0.2127, abs=1e-4)


def test_selfish_play_scores_nothing_and_the_optimum_one():
    game = coopgym.game("PublicGoods-v1")
    ends = scale(game)
    assert ends.nash == pytest.approx(250.0 * game.horizon)
    assert score([ends.nash, ends.optimum], game) == pytest.approx([0.0, 1.0])
    full = float(coopgym.evaluate(1.0, game, 1).welfare[0])
    assert score(full, game) == pytest.approx(1.0)
    assert score(0.5 * (ends.nash + ends.optimum), game) == pytest.approx(0.5)
    assert score(0.0, game) < 0.0
    assert score(75.0, game, nash=50.0, optimum=100.0) == pytest.approx(0.5)
    found = dilemma(game)
    assert scale(game, nash=found.nash, optimum=found.optimum).optimum == pytest.approx(ends.optimum)


def test_where_survival_is_at_stake_the_best_constant_is_the_better_end():
    ends = scale("TrustDilemma-v1")
    assert ends.nash < 1000.0  # trust is gone after a few steps
    assert ends.optimum > 29_000.0


@pytest.mark.parametrize("welfare", [10**400, "much", [1.0, 10**400]])
def test_a_score_of_what_is_no_number_is_refused_in_a_sentence(welfare):
    with pytest.raises(ValueError, match=r"welfare=.* is not an array of numbers"):
        score(welfare, "PublicGoods-v1")


def test_no_score_where_there_is_no_dilemma():
    with pytest.raises(RefusedError, match=r"ReciprocalDilemma-v1: selfish play earns .* apart"):
        score(29_650.0, "ReciprocalDilemma-v1")
    with pytest.raises(RefusedError, match=r"apart.*tension='high'"):
        score(1.0, "ReciprocalDilemma-v1", nash=2.0, optimum=1.0)
    with pytest.raises(RefusedError, match=r"compare returns$"):  # these have no such option, or use it
        score(1.0, "ReciprocalDilemma-v0", nash=2.0, optimum=1.0)
    with pytest.raises(RefusedError, match=r"compare returns$"):
        score(1.0, "ReciprocalDilemma-v1", nash=2.0, optimum=1.0, tension="high")
    with pytest.raises(RefusedError, match=r"compare returns$"):
        score(1.0, "DynamicPartnerSelection-v1", nash=2.0, optimum=1.0, n_agents=3)
    with pytest.raises(RefusedError, match="apart"):
        score(1.0, "PublicGoods-v1", nash=2.0, optimum=1.0)
    assert 0.0 < score(29_650.0, "ReciprocalDilemma-v1", tolerance=1e-4) < 1.0


# --- what the catalogue says ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("id", "mode"), [("TrustDilemma-v1", "private"), ("PublicGoods-v1", "private"), ("SLCD-v1", "integrated")]
)
def test_the_catalogue_says_what_is_found(id, mode):
    stored, found = dilemmas()[id, mode], dilemma(id, mode)
    assert stored["label"] == found.label
    for name in ("lost", "price_of_anarchy"):
        assert stored[name] == pytest.approx(getattr(found, name), rel=1e-5)
    assert stored["greed"] == pytest.approx(found.greed.max(), rel=1e-4)


def test_the_catalogue_covers_every_game_and_mode():
    games = [*coopgym.list_games(), *coopgym.list_games(version="v0")]
    assert set(dilemmas()) == {(game, mode) for game in games for mode in ("private", "integrated", "cooperative")}
    mild = [game for game in games[:20] if coopgym.game(game).report != 3]
    assert all(dilemmas()[game, "private"]["lost"] < 0.0040 for game in mild)  # nearly free of conflict, and said so
