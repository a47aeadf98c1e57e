"""MAPPO, multi-agent proximal policy optimisation: Yu et al. 2022 (NeurIPS, arXiv 2103.01955)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from coopgym.algorithms.features import CROWD, Encoder
from coopgym.algorithms.networks import Network
from coopgym.algorithms.ppo import PPO, PPOSettings
from coopgym.algorithms.registry import register
from coopgym.envs import observation
from coopgym.mechanisms.base import State


@dataclass(frozen=True)
class MAPPOSettings(PPOSettings):
    """Hyperparameters of MAPPO."""

    epochs: int = 10  # five, as its paper recommends for hard tasks, left ReputationMarket 5 % short
    # on SLCD-v0, whose trust hangs on single actions, noise that lasts ended 1 % lower
    initial_log_std: float = -1.0
    correlation: float = 0.0


@register(
    "MAPPO",
    kind="learner",
    paradigm="centralised_critic",
    paper="Yu et al. 2022, arXiv 2103.01955",
    settings=MAPPOSettings,
)
class MAPPO(PPO):
    """Decentralised actors pi_i(. | o_i) as in IPPO, and critics V_i(s) that see the central state while training.

    The games are general-sum, so there is one value for each agent, fitted to the targets of its own reward. Up to 8
    agents the state is the joint observation; above, V_i sees the agent's own features beside the mean over agents of a
    learned embedding of theirs, which does not depend on their order.
    """

    @property
    def central(self) -> bool:  # type: ignore[override]
        """The joint observation needs the states."""
        return self.problem.game.n <= CROWD

    def make_critic(self) -> dict[str, Tensor]:
        """V_i(s), and above 8 agents the embedding that all agents of a replica share."""
        s, game, own = self.settings, self.problem.game, self.games.encoder.size
        if self.central:
            self.state_encoder = Encoder.of(game, "joint", self.problem.device)
            self.critic = Network(self.state_encoder.size, 1, s.hidden, s.activation)
            return {"critic": self.critic.initial(game.n, self.generators)}
        width = s.hidden[-1] if s.hidden else own
        self.embedding = Network(own, width, s.hidden[:1], s.activation)
        self.critic = Network(own + width, 1, s.hidden, s.activation)
        return {
            "critic": self.critic.initial(game.n, self.generators),
            "embedding": self.embedding.initial(1, self.generators),
        }

    def critic_inputs(self, features: Tensor, states: State | None, rates: Tensor | None = None) -> Tensor:
        """The central state for every agent, or (many agents) the features of all."""
        if states is None or not self.central:
            return features
        state = self.state_encoder(observation.observe(self.games.game, states, "joint"))
        return state.movedim(-2, 1).expand(-1, self.problem.game.n, *state.shape[1:-2], -1)

    def values(self, parameters: dict[str, Tensor], inputs: Tensor) -> Tensor:
        """Normalised values ``[R, N, B]``."""
        if not self.central:
            embedded = self.embedding(parameters["embedding"], inputs.flatten(1, 2).unsqueeze(1))
            mean = embedded.reshape(*inputs.shape[:3], -1).mean(1, keepdim=True)
            inputs = torch.cat([inputs, mean.expand(-1, inputs.shape[1], -1, -1)], dim=-1)
        return super().values(parameters, inputs)
