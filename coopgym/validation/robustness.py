"""How much a statistic owes to each parameter: Sobol indices, one at a time, and all at once by a few percent."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

Model = Callable[[Mapping[str, np.ndarray]], Mapping[str, np.ndarray]]  # parameters [draws] -> statistics [draws]
Box = Mapping[str, tuple[float, float]]


@dataclass(frozen=True)
class Sobol:
    """First-order and total indices, statistic -> parameter -> index; a constant statistic has none (nan)."""

    first: Mapping[str, Mapping[str, float]]
    total: Mapping[str, Mapping[str, float]]

    def inert(self, below: float = 1e-9) -> tuple[str, ...]:
        """Parameters whose total index is nothing for every statistic that varies."""
        varying = [row for row in self.total.values() if not any(np.isnan(x) for x in row.values())]
        names = next(iter(self.total.values()))
        return tuple(name for name in names if all(abs(row[name]) < below for row in varying))


def sobol(model: Model, box: Box, draws: int = 1024, seed: int = 0) -> Sobol:
    """Indices of every statistic over a uniform box, by Saltelli's scheme with (2 + parameters) x ``draws`` runs."""
    from scipy.stats import qmc, uniform

    base = qmc.Sobol(2 * len(box), rng=np.random.default_rng(seed)).random(draws)
    low, high = np.array(list(box.values())).T
    a, b = (uniform.ppf(x, low, high - low) for x in np.split(base, 2, axis=1))
    mixed = np.stack([np.where(np.arange(len(box)) == i, b, a) for i in range(len(box))])
    runs = np.concatenate([a, b, mixed.reshape(-1, len(box))])
    found = model(dict(zip(box, runs.T, strict=True)))
    return _indices({name: np.asarray(y, float).reshape(len(box) + 2, draws) for name, y in found.items()}, list(box))


def _indices(statistics: Mapping[str, np.ndarray], names: Sequence[str]) -> Sobol:
    """Saltelli's estimator of the first-order index and Jansen's of the total one."""
    first, total = {}, {}
    for name, (a, b, *mixed) in statistics.items():
        variance = np.concatenate([a, b]).var()
        scale = variance if variance > 1e-24 else np.nan
        first[name] = {k: float((b * (x - a)).mean() / scale) for k, x in zip(names, mixed, strict=True)}
        total[name] = {k: float(((a - x) ** 2).mean() / (2.0 * scale)) for k, x in zip(names, mixed, strict=True)}
    return Sobol(first, total)


def one_at_a_time(model: Model, centre: Mapping[str, float], share: float = 0.2) -> dict[str, dict[str, float]]:
    """``parameter up`` and ``parameter down`` -> statistics with that parameter alone moved by ``share``."""
    names = list(centre)
    moves = [(f"{k} {word}", k, sign) for k in names for word, sign in (("down", -1.0), ("up", 1.0))]
    rows = {k: np.array([centre[k] * (1.0 + share * sign * (moved == k)) for _, moved, sign in moves]) for k in names}
    found = model(rows)
    return {label: {name: float(y[i]) for name, y in found.items()} for i, (label, *_) in enumerate(moves)}


def latin_hypercube(
    model: Model, centre: Mapping[str, float], draws: int = 1000, share: float = 0.15, seed: int = 0
) -> dict[str, tuple[float, float, float]]:
    """Statistic -> its 2.5 %, 50 % and 97.5 % when all parameters move by up to ``share`` at once."""
    from scipy.stats import qmc

    unit = qmc.LatinHypercube(len(centre), rng=np.random.default_rng(seed)).random(draws)
    moved = 1.0 + share * (2.0 * unit - 1.0)
    found = model({k: x * moved[:, i] for i, (k, x) in enumerate(centre.items())})
    return {name: _interval(np.asarray(y)) for name, y in found.items()}


def _interval(values: np.ndarray) -> tuple[float, float, float]:
    low, middle, high = np.percentile(values, (2.5, 50.0, 97.5))
    return float(low), float(middle), float(high)
