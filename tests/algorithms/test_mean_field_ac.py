"""MeanFieldAC: its mean, what its critic sees, policies that can be saved, games it refuses, and learning."""

import pytest
import torch
from claims import CLAIMS

import coopgym
from coopgym.algorithms.learner import Problem
from coopgym.algorithms.mean_field_ac import mean_of_others
from coopgym.algorithms.registry import algorithm
from coopgym.envs import observation
from coopgym.envs.reward import RewardMode

MODES = ("private", "integrated", "cooperative")


def trained(modes=MODES, seeds=(0, 1, 2), iterations=3, setting="asymmetric", **settings):
    found = algorithm("MeanFieldAC", "learner")
    game = coopgym.game("AppleAppStore-v1", max_steps=15)
    problem = Problem(game, tuple(RewardMode.of(m) for m in modes), tuple(seeds), setting, torch.device("cpu"))
    made = found.build(problem, found.settings(**{"lanes": 4, "hidden": (16,), "learning_rate": 5e-4, **settings}))
    for i in range(iterations):
        made.iterate(i / iterations)
    return made


def test_a_replica_does_not_depend_on_its_companions_nor_on_their_order():
    together = trained()
    turned = trained(MODES[::-1], (2, 1, 0))
    alone = [trained(MODES[r : r + 1], (r,)) for r in range(3)]
    for key, theta in together.parameters.items():
        torch.testing.assert_close(turned.parameters[key].flip(0), theta, atol=1e-6, rtol=1e-6)
        for r in range(3):
            torch.testing.assert_close(alone[r].parameters[key], theta[r : r + 1], atol=1e-6, rtol=1e-6)


def test_the_mean_leaves_the_agent_itself_out():
    rates = torch.tensor([0.0, 0.6, 0.9]).reshape(1, 3, 1)
    torch.testing.assert_close(mean_of_others(rates).flatten(), torch.tensor([0.75, 0.45, 0.3]))


def test_the_actor_sees_the_last_mean_and_the_critic_the_present_one():
    made = trained(iterations=1)
    rollout = made.play()
    others = 2.0 * mean_of_others(rollout.rates) - 1.0  # [R, N, H, E]
    inputs = made.critic_inputs(rollout.features, None, rollout.rates)
    torch.testing.assert_close(inputs[:, :, :-1, :, -1], others)
    going = slice(1, 15)  # within the first episode
    seen = rollout.features[:, :, going, :, 1]
    torch.testing.assert_close(seen, others[:, :, :14], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("setting", ["asymmetric", "full"])
def test_the_policy_of_plain_observations_plays_as_the_learner_does(setting):
    made = trained(iterations=2, setting=setting)
    theta = made.parameters["actor"]
    theta += 0.3 * torch.randn(theta.shape, generator=torch.Generator().manual_seed(0))
    made.play()
    made.games.step(torch.rand(3, 3, 4, generator=torch.Generator().manual_seed(1)))
    features = made.games.features()
    z = made.actor(theta, features).squeeze(-1)
    expected = (0.5 + 0.525 * torch.tanh(z)).clamp(0.0, 1.0)
    seen = observation.observe(made.games.game, made.games.state, setting)
    actions = made.policy().act(seen) / made.games.endowment
    torch.testing.assert_close(actions.movedim(-1, 1).to(expected.dtype), expected, atol=1e-5, rtol=1e-5)


def test_what_it_cannot_play_is_refused_with_a_reason():
    with pytest.raises(ValueError, match="at least 3"):
        coopgym.train("MeanFieldAC", "SLCD-v1", total_steps=100)
    with pytest.raises(ValueError, match="minimal"):
        trained(setting="minimal")


def test_a_continuing_objective_runs():
    assert trained(iterations=2, objective="continuing", rollout_steps=10).alive.all()


def test_it_approaches_the_best_constant():
    CLAIMS["MeanFieldAC: AppleAppStore-v1"].holds()
