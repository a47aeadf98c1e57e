"""The vector environments for Stable-Baselines3: game by game what the single environments do, and infos that it can
use."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest

import coopgym
from coopgym.envs.joint import JointEnv

pytest.importorskip("stable_baselines3")
from stable_baselines3.common.env_checker import check_env
from stable_baselines3.common.vec_env import VecMonitor

from coopgym import sb3

GAMES = [
    ("TrustDilemma-v1", {"max_steps": 7}), ("SynergySearch-v1", {"reveal_gamma_in_obs": True, "max_steps": 4}),
    ("ReputationMarket-v1", {"reputation_visibility": 0.7, "max_steps": 5}), ("AppleAppStore-v0", {"max_steps": 4}),
]  # fmt: skip
SHORT = {"max_steps": 5}


def numbers(env, steps=18, seed=0):
    shape = (steps, env.num_envs, *env.action_space.shape)
    return np.random.default_rng(seed).uniform(-1.2, 1.2, shape).astype(np.float32)


def episodes(env, row, actions, low, high):
    """(what is seen, rewards, end, what was last seen) of a single environment that restarts itself, step by step."""
    seen, _ = env.reset(seed=3 + row)
    for x in actions:
        chosen = low + (np.asarray(x, dtype=np.float64) + 1.0) / 2.0 * (high - low)
        last, reward, terminated, truncated, _ = env.step(chosen)
        seen = env.reset()[0] if terminated or truncated else last
        yield seen, reward, terminated, truncated, last


def scaled(x, low, high):
    span = np.where(high > low, high - low, 2.0)
    return np.where(high > low, 2.0 * (x - low) / span - 1.0, 0.0)


def agree(env, single, rows, space):
    """Rows of ``env`` after ``seed(3)`` against ``single(row)``, which yields what the lone game of that row does."""
    env.seed(3)
    first = env.reset()
    assert first.dtype == np.float32 and first.shape == (env.num_envs, *env.observation_space.shape)
    moves = numbers(env)
    alone = [single(row, moves[:, row]) for row in rows]
    for x in moves:
        seen, rewards, dones, infos = env.step(x)
        assert rewards.dtype == np.float32 and dones.dtype == bool and len({id(info) for info in infos}) == len(infos)
        for row, one in zip(rows, alone, strict=True):
            now, reward, terminated, truncated, last = next(one)
            np.testing.assert_allclose(seen[row], scaled(now, *space(row)), atol=2e-6)
            np.testing.assert_allclose(rewards[row], reward, rtol=1e-6, atol=1e-6)
            assert dones[row] == (terminated or truncated)
            assert set(infos[row]) == ({"terminal_observation", "TimeLimit.truncated"} if dones[row] else set())
            if dones[row]:
                assert infos[row]["TimeLimit.truncated"] is (truncated and not terminated)
                np.testing.assert_allclose(infos[row]["terminal_observation"], scaled(last, *space(row)), atol=2e-6)


@pytest.mark.parametrize(("id", "options"), GAMES)
def test_the_joint_controller(id, options):
    one = JointEnv(id, reward_mode="integrated", **options)

    def single(row, actions):
        env = JointEnv(id, reward_mode="integrated", **options)
        yield from episodes(env, row, actions, one.action_space.low, one.action_space.high)

    bounds = one.observation_space.low, one.observation_space.high
    agree(sb3.joint_env(id, 3, reward_mode="integrated", **options), single, range(3), lambda row: bounds)


@pytest.mark.parametrize("id", ["GiftExchange-v1", "AppleAppStore-v1", "RecoveryRace-v1"])
def test_a_seat(id):
    agent, options = 1, {"reward_mode": "integrated", "max_steps": 6}
    one = coopgym.make_seat(id, agent, "TitForTat", **options)

    def single(row, actions):
        env = coopgym.make_seat(id, agent, "TitForTat", **options)
        yield from episodes(env, row, actions, one.action_space.low, one.action_space.high)

    bounds = one.observation_space.low, one.observation_space.high
    agree(sb3.seat_env(id, 3, agent=agent, **options), single, range(3), lambda row: bounds)


@pytest.mark.parametrize("setting", ["full", "asymmetric", "minimal"])
def test_parameters_shared_by_all_agents(setting):
    id, games = "AppleAppStore-v1", 2
    options = {"observability": setting, "reward_mode": "integrated", "max_steps": 4}
    env, one = sb3.shared_env(id, games, **options), coopgym.make_parallel(id, **options)
    agents, space = one.possible_agents, one.observation_spaces
    env.seed(3)
    first, alone = env.reset(), [coopgym.make_parallel(id, **options) for _ in range(games)]
    for game, lone in enumerate(alone):
        lone.reset(seed=3 + game)
    assert first.shape[0] == env.num_envs == games * 3
    for x in numbers(env, 9):
        seen, rewards, dones, infos = env.step(x)
        for game, lone in enumerate(alone):
            rows = dict(zip(agents, range(3 * game, 3 * game + 3), strict=True))
            actions = {a: lone.action_space(a).high * (x[row] + 1.0) / 2.0 for a, row in rows.items()}
            last, earned, _, truncated, _ = lone.step(actions)
            now = last if lone.agents else lone.reset()[0]
            for agent, row in rows.items():
                low, high = space[agent].low, space[agent].high
                np.testing.assert_allclose(seen[row], scaled(now[agent], low, high), atol=2e-6)
                np.testing.assert_allclose(rewards[row], earned[agent], rtol=1e-6)
                assert dones[row] == truncated[agent]
                if dones[row]:
                    ending = scaled(last[agent], low, high)
                    np.testing.assert_allclose(infos[row]["terminal_observation"], ending, atol=2e-6)


def test_a_rule_that_ends_a_game_is_no_time_limit():
    env = sb3.joint_env("TrustDilemma-v1", 2)
    env.seed(0)
    env.reset()
    ended = []
    while not ended:  # nobody gives anything, so trust is lost long before the horizon
        _, _, dones, infos = env.step(-np.ones((2, 2)))
        ended = [info for info, done in zip(infos, dones, strict=True) if done]
    assert [info["TimeLimit.truncated"] for info in ended] == [False, False]
    assert env.outcome.terminated.all() and env.outcome.payoffs.shape == (2, 2)


@pytest.mark.parametrize("id", coopgym.list_games() + coopgym.list_games(version="v0"))
def test_every_game_stays_inside_its_spaces(id):
    for env in (sb3.joint_env(id, 2, **SHORT), sb3.shared_env(id, 2, **SHORT), sb3.seat_env(id, 2, agent=1, **SHORT)):
        assert env.observation_space.contains(env.reset()[0])
        for x in numbers(env, 7):
            seen, rewards, _, _ = env.step(x)
            assert np.isfinite(rewards).all()
            assert all(map(env.observation_space.contains, seen))


def test_units_of_the_game_on_request():
    env = sb3.shared_env("AppleAppStore-v1", 2, scaled=False)
    assert env.action_space.high.tolist() == [100.0]
    assert env.observation_space.contains(env.reset()[0])
    env.step(np.array([[10.0], [20.0], [30.0]] * 2))
    assert env.outcome.last.actions.tolist() == [[10.0, 20.0, 30.0]] * 2


def test_what_stable_baselines_asks_of_a_batch():
    env = sb3.seat_env("GiftExchange-v1", 3, partners=0.5)
    assert env.get_attr("game", [0, 2])[1].id == "GiftExchange-v1"
    assert env.env_is_wrapped(gymnasium.Wrapper) == [False] * 3
    for call in (lambda: env.set_attr("game", 1), lambda: env.env_method("render"), lambda: env.get_attr("nothing")):
        with pytest.raises(AttributeError):
            call()
    watched = VecMonitor(env)
    watched.reset()
    ends = [i for _ in range(env.game.horizon) for i in watched.step(numbers(env, 1)[0])[3] if "episode" in i]
    assert [info["episode"]["l"] for info in ends] == [env.game.horizon] * 3
    env.close()


def test_partners_draw_again_with_the_seed():
    def played(seed):
        env = sb3.seat_env("GiftExchange-v1", 2, agent=1, partners="Random")
        env.seed(seed)
        env.reset()
        return [env.step(np.zeros((2, 1))) and env.outcome.last.actions[:, 0].tolist() for _ in range(3)]

    assert played(1) == played(1) != played(2)
    assert np.unique(played(1)).size == 6
    with pytest.raises(ValueError, match="TitForTat"):
        sb3.seat_env("GiftExchange-v1", 2, partners="TitForTa")


@pytest.mark.parametrize("partner", [0.3, "TitForTat", "Nash", lambda seen: seen[..., 0] * 0.5])
def test_a_batch_seats_the_partners_that_a_single_seat_does(partner):
    game = coopgym.game("GiftExchange-v1", max_steps=3)
    batch, single = sb3.seat_env(game, 2, agent=1, partners=partner), coopgym.make_seat(game, 1, partner)
    batch.reset(), single.reset()
    for _ in range(3):
        batch.step(np.zeros((2, 1)))
        expected = single.step([0.5 * game.endowment[1]])[-1]["actions"]
        np.testing.assert_allclose(batch.outcome.last.actions, [expected] * 2, rtol=1e-6)


@pytest.mark.parametrize("id", coopgym.list_games())
@pytest.mark.filterwarnings("ignore:We recommend you to use a symmetric and normalized Box:UserWarning")
def test_their_own_check_of_single_environments(id):
    check_env(JointEnv(id, **SHORT))
    check_env(coopgym.make_seat(id, 1, 0.5, **SHORT))
