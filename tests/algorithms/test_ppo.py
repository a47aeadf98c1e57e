"""The PPO family: independence of replicas, ratios, divergence, determinism, units."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

import coopgym
from coopgym.algorithms import distributions as gaussian
from coopgym.algorithms.learner import Problem
from coopgym.algorithms.registry import algorithm
from coopgym.envs.reward import RewardMode
from coopgym.mechanisms.base import Mechanism

MODES = ("private", "integrated", "cooperative")


def learner(name, game, modes=MODES, seeds=(0, 1, 2), **settings):
    found = algorithm(name, "learner")
    problem = Problem(
        game, tuple(RewardMode.of(m) for m in modes), tuple(seeds), game.default_observability, torch.device("cpu")
    )
    return found.build(problem, found.settings(**settings))


def trained(name, game, modes=MODES, seeds=(0, 1, 2), iterations=5, **settings):
    made = learner(
        name,
        game,
        modes,
        seeds,
        **{"lanes": 4, "hidden": (16, 16), "epochs": 2, "minibatches": 2, "learning_rate": 5e-4, **settings},
    )
    for i in range(iterations):
        made.iterate(i / iterations)
    return made


@pytest.mark.parametrize("name", ["IPPO", "MAPPO"])
@pytest.mark.parametrize("id", ["TrustDilemma-v1", "SynergySearch-v1"])
def test_a_replica_does_not_depend_on_its_companions_nor_on_their_order(name, id):
    game = coopgym.game(id, max_steps=25)
    together = trained(name, game)
    assert together.updates == 20
    for r in range(3):
        alone = trained(name, game, MODES[r : r + 1], (r,))
        for key, theta in alone.parameters.items():
            assert torch.equal(together.parameters[key][r : r + 1], theta)
    turned = trained(name, game, MODES[::-1], (2, 1, 0))
    for key, theta in turned.parameters.items():
        assert torch.equal(together.parameters[key].flip(0), theta)


@pytest.mark.parametrize("name", ["IPPO", "MAPPO"])
def test_same_seeds_same_parameters(name):
    game = coopgym.game("GiftExchange-v1", max_steps=25)
    first, second = trained(name, game), trained(name, game)
    assert all(torch.equal(first.parameters[key], second.parameters[key]) for key in first.parameters)
    other = trained(name, game, seeds=(5, 6, 7))
    assert not torch.equal(first.parameters["actor"], other.parameters["actor"])


@pytest.mark.parametrize("name", ["IPPO", "MAPPO"])
def test_the_ratio_is_one_before_the_first_step(name):
    made = trained(name, coopgym.game("SLCD-v1", max_steps=25), iterations=2)
    theta = made.parameters["actor"]
    made.actor.free_parameters(theta).fill_(0.5)
    made.actor.layers(theta)[-1][1].fill_(1.9)  # half of the actions at the upper bound
    rollout = made.play()
    assert (rollout.rates == 1.0).float().mean() > 0.3
    batch = made.estimate(rollout)
    some = batch.take(made._orders(batch.z.shape[-1])[:, 0, :37])
    mean = made.actor(theta, some.features).squeeze(-1)
    log_std = gaussian.bounded_log_std(made.actor.free_parameters(theta))
    ratio = torch.exp(gaussian.log_density(some.z, mean, log_std) - some.log_density)
    assert (ratio - 1.0).abs().max() < 1e-6


@pytest.mark.parametrize("name", ["IPPO", "MAPPO"])
def test_forty_agents_stay_finite(name):
    game = coopgym.game("ApacheProject-v0", max_steps=10)
    made = trained(name, game, ("integrated",), (0,), iterations=2, lanes=2, hidden=(16,), rollout_steps=10)
    assert made.alive.all() and made.diverged_at.tolist() == [-1]
    assert all(torch.isfinite(theta).all() for theta in made.parameters.values())


def test_the_critic_of_many_agents_does_not_depend_on_their_order():
    made = trained(
        "MAPPO", coopgym.game("ApacheProject-v1", max_steps=5), ("private",), (0,), 1, lanes=2, rollout_steps=5
    )
    inputs = made.games.features().clone()  # [1, N, E, F]
    order = torch.randperm(inputs.shape[1] - 1, generator=torch.Generator().manual_seed(0)) + 1
    inputs = inputs + torch.randn(inputs.shape, generator=torch.Generator().manual_seed(1))
    shuffled = torch.cat([inputs[:, :1], inputs[:, order]], dim=1)
    values = [made.values(made.parameters, x)[0, 0] for x in (inputs, shuffled)]
    torch.testing.assert_close(*values, atol=1e-5, rtol=1e-5)


class Broken(Mechanism):
    """Payoffs that are not a number for whoever plays more than a threshold."""

    def payoffs(self, state, actions, payoffs):
        return payoffs + torch.where(actions > 99.9, math.nan, 0.0) if isinstance(actions, torch.Tensor) else payoffs


def test_a_diverged_replica_is_frozen_and_says_so_and_the_others_go_on():
    game = coopgym.game("SLCD-v1", max_steps=25)
    made = trained("IPPO", replace(game, mechanisms=(*game.mechanisms, Broken())), iterations=0)
    alone = trained("IPPO", game, iterations=0)
    for one in (made, alone):
        one.actor.layers(one.parameters["actor"])[-1][1].fill_(-2.0)  # far from the broken payoff
        one.iterate(0.0)
    made.actor.layers(made.parameters["actor"])[-1][1][1].fill_(5.0)  # replica 1 now meets the broken payoff
    kept = {key: theta[1].clone() for key, theta in made.parameters.items()}
    for _ in range(2):
        made.iterate(0.5)
        alone.iterate(0.5)
    assert made.alive.tolist() == [True, False, True]
    assert made.diverged_at.tolist() == [-1, 4, -1]
    for key, theta in made.parameters.items():
        assert torch.equal(theta[1], kept[key])
        assert torch.isfinite(theta).all()
        torch.testing.assert_close(theta[[0, 2]], alone.parameters[key][[0, 2]])


@pytest.mark.parametrize("mode", ["private", "integrated", "cooperative"])
def test_logged_welfare_is_the_sum_of_payoffs_of_the_stored_actions(mode):
    game = coopgym.game("RenaultNissan-v1", max_steps=20)
    made = learner("IPPO", game, (mode,), (4,), lanes=3, rollout_steps=40)
    rollout = made.play()
    logged = made._watch(rollout)["welfare_train"].item()
    actions = (rollout.rates[0].movedim(0, -1).numpy() * game.endowment).astype(float)  # [H, E, N]
    state, total, rewards = game.reset((3,)), 0.0, np.zeros((40, 3, 2))
    for t in range(40):
        before = game.reset((3,)) if t % 20 == 0 else state
        state, payoffs, _ = game.step(before, actions[t])
        rewards[t] = game.rewards(RewardMode(mode).weights, before, state, payoffs)
        total += payoffs.sum()
    assert logged == pytest.approx(total / 6, rel=1e-5)
    np.testing.assert_allclose(rollout.rewards[0].movedim(0, -1), rewards, rtol=1e-4)


def test_a_replica_waits_once_its_policy_has_moved_far_enough():
    game = coopgym.game("SLCD-v1", max_steps=25)
    settings = {"epochs": 4, "learning_rate": 0.01}
    free, held = (trained("IPPO", game, iterations=1, target_kl=kl, **settings) for kl in (None, 1e-6))
    assert held.optimisers["actor"].steps.flatten().tolist() == [2.0] * 3
    assert free.optimisers["actor"].steps.flatten().tolist() == [8.0] * 3


def test_continuing_objective_and_team_reward_run():
    game = coopgym.game("GraduatedSanction-v1", max_steps=20)
    made = trained("MAPPO", game, iterations=2, objective="continuing", team_reward=True, rollout_steps=15)
    assert made.alive.all()
    rollout = made.play()
    assert rollout.final is not None


def test_a_continuing_critic_of_own_features_sees_what_was_before_the_restart():
    made = trained("IPPO", coopgym.game("SLCD-v1", max_steps=20), iterations=2, objective="continuing", lanes=3)
    assert made.alive.all()
    rollout = made.play()
    before = made.games.features(rollout.final)  # [R, N, H, E, F]
    torch.testing.assert_close(before[:, :, :19], rollout.features[:, :, 1:20])
    assert (before[:, :, 19] != rollout.features[:, :, 20]).any()
