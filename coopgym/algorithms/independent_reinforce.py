"""IndependentREINFORCE, the score-function gradient of whole episodes: Williams 1992 (Machine Learning 8)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from coopgym.algorithms import distributions as gaussian
from coopgym.algorithms.advantage import generalised_advantage
from coopgym.algorithms.onpolicy import Batch, OnPolicy, OnPolicySettings
from coopgym.algorithms.registry import register
from coopgym.algorithms.rollout import Rollout
from coopgym.mechanisms import checks


@dataclass(frozen=True)
class IndependentREINFORCESettings(OnPolicySettings):
    """Hyperparameters of IndependentREINFORCE; ``lanes`` is the number of episodes an update sees."""

    lanes: int = 8
    entropy: float = 0.003
    final_entropy: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.whole("lanes", self.lanes, 2, 1_000_000)  # the baseline of a single episode is the episode itself
        checks.choice("objective", self.objective, ("finite",))  # without a critic nothing says what would follow


@register(
    "IndependentREINFORCE",
    kind="learner",
    paradigm="independent",
    paper="Williams 1992, Machine Learning 8",
    settings=IndependentREINFORCESettings,
)
class IndependentREINFORCE(OnPolicy):
    """Every agent i follows the gradient of E[sum_t log pi_i(z_t | o_t) (G_t - b_t)] + c H(pi_i); there is no critic.

    G_t is the discounted sum of the agent's own rewards from t to the end of the episode, and the baseline b_t the mean
    of G_t over the lanes that are still playing at t: it does not depend on what is seen.
    """

    def iterate(self, progress: float) -> dict[str, Tensor]:
        """Play one episode in every lane, from its start, and take one step; see Learner."""
        self.games.restart()
        rollout = self.play(progress)
        metrics = self.descend_once(self.estimate(rollout), progress)
        return {**self._watch(rollout), **metrics}

    @torch.no_grad()
    def estimate(self, rollout: Rollout) -> Batch:
        """The first episode of every lane with its weights G_t - b_t, in units of their spread."""
        ended = rollout.terminated | rollout.truncated
        sigma = self.reward_scale.sigma
        self.reward_scale.running = torch.zeros_like(self.reward_scale.running)  # every lane has begun anew
        self.reward_scale.update(rollout.rewards, ended)
        rewards = rollout.rewards / (self.reward_scale.sigma if self.updates == 0 else sigma)[..., None, None]
        first = first_episodes(ended)
        returns = episode_returns(rewards, ended, self.settings.discount)
        weights = less_baseline(returns, first)
        self._flag(slice(None), torch.isfinite(weights).flatten(1).all(1))
        z = rollout.kept[0]
        nothing = torch.zeros_like(z)
        features = rollout.features[:, :, :-1]
        batch = Batch(features, features, z, nothing, in_units_of_spread(weights, first), nothing)
        return Batch(*(x.flatten(2, 3) for x in batch))

    def loss(self, leaves: dict[str, Tensor], batch: Batch, entropy_weight: float) -> tuple[Tensor, dict[str, Tensor]]:
        """-(G - b) log pi - c H."""
        theta = self.actors(leaves["actor"])
        mean = self.actor(theta, batch.features).squeeze(-1)
        log_std = gaussian.bounded_log_std(self.actor.free_parameters(theta))
        policy_loss = -(batch.advantages * gaussian.log_density(batch.z, mean, log_std)).mean(-1)
        entropy = gaussian.entropy(mean, log_std).mean(-1)
        loss = (policy_loss - entropy_weight * entropy).sum()
        return loss, {"policy_loss": policy_loss.detach(), "entropy": entropy.detach()}


def first_episodes(ended: Tensor) -> Tensor:
    """Which steps of ``[R, 1, H, E]`` belong to the first episode of their lane; its last step does."""
    return ended.cumsum(-2) - ended.long() == 0


def episode_returns(rewards: Tensor, ended: Tensor, discount: float) -> Tensor:
    """G_t ``[R, N, H, E]``, the discounted sum of rewards from t to the end of the episode that t is in."""
    nothing = torch.zeros_like(rewards)
    return generalised_advantage(rewards, nothing, nothing, ~ended, ended, discount, 1.0)


def less_baseline(returns: Tensor, first: Tensor) -> Tensor:
    """G_t minus its mean over the lanes at the same t; 0 where a lane has ended its first episode."""
    kept = torch.where(first, returns, torch.zeros_like(returns))
    mean = kept.sum(-1, keepdim=True) / first.sum(-1, keepdim=True).clamp_min(1)
    return torch.where(first, returns - mean, torch.zeros_like(returns))


def in_units_of_spread(weights: Tensor, first: Tensor) -> Tensor:
    """Weights ``[R, N, H, E]`` over their root mean square in each replica and agent."""
    square = weights.square().flatten(2).sum(-1) / first.flatten(2).sum(-1)
    return weights / (square.sqrt() + 1e-8)[..., None, None]
