"""IPPO, independent proximal policy optimisation: de Witt et al. 2020 (arXiv 2011.09533)."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from coopgym.algorithms.networks import Network
from coopgym.algorithms.ppo import PPO, PPOSettings
from coopgym.algorithms.registry import register
from coopgym.mechanisms.base import State


@dataclass(frozen=True)
class IPPOSettings(PPOSettings):
    """Hyperparameters of IPPO."""


@register(
    "IPPO",
    kind="learner",
    paradigm="independent",
    paper="de Witt et al. 2020, arXiv 2011.09533; Schulman et al. 2017, arXiv 1707.06347",
    settings=IPPOSettings,
)
class IPPO(PPO):
    """Every agent i learns pi_i(. | o_i) and V_i(o_i) from its own reward; nothing is shared and nothing centralised.

    Maximise E[min(rho A_i, clip(rho, 1 - eps, 1 + eps) A_i)] + c H(pi_i), with the ratio rho of the densities of the
    agent's own z, and fit V_i to its own targets.
    """

    def make_critic(self) -> dict[str, Tensor]:
        """V_i(o_i): one network for each replica and agent, on what the agent sees."""
        s = self.settings
        self.critic = Network(self.games.encoder.size, 1, s.hidden, s.activation, head_gain=0.01)
        return {"critic": self.critic.initial(self.problem.game.n, self.generators)}

    def critic_inputs(self, features: Tensor, states: State | None, rates: Tensor | None = None) -> Tensor:
        """The agent's own features."""
        return features
