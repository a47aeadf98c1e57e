"""M3DDPG, minimax multi-agent deep deterministic policy gradient: Li et al. 2019 (AAAI 33)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from coopgym.algorithms.maddpg import MADDPG, MADDPGSettings
from coopgym.algorithms.registry import register
from coopgym.mechanisms import checks


@dataclass(frozen=True)
class M3DDPGSettings(MADDPGSettings):
    """Hyperparameters of M3DDPG; with ``perturbation`` 0 it is MADDPG."""

    perturbation: float = 0.05  # how far, on u, each agent fears that each other may stray to its harm

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.number("perturbation", self.perturbation, 0.0, 1.0)


@register(
    "M3DDPG",
    kind="learner",
    paradigm="centralised_critic",
    paper="Li et al. 2019, AAAI 33, doi 10.1609/aaai.v33i01.33014213",
    settings=M3DDPGSettings,
)
class M3DDPG(MADDPG):
    """MADDPG whose agent i reckons with the worst that the others may do near what they do.

    In both the target and the actor's loss the others' rates are moved by a step against agent i's own value (the
    paper's multi-agent adversarial learning): u_j - e g_j / |g_j| with g_j = dQ_i / du_j for j other than i. No
    gradient flows through that step.
    """

    settings: M3DDPGSettings

    def expected(self, theta: Tensor, state: Tensor, rates: Tensor) -> Tensor:
        """Joint rates ``[R, N, B, N]``: for each agent its own as they are and the others' at their worst for it."""
        with torch.enable_grad():
            joint = super().expected(theta, state, rates).expand(-1, self.problem.game.n, -1, -1)
            joint = joint.detach().requires_grad_()
            (slope,) = torch.autograd.grad(self.q(theta, state, joint).sum(), joint)
        joint = joint.detach()
        worst = (joint - self.settings.perturbation * slope / (slope.abs() + 1e-8)).clamp(0.0, 1.0)
        return torch.where(self.own, joint, worst)
