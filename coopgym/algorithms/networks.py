"""Multi-layer perceptrons for every replica and agent at once: all parameters of a network in one flat tensor.

Legend of this package: ``R`` replicas, ``G`` parameter groups of a replica (N for own networks, 1 for a shared one),
``N`` agents, ``B`` samples, ``H`` rollout steps, ``E`` lanes (games a replica plays side by side), ``P`` parameters.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import layer_norm

from coopgym import numerics
from coopgym.mechanisms import checks

ACTIVATIONS = {"relu": torch.relu, "silu": numerics.silu, "tanh": torch.tanh}


@dataclass(frozen=True)
class Network:
    """A perceptron whose parameters are one tensor ``theta [R, G, P]``; each (replica, group) row is a network.

    One flat row makes the optimiser, its clipping, a frozen replica and a saved policy one tensor operation each.
    ``free`` parameters that no layer uses (for example a log standard deviation) come last in the row. ``layer_norm``
    standardises the sums of each hidden layer over its units before the activation, without parameters of its own.
    """

    inputs: int
    outputs: int
    hidden: tuple[int, ...] = (64, 64)
    activation: str = "silu"
    head_gain: float = 1.0
    free: int = 0
    layer_norm: bool = False

    def __post_init__(self) -> None:
        checks.choice("activation", self.activation, ACTIVATIONS)
        checks.flag("layer_norm", self.layer_norm)
        checks.widths("hidden", self.hidden)

    @property
    def shapes(self) -> list[tuple[int, int]]:
        """(inputs, outputs) of each layer."""
        widths = (self.inputs, *self.hidden, self.outputs)
        return list(itertools.pairwise(widths))

    @property
    def size(self) -> int:
        """P, the parameters of one network."""
        return sum((i + 1) * o for i, o in self.shapes) + self.free

    def initial(self, groups: int, generators: Sequence[torch.Generator]) -> Tensor:
        """theta ``[R, G, P]``: orthogonal weights (gain sqrt 2, ``head_gain`` last); the rest is zero."""
        return torch.stack([self._row(groups, generator) for generator in generators])

    def _row(self, groups: int, generator: torch.Generator) -> Tensor:
        gains = [math.sqrt(2.0)] * len(self.hidden) + [self.head_gain]
        parts = []
        for (i, o), gain in zip(self.shapes, gains, strict=True):
            weight = orthogonal((groups, i, o), gain, generator)
            parts += [weight.reshape(groups, i * o), weight.new_zeros(groups, o)]
        return torch.cat([*parts, parts[0].new_zeros(groups, self.free)], dim=-1)

    def layers(self, theta: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Each layer's (weight ``[R, G, in, out]``, bias ``[R, G, 1, out]``): views through which gradients flow."""
        lead = theta.shape[:-1]
        sizes = [n for i, o in self.shapes for n in (i * o, o)]
        parts = torch.split(theta, [*sizes, self.free], dim=-1)
        return [
            (parts[2 * k].reshape(*lead, i, o), parts[2 * k + 1].unsqueeze(-2)) for k, (i, o) in enumerate(self.shapes)
        ]

    def free_parameters(self, theta: Tensor) -> Tensor:
        """The free parameters ``[R, G, free]``."""
        return theta[..., self.size - self.free :]

    def __call__(self, theta: Tensor, x: Tensor) -> Tensor:
        """Outputs ``[R, G, ..., outputs]`` for inputs ``[R, G, ..., inputs]``."""
        return self.run(self.layers(theta), x)

    def run(self, layers: list[tuple[Tensor, Tensor]], x: Tensor) -> Tensor:
        """As a call, with the layers already taken apart: one batched matrix product a layer."""
        lead, act = x.shape[:-1], ACTIVATIONS[self.activation]
        x = x.reshape(lead[0] * lead[1], -1, self.inputs)
        for k, (weight, bias) in enumerate(layers):
            x = affine(x, weight.flatten(0, 1), bias.flatten(0, 1))
            if k < len(layers) - 1:
                x = act(layer_norm(x, x.shape[-1:]) if self.layer_norm else x)
        return x.reshape(*lead, self.outputs)


def affine(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """x W + b for a batch of matrices ``[K, B, in]``, ``[K, in, out]``, ``[K, 1, out]``."""
    if (
        weight.shape[-1] == 1
    ):  # a product and a sum: the outer product of a batched gemm's backward is five times slower
        return torch.sum(x * weight.mT, -1, keepdim=True) + bias
    return numerics.products(x, weight, bias)


def orthogonal(shape: tuple[int, int, int], gain: float, generator: torch.Generator) -> Tensor:
    """Random matrices ``[G, in, out]`` with orthonormal rows or columns (Saxe et al. 2014), times ``gain``."""
    groups, rows, columns = shape
    tall = (groups, max(rows, columns), min(rows, columns))
    with numerics.threads(1):  # several would share a matrix, and round otherwise
        q, r = torch.linalg.qr(torch.randn(tall, generator=generator, device=generator.device))
    q = q * torch.sign(torch.diagonal(r, dim1=-2, dim2=-1)).unsqueeze(-2)  # makes the distribution uniform
    return torch.mul(q if rows >= columns else q.mT, gain)
