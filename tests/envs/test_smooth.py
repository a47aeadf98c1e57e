"""Games that claim to be smooth: slopes match finite differences, and nothing jumps along a line of actions."""

import dataclasses

import numpy as np
import pytest
import torch

import coopgym
from coopgym.envs.reward import RewardMode, Weights

STEPS = 4
IDS = [id.replace("v1", v) for id in coopgym.list_games() for v in ("v0", "v1")]
SMOOTH = [id for id in IDS if coopgym.game(id).smooth]


def test_which_games_are_smooth():
    names = {id[:-3] for id in SMOOTH if id.endswith("v1")}
    assert names == {
        "DynamicPartnerSelection", "SynergySearch", "SLCD", "RenaultNissan", "TeamProduction", "ReciprocalDilemma",
        "GiftExchange", "IndirectReciprocity", "GraduatedSanction", "AppleAppStore",
    }  # fmt: skip
    assert not coopgym.game("ReputationMarket-v1").smooth
    assert coopgym.game("ReputationMarket-v1", tier_enabled=False).smooth


def total(game, rates, mode="integrated"):
    """Rewards of an episode summed over agents, for rates [B, T, N]: [B]."""
    weights = Weights(*(torch.tensor(w) for w in RewardMode.of(mode).weights))
    state, result = game.reset(rates.shape[:1]), 0.0
    for t in range(rates.shape[1]):
        before = state
        state, payoffs, _ = game.step(before, rates[:, t] * game.endowment)
        result = result + game.rewards(weights, before, state, payoffs).sum(-1)
    return result


def plain(id):
    """In double precision, and without the small step where damage begins to be forgotten."""
    game = coopgym.game(id)
    trust = game.trust and dataclasses.replace(game.trust, forgetting=0.0 * game.trust.forgetting)
    return dataclasses.replace(game, trust=trust).to("torch", dtype=torch.float64)


@pytest.mark.parametrize("id", [id for id in SMOOTH if id.endswith("v1")])
def test_slopes_match_finite_differences(id):
    game = plain(id)
    g = torch.Generator().manual_seed(5)
    rates = 0.1 + 0.8 * torch.rand(6, STEPS, game.n, generator=g, dtype=torch.float64)
    leaf = rates.clone().requires_grad_()
    (slope,) = torch.autograd.grad(total(game, leaf).sum(), leaf)
    toward = torch.randn(rates.shape, generator=g, dtype=torch.float64)
    h = 1e-6
    expected = (total(game, rates + h * toward) - total(game, rates - h * toward)) / (2.0 * h)
    torch.testing.assert_close((slope * toward).sum((1, 2)), expected, rtol=1e-5, atol=1e-4)


def largest_jump(id, points):
    """Of the episode's reward between neighbours on lines through the whole range of one agent's rates."""
    game = plain(id)
    jumps = []
    for seed in range(3):
        base = np.random.default_rng(seed).uniform(0.1, 0.9, (STEPS, game.n))
        rates = torch.tensor(np.repeat(base[None], points, 0))
        rates[:, :, 0] = torch.linspace(0.05, 0.95, points, dtype=torch.float64)[:, None]
        jumps.append(total(game, rates).diff().abs().max())
    return max(float(j) for j in jumps)


@pytest.mark.parametrize("id", SMOOTH)
def test_nothing_jumps_where_a_game_claims_to_be_smooth(id):
    assert largest_jump(id, 8001) < 0.25 * largest_jump(id, 1001)


@pytest.mark.parametrize("id", ["LoyaltyTeam-v1", "CooperativeNegotiation-v1", "CoalitionFormation-v0"])
def test_something_jumps_where_a_game_does_not(id):
    assert largest_jump(id, 8001) > 0.5 * largest_jump(id, 1001)
