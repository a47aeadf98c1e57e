"""Recurrent models of other libraries: their state is carried and begun anew, or they are refused when they are loaded.

The stub has the interface of sb3-contrib's RecurrentPPO: ``predict(observation, state, episode_start, deterministic)``.
It counts, for each row, the steps of the episode, which no row says: in the first two it gives everything.
"""

from __future__ import annotations

import numpy as np
import pytest

import coopgym

stable = pytest.importorskip("stable_baselines3")
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.policies import BasePolicy
from stable_baselines3.common.vec_env import VecMonitor

from coopgym import sb3
from coopgym.algorithms.policy import SchedulePolicy

GOODS, STEPS = "PublicGoods-v1", 6


class Counter(BasePolicy):
    """Everything in the first two steps of each row's episode, then nothing."""

    def _predict(self, observation, deterministic=False):
        raise NotImplementedError

    def predict(self, observation, state=None, episode_start=None, deterministic=False):
        played = np.zeros(len(observation)) if state is None else state[0]
        played = np.where(episode_start, 0.0, played)
        actions = np.where(played < 2, self.action_space.high[0], self.action_space.low[0])
        return actions[:, None].astype(np.float32), (played + 1.0,)


def model_of(env):
    """A model of Stable-Baselines3 whose networks are replaced by the counter."""
    model = stable.PPO("MlpPolicy", env, n_steps=8, batch_size=8, device="cpu", policy_kwargs={"net_arch": [4]})
    model.policy = Counter(env.observation_space, env.action_space)
    return model


def scheduled(game):
    rates = np.zeros((game.horizon, game.n))
    rates[:2] = 1.0
    return SchedulePolicy(game, rates)


@pytest.fixture(scope="module")
def shared():
    """(a recurrent model of all agents, its game)."""
    env = sb3.shared_env(GOODS, 2, max_steps=STEPS)
    return model_of(env), env.game


def test_evaluations_agree_with_the_library_and_with_the_schedule(shared):
    model, game = shared
    theirs, _ = evaluate_policy(model, VecMonitor(model.get_env()), n_eval_episodes=20, return_episode_rewards=True)
    player = sb3.from_sb3(model, game)
    assert player.remembers
    expected = coopgym.evaluate(scheduled(game), game, episodes=1)
    assert expected.rates.mean() == pytest.approx(2 / STEPS)
    for _ in range(3):
        found = coopgym.evaluate(player, game, episodes=1)
        np.testing.assert_allclose(found.payoffs, expected.payoffs, rtol=1e-6)
        np.testing.assert_allclose(found.rewards["private"][0].mean(), np.mean(theirs), rtol=1e-5)


def test_audits_best_replies_and_seats_carry_the_state(shared):
    model, game = shared
    player, known = sb3.from_sb3(model, game), scheduled(game)
    measures = ["outcome", "cooperation", "deviations", "impulses", "partners"]
    found, expected = (coopgym.audit(each, game, measures=measures) for each in (player, known))
    for name, values in expected.values.items():
        np.testing.assert_allclose(found.values[name], values, rtol=1e-4, atol=1e-4, err_msg=name)
    gains = [coopgym.exploitability(each, game, "private").gain for each in (player, known)]
    np.testing.assert_allclose(*gains, rtol=1e-4)
    env = coopgym.make_seat(game, 0, model)
    for _ in range(2):
        env.reset(seed=0)
        given = [env.step([0.0])[-1]["actions"][1] for _ in range(4)]
        np.testing.assert_allclose(given, [game.endowment[1]] * 2 + [0.0] * 2)


def test_a_seat_among_partners_and_a_batch_of_seats():
    env = sb3.seat_env(GOODS, 3, agent=1, partners=0.5, max_steps=STEPS)
    model = model_of(env)
    player = sb3.from_sb3(model, env.game, agent=1, partners=0.5)
    for _ in range(2):
        played = coopgym.evaluate(player, env.game, episodes=1)
        assert played.rates[0] == pytest.approx([0.5, 2 / STEPS, *[0.5] * (env.game.n - 2)])
    batch = sb3.seat_env(env.game, 2, agent=0, partners=sb3.from_sb3(model, env.game))
    batch.reset()
    given = []
    for _ in range(2 * STEPS):
        batch.step(np.zeros((2, 1)))
        given.append(batch.outcome.last.actions[:, 1] / env.game.endowment[1])
    np.testing.assert_allclose(given, np.tile([[1.0, 1.0]] * 2 + [[0.0, 0.0]] * (STEPS - 2), (2, 1)))


def test_another_number_of_rows_within_an_episode_is_refused(shared):
    model, game = shared
    player = sb3.from_sb3(model, game)
    seen = np.stack(list(coopgym.make_parallel(game).reset()[0].values()))
    player.act(seen)
    with pytest.raises(ValueError, match=r"call reset\(\) first"):
        player.act(np.stack([seen] * 2))
    player.reset()
    assert player.act(np.stack([seen] * 2)).shape == (2, game.n)


def test_a_model_without_a_state_remembers_nothing():
    env = sb3.shared_env(GOODS, 1, max_steps=STEPS)
    model = stable.PPO("MlpPolicy", env, n_steps=8, batch_size=8, device="cpu", policy_kwargs={"net_arch": [4]})
    assert not sb3.from_sb3(model).remembers


def test_a_recurrent_actor_of_torchrl_is_refused_on_loading():
    pytest.importorskip("torchrl")
    import torch
    from tensordict.nn import TensorDictModule, TensorDictSequential
    from torchrl.modules import GRUModule

    import coopgym.torchrl as ours

    env = ours.GamesEnv(GOODS, 2, max_steps=STEPS)
    (group,) = env.group_map
    size = env.observation_spec[group, "observation"].shape[-1]
    gru = GRUModule(size, 8, in_keys=[(group, "observation"), "state"], out_keys=["hidden", ("next", "state")])
    actor = TensorDictSequential(
        gru, TensorDictModule(torch.nn.Linear(8, 1), in_keys=["hidden"], out_keys=[(group, "action")])
    )
    with pytest.raises(ValueError, match=r"also reads .*state"):
        ours.from_torchrl(actor, env)
