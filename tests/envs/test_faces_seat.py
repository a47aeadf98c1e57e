"""One agent's seat: its own reward and view, and every way of naming who plays the others."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env

import coopgym
from coopgym.envs.joint import JointEnv


class Echo:
    """Everybody repeats its last action; counts the episodes."""

    observability = "minimal"

    def __init__(self):
        self.episodes = 0

    def reset(self):
        self.episodes += 1

    def act(self, observations):
        assert observations.shape[-1] == observations.shape[-2] + 1
        return observations[..., 0]


@pytest.mark.parametrize("agent", [1, "major_1"])
def test_the_seat_earns_its_own_reward(agent):
    env = coopgym.make_seat("AppleAppStore-v1", agent, partners=0.5, reward_mode="integrated")
    joint = JointEnv("AppleAppStore-v1", reward_mode="integrated")
    env.reset(seed=0), joint.reset(seed=0)
    assert env.action_space.high.tolist() == [80.0]
    for own in (10.0, 70.0, 999.0):
        seen, reward, _, _, info = env.step([own])
        expected = joint.step([50.0, own, 30.0])[4]
        assert reward == expected["rewards"][1]
        np.testing.assert_array_equal(info["payoffs"], expected["payoffs"])
        assert seen[0] == min(own, 80.0)
        assert env.observation_space.contains(seen)


@pytest.mark.parametrize(
    ("partners", "others"),
    [
        (0.25, [25.0, 15.0]), (1, [100.0, 60.0]), ({"apple_0": 0.1, 2: 0.2}, [10.0, 12.0]),
        (lambda seen: [11.0, 22.0, 33.0], [11.0, 33.0]), (Echo(), [30.0, 18.0]),
        ({0: Echo(), "indie_2": lambda seen: np.full(3, 7.0)}, [30.0, 7.0]),
    ],
)  # fmt: skip
def test_partners(partners, others):
    env = coopgym.make_seat("AppleAppStore-v1", 1, partners)
    env.reset(seed=0)
    assert env.step([40.0])[4]["actions"].tolist() == [others[0], 40.0, others[1]]


def test_a_function_sees_everybodys_observations():
    seen = []
    env = coopgym.make_seat("SLCD-v1", 0, lambda rows: seen.append(rows) or [1.0, 2.0], observability="minimal")
    observation, _ = env.reset(seed=0)
    env.step([3.0])
    rows = coopgym.make_parallel("SLCD-v1").reset(seed=0)[0]
    np.testing.assert_array_equal(seen[0], np.stack(list(rows.values())))
    assert observation.shape == (3,)


def test_partners_are_told_of_a_new_episode():
    partner = Echo()
    env = coopgym.make_seat("SLCD-v1", 0, partner)
    env.reset(seed=0), env.reset()
    assert partner.episodes == 2


@pytest.mark.parametrize(
    ("agent", "partners", "message"),
    [
        ("aple_0", 0.5, "did you mean 'apple_0'"), (3, 0.5, "agent=3 is out of range"),
        (0, 1.5, "rate=1.5 is out of range"), (0, None, "partner None is not known"), (0, True, "partner True"),
        (0, {"major_1": 0.5}, r"lacks \['indie_2'\]"), (0, {0: 0.5, 1: 0.5, 2: 0.5}, "whose seat this is"),
        (0, {"x": 0.5}, "agent='x' is not known"),
    ],
)  # fmt: skip
def test_unknown_agents_and_partners_are_refused(agent, partners, message):
    with pytest.raises(ValueError, match=message):
        coopgym.make_seat("AppleAppStore-v1", agent, partners)


def test_bad_moves_change_nothing():
    asked = []
    env = coopgym.make_seat("SLCD-v1", 0, lambda rows: asked.append(1) or [1.0, 2.0], max_steps=1)
    with pytest.raises(ResetNeeded):
        env.step([1.0])
    env.reset()
    for action, message in ((np.nan, "action of samsung_0 is nan"), ([1.0, 2.0], "give one number")):
        with pytest.raises(ValueError, match=message):
            env.step(action)
    assert asked == []
    assert env.step(5.0)[3] is True
    with pytest.raises(ResetNeeded):
        env.step(5.0)
    with pytest.raises(ValueError, match=r"gave shape \(1,\); it must give \(2,\)"):
        lonely = coopgym.make_seat("SLCD-v1", 0, lambda rows: [1.0])
        lonely.reset(), lonely.step(5.0)


@pytest.mark.filterwarnings("ignore:.*we recommend using a symmetric and normalized space:UserWarning")
@pytest.mark.filterwarnings("ignore:.*Not able to test alternative render modes:UserWarning")
def test_gymnasium_accepts_it():
    for agent in range(3):
        env = coopgym.make_seat("AppleAppStore-v1", agent, 0.4)
        assert isinstance(env, gymnasium.Env)
        check_env(env)


def test_partners_by_name_repeat_with_the_seed():
    pytest.importorskip("torch")

    def play(name):
        env = coopgym.make_seat("GiftExchange-v1", 1, name)
        result = []
        for _ in range(2):
            env.reset(seed=4)
            result.append([env.step([20.0])[4]["actions"][0] for _ in range(4)])
        return result

    one, again = play("Random")
    assert one == again
    assert len(set(one)) == 4
    # half of the endowment first, then the worker's rate of 20 / 80
    assert play("TitForTat")[0] == [50.0, 25.0, 25.0, 25.0]
    with pytest.raises(ValueError, match="TitForTat"):
        coopgym.make_seat("GiftExchange-v1", 1, "TitForTa")
