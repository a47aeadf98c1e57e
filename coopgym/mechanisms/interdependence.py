"""TR-1: how much each agent depends on each other (equation 1), and who depends on whom in the catalogue."""

from __future__ import annotations

from typing import Any

import numpy as np

from coopgym.mechanisms.checks import number, square, whole


def symmetric(n: int, strength: float) -> np.ndarray:
    """``[n, n]``: everybody depends on everybody else with the same strength in [0, 1]."""
    return square("interdependence", number("strength", strength, 0.0, 1.0), whole("n", n, 2, 10_000))


def pair(first_on_second: float, second_on_first: float) -> np.ndarray:
    """``[2, 2]``: agent 0 depends on agent 1 by the first number, agent 1 on agent 0 by the second."""
    return square("interdependence", [[0.0, first_on_second], [second_on_first, 0.0]], 2)


def hub_and_spokes(spokes: int, hub_on_spoke: float, spoke_on_hub: float) -> np.ndarray:
    """``[1 + spokes, 1 + spokes]``: agent 0 is the hub; spokes do not depend on each other."""
    matrix = np.zeros((spokes + 1, spokes + 1))
    matrix[0, 1:] = number("hub_on_spoke", hub_on_spoke, 0.0, 1.0)
    matrix[1:, 0] = number("spoke_on_hub", spoke_on_hub, 0.0, 1.0)
    return matrix


def from_dependums(importance: Any, depends: Any, criticality: Any) -> np.ndarray:
    """D_ij = sum_d w_id Dep(i,j,d) crit(i,j,d) / sum_d w_id   (TR-1 eq. 1), diagonal 0.

    importance ``[N, G]`` w >= 0: weight of goal d for agent i; depends ``[N, N, G]`` in {0, 1}: i needs j for d;
    criticality ``[N, N, G]`` in [0, 1]. The denominator runs over all goals of i. An agent without goals depends
    on nobody. Raises ValueError on shapes that do not fit or values out of range.
    """
    w, dep, crit = (np.asarray(x, dtype=np.float64) for x in (importance, depends, criticality))
    if w.ndim != 2 or dep.shape != (w.shape[0], w.shape[0], w.shape[1]) or crit.shape != dep.shape:
        raise ValueError(
            f"importance {w.shape}, depends {dep.shape}, criticality {crit.shape} do not fit together; "
            "give [N, G], [N, N, G] and [N, N, G]"
        )
    for name, x, high in (("importance", w, np.inf), ("criticality", crit, 1.0)):
        if not (np.isfinite(x) & (x >= 0) & (x <= high)).all():
            raise ValueError(f"{name} has an entry outside [0, {high}]; weights are >= 0, criticalities at most 1")
    if not np.isin(dep, (0.0, 1.0)).all():
        raise ValueError("depends has an entry other than 0 and 1; put graded need into criticality")
    total = w.sum(-1)[:, None]
    weighted = (w[:, None, :] * dep * crit).sum(-1)
    return square("interdependence", np.divide(weighted, total, out=np.zeros_like(weighted), where=total > 0), len(w))
