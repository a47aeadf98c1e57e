"""Bins: K even levels u_k = k / (K - 1) of an agent's own endowment, and what networks that choose among them share."""

from __future__ import annotations

import torch
from torch import Tensor

from coopgym.mechanisms import checks

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


def gumbel(uniform: Tensor) -> Tensor:
    """Gumbel noise from uniform numbers: the largest of log p + noise is a draw from p."""
    return -torch.log(-torch.log(uniform.clamp(1e-20, 1.0 - 6e-8)))


def taken(values: Tensor, chosen: Tensor) -> Tensor:
    """The entries ``[..., ]`` of ``[..., K]`` that belong to the bins ``chosen [...]``."""
    return values.gather(-1, chosen.unsqueeze(-1)).squeeze(-1)
