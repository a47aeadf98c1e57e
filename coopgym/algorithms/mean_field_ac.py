"""MeanFieldAC, mean field actor-critic: Yang et al. 2018 (ICML, arXiv 1802.05438)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from coopgym.algorithms import distributions as gaussian
from coopgym.algorithms.features import Encoder, mean_of_others
from coopgym.algorithms.network_policy import NetworkPolicy
from coopgym.algorithms.networks import Network
from coopgym.algorithms.ppo import PPO, PPOSettings
from coopgym.algorithms.registry import register
from coopgym.envs.game import Game
from coopgym.mechanisms.base import State


@dataclass(frozen=True)
class MeanFieldACSettings(PPOSettings):
    """Hyperparameters of MeanFieldAC."""


def too_few(game: Game) -> str | None:
    """Why a game has no mean field, or None."""
    return f"it has {game.n} agents, and a mean over the others needs at least 3" if game.n < 3 else None


@register(
    "MeanFieldAC",
    kind="learner",
    paradigm="mean_field",
    paper="Yang et al. 2018, arXiv 1802.05438",
    settings=MeanFieldACSettings,
    limit=too_few,
)
class MeanFieldAC(PPO):
    """The others are their mean action: actors pi_i(. | o_i, m_i of the last step), critics V_i(o_i, m_i of this one).

    m_i is the mean rate of all agents but i. Actors do not know this step's before they act. Critics may, because it
    does not depend on the agent's own action; after a rollout's last step it is that of the present policies. The steps
    are those of PPO. Parameters are each agent's own: roles differ in half of the games.
    """

    def make_networks(self) -> dict[str, Tensor]:
        """Actors and critics, on features in which the others' last actions have given way to their mean."""
        if self.problem.setting == "minimal":
            raise ValueError(
                "MeanFieldAC needs the others' last actions, which observability='minimal' hides; use 'asymmetric'"
            )
        self.games.encoder = MeanOfOthers.within(self.games.encoder, self.problem.game.n)
        return super().make_networks()

    def make_critic(self) -> dict[str, Tensor]:
        """V_i(o_i, m_i)."""
        s = self.settings
        self.critic = Network(self.games.encoder.size + 1, 1, s.hidden, s.activation, head_gain=0.01)
        return {"critic": self.critic.initial(self.problem.game.n, self.generators)}

    def critic_inputs(self, features: Tensor, states: State | None, rates: Tensor | None = None) -> Tensor:
        """Features, and the mean of the others' rates there: of those played, elsewhere of the policies' means."""
        unknown = features if rates is None else features[:, :, rates.shape[2] :]
        expected = gaussian.squash(self.actor(self.actors(self.parameters["actor"]), unknown).squeeze(-1))
        everybody = expected if rates is None else torch.cat([rates, expected], 2)
        others = mean_of_others(everybody)
        return torch.cat([features, 2.0 * others.unsqueeze(-1) - 1.0], -1)

    def policy(self) -> NetworkPolicy:
        """The present policies as networks of plain observations: a mean is linear, and the first layer takes it in."""
        n, own = self.problem.game.n, self.actor
        plain = Network(own.inputs + n - 2, 1, own.hidden, own.activation, head_gain=own.head_gain, free=1)
        theta = self.actors(self.parameters["actor"])
        first = plain.shapes[0][1]
        weight, rest = theta[..., : own.inputs * first], theta[..., own.inputs * first :]
        rows = weight.reshape(*theta.shape[:2], own.inputs, first)
        each = (rows[..., 1:2, :] / (n - 1)).expand(-1, -1, n - 1, -1)
        rows = torch.cat([rows[..., :1, :], each, rows[..., 2:, :]], -2)
        whole = torch.cat([rows.flatten(-2), rest], -1)
        return NetworkPolicy.of(self.problem.game, self.problem.setting, plain, whole)


@dataclass(frozen=True, eq=False)
class MeanOfOthers(Encoder):
    """An encoder that replaces the others' last rates, which follow the agent's own, by their mean."""

    agents: int = 0

    @classmethod
    def within(cls, encoder: Encoder, agents: int) -> MeanOfOthers:
        """The same features, with ``agents`` rates first."""
        return cls(encoder.index, encoder.scale, encoder.shift, agents)

    @property
    def size(self) -> int:
        """F - N + 2."""
        return self.index.shape[-1] - self.agents + 2

    def __call__(self, observations: Tensor) -> Tensor:
        """Features ``[..., N, F - N + 2]`` of observations ``[..., N, d]``."""
        groups, count = self.index.shape
        flat = observations.flatten(-2)
        picked = flat.index_select(-1, self.index.flatten())
        x = (picked * self.scale.flatten() + self.shift.flatten()).reshape(*flat.shape[:-1], groups, count)
        n = self.agents
        return torch.cat([x[..., :1], x[..., 1:n].mean(-1, keepdim=True), x[..., n:]], -1)
