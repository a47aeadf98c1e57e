"""The joint Gymnasium environment: what it tells, what it refuses, where its random numbers come from."""

from __future__ import annotations

import copy
import pickle

import gymnasium
import numpy as np
import pytest
from gymnasium.error import ResetNeeded

import coopgym
from coopgym import seeding
from coopgym.envs.joint import JointEnv

V0 = pytest.mark.filterwarnings(
    "ignore:.*is out of date:DeprecationWarning"
)  # Gymnasium's word on any -v0 beside a -v1


def test_a_step_by_hand():
    env = gymnasium.make("coopgym/SLCD-v1", reward_mode="integrated", trust_signal="raw")
    env.reset(seed=0)
    seen, reward, terminated, truncated, info = env.step(np.array([40.0, 90.0], dtype=np.float32))
    # Part E of the specification, first step of SLCD: 231.092443 and 251.687630
    np.testing.assert_allclose(info["rewards"], [231.092443, 251.687630], rtol=1e-7)
    assert info["payoffs"][0] == pytest.approx(155.721441, rel=1e-8)
    assert isinstance(reward, float)
    assert reward == pytest.approx(231.092443 + 251.687630, rel=1e-7)
    assert (terminated, truncated) == (False, False)
    assert seen.dtype == np.float32
    assert seen[:2].tolist() == [40.0, 90.0]
    assert info["step"] == 1
    assert info["cooperation_rate"] == pytest.approx(0.65)
    assert {type(v) for v in info.values()} <= {np.ndarray, int, float, bool, str}


def test_reset_tells_what_a_state_can_tell():
    env = JointEnv("RenaultNissan-v1", phase="crisis")
    seen, info = env.reset(seed=1)
    assert info["step"] == 0
    assert info["trust"].tolist() == [[1.0, 0.3], [0.3, 1.0]]
    assert info["reputation"].tolist() == [[0.0, 0.45], [0.45, 0.0]]
    assert (info["mean_trust"], info["phase"], info["period"]) == (pytest.approx(0.3), "crisis", "2018-2020")
    assert seen[:2].tolist() == [27.0, 30.0]


def test_spaces():
    env = JointEnv("GiftExchange-v1")
    assert env.action_space.high.tolist() == [100.0, 80.0]
    assert JointEnv("GiftExchange-v0").action_space.high.tolist() == [100.0, 100.0]
    assert np.isfinite(env.observation_space.low).all()
    assert np.isfinite(env.observation_space.high).all()


def test_actions_out_of_range_are_clipped():
    one, two = JointEnv("GiftExchange-v1"), JointEnv("GiftExchange-v1")
    one.reset(), two.reset()
    seen, _, _, _, info = one.step([250.0, -3.0])
    assert info["actions"].tolist() == [100.0, 0.0]
    np.testing.assert_array_equal(seen, two.step([100.0, 0.0])[0])


@pytest.mark.parametrize(
    ("actions", "message"),
    [
        ([50.0, np.nan], r"action of worker_1 is nan; give a finite number in \[0, 80\]"),
        ([-np.inf, 1.0], "action of employer_0 is -inf"),
        ([1.0], r"shape \(1,\); give \(2,\).*employer_0, worker_1"),
        ([[1.0, 2.0]], r"shape \(1, 2\)"),
        (3.0, r"shape \(\)"),
        ("plenty", "not numbers"),
        (None, "shape|not numbers"),
    ],
)
def test_bad_actions_change_nothing(actions, message):
    env = JointEnv("GiftExchange-v1")
    env.reset(seed=0)
    env.step([60.0, 40.0])
    state = env._episode.state
    with pytest.raises(ValueError, match=message):
        env.step(actions)
    assert env._episode.state is state
    assert env.step([60.0, 40.0])[4]["step"] == 2


def test_the_largest_actions_are_clipped():
    env = JointEnv("TrustDilemma-v1")
    env.reset()
    assert env.step([1.7e308, 1.7e308])[4]["actions"].tolist() == [100.0, 100.0]


def test_steps_outside_an_episode_are_refused():
    env = JointEnv("TrustDilemma-v1", max_steps=1)
    with pytest.raises(ResetNeeded, match="before reset"):
        env.step([1.0, 1.0])
    env.reset()
    assert env.step([50.0, 50.0])[3] is True
    state = env._episode.state
    with pytest.raises(ResetNeeded, match="after the end"):
        env.step([50.0, 50.0])
    assert env._episode.state is state


def test_unknown_things_are_refused():
    with pytest.raises(ValueError, match="did you mean 'integrated'"):
        JointEnv("TrustDilemma-v1", reward_mode="integrate")
    with pytest.raises(ValueError, match="did you mean 'TrustDilemma-v1'"):
        JointEnv("TrustDilema-v1")
    with pytest.raises(TypeError, match="no option 'max_step'; did you mean 'max_steps'"):
        gymnasium.make("coopgym/TrustDilemma-v1", max_step=3)
    with pytest.raises(ValueError, match="render_mode='human' is not known"):
        JointEnv("TrustDilemma-v1", render_mode="human")
    with pytest.raises(TypeError, match="come too late"):
        JointEnv(coopgym.game("TrustDilemma-v1"), max_steps=3)
    JointEnv("TrustDilemma-v1").reset(options={"unheard": 1})


def test_a_torch_game_is_refused():
    pytest.importorskip("torch")
    with pytest.raises(ValueError, match="backend='torch'"):
        JointEnv(coopgym.game("TrustDilemma-v1").to("torch"))


def test_the_hidden_parameter_is_the_first_draw_of_the_seed():
    env = JointEnv("SynergySearch-v1", reveal_gamma_in_obs=True)
    gammas = []
    for seed in (5, 6, None, 5, None):
        seen, _ = env.reset(seed=seed)
        gammas.append(float(seen[-1]))
    rng = seeding.generator(5, "game")
    assert gammas[0] == np.float32(0.2 + 0.7 * rng.random())
    assert gammas[4] == np.float32(0.2 + 0.7 * rng.random())  # without a seed the generator goes on
    assert gammas[3] == gammas[0] != gammas[1] != gammas[2]


def test_noise_comes_from_the_seed_and_never_touches_the_state():
    def play(seed, visibility):
        env = JointEnv("ReputationMarket-v1", reputation_visibility=visibility)
        env.reset(seed=seed)
        steps = [env.step(0.9 * env.game.endowment) for _ in range(5)]
        return np.array([s[0] for s in steps]), np.array([s[4]["public_reputations"] for s in steps])

    (one, truth), (again, _), (other, same_truth), (clear, _) = play(1, 0.7), play(1, 0.7), play(2, 0.7), play(1, 1.0)
    np.testing.assert_array_equal(one, again)
    assert (one[:, -5:] != other[:, -5:]).any()
    np.testing.assert_array_equal(truth, same_truth)
    np.testing.assert_allclose(clear[:, -5:], truth, rtol=1e-6)
    noise = seeding.generator(1, "game").standard_normal((5, 5))
    np.testing.assert_allclose(one[:, -5:], np.clip(truth + 0.3 * noise, 0, 1), rtol=1e-5, atol=1e-7)


def test_reputation_carried_over_is_dropped_on_request():
    env = JointEnv("DynamicPartnerSelection-v1", persist_reputation=True)
    start = env.reset(seed=0)[0][-6:]
    for _ in range(5):
        env.step(env.game.endowment)
    assert (env.reset()[0][-6:] > start).all()
    np.testing.assert_array_equal(env.reset(options={"reset_reputation": True})[0][-6:], start)


def test_what_is_handed_out_is_the_users():
    env, twin = JointEnv("LoyaltyTeam-v1"), JointEnv("LoyaltyTeam-v1")
    twin.reset()
    for item in (env.reset()[0], *env._episode.state_info().values()):
        if isinstance(item, np.ndarray):
            item[...] = -7.0
    for _ in range(3):
        seen, _, _, _, info = env.step([30.0] * 4)
        expected = twin.step([30.0] * 4)
        np.testing.assert_array_equal(seen, expected[0])
        for item in (seen, *info.values()):
            if isinstance(item, np.ndarray):
                item[...] = 0


@pytest.mark.parametrize("clone", [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))])
def test_a_copy_goes_on_by_itself(clone):
    env = JointEnv("ReputationMarket-v1", reputation_visibility=0.7)
    env.reset(seed=2)
    twin = clone(env)
    for _ in range(3):
        np.testing.assert_array_equal(env.step([80.0] * 5)[0], twin.step([80.0] * 5)[0])


def test_a_game_object_and_an_id_are_the_same():
    game = coopgym.game("ApacheProject-v1", phase="emergence")
    one, two = JointEnv(game), JointEnv("ApacheProject-v1", phase="emergence")
    np.testing.assert_array_equal(one.reset(seed=1)[0], two.reset(seed=1)[0])
    assert one.game is game
