"""What went wrong: divergence, failures, early ends, corners, and curves that fall back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from coopgym.study.analysis.runs import CORNER, Runs
from coopgym.study.records import FAILED

WINDOW = 0.2  # the last part of a curve in which its spread is measured
FELL = 0.5  # of what had been gained: a run that lost more is called unstable


def failures(runs: Runs) -> list[dict[str, Any]]:
    """By player: runs, and how many diverged, failed (with reasons), ended early, or sit at an end of the range.

    Ended early: a rule ended the episode of the final policy. At an end: the mean rate is below 2 % or above 98 %.
    """
    found = []
    for player in sorted(set(runs.player)):
        own = runs.where(runs.player == player)
        ok = own.where(own.status == "ok")
        reasons = Counter(own.reason[own.status == FAILED].tolist())
        found.append({
            "player": player, "runs": len(own), "diverged": int((own.status == "diverged").sum()),
            "failed": int((own.status == FAILED).sum()), "reasons": dict(reasons.most_common()),
            "ended_early": int((ok.length < ok.horizon).sum()), "at_zero": int((ok.rate < CORNER).sum()),
            "at_full": int((ok.rate > 1.0 - CORNER).sum()),
        })  # fmt: skip
    return found


def instability(runs: Runs, curves: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """By player, from the curves of the evaluated welfare: how often, and how far, it fell back from its best.

    drawdown: the largest fall from a running maximum, as a share of the rise of the curve from its start; final_spread:
    standard deviation over the last fifth, as a share of the final value; unstable: runs with a drawdown above 1/2.
    """
    players = dict(zip(runs.run_id.tolist(), runs.player.tolist(), strict=True))
    drawdowns: dict[str, list[float]] = {}
    spreads: dict[str, list[float]] = {}
    for row in curves:
        if row["metric"] == "welfare_eval" and row["agent"] == -1 and row["run_id"] in players:
            values = np.array([np.nan if x is None else x for x in row["value"]], dtype=np.float64)
            if len(values) > 1:
                drawdowns.setdefault(players[row["run_id"]], []).append(drawdown(values))
                spreads.setdefault(players[row["run_id"]], []).append(final_spread(values))
    return [
        {
            "player": player, "curves": len(falls), "drawdown_median": float(np.median(falls)),
            "drawdown_largest": float(np.max(falls)), "unstable": int((np.array(falls) > FELL).sum()),
            "final_spread_median": float(np.median(spreads[player])),
        }
        for player, falls in sorted(drawdowns.items())
    ]  # fmt: skip


def drawdown(values: np.ndarray) -> float:
    """max over s < t of (W_s - W_t) / (W_max - W_0); 0 of a curve that never rises, 1 where it is not finite."""
    if not np.isfinite(values).all():
        return 1.0
    rise = values.max() - values[0]
    fall = float((np.maximum.accumulate(values) - values).max())
    return fall / float(rise) if rise > 0.0 else 0.0


def final_spread(values: np.ndarray) -> float:
    """Standard deviation over the last fifth of a curve, at least two points, as a share of its last value."""
    tail = values[-max(2, round(WINDOW * len(values))) :]
    return float(np.std(tail) / max(abs(values[-1]), 1e-12)) if np.isfinite(tail).all() else 1.0
