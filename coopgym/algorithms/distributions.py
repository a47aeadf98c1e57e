"""The squashed Gaussian policy: z ~ Normal(mean, std), u = clip(1/2 + (1 + k)/2 tanh z, 0, 1), action = endowment u.

The overshoot k lets a finite z reach the corners 0 and endowment, which are optimal in several games. Ratios and score
functions use the density of z: squashing and clipping then belong to the game, and no correction is needed.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from coopgym.numerics import softplus

OVERSHOOT = 0.05
LOG_STD_BOUNDS = (-5.0, 0.5)
_HALF_LOG_2PI = 0.5 * math.log(2.0 * math.pi)
# five-point Gauss-Hermite rule for the expectation over a standard normal variable
_NODES = (-2.8569700138728056, -1.3556261799742657, 0.0, 1.3556261799742657, 2.8569700138728056)
_WEIGHTS = (0.011257411327720691, 0.22207592200561263, 0.5333333333333333, 0.22207592200561263, 0.011257411327720691)


def squash(z: Tensor) -> Tensor:
    """Rates u in [0, 1] for unbounded z."""
    return (0.5 + 0.5 * (1.0 + OVERSHOOT) * torch.tanh(z)).clamp(0.0, 1.0)


def squash_through(z: Tensor) -> Tensor:
    """Rates of z, with the slope of the unclipped ones: an actor at a corner can still be called back."""
    unclipped = 0.5 + 0.5 * (1.0 + OVERSHOOT) * torch.tanh(z)
    return unclipped + (squash(z) - unclipped).detach()


def bounded_log_std(x: Tensor) -> Tensor:
    """The free parameter inside its bounds."""
    return x.clamp(*LOG_STD_BOUNDS)


def log_density(z: Tensor, mean: Tensor, log_std: Tensor) -> Tensor:
    """log Normal(z; mean, exp(log_std)), of the shape of ``z``."""
    return -0.5 * ((z - mean) * torch.exp(-log_std)).square() - log_std - _HALF_LOG_2PI


def log_slope(z: Tensor) -> Tensor:
    """log du/dz on the interior; written so that it stays finite for any z."""
    return math.log(0.5 * (1.0 + OVERSHOOT)) + 2.0 * (math.log(2.0) - z - softplus(-2.0 * z))


def log_density_rate(z: Tensor, mean: Tensor, log_std: Tensor) -> Tensor:
    """log density of the rate u(z) where 0 < u < 1."""
    return log_density(z, mean, log_std) - log_slope(z)


def entropy(mean: Tensor, log_std: Tensor) -> Tensor:
    """Differential entropy of the rate, of the broadcast shape: that of z plus the mean log slope by quadrature."""
    std = torch.exp(log_std)
    points = torch.stack([mean + x * std for x in _NODES])
    slopes = sum(w * slope for w, slope in zip(_WEIGHTS, log_slope(points).unbind(), strict=True))
    return log_std + 0.5 + _HALF_LOG_2PI + slopes
