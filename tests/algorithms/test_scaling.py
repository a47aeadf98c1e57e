"""Reward scale and PopArt: outputs that stay, and learning that does not feel the unit of payoffs."""

from dataclasses import dataclass, replace

import pytest
import torch

import coopgym
from coopgym.algorithms.networks import Network
from coopgym.algorithms.scaling import PopArt, RewardScale
from coopgym.mechanisms.base import Mechanism

CPU = torch.device("cpu")


@dataclass(frozen=True, eq=False)
class Unit(Mechanism):
    """Payoffs in another currency."""

    factor: float = 1.0

    def payoffs(self, state, actions, payoffs):
        return self.factor * payoffs


def test_popart_keeps_what_the_critic_says():
    g = torch.Generator().manual_seed(0)
    network = Network(4, 1, (8,), "tanh")
    theta, x = network.initial(2, [g, g]), torch.randn(2, 2, 30, 4, generator=g)
    popart = PopArt((2, 2), 0.2, CPU)
    everybody = torch.ones(2, dtype=torch.bool)
    for offset, spread in ((0.0, 1.0), (150.0, 30.0), (1e4, 1e3)):
        before = popart.restore(network(theta, x).squeeze(-1))
        popart.update(offset + spread * torch.randn(2, 2, 500, generator=g), network, theta, everybody)
        after = popart.restore(network(theta, x).squeeze(-1))
        torch.testing.assert_close(after, before, rtol=1e-5, atol=1e-5 * popart.scale.max().item())
    torch.testing.assert_close(popart.restore(popart.normalise(before)), before, rtol=1e-4, atol=1e-2)


def test_popart_first_update_takes_the_moments_of_the_targets_and_leaves_frozen_replicas():
    network = Network(1, 1, (2,), "tanh")
    theta = network.initial(1, [torch.Generator().manual_seed(0)] * 2)
    popart = PopArt((2, 1), 0.05, CPU)
    popart.update(torch.tensor([10.0, 14.0]).expand(2, 1, 2), network, theta, torch.tensor([True, False]))
    assert popart.mean.flatten().tolist() == pytest.approx([12.0, 0.0], rel=1e-4)
    assert popart.scale.flatten().tolist() == pytest.approx([2.0, 1.0], rel=1e-3)


def test_reward_scale_is_the_spread_of_discounted_returns_or_a_tenth_of_their_peak():
    g = torch.Generator().manual_seed(0)
    rewards = torch.randn(1, 1, 50, 8, generator=g)
    ended = torch.zeros(1, 1, 50, 8, dtype=torch.bool)
    ended[:, :, 9::10] = True
    scale = RewardScale((1, 1), 8, 0.9, CPU)
    scale.update(rewards[:, :, :20], ended[:, :, :20])
    scale.update(rewards[:, :, 20:], ended[:, :, 20:])
    returns, running = [], torch.zeros(8)
    for t in range(50):
        running = rewards[0, 0, t] + running
        returns.append(running)
        running = 0.9 * running * (~ended[0, 0, t])
    assert scale.sigma.item() == pytest.approx(torch.stack(returns).std(correction=0).item(), rel=1e-5)
    steady = RewardScale((1, 1), 8, 0.0, CPU)
    steady.update(torch.full((1, 1, 5, 8), 100.0), torch.zeros(1, 1, 5, 8, dtype=torch.bool))
    assert steady.sigma.item() == pytest.approx(10.0)  # no spread at all, and still no explosion


@pytest.mark.parametrize("name", ["IPPO", "MAPPO"])
def test_learning_does_not_feel_the_unit_of_payoffs(name):
    game = coopgym.game("TrustDilemma-v1", max_steps=20)
    thetas, welfares = [], []
    for factor in (1.0, 1e3, 1e6):
        scaled = replace(game, mechanisms=(*game.mechanisms, Unit(factor)))
        result = coopgym.train(name, scaled, seeds=[3], total_steps=64 * 20 * 3, lanes=16, hidden=(16,), evaluations=1)
        thetas.append(result.policies[0].theta)
        welfares.append(result.runs[0].welfare / factor)
    for theta in thetas[1:]:
        torch.testing.assert_close(theta, thetas[0], atol=1e-3, rtol=0.0)
    assert welfares[1:] == pytest.approx(welfares[:1] * 2, rel=1e-3)
