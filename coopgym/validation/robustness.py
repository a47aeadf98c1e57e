"""How much a statistic owes to each parameter: Sobol indices, one at a time, and all at once by a few percent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy.stats import qmc, sobol_indices, uniform

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
    """Indices of every statistic over a uniform box, from (2 + parameters) x ``draws`` runs (a power of two)."""
    names, statistics = list(box), list[str]()

    def runs(x: np.ndarray) -> np.ndarray:
        found = model(dict(zip(names, x, strict=True)))
        statistics[:] = found
        return np.stack([np.asarray(y, float) for y in found.values()])

    dists = [uniform(low, high - low) for low, high in box.values()]
    found = sobol_indices(func=runs, n=draws, dists=dists, rng=np.random.default_rng(seed))
    first, total = np.atleast_2d(found.first_order), np.atleast_2d(found.total_order)
    varies = total.any(axis=-1, keepdims=True)  # SciPy calls the indices of a constant 0
    tables = [
        {name: dict(zip(names, map(float, row), strict=True)) for name, row in zip(statistics, rows, strict=True)}
        for rows in (np.where(varies, x, np.nan) for x in (first, total))
    ]
    return Sobol(*tables)


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
    unit = qmc.LatinHypercube(len(centre), rng=np.random.default_rng(seed)).random(draws)
    moved = 1.0 + share * (2.0 * unit - 1.0)
    found = model({k: x * moved[:, i] for i, (k, x) in enumerate(centre.items())})
    return {name: _interval(np.asarray(y)) for name, y in found.items()}


def by_quantile(spread: Mapping[str, tuple[float, float, float]]) -> dict[str, float]:
    """What ``latin_hypercube`` found, flat: ``statistic 2.5 %``, ``statistic median``, ``statistic 97.5 %``."""
    words = ("2.5 %", "median", "97.5 %")
    return {f"{name} {word}": x for name, row in spread.items() for word, x in zip(words, row, strict=True)}


def sensitivity_tables(
    model: Model, box: Box, centre: Mapping[str, float], draws: int = 1024
) -> tuple[dict[str, dict[str, float]], tuple[str, ...]]:
    """All three as the tables of a report, and the parameters that move nothing.

    ``first-order`` and ``total index of`` each statistic over the box; every statistic with one parameter moved from
    the centre, and with all of them.
    """
    swept, moved = sobol(model, box, draws), one_at_a_time(model, centre)
    indices = {"first-order index of": swept.first, "total index of": swept.total}
    return {
        **{f"{kind} {name}": dict(row) for kind, rows in indices.items() for name, row in rows.items()},
        **{f"{name} with one parameter 20 % off": _column(moved, name) for name in swept.total},
        "all parameters up to 15 % off": by_quantile(latin_hypercube(model, centre)),
    }, swept.inert()


def _column(moved: Mapping[str, Mapping[str, float]], name: str) -> dict[str, float]:
    return {label: row[name] for label, row in moved.items()}


def _interval(values: np.ndarray) -> tuple[float, float, float]:
    low, middle, high = np.percentile(values, (2.5, 50.0, 97.5))
    return float(low), float(middle), float(high)


def bootstrap(ratio: np.ndarray, resamples: int = 10_000, seed: int = 42) -> dict[str, float]:
    """The 95% bootstrap interval of a mean ratio that the reports published, on the suites' generator.

    It is reproduced as it was and used for nothing else: a grid is no sample of anything. Intervals of pages come from
    ``coopgym.statistics``.
    """
    rng, flat = np.random.RandomState(seed), ratio.ravel()
    means = [flat[rng.randint(0, flat.size, flat.size)].mean() for _ in range(resamples)]
    low, high = np.percentile(means, (2.5, 97.5))
    return {"bootstrap_low": float(low), "bootstrap_high": float(high)}
