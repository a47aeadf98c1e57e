"""Proximal policy optimisation (Schulman et al. 2017, arXiv 1707.06347) for many replicas and agents at once.

What IPPO and MAPPO have in common. They differ in one thing, what the critic sees, and say so in their own files.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from coopgym.algorithms import distributions as gaussian
from coopgym.algorithms.learner import MOST_UPDATES, replica_chunks, shuffled
from coopgym.algorithms.onpolicy import ActorCritic, ActorCriticSettings, Batch
from coopgym.mechanisms import checks


@dataclass(frozen=True)
class PPOSettings(ActorCriticSettings):
    """Hyperparameters of the PPO family, per replica."""

    initial_log_std: float = -0.5  # of z: about a quarter of the endowment
    correlation: float = 0.9
    epochs: int = 8
    minibatches: int = 4
    clip: float = 0.2  # of the ratio
    target_kl: float | None = None  # a replica whose policy moved further than 1.5 times this waits for new data

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.whole("epochs", self.epochs, 1, MOST_UPDATES)
        checks.whole("minibatches", self.minibatches, 1, 1_000_000)
        checks.number("clip", self.clip, 0.0, 1e6, open_low=True)
        if self.target_kl is not None:
            checks.number("target_kl", self.target_kl, 0.0, 1e6, open_low=True)


class PPO(ActorCritic):
    """The loop: play, estimate advantages, take a few clipped steps. A subclass may give the critic more to see."""

    settings: PPOSettings

    def iterate(self, progress: float) -> dict[str, Tensor]:
        """Play H steps in all lanes and learn from them; see Learner."""
        rollout = self.play(progress)
        batch = self.estimate(rollout)
        orders = self._orders(batch.z.shape[-1])
        size = -(-batch.z.shape[-1] // self.settings.minibatches)
        losses = []
        for rows in replica_chunks(self.problem.replicas, self.problem.game.n * size, self.problem.device):
            losses.append(self.improve(rows, batch.rows(rows), orders[rows], progress))
        self.updates += self.settings.epochs * self.settings.minibatches
        names = losses[0]
        return {**self._watch(rollout), **{name: torch.cat([x[name] for x in losses]) for name in names}}

    def _orders(self, samples: int) -> Tensor:
        """Random orders ``[R, epochs, samples]``."""
        return shuffled(self.generators, self.settings.epochs, samples)

    def improve(self, rows: slice, batch: Batch, orders: Tensor, progress: float) -> dict[str, Tensor]:
        """Epochs of minibatches on the replicas ``rows``; metrics of the last minibatch, ``[r, N]``."""
        going = torch.ones_like(self.alive[rows])
        metrics: dict[str, Tensor] = {}
        for order in orders.unbind(1):
            for index in order.tensor_split(self.settings.minibatches, dim=-1):
                metrics = self.descend(rows, batch.take(index), going, progress)
            if self.settings.target_kl is not None:
                going = going & (metrics["kl"].amax(-1) <= 1.5 * self.settings.target_kl)
        return metrics

    def loss(self, leaves: dict[str, Tensor], batch: Batch, entropy_weight: float) -> tuple[Tensor, dict[str, Tensor]]:
        """The sum over replicas and agents of each one's mean loss, and metrics ``[r, N]``."""
        theta = self.actors(leaves["actor"])
        mean = self.actor(theta, batch.features).squeeze(-1)
        log_std = gaussian.bounded_log_std(self.actor.free_parameters(theta))
        log_ratio = gaussian.log_density(batch.z, mean, log_std) - batch.log_density
        ratio = torch.exp(log_ratio)
        limited = ratio.clamp(1.0 - self.settings.clip, 1.0 + self.settings.clip)
        policy_loss = -torch.minimum(ratio * batch.advantages, limited * batch.advantages).mean(-1)
        entropy = gaussian.entropy(mean, log_std).mean(-1)
        value_loss = self.value_loss(leaves, batch)
        loss = (policy_loss + value_loss - entropy_weight * entropy).sum()
        with torch.no_grad():
            metrics = {
                "policy_loss": policy_loss.detach(), "value_loss": value_loss.detach(), "entropy": entropy.detach(),
                "kl": (ratio - 1.0 - log_ratio).mean(-1), "clip_share": (ratio != limited).float().mean(-1),
            }  # fmt: skip
        return loss, metrics
