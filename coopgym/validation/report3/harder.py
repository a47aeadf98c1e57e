"""Targets of TR-3 that the model could fail: the published ones are identities of the closed form and its bounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from coopgym.validation.report3.model import LoyalTeam
from coopgym.validation.report3.sweep import Sweep, percent, sweep


def harder_targets(factors: Mapping[str, Sequence[float]], teammates: str = "mean") -> dict[str, float]:
    """Of one box: error of the free-riding effort with the bounds on both sides, shares of live rows, identities."""
    result = sweep(factors, teammates)
    return {
        "bounded_free_riding_error": bounded_error(result.team),
        "kkt_residual": residual(result),
        "clipped_pct": percent(_clipped(result)),
        "differentiation_pct": percent(result.differentiation > 2.0),
        "differentiation_median": float(np.median(result.differentiation)),
        "differentiation_distinct": float(distinct(result.differentiation)),
        "synergy_pct": percent(result.synergy > 1.1),
        "synergy_median": float(np.median(result.synergy)),
        "synergy_distinct": float(distinct(result.synergy)),
    }


def bounded_error(team: LoyalTeam) -> float:
    """Largest relative error, in percent, of the mean effort against the analytic one inside the same bounds."""
    analytic = np.clip(team.free_riding, team.floor, team.cap)
    return float((100.0 * abs(team.mean_effort(0.0) - analytic) / analytic).max())


def residual(result: Sweep) -> float:
    """Largest gain left to anybody, in units of the cost of effort, when all members exert the mean effort."""
    cells = np.stack([np.ravel(x) for x in (result.team.productivity, result.team.exponent, result.team.cost)])
    worst = 0.0
    for n in np.unique(result.team.size):
        at = (result.team.size == n).ravel()
        omega, beta, c = (x[at][:, None, None] for x in cells)
        team = LoyalTeam(omega, beta, c, int(n), teammates=result.team.teammates)
        loyalty = np.broadcast_to(result.loyalties[:, None], (len(result.loyalties), int(n)))
        effort = result.effort.reshape(-1, len(result.loyalties))[at][..., None]
        efforts = np.broadcast_to(effort, (len(effort), *loyalty.shape))
        worst = max(worst, float(team.residual(efforts, loyalty).max()))
    return worst


def distinct(values: np.ndarray) -> int:
    """How many different numbers a statistic takes over the box, to nine digits."""
    return len(np.unique(np.round(values, 9)))


def _clipped(result: Sweep) -> np.ndarray:
    return np.asarray((result.effort <= result.team.floor) | (result.effort >= result.team.cap))
