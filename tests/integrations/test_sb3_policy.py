"""Models of Stable-Baselines3: trained on our batches, evaluated alike by them and by us, seated as partners."""

from __future__ import annotations

import numpy as np
import pytest

import coopgym

stable = pytest.importorskip("stable_baselines3")
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.vec_env import VecMonitor, VecNormalize

from coopgym import sb3
from coopgym.algorithms.storage import fingerprint

GOODS, STEPS, AGENT = "PublicGoods-v1", 10, 1


def seat(games=16, **options):
    return sb3.seat_env(GOODS, games, agent=AGENT, partners="TitForTat", max_steps=STEPS, **options)


def theirs(model, env):
    """What Stable-Baselines3 says that a model earns in an episode of an environment."""
    if isinstance(env, VecNormalize):
        env.training = env.norm_reward = False
    earned, _ = evaluate_policy(model, env, n_eval_episodes=env.num_envs, return_episode_rewards=True)
    assert np.ptp(earned) <= 1e-6 * abs(earned[0]) or env.num_envs > 16  # nothing is random in these games
    return np.array(earned)


@pytest.fixture(scope="module")
def sac(tmp_path_factory):
    """(a model trained by SAC in the seat, what it earned before and after, the file that it was saved to)."""
    model = stable.SAC(
        "MlpPolicy", VecNormalize(VecMonitor(seat(4)), norm_obs=False, gamma=0.9), learning_rate=5e-3, gamma=0.9,
        tau=0.02, ent_coef="auto_0.05", buffer_size=10_000, batch_size=64, learning_starts=200, gradient_steps=2,
        seed=0, device="cpu", policy_kwargs={"net_arch": [32, 32]},
    )  # fmt: skip
    before = theirs(model, VecMonitor(seat(1)))[0]
    model.learn(800)
    path = tmp_path_factory.mktemp("models") / "seat.zip"
    model.save(path)
    return model, before, theirs(model, VecMonitor(seat(1)))[0], path


@pytest.fixture(scope="module")
def ppo():
    """(a model of shared parameters trained by PPO, what it earned before and after)."""
    env = sb3.shared_env("TeamProduction-v1", 8, max_steps=STEPS, reward_mode="cooperative")
    model = stable.PPO(
        "MlpPolicy", VecNormalize(VecMonitor(env), gamma=0.9), learning_rate=3e-3, gamma=0.9, n_steps=20,
        batch_size=160, seed=0, device="cpu", policy_kwargs={"net_arch": [32, 32], "log_std_init": -0.7},
    )  # fmt: skip
    before = theirs(model, model.get_env()).mean()
    model.get_env().training = model.get_env().norm_reward = True
    model.learn(20 * env.num_envs * 9)
    return model, before, theirs(model, model.get_env()).mean()


def test_sac_improves_and_both_evaluations_agree(sac):
    model, before, after, _ = sac
    assert after > before + 100.0  # of 1,066 for giving all; half of everything earns 859
    played = coopgym.evaluate(
        sb3.from_sb3(model, agent=AGENT, partners="TitForTat"), GOODS, episodes=1, max_steps=STEPS
    )  # fmt: skip
    np.testing.assert_allclose(played.rewards["private"][0, AGENT], after, rtol=1e-5)


def test_ppo_improves_and_both_evaluations_agree(ppo):
    model, before, after = ppo
    assert after > before + 50.0  # of 2,050 for giving all; half of everything earns 1,320
    policy = sb3.from_sb3(model)  # with the statistics of its VecNormalize
    assert policy.game is model.get_env().get_attr("game")[0]
    played = coopgym.evaluate(policy, policy.game, episodes=1)
    np.testing.assert_allclose(played.rewards["cooperative"][0].mean(), after, rtol=1e-5)


def test_a_joint_controller_is_evaluated_on_what_it_sees():
    env = sb3.joint_env("AppleAppStore-v1", 4, max_steps=STEPS)
    model = stable.PPO("MlpPolicy", env, n_steps=8, batch_size=16, device="cpu", seed=0)
    policy = sb3.from_sb3(model)
    assert policy.observability == "joint"
    earned = theirs(model, VecMonitor(env))[0]
    played = coopgym.evaluate(policy, env.game, episodes=1)
    np.testing.assert_allclose(played.welfare[0], earned, rtol=1e-6)
    for refused in (lambda: coopgym.make_seat(env.game, 0, model), lambda: sb3.from_sb3(model, agent=0, partners=0.5)):
        with pytest.raises(ValueError, match=r"observability='joint'|all seats at once"):
            refused()


def test_a_saved_model_plays_as_it_did(sac):
    model, _, _, path = sac
    game = coopgym.game(GOODS, max_steps=STEPS)
    one, other = coopgym.policy(model, game), coopgym.policy(str(path), game, trust=True)
    seen = np.stack(list(coopgym.make_parallel(game).reset()[0].values()))
    np.testing.assert_allclose(one.act(seen), other.act(seen))
    assert one.act(np.stack([seen] * 3)).shape == (3, game.n)
    assert fingerprint(one)["sha256"] == fingerprint(other)["sha256"]
    np.testing.assert_array_equal(one.act(seen, deterministic=False), other.act(seen, deterministic=False))
    one.reseed(1), other.reseed(2)
    assert (one.act(seen, deterministic=False) != other.act(seen, deterministic=False)).all()
    with pytest.raises(TypeError, match="save it with that library"):
        one.save("anywhere")


def test_models_and_files_are_partners_in_every_kind_of_seat(sac):
    model, _, _, path = sac
    game = coopgym.game(GOODS, max_steps=STEPS)
    expected = sb3.from_sb3(model, game)
    single = [coopgym.make_seat(game, 0, partner, trust=True) for partner in (model, path, str(path), expected)]
    trusted = coopgym.policy(path, game, trust=True)
    batch = sb3.seat_env(game, 2, agent=0, partners=trusted)
    batch.reset()
    for _ in range(3):
        played = [env.step([5.0])[-1]["actions"] for env in single if env.reset() or True]
        np.testing.assert_allclose(played, np.broadcast_to(played[0], np.shape(played)))
    batch.step(np.zeros((2, 1)))
    assert batch.outcome.last.actions[0, 1] == pytest.approx(played[0][1])
    mine = coopgym.train(
        "IPPO", game, agent=0, partners=trusted, seeds=[0], reward_modes="private", total_steps=100, lanes=2
    )
    assert mine.runs[0].rate[1] > 0.0


def test_models_of_something_else_are_refused(sac):
    model, _, _, path = sac
    with pytest.raises(ValueError, match=r"was not trained on .*AppleAppStore"):
        sb3.from_sb3(model, "AppleAppStore-v1")
    with pytest.raises(ValueError, match="give game="):
        sb3.from_sb3(path, trust=True)
    with pytest.raises(ValueError, match="go together"):
        sb3.from_sb3(model, agent=1)


def test_a_model_is_audited_as_any_policy(sac):
    game = coopgym.game(GOODS, max_steps=STEPS)
    audited = coopgym.audit(sac[0], game)
    welfare = coopgym.evaluate(sac[0], game, episodes=1).welfare[0]
    assert audited.values["welfare"][0] == pytest.approx(welfare)
