"""The PettingZoo environments: agents, spaces, infos, turns, and refusals that change nothing."""

from __future__ import annotations

import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from pettingzoo.test import state_test
from pettingzoo.utils.conversions import aec_to_parallel, parallel_to_aec

import coopgym
from coopgym import seeding


def half(env):
    return {agent: np.array([0.5 * env.action_space(agent).high[0]], np.float32) for agent in env.possible_agents}


def test_agents_and_spaces():
    env = coopgym.make_parallel("AppleAppStore-v1", observability="minimal")
    assert env.possible_agents == ["apple_0", "major_1", "indie_2"]
    assert env.agents == []
    observations, infos = env.reset(seed=1)
    assert env.agents == env.possible_agents == list(observations) == list(infos)
    for agent, limit in zip(env.possible_agents, (100.0, 80.0, 60.0), strict=True):
        assert env.action_space(agent) is env.action_space(agent)
        assert env.observation_space(agent) is env.observation_space(agent)
        assert env.action_space(agent).shape == (1,)
        assert env.action_space(agent).high[0] == limit
        assert env.observation_space(agent).contains(observations[agent])
        assert observations[agent].shape == (4,)


@pytest.mark.parametrize(("setting", "size"), [("full", 5 * 5 + 4 * 5), ("asymmetric", 5 * 5), ("minimal", 6)])
def test_observability(setting, size):
    extras = 0 if setting == "minimal" else 5  # public scores of all five sellers
    env = coopgym.make_parallel("ReputationMarket-v1", observability=setting)
    assert env.reset()[0]["seller_3"].shape == (size + extras,)


def test_default_observability_follows_the_version():
    assert coopgym.make_parallel("SLCD-v1").observability == "asymmetric"
    assert coopgym.make_parallel("SLCD-v0").observability == "full"
    with pytest.raises(ValueError, match="observability='ful' is not known; did you mean 'full'"):
        coopgym.make_parallel("SLCD-v1", observability="ful")


def test_a_step_by_hand():
    env = coopgym.make_parallel("SLCD-v1", reward_mode="integrated", trust_signal="raw")
    env.reset()
    observations, rewards, terminated, truncated, infos = env.step({"sony_1": [90.0], "samsung_0": 40.0})
    # Part E of the specification, first step of SLCD
    assert rewards == {"samsung_0": pytest.approx(231.092443), "sony_1": pytest.approx(251.687630)}
    info = infos["samsung_0"]
    assert set(info) == {"step", "own_action", "own_trust_mean", "cooperation_rate", "payoff", "reward"}
    assert (info["step"], info["own_action"], info["cooperation_rate"]) == (1, 40.0, 0.4)
    assert info["payoff"] == pytest.approx(155.721441)
    assert info["reward"] == rewards["samsung_0"]
    assert info["own_trust_mean"] == pytest.approx((1 + observations["samsung_0"][3]) / 2)
    assert set(terminated.values()) == set(truncated.values()) == {False}
    assert observations["sony_1"][:2].tolist() == [90.0, 40.0]


def test_state_is_the_joint_observation():
    parallel, aec = coopgym.make_parallel("GiftExchange-v1"), coopgym.make_aec("GiftExchange-v1")
    with pytest.raises(ResetNeeded, match="before reset"):
        parallel.state()
    parallel.reset()
    assert parallel.state_space.contains(parallel.state())
    assert parallel.state().shape == (2 + 12 + 1 + 2,)
    state_test(aec, parallel)


@pytest.mark.parametrize(
    ("actions", "message"),
    [
        ({"employer_0": 3.0}, r"lack \['worker_1'\]"),
        ({"employer_0": 3.0, "worker_1": 1.0, "idler_2": 0.0}, r"name unknown \['idler_2'\]"),
        ({"employer_0": 3.0, "worker_1": np.nan}, "action of worker_1 is nan"),
        ({"employer_0": [3.0, 4.0], "worker_1": 1.0}, r"action of employer_0 is \[3.0, 4.0\]; give one number"),
        ({"employer_0": "all", "worker_1": 1.0}, "action of employer_0 is 'all'"),
        ({}, "lack"),
        ([1.0, 2.0], "give a dict"),
    ],
)
def test_bad_actions_change_nothing(actions, message):
    env = coopgym.make_parallel("GiftExchange-v1")
    env.reset()
    env.step(half(env))
    before = env.state()
    with pytest.raises(ValueError, match=message):
        env.step(actions)
    np.testing.assert_array_equal(env.state(), before)
    assert env.step(half(env))[4]["worker_1"]["step"] == 2


def test_everybody_leaves_together():
    env = coopgym.make_parallel("PublicGoods-v1", max_cycles=2)
    with pytest.raises(ResetNeeded, match="before reset"):
        env.step(half(env))
    env.reset()
    env.step(half(env))
    result = env.step(half(env))
    assert env.agents == []
    assert all(list(part) == env.possible_agents for part in result)
    assert set(result[3].values()) == {True}
    before = env.state()
    with pytest.raises(ResetNeeded, match="after the end"):
        env.step(half(env))
    np.testing.assert_array_equal(env.state(), before)


def test_unknown_agents_are_refused():
    env = coopgym.make_parallel("PublicGoods-v1")
    with pytest.raises(ValueError, match="did you mean 'citizen_0'"):
        env.action_space("citzen_0")
    with pytest.raises(ValueError, match="agent='x' is not known"):
        env.observation_space("x")


def test_agents_answer_in_turn():
    env, parallel = coopgym.make_aec("AppleAppStore-v1"), coopgym.make_parallel("AppleAppStore-v1")
    env.reset(seed=0)
    expected = parallel.reset(seed=0)[0]
    order = []
    for step, agent in enumerate(env.agent_iter(6)):
        seen, reward, *_ = env.last()
        order.append(agent)
        np.testing.assert_array_equal(seen, expected[agent])
        env.step(half(parallel)[agent])
        assert (reward == 0.0) == (step < 3)
        if step % 3 == 2:
            expected, rewards, *_, infos = parallel.step(half(parallel))
            assert env.rewards == rewards
            assert env.infos == infos
        else:
            assert set(env.rewards.values()) == {0.0}, "nothing is paid before all have answered"
    assert order == parallel.possible_agents * 2


def test_turns_are_refused_outside_an_episode():
    env = coopgym.make_aec("GiftExchange-v1", max_steps=1)
    for call in (lambda: env.step(1.0), lambda: env.observe("worker_1"), env.state):
        with pytest.raises(ResetNeeded, match="reset"):
            call()
    with pytest.raises(AttributeError, match="agent_selection cannot be had before reset"):
        env.last()
    env.reset()
    with pytest.raises(ValueError, match="action of employer_0 is inf"):
        env.step(np.inf)
    assert env.agent_selection == "employer_0"
    env.step(10.0), env.step(10.0)
    with pytest.raises(ValueError, match="only valid action is None"):
        env.step(10.0)
    env.step(None), env.step(None)
    assert env.agents == []
    with pytest.raises(ResetNeeded, match="outside an episode"):
        env.step(None)


def test_a_seed_repeats_the_episode_and_no_seed_goes_on():
    env = coopgym.make_parallel("SynergySearch-v1", observability="full", reveal_gamma_in_obs=True)
    seen = [float(env.reset(seed=seed)[0]["partner_0"][-1]) for seed in (5, None, 5, 6)]
    rng = seeding.generator(5, "game")
    assert seen[:2] == [np.float32(0.2 + 0.7 * rng.random()) for _ in range(2)]
    assert seen[2] == seen[0] != seen[3]


def test_conversions_of_pettingzoo_fit():
    game = coopgym.game("AppleAppStore-v1", max_steps=4)
    environments = [
        coopgym.make_parallel(game), aec_to_parallel(coopgym.make_aec(game)),
        aec_to_parallel(parallel_to_aec(coopgym.make_parallel(game))),
    ]  # fmt: skip
    first, *others = ([env.reset(seed=1)[0], *(env.step(half(env)) for _ in range(4))] for env in environments)
    for other in others:
        np.testing.assert_equal(other, first)
    assert all(env.agents == [] for env in environments)


def test_observations_are_the_users():
    env, twin = coopgym.make_aec("TeamProduction-v1"), coopgym.make_aec("TeamProduction-v1")
    env.reset(), twin.reset()
    for _ in range(8):
        np.testing.assert_array_equal(env.last()[0], twin.last()[0])
        env.last()[0][:] = -1.0
        env.step(20.0), twin.step(20.0)
