"""IA2C, independent advantage actor-critic: Mnih et al. 2016 (ICML, arXiv 1602.01783) in its synchronous form."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from coopgym.algorithms import distributions as gaussian
from coopgym.algorithms.advantage import standardised
from coopgym.algorithms.onpolicy import ActorCritic, ActorCriticSettings, Batch
from coopgym.algorithms.registry import register

ENOUGH = 256  # samples of an agent from which on a batch's own spread may set the size of its advantages


@dataclass(frozen=True)
class IA2CSettings(ActorCriticSettings):
    """Hyperparameters of IA2C: many lanes, short rollouts, one step on each."""

    lanes: int = 32
    rollout_steps: int | None = 8
    initial_log_std: float = -0.5  # of z: about a quarter of the endowment
    correlation: float = 0.5  # 0.9, as PPO has, ended RecoveryRace early
    popart_rate: float = 0.03  # ten times as many iterations as PPO has


@register(
    "IA2C",
    kind="learner",
    paradigm="independent",
    paper="Mnih et al. 2016, arXiv 1602.01783",
    settings=IA2CSettings,
)
class IA2C(ActorCritic):
    """Every agent i follows the gradient of E[A_i log pi_i(z | o_i)] + c H(pi_i) once, on what it has just played.

    A_i comes from its own reward and its own V_i(o_i), which bootstraps where a rollout stops inside an episode. There
    is no ratio: data are used once, by the policy that made them.
    """

    def iterate(self, progress: float) -> dict[str, Tensor]:
        """Play H steps in all lanes and take one step; see Learner."""
        rollout = self.play(progress)
        metrics = self.descend_once(self.estimate(rollout), progress)
        return {**self._watch(rollout), **metrics}

    def first_targets(self, rewards: Tensor, alive: Tensor, ended: Tensor, worth: Tensor) -> Tensor:
        """Rewards of single steps: returns of a piece of an episode would lack what comes after it."""
        return rewards

    def weights(self, advantages: Tensor) -> Tensor:
        """Standardised where the batch is large enough to say how; otherwise in scaled rewards."""
        return standardised(advantages) if advantages[0, 0].numel() >= ENOUGH else advantages

    def loss(self, leaves: dict[str, Tensor], batch: Batch, entropy_weight: float) -> tuple[Tensor, dict[str, Tensor]]:
        """-A log pi - c H, and the critics' error."""
        theta = self.actors(leaves["actor"])
        mean = self.actor(theta, batch.features).squeeze(-1)
        log_std = gaussian.bounded_log_std(self.actor.free_parameters(theta))
        policy_loss = -(batch.advantages * gaussian.log_density(batch.z, mean, log_std)).mean(-1)
        entropy = gaussian.entropy(mean, log_std).mean(-1)
        value_loss = self.value_loss(leaves, batch)
        loss = (policy_loss + value_loss - entropy_weight * entropy).sum()
        metrics = {"policy_loss": policy_loss, "value_loss": value_loss, "entropy": entropy}
        return loss, {name: x.detach() for name, x in metrics.items()}
