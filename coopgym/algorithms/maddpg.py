"""MADDPG, multi-agent deep deterministic policy gradient: Lowe et al. 2017 (NeurIPS, arXiv 1706.02275)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from coopgym.algorithms import distributions as gaussian
from coopgym.algorithms.offpolicy import OffPolicy, OffPolicySettings
from coopgym.algorithms.registry import register
from coopgym.algorithms.replay_learner import Sample
from coopgym.algorithms.rollout import normals
from coopgym.mechanisms import checks

OTHERS = ("policies", "replay")


@dataclass(frozen=True)
class MADDPGSettings(OffPolicySettings):
    """Hyperparameters of MADDPG."""

    # with one reward ahead and 0.9, IndirectReciprocity ended at 0.86 of the best constant after 120,000 steps
    rewards_ahead: int = 5
    discount: float = 0.97
    # standard deviations of the noise on u: one for each lane, evenly spaced in the logarithm between these two; all
    # fall linearly to a part of it, because at the end critics must be sharp where the policies are
    low_noise: float = 0.05
    high_noise: float = 0.3
    final_noise: float = 0.1
    # what an actor's loss takes the others to do: "replay", what they did, as in the paper, or "policies", what they
    # do now. Played rates carry noise, and the best answer to noisy others is another one
    others: str = "policies"
    saturation: float = 1e-3  # weight of z^2, which keeps tanh where it has a slope

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.number("low_noise", self.low_noise, 0.0, 1.0, open_low=True)
        checks.number("high_noise", self.high_noise, self.low_noise, 1.0)
        checks.number("final_noise", self.final_noise, 0.0, 1.0)
        checks.choice("others", self.others, OTHERS)
        checks.number("saturation", self.saturation, 0.0, 1e6)


@register(
    "MADDPG",
    kind="learner",
    paradigm="centralised_critic",
    paper="Lowe et al. 2017, arXiv 1706.02275",
    settings=MADDPGSettings,
)
class MADDPG(OffPolicy):
    """Deterministic actors u_i = mu_i(o_i), and critics Q_i(s, u_1..u_N) of each agent's own reward.

    Q_i is fitted to r_i + g c Q_i'(s', mu'(o')) with slowly following targets Q', mu'. Actor i ascends
    Q_i(s, u_1..mu_i(o_i)..u_N), where the others' rates are those of their present policies (a known variant; the
    paper's own, the played ones, is ``others="replay"``). Exploration adds noise to u; its size differs from lane to
    lane, so that bold and careful play are always both in replay.
    """

    settings: MADDPGSettings

    def draw_noise(self, steps: int, progress: float) -> Tensor:
        """Normal noise on u with the standard deviation of each lane."""
        s = self.settings
        sizes = torch.logspace(0.0, 1.0, s.lanes, base=s.high_noise / s.low_noise, device=self.alive.device)
        left = 1.0 - progress * (1.0 - s.final_noise)
        return normals(self.generators, self.problem.game.n, steps, s.lanes) * (s.low_noise * left) * sizes

    def explore(self, features: Tensor, noise: Tensor) -> Tensor:
        """mu(o) plus noise, clipped to [0, 1]."""
        return (self.rates(self.parameters["actor"], features) + noise).clamp(0.0, 1.0)

    def rates(self, theta: Tensor, features: Tensor) -> Tensor:
        """mu(o): rates ``[R, N, B]`` of features ``[R, N, B, F]``."""
        return gaussian.squash(self.actor(theta, features).squeeze(-1))

    def next_values(self, sample: Sample) -> Tensor:
        """The target critics' values of the target actors' rates."""
        rates = self.as_seated(self.target_rates(sample), sample.next_rates)
        joint = self.expected(self.targets["critic"], sample.next_state, rates)
        return self.popart.restore(self.least_q(self.targets, sample.next_state, joint))

    def target_rates(self, sample: Sample) -> Tensor:
        """Rates ``[R, N, B]`` of the target actors at the next step."""
        return self.rates(self.targets["actor"], sample.next_features)

    def expected(self, theta: Tensor, state: Tensor, rates: Tensor) -> Tensor:
        """Joint rates ``[R, N or 1, B, N]`` that each agent reckons with when these ``[R, N, B]`` are played."""
        return rates.mT.unsqueeze(1)

    def actor_loss(self, theta: Tensor, sample: Sample) -> Tensor:
        """-Q_i with the agent's own rate replaced by its present policy's."""
        z = self.actor(theta, sample.features).squeeze(-1)
        critic = self.parameters["critic"]
        rates = gaussian.squash(z).detach() if self.settings.others == "policies" else sample.rates
        others = self.expected(critic, sample.state, self.as_seated(rates, sample.rates))
        value = self.q(critic, sample.state, self.with_own(gaussian.squash_through(z), others))
        return (self.settings.saturation * z.square() - value).mean(-1)
