"""Simple sequences that searches begin with: one level after another, and a late rise at the end of an episode.

Trust that is kept until the end and used then, or a last effort that nobody has time to answer, are far from any
constant: a search that climbs from constants alone does not find them.
"""

from __future__ import annotations

from itertools import product

import numpy as np

MULTIPLES = np.linspace(0.9, 1.2, 16)  # of what is expected of an agent: what keeps trust lies next to it
LENGTHS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 25)  # of a rise at the end [steps]


def two_levels(horizon: int, levels: np.ndarray, switches: np.ndarray | None = None) -> np.ndarray:
    """Sequences ``[K, T]``: each of ``levels`` until a switch and another one after it, at every step if None."""
    steps = np.arange(horizon)
    at = np.arange(1, horizon) if switches is None else switches
    pairs = np.array([(a, b) for a, b in product(levels, repeat=2) if a != b]).reshape(-1, 2)
    first = steps < at[:, None]
    return np.where(first[:, None], pairs[:, 0, None], pairs[:, 1, None]).reshape(-1, horizon)


def late_changes(base: np.ndarray, levels: np.ndarray, lengths: tuple[int, ...] = LENGTHS) -> np.ndarray:
    """Sequences ``[K, T]``: each of ``base [B, T]`` until the last k steps, then on a straight line to each of
    ``levels``, or at that level at once."""
    horizon, made = base.shape[-1], list[np.ndarray]()
    for k in (k for k in lengths if k < horizon):
        share = np.linspace(0.0, 1.0, k + 1)[1:]
        begin = base[:, None, horizon - k - 1, None]
        lines = begin + share * (levels[None, :, None] - begin)
        for end in (lines, np.broadcast_to(levels[None, :, None], lines.shape)) if k > 1 else (lines,):
            tried = np.repeat(base[:, None], len(levels), axis=1)
            tried[..., horizon - k :] = end
            made.append(tried.reshape(-1, horizon))
    return np.concatenate(made) if made else np.empty((0, horizon))


def left_at(own: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Sequences ``[K, T]``: ``own [T]`` until any step and one of ``levels`` from then on, or the other way round."""
    steps = np.arange(len(own))
    first = (steps < np.arange(1, len(own))[:, None])[:, None]
    after, before = np.where(first, own, levels[:, None]), np.where(first, levels[:, None], own)
    return np.concatenate([after, before]).reshape(-1, len(own))


def finer(horizon: int, best: np.ndarray, limit: float, cell: float) -> np.ndarray:
    """Two levels ``[K, T]`` around a sequence ``best [T]`` of two levels: near switches, levels in smaller steps."""
    change = np.flatnonzero(np.diff(best))
    at = int(change[0]) + 1 if len(change) else horizon // 2
    offsets = cell * np.linspace(-1.0, 1.0, 9)
    first, second = (np.clip(level + offsets, 0.0, limit) for level in (best[0], best[-1]))
    switches = np.unique(np.clip(at + np.arange(-3, 4), 1, max(1, horizon - 1)))
    early = (np.arange(horizon) < switches[:, None])[:, None, None]
    return np.asarray(np.where(early, first[:, None, None], second[:, None]).reshape(-1, horizon))
