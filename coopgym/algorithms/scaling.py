"""Scales inside a learner, one for each replica and agent: rewards by a running spread, values by PopArt.

Neither leaves the learner: records keep payoffs in payoff units.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from coopgym.algorithms.networks import Network


class RewardScale:
    """sigma ``[R, N]`` = max(sd of G, max|G| / 10, 1e-6), G the running discounted return of a lane.

    No mean is subtracted: in games that can end early a shift changes which policy is best. The second term guards
    against nearly constant rewards. The first batch sets sigma; later ones take effect in the next iteration.
    """

    def __init__(self, shape: tuple[int, int], lanes: int, discount: float, device: torch.device) -> None:
        self.discount = discount
        self.running = torch.zeros(*shape, lanes, device=device)
        self.count = 0
        self.mean, self.squares, self.peak = (torch.zeros(shape, device=device, dtype=torch.float64) for _ in range(3))
        self.sigma = torch.ones(shape, device=device)

    def update(self, rewards: Tensor, ended: Tensor) -> None:
        """Take in rewards ``[R, N, H, E]`` and episode ends ``[R, 1, H, E]``."""
        returns = torch.empty_like(rewards)
        keep = (~ended).to(rewards.dtype) * self.discount
        running = self.running
        for t in range(rewards.shape[2]):
            running = rewards[:, :, t] + running
            returns[:, :, t] = running
            running = running * keep[:, :, t]
        self.running = running
        self._moments(returns.flatten(2).double())
        spread = (self.squares / self.count).sqrt()
        sigma = torch.maximum(spread, self.peak / 10.0).clamp_min(1e-6).float()
        self.sigma = torch.where(torch.isfinite(sigma), sigma, self.sigma)  # a diverged replica keeps its last one

    def _moments(self, x: Tensor) -> None:
        """Chan's parallel form of Welford's recursion."""
        n = x.shape[-1]
        delta = x.mean(-1) - self.mean
        total = self.count + n
        self.squares = self.squares + x.var(-1, correction=0) * n + delta.square() * (self.count * n / total)
        self.mean = self.mean + delta * (n / total)
        self.peak = torch.maximum(self.peak, x.abs().amax(-1))
        self.count = total


class PopArt:
    """Value normalisation that preserves outputs (van Hasselt et al. 2016): a head predicts (value - mean) / scale.

    ``rate`` is that of the debiased exponential averages of the first two moments of the targets, per update.
    """

    def __init__(self, shape: tuple[int, int], rate: float, device: torch.device) -> None:
        self.rate, self.weight = rate, 0.0
        self.first, self.second = torch.zeros(shape, device=device), torch.zeros(shape, device=device)
        self.mean, self.scale = torch.zeros(shape, device=device), torch.ones(shape, device=device)

    def normalise(self, values: Tensor) -> Tensor:
        """Values ``[R, N, ...]`` in the units of the head."""
        return (values - _spread(self.mean, values)) / _spread(self.scale, values)

    def restore(self, outputs: Tensor) -> Tensor:
        """Head outputs ``[R, N, ...]`` in the units of the targets."""
        return outputs * _spread(self.scale, outputs) + _spread(self.mean, outputs)

    def update(self, targets: Tensor, network: Network, theta: Tensor | Sequence[Tensor], moving: Tensor) -> None:
        """Move the statistics toward targets ``[R, N, ...]`` and the head of ``theta`` so that its values stay.

        ``theta``: parameters of ``network``, or of several of its kind. ``moving [R]`` masks the replicas that may
        change.
        """
        ratio, shift = self.move(targets, moving)
        for each in [theta] if isinstance(theta, Tensor) else theta:
            weight, bias = network.layers(each)[-1]
            weight.mul_(_spread(ratio, weight))
            bias.mul_(_spread(ratio, bias)).add_(_spread(shift, bias))

    def move(self, targets: Tensor, moving: Tensor) -> tuple[Tensor, Tensor]:
        """Move the statistics; (ratio, shift) ``[R, N]`` with which outputs x become x ratio + shift to stay valid."""
        x = targets.flatten(2)
        self.weight += self.rate * (1.0 - self.weight)
        self.first.lerp_(x.mean(-1), self.rate)
        self.second.lerp_(x.square().mean(-1), self.rate)
        mean = self.first / self.weight
        scale = (self.second / self.weight - mean.square()).clamp_min(0.0).sqrt().clamp(1e-4, 1e6)
        moving = moving.unsqueeze(-1)
        mean, scale = torch.where(moving, mean, self.mean), torch.where(moving, scale, self.scale)
        ratio, shift = self.scale / scale, (self.mean - mean) / scale
        self.mean, self.scale = mean, scale
        return ratio, shift

    def change_units(self, factor: Tensor) -> None:
        """The targets are from now on ``factor [R, N]`` times what they were (the reward scale has moved)."""
        self.first, self.second = self.first * factor, self.second * factor.square()
        self.mean, self.scale = self.mean * factor, self.scale * factor


def _spread(x: Tensor, like: Tensor) -> Tensor:
    return x.reshape(*x.shape, *(1,) * (like.ndim - x.ndim))
