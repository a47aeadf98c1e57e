"""RLlib trains for real: one game of each class, one of them in two workers, and its evaluation beside ours."""

from __future__ import annotations

import numpy as np
import pytest

import coopgym

pytest.importorskip("ray")
import torch

import coopgym.rllib as ours
from coopgym.study.ablation import run_ablation
from coopgym.study.replay import evaluate_run

# Ray, gymnasium under RLlib and torch under both warn about one another
pytestmark = [pytest.mark.xdist_group("ray"), pytest.mark.filterwarnings("default")]
STEPS, THREE = 10, {"n_agents": 3}


def theirs(algorithm):
    """What each agent earns in an episode of RLlib's own env runner, without exploration."""
    (episode,) = algorithm.env_runner.sample(num_episodes=1, explore=False)
    scale = algorithm.config.env_config["reward_scale"]
    return {agent: episode.agent_episodes[agent].get_return() / scale for agent in episode.agent_ids}


def agree(algorithm, game, mode):
    """Our evaluation of the algorithm beside theirs; what an agent earns in the mean."""
    played = coopgym.evaluate(ours.from_rllib(algorithm, game), game, episodes=1)
    told = theirs(algorithm)
    np.testing.assert_allclose(played.rewards[mode][0], [told[agent] for agent in game.agents], rtol=1e-5)
    return float(played.rewards[mode][0].mean())


@pytest.mark.parametrize(
    ("id", "options"),
    [("SLCD-v1", {}), ("RecoveryRace-v1", {}), ("TeamProduction-v1", THREE), ("PublicGoods-v1", THREE)],
)
def test_ppo_improves_and_evaluations_agree(cluster, id, options, tmp_path, recwarn):
    options, mode = {"max_steps": STEPS} | options, "cooperative"
    game = coopgym.game(id, **options)
    config = ours.ppo_config(id, reward_mode=mode, hidden=(32, 32), **options).debugging(seed=0)
    config.training(gamma=0.5, num_epochs=8)
    workers = 2 if id == "TeamProduction-v1" else 0  # processes of Ray: each takes seconds to start
    config.env_runners(num_env_runners=workers, num_envs_per_env_runner=5, create_env_on_local_worker=True)
    algorithm = config.training(train_batch_size_per_learner=800, minibatch_size=200).build_algo()
    try:
        before = agree(algorithm, game, mode)
        for _ in range(2):
            result = algorithm.train()["env_runners"]
        after = agree(algorithm, game, mode)
        assert after > before
        scale = algorithm.config.env_config["reward_scale"]
        assert result["coopgym"]["welfare"] == pytest.approx(result["episode_return_mean"] / scale, rel=0.2)
        assert set(result["coopgym"][game.agents[0]]) == {"payoff", "cooperation", "trust"}
        if id == "TeamProduction-v1":
            saved = coopgym.policy.from_rllib(algorithm.save_to_path(str(tmp_path)), game, trust=True)
            assert coopgym.evaluate(saved, game, episodes=1).rewards[mode][0].mean() == pytest.approx(after)
            seat = coopgym.make_seat(game, 0, tmp_path, trust=True)
            seat.reset()
            assert seat.step([1.0])[-1]["actions"][1] > 0.0
    finally:
        algorithm.stop()
    assert [w for w in recwarn if "coopgym" in w.filename] == []


def test_sac_trains_roles(cluster):
    game = coopgym.game("PublicGoods-v1", max_steps=STEPS, **THREE)
    config = ours.sac_config(game, policies="role", reward_mode="cooperative", hidden=(32, 32)).debugging(seed=0)
    algorithm = config.env_runners(num_envs_per_env_runner=4).build_algo()
    try:
        for _ in range(3):
            algorithm.train()
        agree(algorithm, game, "cooperative")
    finally:
        algorithm.stop()


def test_an_ablation_trained_by_rllib(cluster, tmp_path):
    """The same table and records as from our own trainer; a second run finds everything there."""

    def ablate():
        return run_ablation(
            "PublicGoods-v1", ["PPO", "TitForTat"], trainer="rllib", reward_modes=["cooperative"], seeds=[3],
            steps=1500, out=tmp_path, max_steps=STEPS, hidden=[16], policies="role", **THREE,
        )  # fmt: skip

    found = ablate()
    assert found.failures == []
    assert [(line.algorithm, line.runs) for line in found.lines] == [("RLlib_PPO", 1), ("TitForTat", 1)]
    run = found.runs[0]
    assert (run["env_steps"], run["seed"], run["reward_mode"]) == (2000, 3, "cooperative")
    assert {row["metric"] for row in found.curves} == {"welfare_eval"}
    played = {row["algorithm"]: row["welfare"] for row in evaluate_run(tmp_path, episodes=1)}
    assert played["RLlib_PPO"] == pytest.approx(run["welfare"])  # from the saved file: a recipe and tensors
    assert ablate().skipped == 2


@pytest.mark.parametrize("id", ["SLCD-v1", "TrustDilemma-v1"])
def test_the_state_of_an_lstm_is_carried_and_begun_anew(cluster, id):
    game = coopgym.game(id, max_steps=STEPS)
    config = ours.ppo_config(id, reward_mode="private", max_steps=STEPS).debugging(seed=1)
    config.rl_module(model_config={"use_lstm": True, "lstm_cell_size": 16, "max_seq_len": STEPS, "fcnet_hiddens": [16]})
    algorithm = config.env_runners(num_env_runners=0).build_algo()
    try:
        for module in dict(algorithm.env_runner.module.items()).values():  # untrained networks hardly answer
            with torch.no_grad():
                for parameter in module.parameters():
                    parameter.mul_(4.0)
        player = ours.from_rllib(algorithm, game)
        assert player.remembers
        for _ in range(2):
            player = player.clone()
            agree_with(player, algorithm, game)
        played = coopgym.evaluate(player, game, episodes=1).payoffs
        player.reset = lambda: None  # what would be found without a new beginning
        assert not np.allclose(coopgym.evaluate(player, game, episodes=1).payoffs, played, rtol=1e-6)
    finally:
        algorithm.stop()


def agree_with(player, algorithm, game):
    played, told = coopgym.evaluate(player, game, episodes=1), theirs(algorithm)
    np.testing.assert_allclose(played.rewards["private"][0], [told[agent] for agent in game.agents], rtol=1e-5)
