"""IA2C and IndependentREINFORCE: independence of replicas, units, ends, gradients, and a known equilibrium."""

import math
from dataclasses import dataclass, replace

import pytest
import torch
from claims import CLAIMS

import coopgym
from coopgym.algorithms.independent_reinforce import episode_returns, first_episodes, less_baseline
from coopgym.algorithms.learner import Problem
from coopgym.algorithms.registry import algorithm
from coopgym.algorithms.rollout import persistent
from coopgym.envs.reward import RewardMode
from coopgym.mechanisms.base import Mechanism

MODES = ("private", "integrated", "cooperative")
LEARNERS = ("IA2C", "IndependentREINFORCE")


@dataclass(frozen=True, eq=False)
class Unit(Mechanism):
    """Payoffs in another currency."""

    factor: float = 1.0

    def payoffs(self, state, actions, payoffs):
        return self.factor * payoffs


def learner(name, game, modes=MODES, seeds=(0, 1, 2), **settings):
    found = algorithm(name, "learner")
    problem = Problem(
        game, tuple(RewardMode.of(m) for m in modes), tuple(seeds), game.default_observability, torch.device("cpu")
    )
    return found.build(problem, found.settings(**{"lanes": 4, "hidden": (16,), "learning_rate": 5e-4, **settings}))


def trained(name, game, modes=MODES, seeds=(0, 1, 2), iterations=20, **settings):
    made = learner(name, game, modes, seeds, **settings)
    for i in range(iterations):
        made.iterate(i / iterations)
    return made


@pytest.mark.parametrize("name", LEARNERS)
@pytest.mark.parametrize("id", ["TrustDilemma-v1", "SynergySearch-v1"])
def test_a_replica_does_not_depend_on_its_companions_nor_on_their_order(name, id):
    game = coopgym.game(id, max_steps=12)
    together = trained(name, game)
    assert together.updates == 20
    for r in range(3):
        alone = trained(name, game, MODES[r : r + 1], (r,))
        for key, theta in alone.parameters.items():
            assert torch.equal(together.parameters[key][r : r + 1], theta)
    turned = trained(name, game, MODES[::-1], (2, 1, 0))
    for key, theta in turned.parameters.items():
        assert torch.equal(together.parameters[key].flip(0), theta)
    again = trained(name, game)
    assert all(torch.equal(again.parameters[key], theta) for key, theta in together.parameters.items())


@pytest.mark.parametrize("name", LEARNERS)
def test_learning_does_not_feel_the_unit_of_payoffs(name):
    game = coopgym.game("TrustDilemma-v1", max_steps=20)
    thetas = []
    for factor in (1.0, 1e3, 1e6):
        scaled = replace(game, mechanisms=(*game.mechanisms, Unit(factor)))
        thetas.append(trained(name, scaled, ("private",), (3,), lanes=16).parameters["actor"])
    for theta in thetas[1:]:
        torch.testing.assert_close(theta, thetas[0], atol=1e-3, rtol=0.0)


@pytest.mark.parametrize("name", LEARNERS)
def test_forty_agents_stay_finite(name):
    made = trained(name, coopgym.game("ApacheProject-v0", max_steps=10), ("integrated",), (0,), iterations=2)
    assert made.alive.all() and made.diverged_at.tolist() == [-1]
    assert all(torch.isfinite(theta).all() for theta in made.parameters.values())


@pytest.mark.parametrize("name", LEARNERS)
def test_one_step_slcd_ends_at_the_nash_equilibrium(name):
    CLAIMS[f"{name}: Nash"].holds()


def test_reinforce_finds_a_corner():
    CLAIMS["IndependentREINFORCE: TeamProduction-v1"].holds()


def test_ia2c_approaches_the_best_constant():
    CLAIMS["IA2C: TrustDilemma-v1"].holds()


# --- ends of episodes ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("poison", [1e6, math.inf, math.nan])
def test_returns_of_reinforce_never_cross_the_end_of_an_episode(poison):
    rewards = torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0]).reshape(1, 1, 5, 1)
    ended = torch.tensor([0, 0, 1, 0, 0], dtype=torch.bool).reshape(1, 1, 5, 1)
    clean = episode_returns(rewards, ended, 0.5)
    assert clean.flatten().tolist() == [1.0 + 1.0 + 0.75, 2.0 + 1.5, 3.0, 4.0 + 2.5, 5.0]
    rewards[0, 0, 3:] = poison
    torch.testing.assert_close(episode_returns(rewards, ended, 0.5)[:, :, :3], clean[:, :, :3])


@pytest.mark.parametrize("poison", [1e6, math.inf, math.nan])
def test_an_update_of_reinforce_does_not_see_what_follows_an_early_end(poison):
    made = learner("IndependentREINFORCE", coopgym.game("TrustDilemma-v1", max_steps=6), ("private",), (0,))
    rollout = made.play()
    ended = torch.zeros_like(rollout.terminated)
    ended[0, 0, 2, 1] = True  # lane 1 ends after three steps, and another episode begins there
    rollout = rollout._replace(terminated=ended)
    first = first_episodes(ended | rollout.truncated)
    assert first[0, 0].sum(0).tolist() == [6, 3, 6, 6]
    returns = episode_returns(rollout.rewards, ended | rollout.truncated, 0.97)
    spoilt = rollout.rewards.clone()
    spoilt[0, :, 3:, 1] = poison
    other = episode_returns(spoilt, ended | rollout.truncated, 0.97)
    torch.testing.assert_close(less_baseline(other, first), less_baseline(returns, first))
    assert (less_baseline(other, first)[0, :, 3:, 1] == 0.0).all()


def test_the_baseline_is_the_mean_over_the_lanes_still_playing_at_that_time():
    returns = torch.tensor([[4.0, 8.0, 6.0], [1.0, 5.0, 100.0]]).reshape(1, 1, 2, 3)
    first = torch.tensor([[1, 1, 1], [1, 1, 0]], dtype=torch.bool).reshape(1, 1, 2, 3)
    assert less_baseline(returns, first).tolist() == [[[[-2.0, 2.0, 0.0], [-2.0, 2.0, 0.0]]]]


def test_every_update_of_reinforce_sees_whole_episodes_from_their_start():
    made = learner("IndependentREINFORCE", coopgym.game("SLCD-v1", max_steps=7), ("private",), (0,))
    made.games.rollout(lambda features, t: (torch.full(features.shape[:-1], 0.4),), 3)  # leaves lanes in the middle
    made.games.restart()
    rollout = made.play()
    assert rollout.times[0, 0, :, 0].tolist() == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 0.0]
    assert rollout.truncated[0, 0, :, 0].tolist() == [False] * 6 + [True]


def test_ia2c_bootstraps_where_a_rollout_stops_and_not_where_an_episode_ends():
    game = coopgym.game("SLCD-v1", max_steps=8)
    made = learner("IA2C", game, ("private",), (0,), rollout_steps=4, trace=1.0)
    stops, ends = made.play(), made.play()
    assert not stops.truncated.any() and ends.truncated[0, 0, -1].all()
    made.estimate(stops)
    made.critic.layers(made.parameters["critic"])[-1][0].add_(0.1)
    made.reward_scale.update = made.popart.update = lambda *_: None  # the same critic and units for all four
    kept = []
    for rollout in (stops, ends):
        last = rollout.features.clone()
        last[:, :, -1] += 1.0  # only what follows the rollout is seen differently
        pair = [made.estimate(rollout._replace(features=x)).advantages for x in (rollout.features, last)]
        kept.append((pair[0] - pair[1]).abs().max().item())
    assert kept[0] > 1e-4 and kept[1] == 0.0


# --- the gradient is that of the paper ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LEARNERS)
def test_the_gradient_is_the_weighted_score(name):
    """With one sample, d(-A log N(z; m, s))/dm = -A (z - m) / s^2 reaches the bias of the head, and nothing else."""
    made = learner(name, coopgym.game("SLCD-v1", max_steps=5), ("private",), (0,))
    batch = made.estimate(made.play())
    batch = type(batch)(*(x.clone() for x in batch))
    theta = made.parameters["actor"].detach().clone().requires_grad_()
    leaves = {**made.parameters, "actor": theta}
    loss, _ = made.loss(leaves, batch, 0.0)
    (gradient,) = torch.autograd.grad(loss, theta)
    mean = made.actor(theta.detach(), batch.features).squeeze(-1)
    std = torch.exp(made.actor.free_parameters(theta.detach()))
    expected = -(batch.advantages * (batch.z - mean) / std**2).mean(-1)
    torch.testing.assert_close(made.actor.layers(gradient)[-1][1].reshape(1, 2), expected, atol=1e-5, rtol=1e-4)
    spread = -(batch.advantages * (((batch.z - mean) / std).square() - 1.0)).mean(-1)
    torch.testing.assert_close(made.actor.free_parameters(gradient).squeeze(-1), spread, atol=1e-5, rtol=1e-4)


# --- exploration ---


@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.9])
def test_noise_that_lasts_has_the_spread_and_the_memory_it_is_asked_for(correlation):
    fresh = torch.randn((2, 2, 40, 5000), generator=torch.Generator().manual_seed(0))
    noise = persistent(fresh, correlation)
    torch.testing.assert_close(noise.std(-1), torch.ones(2, 2, 40), atol=0.04, rtol=0.0)
    neighbours = (noise[:, :, 1:] * noise[:, :, :-1]).mean((-1, -2))
    torch.testing.assert_close(neighbours, torch.full((2, 2), correlation), atol=0.02, rtol=0.0)
    assert torch.equal(noise, fresh) == (correlation == 0.0)


def test_noise_forgets_as_the_budget_is_spent():
    game = coopgym.game("SLCD-v1", max_steps=50)
    lasting = []
    for progress in (0.0, 0.5, 1.0):
        made = learner("IA2C", game, ("private",), (0,), rollout_steps=50, lanes=4000, correlation=0.9)
        noise = made.draw_noise(4000, progress)
        lasting.append((noise[:, :, 1:] * noise[:, :, :-1]).mean().item())
    assert lasting == pytest.approx([0.9, 0.45, 0.0], abs=0.03)


# --- settings -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "bad", "message"),
    [
        ("IndependentREINFORCE", {"lanes": 1}, "lanes"),
        ("IndependentREINFORCE", {"objective": "continuing"}, "objective"),
        ("IA2C", {"learning_rate": -1.0}, "learning_rate"),
        ("IA2C", {"rollout_steps": 0}, "rollout_steps"),
        ("IA2C", {"trace": 1.5}, "trace"),
        ("IA2C", {"correlation": 1.0}, "correlation"),
        ("IA2C", {"share": "all"}, "share"),
    ],
)
def test_bad_settings_are_refused(name, bad, message):
    with pytest.raises(ValueError, match=message):
        algorithm(name, "learner").settings(**bad)
