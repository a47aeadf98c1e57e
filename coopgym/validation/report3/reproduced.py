"""Every figure of TR-3's published validation, computed, under the names that ``data/tr3_sweep.json`` records."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from coopgym.validation.files import read_data
from coopgym.validation.fit import fit
from coopgym.validation.report3.apache import Apache, evidence
from coopgym.validation.report3.case import apache_case
from coopgym.validation.report3.sweep import monte_carlo, sweep
from coopgym.validation.robustness import bootstrap
from coopgym.validation.scoring import Scored, read_rubric, score

VARIANTS = ("mean", "sum")  # how a member counts its teammates' payoffs: newest suite, and the abstract's state


def reproduced(teammates: str) -> dict[str, float]:
    """Sweep, Monte Carlo, bootstrap and Apache case of one variant, by name."""
    result = sweep(read_data("tr3_sweep")["boxes"]["published"], teammates)
    return {
        **result.statistics(),
        **monte_carlo(teammates),
        **bootstrap(result.differentiation),
        **apache_figures(teammates),
    }


def apache_figures(teammates: str) -> dict[str, float]:
    """Score, phases and fit of the Apache case; also the score with the effort cap of an earlier state."""
    case = apache_case()
    calibrated = Apache.of(case, teammates)
    efforts, founders = calibrated.mean_efforts(), calibrated.efforts(0)
    distance = fit(efforts, np.array([phase["documented_effort"] for phase in case["phases"]]))
    scored = apache_score(efforts)
    return {
        "apache_score": float(scored.total),
        "apache_score_cap_10": float(apache_score(replace(calibrated, cap=10.0).mean_efforts()).total),
        **{f"apache_score_{name}": float(x) for name, x in scored.by_section().items()},
        **{f"apache_effort_{phase['name']}": float(x) for phase, x in zip(case["phases"], efforts, strict=True)},
        **{f"apache_{name}": distance[name] for name in ("r", "rmse", "mape")},
        "apache_top_to_bottom": float(founders.max() / founders.min()),
    }


def apache_score(efforts: np.ndarray) -> Scored:
    """The published rubric on mean efforts ``[..., phases]``."""
    names = tuple(phase["name"] for phase in apache_case()["phases"])
    return score(read_rubric(read_data("apache_rubric")), evidence(efforts, names))


def case_score(teammates: str = "mean") -> Scored:
    """The published rubric on the calibrated case."""
    return apache_score(Apache.of(apache_case(), teammates).mean_efforts())
