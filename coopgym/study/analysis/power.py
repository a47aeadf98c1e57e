"""How many seeds a claim of leadership needs, at the difference that was found."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from coopgym.statistics import seeds_needed
from coopgym.study.analysis.rankings import Field

__all__ = ["leader_claims", "seeds_needed"]


def leader_claims(field: Field, order: list[int]) -> list[dict[str, Any]]:
    """By game: the best two players by mean score, how far apart they are, and the seeds that this claim needs."""
    found = []
    for g, game in enumerate(field.games):
        there = [a for a in order if not field.missing[a, g]]
        two = sorted(there, key=lambda a: -float(field.samples[a][g].mean()))[:2]
        if len(two) == 2 and min(len(field.samples[a][g]) for a in two) > 1:
            x, y = (field.samples[a][g] for a in two)
            spread = math.sqrt((np.var(x, ddof=1) + np.var(y, ddof=1)) / 2.0)
            gap = float(x.mean() - y.mean())
            effect = gap / spread if spread > 0.0 else math.inf if gap > 0.0 else 0.0
            found.append({
                "game": game, "leader": field.players[two[0]], "second": field.players[two[1]], "difference": gap,
                "effect": effect if math.isfinite(effect) else None, "seeds": min(len(x), len(y)),
                "seeds_needed": 2 if math.isinf(effect) else seeds_needed(effect),
            })  # fmt: skip
    return found
