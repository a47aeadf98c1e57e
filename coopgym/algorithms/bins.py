"""Bins: K even levels u_k = k / (K - 1) of an agent's own endowment, and what networks that choose among them share."""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor

from coopgym.algorithms.networks import Network
from coopgym.mechanisms import checks
from coopgym.numerics import product

MOST = 1001


def check(count: int) -> int:
    """``count`` if so many bins make sense."""
    return checks.whole("bins", count, 2, MOST)


def rate(index: Tensor, count: int) -> Tensor:
    """Rates u in [0, 1] of bins 0 .. count - 1."""
    return index.to(torch.float32) / (count - 1)


def index(rates: Tensor, count: int) -> Tensor:
    """The bins of rates that are levels, or the nearest ones."""
    return (rates * (count - 1)).round().long()


def draw(probabilities: Tensor, uniform: Tensor) -> Tensor:
    """Bins ``[...]`` drawn with probabilities ``[..., K]`` by uniform numbers that broadcast to ``[...]``."""
    below = probabilities.cumsum(-1) <= uniform.unsqueeze(-1)
    return below.sum(-1).clamp_max(probabilities.shape[-1] - 1)  # rounding may leave a sum below 1


def taken(values: Tensor, chosen: Tensor) -> Tensor:
    """The entries ``[..., ]`` of ``[..., K]`` that belong to the bins ``chosen [...]``."""
    return values.gather(-1, chosen.unsqueeze(-1)).squeeze(-1)


def dueling(count: int, smoothing: float, device: torch.device) -> Tensor:
    """M ``[K + 1, K]``: values of bins are outputs ``[..., K + 1]`` times M, and M's columns sum to 1.

    The last output is what all bins have in common; what a bin has beside it is the mean of the outputs of the bins
    around it, with Gaussian weights of width ``smoothing`` (a rate; 0: of that bin alone), less the mean over all. What
    the payoff of one level teaches is then also known of the next, and what the state is worth is learned once, not
    once for each bin.
    """
    u = torch.linspace(0.0, 1.0, count, dtype=torch.float64)
    weights = torch.eye(count, dtype=torch.float64)
    if smoothing > 0.0:
        weights = torch.exp(-0.5 * ((u - u.unsqueeze(-1)) / smoothing).square())
        weights = weights / weights.sum(0, keepdim=True)
    weights = weights - weights.mean(0, keepdim=True)
    return torch.cat([weights, torch.ones(1, count, dtype=torch.float64)]).to(device, torch.float32)


def folded(network: Network, theta: Tensor, matrix: Tensor) -> tuple[Network, Tensor]:
    """(network, parameters ``[R, N, P]``) whose outputs are those of ``network`` times ``matrix [outputs, K]``."""
    plain = dataclasses.replace(network, outputs=matrix.shape[1])
    weight, bias = network.layers(theta)[-1]
    last = weight.numel() // (theta.shape[0] * theta.shape[1]) + bias.shape[-1]
    parts = [
        theta[..., : theta.shape[-1] - last],
        product(weight, matrix).flatten(-2),
        product(bias, matrix).squeeze(-2),
    ]
    return plain, torch.cat(parts, -1)
