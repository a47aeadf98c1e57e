"""ISAC, independent soft actor-critic: Haarnoja et al. 2018 (ICML; automatic temperature arXiv 1812.05905)."""

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

LOG_TEMPERATURE_BOUNDS = (-10.0, 2.0)


@dataclass(frozen=True)
class ISACSettings(OffPolicySettings):
    """Hyperparameters of ISAC. Entropies are in nats of u: that of the uniform distribution on [0, 1] is 0."""

    actor_rate: float = 1e-3
    rewards_ahead: int = 5  # this and the longer discount came nearer on three of the sweep's four games
    discount: float = 0.97
    entropy: float = -1.0  # what the temperature aims at first; moves linearly to final_entropy
    final_entropy: float = -3.0  # a spread of about 5 % of the endowment
    log_temperature: float = -5.0  # at the start, of alpha in scaled rewards
    temperature_rate: float = 3e-3  # learning rate of log alpha

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("entropy", "final_entropy"):
            checks.number(name, getattr(self, name), -20.0, 0.0)
        checks.number("log_temperature", self.log_temperature, *LOG_TEMPERATURE_BOUNDS)
        checks.number("temperature_rate", self.temperature_rate, 0.0, 1e6)


@register(
    "ISAC",
    kind="learner",
    paradigm="independent",
    paper="Haarnoja et al. 2018, arXiv 1801.01290 and 1812.05905",
    settings=ISACSettings,
)
class ISAC(OffPolicy):
    """Every agent has a stochastic actor pi_i(. | o_i) and twin critics Q_i(o_i, u_i) of its own rate alone.

    Critics are fitted to r_i + g c (min Q_i'(o', u') - alpha_i log pi_i(u' | o')), u' from the present policy; actors
    descend alpha_i log pi_i - min Q_i through the sample; alpha_i keeps the entropy near its target.
    """

    settings: ISACSettings
    central = False
    actor_outputs = 2  # mean and log standard deviation of z
    critics = ("critic", "twin")

    def _networks(self) -> dict[str, Tensor]:
        """The actors and critics, and log alpha ``[R, N, 1]``."""
        networks = super()._networks()
        log_alpha = torch.full_like(networks["actor"][..., :1], self.settings.log_temperature)
        return {**networks, "temperature": log_alpha}

    def draw_noise(self, steps: int, progress: float) -> Tensor:
        """Standard normal noise: the policy's own spread explores."""
        return normals(self.generators, self.problem.game.n, steps, self.settings.lanes)

    def explore(self, features: Tensor, noise: Tensor) -> Tensor:
        """Rates drawn from the present policy."""
        return gaussian.squash(self.draw(self.parameters["actor"], features, noise)[0])

    def draw(self, theta: Tensor, features: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """(z, log density of its rate), each ``[R, N, B]``, with gradients through both."""
        mean, log_std = self.actor(theta, features).unbind(-1)
        log_std = gaussian.bounded_log_std(log_std)
        z = mean + torch.exp(log_std) * noise
        return z, gaussian.log_density_rate(z, mean, log_std)

    def alpha(self) -> Tensor:
        """Temperatures ``[R, N, 1]``, in scaled rewards a nat."""
        return torch.exp(self.parameters["temperature"])

    def next_values(self, sample: Sample) -> Tensor:
        """The smaller target critic's values of rates drawn from the present policies, and their entropy."""
        noise = normals(self.generators, *sample.rates.shape[1:])
        z, log_density = self.draw(self.parameters["actor"], sample.next_features, noise)
        joint = self.as_seated(gaussian.squash(z), sample.next_rates).mT.unsqueeze(1)
        q = self.least_q(self.targets, sample.next_state, joint)
        return self.popart.restore(q) - self.alpha() * log_density / sample.next_worth

    def actor_loss(self, theta: Tensor, sample: Sample) -> Tensor:
        """alpha log pi - min Q in scaled rewards; the others' rates are drawn from their present policies."""
        noise = normals(self.generators, *sample.rates.shape[1:])
        z, log_density = self.draw(theta, sample.features, noise)
        others = self.as_seated(gaussian.squash(z).detach(), sample.rates).mT.unsqueeze(1)
        joint = self.with_own(gaussian.squash_through(z), others)
        value = sample.worth * self.popart.restore(self.least_q(self.parameters, sample.state, joint))
        self.log_density = log_density.detach().mean(-1, keepdim=True)
        return (self.alpha() * log_density - value).mean(-1)

    @torch.no_grad()
    def adapt(self, progress: float) -> None:
        """One step of log alpha along -log alpha (log pi + target entropy)."""
        s = self.settings
        target = s.entropy + progress * (s.final_entropy - s.entropy)
        rate = s.temperature_rate * (1.0 - progress)
        self.optimisers["temperature"].step(-(self.log_density + target), rate, self.alive)
        self.parameters["temperature"].clamp_(*LOG_TEMPERATURE_BOUNDS)
