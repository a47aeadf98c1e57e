"""Every figure of TR-4's published validation, computed, under the names that ``data/tr4_sweep.json`` records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.stats import f_oneway

from coopgym.validation.files import read_data
from coopgym.validation.fit import fit
from coopgym.validation.report4.apple import Apple, conceded, documented_means, evidence, held, phase_means
from coopgym.validation.report4.case import apple_case
from coopgym.validation.report4.experiments import experiments
from coopgym.validation.report4.prediction import documented_knots
from coopgym.validation.report4.sweep import distinct_trajectories, monte_carlo, sensitivity, sweep
from coopgym.validation.robustness import bootstrap
from coopgym.validation.scoring import Scored, read_rubric, score

VARIANTS = ("current",)  # the newest suite is the one of the abstract


def reproduced(variant: str = "current") -> dict[str, float]:
    """Sweep, sensitivity, Monte Carlo, bootstrap, experiments and Apple case, by name."""
    result = sweep(read_data("tr4_sweep")["boxes"]["published"])
    r = sensitivity(result)
    return {
        **result.statistics(),
        "distinct_trajectories": float(distinct_trajectories(result.factors)),
        **{f"pearson_cooperation_{name}": x["final_cooperation"] for name, x in r.items()},
        "pearson_ratio_eta": r["eta"]["ratio"],
        **monte_carlo(),
        **bootstrap(result.rows.ratio),
        **experiments(),
        **apple_figures(),
    }


def apple_figures() -> dict[str, float]:
    """Score, fit of phases and trajectory, and counterfactual of the Apple case."""
    case = apple_case()
    calibrated = Apple.of(case)
    actions = calibrated.run().actions
    scored = apple_score(actions)
    yielding = replace(calibrated, shocks=conceded(case)).run().actions
    return {
        "apple_score": float(scored.total),
        **{f"apple_score_{name}": float(x) for name, x in scored.by_section().items()},
        **_fit_figures(actions, case),
        **_counterfactual(actions, yielding, case),
    }


def apple_score(actions: np.ndarray) -> Scored:
    """The published rubric on actions ``[quarters + 1, ..., 3]``."""
    return score(read_rubric(read_data("apple_rubric")), evidence(actions, apple_case()))


def case_score() -> Scored:
    """The published rubric on the calibrated case."""
    return apple_score(Apple.of(apple_case()).run().actions)


def case_fits() -> dict[str, dict[str, float]]:
    """Errors of the calibration, and of the imposed shocks alone: phase means, and knots of the record."""
    case = apple_case()
    calibrated = Apple.of(case)
    quarters, record = documented_knots(case)
    courses = {"calibrated": calibrated.run().actions, "shocks only": held(calibrated)}
    return {
        **{f"phase means, {name}": fit(phase_means(x, case), documented_means(case)) for name, x in courses.items()},
        **{f"record, {name}": fit(x[quarters], record) for name, x in courses.items()},
    }


def _fit_figures(actions: np.ndarray, case: Mapping[str, Any]) -> dict[str, float]:
    quarters, record = documented_knots(case)
    phases = fit(phase_means(actions, case), documented_means(case))
    course = fit(actions[quarters], record)
    each = {x: fit(actions[quarters, i], record[:, i])["r"] for i, x in enumerate(case["actors"])}
    means = [actions[phase["start"] : phase["end"] + 1].mean(-1) for phase in case["phases"]]
    return {
        **{f"apple_phase_{name}": phases[name] for name in ("r", "rmse", "r2", "bias")},
        **{f"apple_trajectory_{name}": course[name] for name in ("r", "rmse", "r2")},
        **{f"apple_trajectory_r_{actor}": r for actor, r in each.items()},
        "apple_anova_f": float(f_oneway(*means).statistic),
    }


def _counterfactual(base: np.ndarray, yielding: np.ndarray, case: Mapping[str, Any]) -> dict[str, float]:
    before, after = (phase_means(x, case).mean(-1) for x in (base, yielding))
    change = 100.0 * (after / before - 1.0)
    return {
        "counterfactual_gain": float(yielding[-1].mean() - base[-1].mean()),
        **{f"counterfactual_pct_{phase['name']}": float(x) for phase, x in zip(case["phases"], change, strict=True)},
    }
