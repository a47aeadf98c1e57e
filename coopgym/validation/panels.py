"""The numbers behind the picture of a case study: what is documented, what the model says, what random models say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

DRAWS = 2000


@dataclass(frozen=True)
class Stretch:
    """One documented phase along x."""

    name: str
    start: float
    end: float


@dataclass(frozen=True)
class Band:
    """A documented range, from ``start`` to ``end`` along x."""

    start: float
    end: float
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class Panel:
    """One quantity.

    x ``[T]``; models: label -> ``[T]``; envelope: 5 % and 95 % of the null, each ``[T]``; documented: label -> points x
    and y; forms: names of the places on x, where x is no time; log: a logarithmic scale.
    """

    title: str
    x: np.ndarray
    models: Mapping[str, np.ndarray]
    envelope: tuple[np.ndarray, np.ndarray]
    bands: tuple[Band, ...] = ()
    documented: Mapping[str, tuple[np.ndarray, np.ndarray]] | None = None
    forms: tuple[str, ...] = ()
    log: bool = False


@dataclass(frozen=True, eq=False)
class CasePicture:
    """Panels without time beside each other, then those over time below each other, with the phases named."""

    case: str
    title: str
    null: str
    x_label: str
    phases: tuple[Stretch, ...]
    panels: tuple[Panel, ...]


def envelope(draws: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """5 % and 95 % over the axis of the draws."""
    low, high = np.percentile(draws, (5, 95), axis=axis)
    return np.asarray(low), np.asarray(high)


def in_steps(edges: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Values ``[..., phases]`` held from edge to edge ``[phases + 1]``: x and y ``[..., 2 phases]``."""
    return np.stack([edges[:-1], edges[1:]], axis=-1).ravel(), np.repeat(values, 2, axis=-1)
