"""What networks see: observations without their constant entries, scaled from their bounds to [-1, 1]."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from coopgym.envs import observation
from coopgym.envs.game import Game

CROWD = 8  # more agents than this are summarised by a mean instead of being listed


@dataclass(frozen=True, eq=False)
class Encoder:
    """Features ``[..., G, F]`` = x * scale + shift of the entries ``index`` of a flattened observation ``[..., G, d]``.

    G is N for per-agent observations and 1 for the joint one. index, scale, shift ``[G, F]``.
    """

    index: Tensor
    scale: Tensor
    shift: Tensor

    @classmethod
    def of(cls, game: Game, setting: str, device: torch.device | str = "cpu") -> Encoder:
        """The encoder of a setting ("joint", "full", "asymmetric", "minimal"); ``game`` must be in NumPy."""
        low, high = (np.atleast_2d(x) for x in observation.bounds(game, setting))
        varying = ~np.atleast_2d(observation.constant_features(game, setting))
        groups, d = varying.shape
        count = max(1, int(varying.sum(-1).max()))
        index, scale, shift = np.zeros((groups, count), dtype=np.int64), *np.zeros((2, groups, count))
        for g in range(groups):
            kept = np.flatnonzero(varying[g])
            span = high[g, kept] - low[g, kept]
            bounded = np.isfinite(span) & (span > 0)
            slope = np.where(bounded, 2.0 / np.where(bounded, span, 1.0), 1.0)
            offset = np.where(bounded, -1.0 - low[g, kept] * slope, 0.0)
            index[g, : len(kept)], scale[g, : len(kept)], shift[g, : len(kept)] = kept + g * d, slope, offset
        return cls(*(torch.as_tensor(x, device=device) for x in (index, np.float32(scale), np.float32(shift))))

    @property
    def size(self) -> int:
        """F, the number of features."""
        return self.index.shape[-1]

    def __call__(self, observations: Tensor) -> Tensor:
        """Features ``[..., G, F]`` of observations ``[..., G, d]`` (or ``[..., d]`` for the joint one)."""
        groups = self.index.shape[0]
        flat = observations.flatten(-2) if groups > 1 else observations
        picked = flat.index_select(-1, self.index.flatten())
        return (picked * self.scale.flatten() + self.shift.flatten()).reshape(*flat.shape[:-1], groups, self.size)


def mean_of_others(x: Tensor) -> Tensor:
    """m ``[R, N, ...]``: the mean over the agents but i of ``[R, N, ...]``."""
    return (x.sum(1, keepdim=True) - x) / (x.shape[1] - 1)
