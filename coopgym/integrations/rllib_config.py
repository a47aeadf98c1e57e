"""Configurations of RLlib's PPO and SAC for a game, and what its results tell of payoffs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from ray.rllib.algorithms.algorithm_config import AlgorithmConfig
from ray.rllib.algorithms.ppo import PPOConfig
from ray.rllib.algorithms.sac import SACConfig
from ray.rllib.callbacks.callbacks import RLlibCallback
from ray.rllib.core.rl_module.default_model_config import DefaultModelConfig
from ray.rllib.policy.policy import PolicySpec

from coopgym.envs.catalogue import game as make_game
from coopgym.envs.game import Game
from coopgym.envs.registration import NAMESPACE
from coopgym.envs.reward import RewardMode
from coopgym.envs.symmetry import roles
from coopgym.integrations.rllib_env import GameEnv, register_all
from coopgym.mechanisms import checks

PER = ("agent", "role")


def ppo_config(
    game: str | Game, *, policies: str = "agent", hidden: Sequence[int] = (64, 64), **config: Any
) -> PPOConfig:
    """RLlib's PPOConfig for a game, complete: ``.build_algo().train()``, or change it as any other.

    policies: one for each "agent", or one for each "role", that is, for all agents that the game does not tell apart.
    RLlib scales no rewards, so the environment does: reward_scale=None brings them to the order of 1, and a number is
    taken as it is. config: the rest of the environment's, see ``GameEnv``: reward_mode, observability, scaled, options
    of the game.
    The learner is in this process, and so are the games until ``.env_runners(num_env_runners=2)``.
    """
    made = _config(PPOConfig(), game, policies, config)
    model = DefaultModelConfig(fcnet_hiddens=list(hidden), fcnet_activation="tanh", vf_share_layers=False)
    return made.rl_module(model_config=model).training(
        train_batch_size_per_learner=1000, minibatch_size=250, num_epochs=4, lr=3e-3, gamma=0.9, grad_clip=1.0,
        vf_clip_param=float("inf"),
    )  # fmt: skip


def sac_config(
    game: str | Game, *, policies: str = "agent", hidden: Sequence[int] = (64, 64), **config: Any
) -> SACConfig:
    """RLlib's SACConfig for a game; arguments as for ``ppo_config``."""
    made = _config(SACConfig(), game, policies, config)
    model = DefaultModelConfig(fcnet_hiddens=list(hidden), fcnet_activation="relu")
    return made.rl_module(model_config=model).training(
        replay_buffer_config={"type": "MultiAgentEpisodeReplayBuffer", "capacity": 50_000},
        actor_lr=3e-3, critic_lr=3e-3, alpha_lr=3e-3, initial_alpha=0.1, gamma=0.9, tau=0.02,
        train_batch_size_per_learner=64, num_steps_sampled_before_learning_starts=200,
    )  # fmt: skip


def policy_names(game: Game, policies: str) -> dict[str, str]:
    """The name of each agent's policy."""
    if checks.choice("policies", policies, PER) == "agent":
        return {agent: agent for agent in game.agents}
    return {agent: f"role_{role}" for agent, role in zip(game.agents, roles(game), strict=True)}


def usual_scale(game: Game, mode: str | RewardMode) -> float:
    """The number that makes 1 of an agent's mean reward where all give half of what they have at the start."""
    weights = RewardMode.of(mode).weights
    rewards = game.stage_rewards(weights, game.reset(), 0.5 * game.endowment)
    return 1.0 / max(float(np.abs(rewards).mean()), 1e-9)


class PolicyOf:
    """RLlib's ``policy_mapping_fn`` for a dict from agents to names of policies."""

    def __init__(self, names: dict[str, str]) -> None:
        self.names = names

    def __call__(self, agent_id: str, episode: Any = None, **kwargs: Any) -> str:
        """The name of the agent's policy."""
        return self.names[agent_id]


class GameMetrics(RLlibCallback):  # type: ignore[misc]
    """Means over episodes in ``result["env_runners"]["coopgym"]``: welfare, and payoff, cooperation, trust by agent."""

    def on_episode_end(self, *, episode: Any, metrics_logger: Any = None, **kwargs: Any) -> None:
        """Log what the last infos of a game say of its episode."""
        for agent, info in episode.get_infos(-1).items():
            told = dict(info.get("episode", {}))
            welfare = told.pop("welfare", None)
            for name, value in told.items():
                metrics_logger.log_value((NAMESPACE, agent, name), value, window=100)
        if welfare is not None:
            metrics_logger.log_value((NAMESPACE, "welfare"), welfare, window=100)


def _config(config: AlgorithmConfig, game: str | Game, policies: str, given: dict[str, Any]) -> AlgorithmConfig:
    """What both share; a game's wrong options are refused here, and not by a worker."""
    env = GameEnv({"game": game, **given, "reward_scale": 1.0})
    if given.get("reward_scale") is None:
        given = given | {"reward_scale": usual_scale(env.game, given.get("reward_mode", "private"))}
    names = policy_names(env.game, policies)
    if isinstance(game, Game):
        config = config.environment(GameEnv, env_config={"game": game, **given})
    else:
        register_all()  # again: a Ray that was started since does not know what the one before it was told
        config = config.environment(f"{NAMESPACE}/{make_game(game).id}", env_config=given)
    return (
        config.framework("torch")
        .env_runners(num_env_runners=0, num_envs_per_env_runner=8)
        .learners(num_learners=0)
        .multi_agent(policies={name: PolicySpec() for name in names.values()}, policy_mapping_fn=PolicyOf(names))
        .callbacks(GameMetrics)
        .debugging(log_level="ERROR")
    )
