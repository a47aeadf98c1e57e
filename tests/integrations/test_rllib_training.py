"""RLlib trains for real: one game of each class, two workers, and its evaluation beside ours."""

from __future__ import annotations

import numpy as np
import pytest

import coopgym

pytest.importorskip("ray")
import coopgym.rllib as ours

# Ray, gymnasium under RLlib and torch under both warn about one another
pytestmark = [pytest.mark.xdist_group("ray"), pytest.mark.filterwarnings("default")]
STEPS = 10


def theirs(algorithm):
    """What each agent earns in an episode of RLlib's own env runner, without exploration."""
    runner = algorithm.env_runner
    (episode,) = runner.sample(num_episodes=1, explore=False)
    return {agent: episode.agent_episodes[agent].get_return() for agent in episode.agent_ids}


def agree(algorithm, game, mode):
    """Our evaluation of the algorithm beside theirs; what an agent earns in the mean."""
    played = coopgym.evaluate(ours.from_rllib(algorithm, game), game, episodes=1)
    told = theirs(algorithm)
    np.testing.assert_allclose(played.rewards[mode][0], [told[agent] for agent in game.agents], rtol=1e-5)
    return float(played.rewards[mode][0].mean())


@pytest.mark.parametrize("id", ["SLCD-v1", "RecoveryRace-v1", "TeamProduction-v1", "PublicGoods-v1"])
def test_ppo_with_two_workers_improves_and_evaluations_agree(cluster, id, tmp_path, recwarn):
    game, mode = coopgym.game(id, max_steps=STEPS), "cooperative"
    config = ours.ppo_config(id, reward_mode=mode, max_steps=STEPS, hidden=(32, 32)).debugging(seed=0)
    config.env_runners(num_env_runners=2, num_envs_per_env_runner=5, create_env_on_local_worker=True)
    algorithm = config.training(train_batch_size_per_learner=800, minibatch_size=200).build_algo()
    try:
        before = agree(algorithm, game, mode)
        for _ in range(4):
            result = algorithm.train()["env_runners"]
        after = agree(algorithm, game, mode)
        assert after > before
        assert result["coopgym"]["welfare"] == pytest.approx(result["episode_return_mean"], rel=0.2)
        assert set(result["coopgym"][game.agents[0]]) == {"payoff", "cooperation", "trust"}
        if id == "TeamProduction-v1":
            saved = coopgym.policy(algorithm.save_to_path(str(tmp_path)), game)
            assert coopgym.evaluate(saved, game, episodes=1).rewards[mode][0].mean() == pytest.approx(after)
            seat = coopgym.make_seat(game, 0, tmp_path)
            seat.reset()
            assert seat.step([1.0])[-1]["actions"][1] > 0.0
    finally:
        algorithm.stop()
    assert [w for w in recwarn if "coopgym" in w.filename] == []


def test_sac_trains_roles(cluster):
    game = coopgym.game("PublicGoods-v1", max_steps=STEPS)
    config = ours.sac_config(game, policies="role", reward_mode="cooperative", hidden=(32, 32)).debugging(seed=0)
    algorithm = config.env_runners(num_envs_per_env_runner=4).build_algo()
    try:
        for _ in range(4):
            algorithm.train()
        agree(algorithm, game, "cooperative")
    finally:
        algorithm.stop()
