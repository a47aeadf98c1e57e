"""The bounds of dynamic programmes and relaxations, against exhaustive grids, hand-made deviations and climbs."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import coopgym
from coopgym.envs.reward import RewardMode
from coopgym.oracles.best_response import best_response_sequence
from coopgym.oracles.own_state import programme
from coopgym.oracles.sequence_certificate import certify
from coopgym.oracles.sequences import Sequences
from coopgym.oracles.survival import survival_bound

STATEFUL = ["ReputationMarket-v1", "LoyaltyTeam-v1", "PublicGoods-v1", "CoalitionFormation-v1"]


def rewards(game, mode, profile, agent, own):
    """Rewards of own sequences ``[K, T]`` on the game's own steps, written apart from the oracles."""
    weights, batch = RewardMode.of(mode).weights, (len(own),)
    state, total, alive = game.reset(batch), np.zeros(batch), np.ones(batch, dtype=bool)
    for t in range(game.horizon):
        actions = np.repeat(profile[t][None], len(own), axis=0)
        actions[:, agent] = own[:, t]
        after, payoffs, ended = game.step(state, actions)
        total += np.where(alive, game.rewards(weights, state, after, payoffs)[:, agent], 0.0)
        alive &= ~ended
        state = after
    return total


@pytest.mark.parametrize("mode", ["private", "integrated", "cooperative"])
@pytest.mark.parametrize("id", STATEFUL)
def test_no_sequence_of_a_grid_earns_more_than_the_bound_and_one_comes_near(id, mode):
    """All 9^5 own sequences of five steps, against others that play at random."""
    game = coopgym.game(id, max_steps=5)
    rng = np.random.default_rng(7)
    profile = rng.uniform(0.5, 1.0, (5, game.n)) * game.endowment
    own = np.array(list(itertools.product(np.linspace(0.0, 1.0, 9), repeat=5))) * game.endowment[0]
    found = programme(Sequences(game, RewardMode(mode)), profile, 0)
    best = max(rewards(game, mode, profile, 0, part).max() for part in np.array_split(own, 8))
    played = rewards(game, mode, profile, 0, found.sequence[None])[0]
    assert max(best, played) <= found.bound * (1.0 + 1e-12)
    assert played >= best * (1.0 - 1e-5)
    assert found.bound - played <= 1e-4 * played


def test_exclusion_that_pays_is_seen():
    """At the edge of exclusion among members who give little: to be excluded and work alone is worth a look."""
    game = coopgym.game("CoalitionFormation-v1", max_steps=30)
    profile = np.full((30, game.n), 0.5) * game.endowment
    found = programme(Sequences(game, RewardMode("private")), profile, 0)
    rng, e = np.random.default_rng(1), game.endowment[0]
    steps = np.arange(30)
    tried = [np.where(steps < k, a, b) * e for k in range(31) for a in (0.0, 0.25, 0.49) for b in (0.0, 0.5, 1.0)]
    tried += [rng.random(30) * e for _ in range(300)]
    assert rewards(game, "private", profile, 0, np.array(tried)).max() <= found.bound


def test_the_market_is_solved_where_a_search_had_failed():
    """Everybody at 100, 46 and 17.36: leaving alone with 100 for six steps, 50 until the last and 17.4 gains 5.2e-4.

    The old answer was called certified. The programme finds that and more, and closes what is left.
    """
    game = coopgym.game("ReputationMarket-v1")
    profile = np.full((100, 5), 46.009708)
    profile[:7], profile[-1] = 100.0, 17.36001
    own = np.full(100, 50.0)
    own[:6], own[-1] = 100.0, 17.4
    by_hand = rewards(game, "private", profile, 0, own[None])[0]
    before = rewards(game, "private", profile, 0, profile[None, :, 0])[0]
    assert by_hand > before * (1.0 + 3e-4)
    found = best_response_sequence(game, "private", profile, 0)
    assert by_hand <= found.value <= found.bound <= found.value * (1.0 + 2e-5)
    certificate = certify(game, "private", profile, levels=11)
    assert certificate.relative > 3e-4 and not certificate.exhaustive


def test_where_nothing_pays_the_programme_proves_it():
    game = coopgym.game("PublicGoods-v1", max_steps=40)
    certificate = certify(game, "private", np.zeros((40, 5)))
    assert certificate.exhaustive and certificate.relative == 0.0
    assert certificate.at_most <= 1e-5
    assert "dynamic programme" in certificate.method


@pytest.mark.parametrize("id", ["TrustDilemma-v1", "PartnerHoldUp-v1", "PlatformEcosystem-v1"])
def test_nothing_that_keeps_a_game_alive_earns_more_than_its_bound(id):
    game, rng = coopgym.game(id, max_steps=30), np.random.default_rng(2)
    level = np.asarray(game.baseline)
    profile = np.repeat(level[None], 30, axis=0)
    bound = survival_bound(Sequences(game, RewardMode("integrated")), profile, 0)
    steps, e = np.arange(30), game.endowment[0]
    tried = [np.full(30, x) for x in np.linspace(0.0, e, 201)]
    tried += [
        np.where(steps < k, a, b) * level[0] for k in range(30) for a in (0.9, 0.98, 1.0, 1.3) for b in (0.5, 0.9)
    ]
    tried += [np.clip(level[0] + rng.normal(-2.0, s, 30), 0.0, e) for s in (0.5, 3.0) for _ in range(200)]
    best = rewards(game, "integrated", profile, 0, np.array(tried)).max()
    assert best <= bound <= best * 1.03


def test_games_with_more_to_remember_have_no_programme():
    for id in ("GiftExchange-v1", "ReputationMarket-v0", "CoalitionFormation-v0", "CooperativeNegotiation-v1"):
        game = coopgym.game(id, max_steps=5)
        profile = np.repeat(np.asarray(game.baseline)[None], 5, axis=0)
        sequences = Sequences(game, RewardMode("integrated"))
        assert programme(sequences, profile, 0) is None and survival_bound(sequences, profile, 0) is None


def test_a_late_rise_is_found():
    """What keeps trust and is used at the end: a line to everything in the last eight steps, from what is expected."""
    game = coopgym.game("ReciprocalDilemma-v1", max_steps=40)
    flat = np.full((40, 2), 28.8)
    rise = np.where(np.arange(40) < 36, 31.0, 70.0)
    tried = flat.copy()
    tried[:, 0] = rise
    by_hand = Sequences(game, RewardMode("cooperative")).play(tried).rewards[0]
    found = best_response_sequence(game, "cooperative", flat, 0)
    assert found.value >= by_hand
    assert found.sequence[-1] > 60.0
