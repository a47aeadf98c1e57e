"""MAPPO with TorchRL's own parts, on 32 games at once that never leave the device.

    python examples/torchrl_mappo.py

Four agents work in a team whose wage is shared; half of everything earns each of them 1,320 in ten steps, all of it
2,050. Needs coopgym[torchrl].
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from tensordict.nn import TensorDictModule
from tensordict.nn.distributions import NormalParamExtractor
from torch import nn
from torchrl.envs.utils import ExplorationType, set_exploration_type
from torchrl.modules import MultiAgentMLP, ProbabilisticActor, TanhNormal
from torchrl.objectives import ClipPPOLoss, ValueEstimators

import coopgym
from coopgym.torchrl import GamesEnv, from_torchrl

SEEN, MOVE, VALUE = ("agents", "observation"), ("agents", "action"), ("agents", "state_value")
REWARD_SCALE, EPOCHS = 0.01, 8


def networks(env: GamesEnv) -> tuple[ProbabilisticActor, TensorDictModule]:
    """An actor that sees what one agent sees, and a critic that sees what all see."""
    shape = {"n_agents": env.game.n, "n_agent_inputs": env.observation_spec[SEEN].shape[-1], "share_params": True}
    shape |= {"depth": 2, "num_cells": 32, "activation_class": nn.Tanh}
    head = nn.Sequential(MultiAgentMLP(n_agent_outputs=2, centralised=False, **shape), NormalParamExtractor())
    parameters = [("agents", "loc"), ("agents", "scale")]
    actor = ProbabilisticActor(
        TensorDictModule(head, [SEEN], parameters), spec=env.action_spec, in_keys=parameters, out_keys=[MOVE],
        distribution_class=TanhNormal, return_log_prob=True, log_prob_key=("agents", "log_prob"),
    )  # fmt: skip
    critic = MultiAgentMLP(n_agent_outputs=1, centralised=True, **shape)
    return actor, TensorDictModule(critic, [SEEN], [VALUE])


def earned(env: GamesEnv, actor: ProbabilisticActor) -> float:
    """What an agent earns in an episode without exploration, in the mean."""
    with torch.no_grad(), set_exploration_type(ExplorationType.DETERMINISTIC):
        return float(env.rollout(env.game.horizon, actor)["next", "agents", "reward"].sum(1).mean())


def train(rounds: int = 40, report: Callable[[str], None] = print) -> tuple[ProbabilisticActor, GamesEnv, float, float]:
    """(the actor, its environment, what an agent earned before and after)."""
    torch.manual_seed(0)
    env = GamesEnv("TeamProduction-v1", 32, max_steps=10, reward_mode="cooperative")
    actor, critic = networks(env)
    loss = ClipPPOLoss(
        actor, critic, entropy_coeff=1e-3, normalize_advantage=True, normalize_advantage_exclude_dims=[-2]
    )  # fmt: skip
    loss.set_keys(
        reward=("agents", "reward"), action=MOVE, sample_log_prob=("agents", "log_prob"), value=VALUE,
        done=("agents", "done"), terminated=("agents", "terminated"),
    )  # fmt: skip
    loss.make_value_estimator(ValueEstimators.GAE, gamma=0.9, lmbda=0.9)
    optimiser = torch.optim.Adam(loss.parameters(), lr=3e-3)
    before = earned(env, actor)
    for round in range(rounds):
        batch = played(env, actor, loss).reshape(-1)
        for _ in range(EPOCHS):
            told = loss(batch)
            optimiser.zero_grad()
            sum(value for name, value in told.items() if name.startswith("loss_")).backward()
            optimiser.step()
        if round % 10 == 9:
            report(f"round {round + 1}: an agent earns {earned(env, actor):,.0f} in an episode")
    return actor, env, before, earned(env, actor)


@torch.no_grad()
def played(env: GamesEnv, actor: ProbabilisticActor, loss: ClipPPOLoss) -> object:
    """An episode of every game, with advantages."""
    with set_exploration_type(ExplorationType.RANDOM):
        batch = env.rollout(env.game.horizon, actor)
    reward = batch["next", "agents", "reward"]
    batch["next", "agents", "reward"] = reward * REWARD_SCALE
    for name in ("done", "terminated"):  # agents of a game end together
        batch["next", "agents", name] = batch["next", name][..., None, :].expand_as(reward)
    loss.value_estimator(
        batch, params=loss.critic_network_params, target_params=loss.target_critic_network_params
    )  # fmt: skip
    return batch


def main() -> None:
    """Train, and play the actor as any other policy of coopgym."""
    torch.set_num_threads(1)
    actor, env, before, after = train()
    print(f"an agent earned {before:,.0f} at first and earns {after:,.0f} now")
    print(coopgym.evaluate(from_torchrl(actor, env), env.game, episodes=1).summary())


if __name__ == "__main__":
    main()
