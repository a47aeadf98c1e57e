"""The option tension="high": a fifth of the welfare is at stake, the mechanisms stay, and it is told everywhere."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import coopgym
from coopgym.envs.catalogue.tension import presets
from coopgym.mechanisms.value import HiddenSynergy, PowerValue
from coopgym.oracles.dilemma import dilemma
from coopgym.oracles.equilibrium import stage_equilibrium
from coopgym.oracles.optimum import stage_optimum
from coopgym.oracles.scores import score
from coopgym.oracles.stage import StageGame
from coopgym.report.catalogue import describe

GAMES = [name for report in (1, 2, 4) for name in coopgym.list_games(report)]


@pytest.mark.parametrize("name", GAMES)
def test_selfish_play_loses_a_fifth_and_the_record_says_how_much(name):
    chosen = presets()[name.removesuffix("-v1")]
    found = dilemma(name, tension="high")
    assert found.label == "dilemma"
    assert found.nash.status == found.optimum.status == "certified"
    assert found.lost >= 0.20
    assert min(chosen.lost, found.lost) == pytest.approx(chosen.lost, rel=1e-3)
    assert found.greed.max() == pytest.approx(chosen.greed, rel=1e-3)
    assert found.fear.max() == pytest.approx(chosen.fear, rel=1e-3)
    assert dilemma(name).lost == pytest.approx(chosen.lost_as_reported, rel=1e-3)
    assert chosen.within_range < 0.20  # so gamma had to leave its range


@pytest.mark.parametrize("name", GAMES)
def test_within_range_is_the_most_and_not_the_most_of_a_coarse_grid(name):
    """GraduatedSanction loses 10.1 % with the exponent .99, which steps of .05 pass over."""
    most = presets()[name.removesuffix("-v1")].within_range
    game = coopgym.game(name)
    synergy, *rest = game.mechanisms
    for exponent in (0.8, 0.97, 0.99, 0.992):
        limits = {"low": 1.0, "high": 1.0} if isinstance(synergy, HiddenSynergy) else {}
        changed = dataclasses.replace(synergy, value=PowerValue(exponent), synergy=1.0, **limits)
        stage = StageGame.of(dataclasses.replace(game, mechanisms=(changed, *rest)))
        optimum = stage_optimum(stage, objective="payoffs").welfare
        assert 1.0 - stage_equilibrium(stage, points=401).welfare / optimum <= most * (1.0 + 1e-3), exponent
    if name == "GraduatedSanction-v1":
        assert most == pytest.approx(0.101, abs=5e-4)


@pytest.mark.parametrize("name", GAMES)
def test_only_the_synergy_changes(name):
    high, plain = coopgym.game(name, tension="high"), coopgym.game(name)
    assert high.hash != plain.hash
    assert high.options["tension"] == "high"
    assert plain.options["tension"] == "report"
    assert coopgym.game(name, tension="report").hash == plain.hash
    assert coopgym.game(name, **high.options).hash == high.hash  # what is recorded makes the same game
    back = dataclasses.replace(high, mechanisms=(plain.mechanisms[0], *high.mechanisms[1:]))
    assert back.hash == plain.hash
    assert isinstance(high.mechanisms[0].value, PowerValue)
    assert np.isfinite(coopgym.evaluate([0.5] * high.n, high, 1).welfare).all()


def test_the_symmetric_dilemma_by_hand():
    """a = (beta / (1 - gamma / N^2))^(1 / (1 - beta)) is selfish; giving everything is best."""
    chosen = presets()["TrustDilemma"]
    beta, gamma = chosen.exponent, chosen.gamma
    selfish = (beta / (1.0 - gamma / 4.0)) ** (1.0 / (1.0 - beta))
    found = dilemma("TrustDilemma-v1", tension="high")
    assert found.nash.actions == pytest.approx([selfish] * 2, rel=1e-6)
    assert found.optimum.actions == pytest.approx([100.0, 100.0])

    def each(a):
        return 100.0 - a + a**beta + 0.5 * gamma * a

    assert found.lost == pytest.approx(1.0 - each(selfish) / each(100.0), rel=1e-9)
    smaller = gamma - 0.05
    selfish = (beta / (1.0 - smaller / 4.0)) ** (1.0 / (1.0 - beta))
    worth = 100.0 - selfish + selfish**beta + 0.5 * smaller * selfish
    assert 1.0 - worth / (100.0**beta + 50.0 * smaller) < 0.20  # so gamma is the smallest of its grid


def test_a_hidden_gamma_keeps_the_width_of_its_range_and_loses_all_over_it():
    high, plain = (coopgym.game("SynergySearch-v1", tension=t).mechanisms[0] for t in ("high", "report"))
    assert high.high - high.low == pytest.approx(plain.high - plain.low)
    for gamma in (high.low, 0.5 * (high.low + high.high), high.high):
        game = coopgym.game("SynergySearch-v1", tension="high")
        known = dataclasses.replace(high, low=gamma, high=gamma, synergy=gamma)
        assert dilemma(dataclasses.replace(game, mechanisms=(known,))).lost >= 0.20


def test_a_score_exists_where_there_is_tension():
    game = coopgym.game("ReciprocalDilemma-v1", tension="high")
    all_in, selfish = (float(coopgym.evaluate(rate, game, 1).welfare[0]) for rate in (1.0, 0.04))
    assert score(all_in, game) == pytest.approx(1.0)
    assert score(selfish, game) < 0.05


def test_what_has_no_tension_refuses_it():
    with pytest.raises(TypeError, match="no option 'tension'"):
        coopgym.game("TrustDilemma-v0", tension="high")
    with pytest.raises(TypeError, match="no option 'tension'"):
        coopgym.game("PublicGoods-v1", tension="high")
    with pytest.raises(ValueError, match="report, high"):
        coopgym.game("TrustDilemma-v1", tension="low")
    with pytest.raises(ValueError, match="found for 6 agents, not for 3"):
        coopgym.game("DynamicPartnerSelection-v1", tension="high", n_agents=3)


def test_the_description_tells():
    told = describe("TrustDilemma-v1")
    assert told["options"]["tension"] == "report"
    assert "our own" in told["tension"]["in_words"]
    assert "loses 20.2% of the best welfare instead of 0.35%" in told["tension"]["in_words"]
    assert describe("PublicGoods-v1")["tension"] is None
    assert describe("TrustDilemma-v0")["tension"] is None
