"""Adam over stacked parameters: every replica has its own clipping, step count and stop."""

from __future__ import annotations

import torch
from torch import Tensor

from coopgym.numerics import exponential


class Adam:
    """Adam (Kingma and Ba 2015) on ``theta [R, G, P]``, in place; a replica that is masked does not move at all."""

    def __init__(self, theta: Tensor, epsilon: float = 1e-5, betas: tuple[float, float] = (0.9, 0.999)) -> None:
        self.theta, self.epsilon, self.betas = theta, epsilon, betas
        self.first, self.second = torch.zeros_like(theta), torch.zeros_like(theta)
        self.steps = torch.zeros(theta.shape[0], 1, 1, device=theta.device)

    def step(self, gradient: Tensor, rate: float, moving: Tensor, rows: slice = slice(None)) -> None:
        """One step of the replicas ``rows`` along ``gradient [r, G, P]``; ``moving [r]`` says which may change."""
        moving = moving.reshape(-1, 1, 1)
        theta, first, second, steps = (x[rows] for x in (self.theta, self.first, self.second, self.steps))
        b1, b2 = self.betas
        steps += moving
        mean = torch.lerp(first, gradient, 1.0 - b1)
        square = (second * b2).addcmul_(gradient, gradient, value=1.0 - b2)
        root = (square / (1.0 - exponential(b2, steps))).sqrt_().add_(self.epsilon)
        change = (mean / root).mul_(rate / (1.0 - exponential(b1, steps)))
        first.copy_(torch.where(moving, mean, first))
        second.copy_(torch.where(moving, square, second))
        theta.copy_(torch.where(moving, theta - change, theta))


def clip(gradient: Tensor, limit: float) -> tuple[Tensor, Tensor]:
    """(gradient, norm ``[r, G]``): each (replica, group) row of ``[r, G, P]`` scaled down to norm ``limit``."""
    norm = gradient.norm(dim=-1)
    return gradient * (limit / (norm + 1e-6)).clamp_max(1.0).unsqueeze(-1), norm
