"""Where a rubric's score stands among those of models that know nothing about the case."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
from scipy.stats import percentileofscore

from coopgym.validation.scoring import Scored

INFORMATIVE = 95.0  # a score below this percentile of a null says nothing that the null does not


@dataclass(frozen=True)
class Placed:
    """One score in one null: the null's draws, mean, 5 % and 95 %, share of draws at least as good, and percentile.

    live: points that fewer than 95 % of the draws get in full, and how many of them the score has. of_parameters: the
    null draws the model's parameters, not trajectories or noise.
    """

    own: float
    draws: int
    mean: float
    low: float
    high: float
    share_at_least: float
    percentile: float
    live_points: float
    live_own: float
    of_parameters: bool = False

    @property
    def informative(self) -> bool:
        """Whether the score reaches the 95th percentile of the null."""
        return self.percentile >= INFORMATIVE


def percentile_in(null: np.ndarray, own: float) -> float:
    """Where a score stands among those of a null, which counts half of its ties; 50 says nothing."""
    return float(percentileofscore(null, own, kind="mean"))


def place(own: Scored, null: Scored, *, of_parameters: bool = False) -> Placed:
    """Place the score of one trial among those of a null's draws on the same rubric."""
    totals = np.ravel(null.total)
    low, high = np.percentile(totals, (5, 95))
    live = null.live()
    full = np.array([item.points for item in null.rubric.items])
    return Placed(
        own=float(own.total),
        draws=len(totals),
        mean=float(totals.mean()),
        low=float(low),
        high=float(high),
        share_at_least=float((totals >= own.total).mean()),
        percentile=percentile_in(totals, float(own.total)),
        live_points=float(full[live].sum()),
        live_own=float(own.points[live].sum()),
        of_parameters=of_parameters,
    )


def place_in_all(own: Scored, nulls: Mapping[str, Scored], parameters: Collection[str] = ()) -> dict[str, Placed]:
    """``place`` in each null, by its name; ``parameters`` names those that draw the model's parameters."""
    return {name: place(own, null, of_parameters=name in parameters) for name, null in nulls.items()}


def verdict(name: str, placed: Mapping[str, Placed]) -> str:
    """One sentence: in which of the nulls the score is informative, and where it stands in the others."""
    stands = ", ".join(f"percentile {x.percentile:.0f} of {null}" for null, x in placed.items())
    beaten = [null for null, x in placed.items() if x.informative]
    if len(beaten) == len(placed):
        return f"{name}: informative against every null ({stands})."
    if beaten:
        return f"{name}: informative only against {', '.join(beaten)} ({stands})."
    return f"{name}: no better than a null ({stands}; {INFORMATIVE:.0f} would be informative)."
