"""What the reward mode changes: the same algorithm and game under two modes, paired by seed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.stats import ttest_1samp

from coopgym.audit.measures import CATALOGUE
from coopgym.study.summary import Estimate, estimate, mode_label

Row = Mapping[str, Any]
MAIN = (
    "welfare", "efficiency", "level", "endgame", "gini", "best_gain_relative", "deterrence", "externality",
    "retaliation", "unforgiving", "reciprocity_slope", "trust", "exploited", "specificity",
)  # fmt: skip


@dataclass(frozen=True)
class Contrast:
    """A measure under ``mode`` less under ``reference``, in the measure's unit, mean over the seeds that both have.

    change: with its 95 % bootstrap interval over seeds; p: of a paired t test (nan for fewer than two seeds); adjusted:
    p after Holm's correction for all contrasts that were made together; seeds: pairs.
    """

    game: str
    algorithm: str
    mode: str
    reference: str
    measure: str
    unit: str
    seeds: int
    change: Estimate
    p: float
    adjusted: float

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and names, for JSON."""
        return asdict(self)


def contrasts(rows: Iterable[Row], measures: Sequence[str] = MAIN, reference: str = "private") -> list[Contrast]:
    """Every measure, algorithm and game, for each mode beside ``reference``; pairs that lack a value are left out."""
    found: list[tuple[str, str, str, str, list[float]]] = []
    for (game, algorithm), modes in by_cell(rows).items():
        base = modes.get(reference, {})
        for mode, seeds in modes.items():
            if mode == reference:
                continue
            for measure in measures:
                changes = paired(seeds, base, measure)
                if changes:
                    found.append((game, algorithm, mode, measure, changes))
    p = [_p(changes) for *_, changes in found]
    return [
        Contrast(
            game, algorithm, mode, reference, measure, CATALOGUE[measure].unit, len(changes), estimate(changes), raw,
            adjusted,
        )
        for (game, algorithm, mode, measure, changes), raw, adjusted in zip(found, p, holm(p), strict=True)
    ]  # fmt: skip


def by_cell(rows: Iterable[Row]) -> dict[tuple[str, str], dict[str, dict[Any, Row]]]:
    """(game, algorithm) -> mode -> seed -> row."""
    cells: dict[tuple[str, str], dict[str, dict[Any, Row]]] = {}
    for row in rows:
        cells.setdefault((row["game"], row["algorithm"]), {}).setdefault(mode_label(row), {})[row["seed"]] = row
    return cells


def paired(first: Mapping[Any, Row], second: Mapping[Any, Row], measure: str) -> list[float]:
    """Differences for the seeds at which both have a value."""
    seeds = [seed for seed in first if seed in second]
    pairs = [(first[seed][measure], second[seed][measure]) for seed in seeds]
    return [float(a - b) for a, b in pairs if a is not None and b is not None and np.isfinite([a, b]).all()]


def holm(p: Sequence[float]) -> list[float]:
    """Adjusted p values [Holm 1979]; nan stays nan and is not counted."""
    values = np.asarray(p, dtype=np.float64)
    known = np.flatnonzero(~np.isnan(values))
    order = known[np.argsort(values[known], kind="stable")]
    factors = np.arange(len(order), 0, -1)
    values[order] = np.minimum(1.0, np.maximum.accumulate(values[order] * factors)) if len(order) else 1.0
    return [float(v) for v in values]


def _p(changes: Sequence[float]) -> float:
    """Of a mean of 0; 1 where all are 0, and 0 where all are one other number."""
    if len(changes) < 2:
        return float("nan")
    if np.ptp(changes) == 0.0:
        return 1.0 if changes[0] == 0.0 else 0.0
    return float(ttest_1samp(changes, 0.0).pvalue)
