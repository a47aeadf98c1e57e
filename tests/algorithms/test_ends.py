"""Episode ends: termination, the time limit under both objectives, and nothing leaking over a restart."""

import math

import pytest
import torch

import coopgym
from coopgym.algorithms.advantage import annuity, continues, generalised_advantage, standardised
from coopgym.algorithms.learner import Problem
from coopgym.envs.reward import RewardMode

DISCOUNT = 0.9
HORIZON = 3


def chain(objective, terminates):
    """Rewards 1, 2, 1, 2, ... on a chain of two states, time limit 3; the true values at times 0 to 2 and after."""
    rewards = [1.0, 2.0, 1.0]
    ends_here = terminates or objective == "finite"
    after = (
        0.0 if ends_here else (2.0 + DISCOUNT) / (1.0 - DISCOUNT**2)
    )  # state 1 follows: 2 + g + 2 g^2 + ... for ever
    values = [after]
    for reward in reversed(rewards):
        values.insert(0, reward + DISCOUNT * values[0])
    return torch.tensor(rewards), torch.tensor(values)


@pytest.mark.parametrize("trace", [0.0, 0.7, 1.0])
@pytest.mark.parametrize(("objective", "terminates"), [("finite", False), ("continuing", False), ("finite", True),
                                                       ("continuing", True)])  # fmt: skip
@pytest.mark.parametrize("poison", [1e6, math.inf, math.nan])
def test_true_values_have_no_advantage_and_nothing_leaks_over_a_restart(objective, terminates, trace, poison):
    rewards, values = chain(objective, terminates)
    ends = torch.tensor([False, False, True])
    no = torch.zeros(3, dtype=torch.bool)
    terminated, truncated = (ends, no) if terminates else (no, ends)
    alive = continues(terminated, truncated, objective)
    following = values[1:].clone()
    if not alive[-1]:
        following[-1] = poison  # what the next episode's first observation would be worth

    def twice(x):  # two episodes in a row, one lane
        return torch.cat([x, x]).reshape(1, 1, 6, 1)

    advantages = generalised_advantage(
        twice(rewards), twice(values[:3]), twice(following), twice(alive), twice(ends), DISCOUNT, trace
    )
    torch.testing.assert_close(advantages, torch.zeros(1, 1, 6, 1), atol=1e-5, rtol=0.0)


def test_advantage_of_one_better_reward_decays_with_the_trace_and_stays_in_its_episode():
    rewards = torch.zeros(1, 1, 6, 1)
    rewards[0, 0, 2], rewards[0, 0, 5] = 1.0, 5.0
    ends = torch.tensor([0, 0, 1, 0, 0, 1], dtype=torch.bool).reshape(1, 1, 6, 1)
    zero = torch.zeros_like(rewards)
    a = generalised_advantage(rewards, zero, zero, ~ends, ends, 0.9, 0.5).flatten()
    torch.testing.assert_close(a, torch.tensor([0.2025, 0.45, 1.0, 1.0125, 2.25, 5.0]))


def test_annuity_counts_what_remains():
    times = torch.tensor([0.0, 1.0, 2.0])
    torch.testing.assert_close(annuity(times, 3, 0.9, "finite"), torch.tensor([2.71, 1.9, 1.0]))
    assert annuity(times, 3, 1.0, "finite").tolist() == [3.0, 2.0, 1.0]
    torch.testing.assert_close(annuity(times, 300, 0.9, "continuing"), torch.full((3,), 10.0))


def test_standardised_per_replica_and_agent():
    x = torch.randn(2, 3, 40, generator=torch.Generator().manual_seed(0)) * torch.tensor([1.0, 50.0]).reshape(2, 1, 1)
    y = standardised(x)
    torch.testing.assert_close(y.mean(-1), torch.zeros(2, 3), atol=1e-6, rtol=0.0)
    torch.testing.assert_close(y.std(-1, correction=0), torch.ones(2, 3))


def games(game, lanes=3):
    problem = Problem(game, (RewardMode("private"),), (0,), "asymmetric", torch.device("cpu"))
    return problem.games(lanes)


def constant_rates(value):
    return lambda features, t: (torch.full(features.shape[:-1], value),)


def test_the_time_limit_truncates_and_the_final_state_is_the_one_before_the_restart():
    g = games(coopgym.game("SLCD-v1", max_steps=4))
    rollout = g.rollout(constant_rates(0.4), 8, states=True, final=True)
    assert rollout.truncated[0, 0, :, 0].tolist() == [False, False, False, True] * 2
    assert not rollout.terminated.any()
    assert rollout.times[0, 0, :, 0].tolist() == [0.0, 1.0, 2.0, 3.0, 0.0, 1.0, 2.0, 3.0, 0.0]
    assert rollout.final.time[0, :, 0].tolist() == [1.0, 2.0, 3.0, 4.0] * 2
    torch.testing.assert_close(rollout.features[:, :, 0], rollout.features[:, :, 4])
    assert rollout.features.shape == (1, 2, 9, 3, g.encoder.size)


def test_a_rule_that_ends_the_game_terminates_its_lane_alone():
    g = games(coopgym.game("TrustDilemma-v1"), lanes=2)

    def one_defects(features, t):
        return (torch.tensor([0.0, 0.6]).expand(features.shape[:-1]),)

    rollout = g.rollout(one_defects, 60, final=True)
    ended = rollout.terminated[0, 0]
    assert ended[:, 0].any() and not ended[:, 1].any() and not rollout.truncated.any()
    first = int(ended[:, 0].nonzero()[0, 0])
    assert rollout.times[0, 0, first + 1, 0] == 0.0 and rollout.final.time[0, first, 0] == first + 1
    assert rollout.times[0, 0, first + 1, 1] == first + 1
