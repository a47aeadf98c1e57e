"""Fit to the documented trust of Renault and Nissan, and prediction of the crisis from the calm years."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from coopgym.validation.fit import fit, skill
from coopgym.validation.report2.case import renault_nissan_case
from coopgym.validation.report2.model import TrustCourse
from coopgym.validation.report2.nulls import random_alliances, sweep_box
from coopgym.validation.report2.renault_nissan import Alliance, alliance, level

TRIED = np.arange(0.01, 0.5005, 0.0005)  # building rates
COARSE = np.arange(0.01, 0.5025, 0.005)  # building and erosion rates, where both are fitted
PRIOR: Mapping[str, Any] = {"lambda_minus": 0.30, "mu_R": 0.60, "delta_R": 0.03, "xi": 0.50}  # middle of the sweep


@dataclass(frozen=True)
class CrisisPrediction:
    """The building rate fitted to the calm anchors, and errors at the crisis anchor beside the references'.

    prior_beats: share of erosion and damage rates, drawn from the sweep's box, with which the prediction beats
    persistence and the mean of the training data; course: share that gets the later phases' signs and order right.
    """

    building: float
    train_rmse: float
    test_rmse: Mapping[str, float]
    skills: Mapping[str, float]
    prior_beats: float
    prior_rmse: tuple[float, float, float]
    course: float


def anchors() -> tuple[np.ndarray, np.ndarray]:
    """Steps ``[3]`` and documented trust ``[3, 2]``: of Renault in Nissan, of Nissan in Renault."""
    given = renault_nissan_case()["anchors"]
    record = [[x["renault_in_nissan"], x["nissan_in_renault"]] for x in given]
    return np.array([x["step"] for x in given]), np.array(record)


def at_anchors(course: TrustCourse) -> np.ndarray:
    """Trust at the documented steps, ``[3, ..., 2]``."""
    steps, _ = anchors()
    return np.stack([course.trust[steps][..., 0, 1], course.trust[steps][..., 1, 0]], axis=-1)


def anchor_fit(start: str = "released") -> dict[str, float]:
    """Errors of the newest calibration at all anchors; the suite does not score them."""
    return fit(at_anchors(alliance(start=start).run()), anchors()[1])


def predict_crisis(draws: int = 2000, seed: int = 0) -> CrisisPrediction:
    """Fit on steps 12 and 52, test on step 56.

    No calm year says how trust erodes, how damage comes or goes, or what dependence does: those rates are set to the
    middle of the published sweep, and then drawn from all of it. The actions of the crisis are given to the prediction.
    """
    _, record = anchors()
    calm = alliance(start="corrected").with_rates(**PRIOR)
    tried = at_anchors(calm.with_rates(lambda_plus=TRIED).run())
    errors = np.sqrt(((tried[:2] - record[:2, None]) ** 2).mean((0, -1)))
    fitted = calm.with_rates(lambda_plus=float(TRIED[errors.argmin()]))
    tested = {name: _rmse(x, record[2]) for name, x in _predictions(fitted, record).items()}
    beats, spread, course = _under_the_prior(fitted, record, draws, seed)
    skills = {name: skill(tested["fit"], x) for name, x in tested.items() if name != "fit"}
    building = float(TRIED[errors.argmin()])
    return CrisisPrediction(building, float(errors.min()), tested, skills, beats, spread, course)


def leave_one_out() -> dict[str, dict[str, float]]:
    """Phase whose last anchor is left out -> errors there of the fit to the other two, and of what stands beside it.

    The building and the erosion rate are fitted, the other rates are set to the middle of the published sweep. Without
    the crisis no anchor says how trust erodes: that is ``predict_crisis``.
    """
    steps, _ = anchors()
    the = alliance(start="corrected").with_rates(**PRIOR)
    ended = [the.names[np.searchsorted(the.bounds, step) - 1] for step in steps]
    return {phase: _left_out(the, left) for left, phase in enumerate(ended[:-1])}


def _left_out(the: Alliance, left: int) -> dict[str, float]:
    """Fitted rates and errors, with one anchor left out."""
    _, record = anchors()
    known = np.arange(len(record)) != left
    rates = {"lambda_plus": COARSE, "lambda_minus": COARSE}
    grid = dict(zip(rates, (x.ravel() for x in np.meshgrid(*rates.values(), indexing="ij")), strict=True))
    tried = at_anchors(the.with_rates(**grid).run())
    errors = np.sqrt(((tried - record[:, None])[known] ** 2).mean((0, -1)))
    best = {name: float(x[errors.argmin()]) for name, x in grid.items()}
    predictions = _predictions(the.with_rates(**best), record, left)
    tested = {name: _rmse(x, record[left]) for name, x in predictions.items()}
    return {**best, "training": float(errors.min()), **tested}


def leave_one_out_tables() -> dict[str, dict[str, float]]:
    """``leave_one_out`` and the skill of each fit; the crisis left out as ``predict_crisis`` does it."""
    crisis = predict_crisis(draws=2)
    found = {**leave_one_out(), "crisis": {"lambda_plus": crisis.building, "training": crisis.train_rmse}}
    found["crisis"] |= crisis.test_rmse
    beside = [name for name in crisis.test_rmse if name != "fit"]
    tables = {}
    for phase, row in found.items():
        tables[f"anchor of {phase} left out: rmse"] = row
        tables[f"anchor of {phase} left out: skill of the fit"] = {x: skill(row["fit"], row[x]) for x in beside}
    return tables


def _predictions(fitted: Alliance, record: np.ndarray, left: int = 2) -> dict[str, np.ndarray]:
    """Trust at the anchor that was left out, ``[2]``; persistence holds the one before it, or after the first."""

    def there(the: Alliance) -> np.ndarray:
        return np.asarray(at_anchors(the.run())[left])

    return {
        "fit": there(fitted),
        "training mean": np.delete(record, left, axis=0).mean(0),
        "persistence": record[left - 1 if left else 1],
        "equal rates": there(fitted.with_rates(lambda_minus=fitted.rates.lambda_plus)),
        "no amplification by dependence": there(fitted.with_rates(xi=0.0)),
        "no reputation damage": there(fitted.with_rates(mu_R=0.0)),
        "released calibration": there(alliance(start="corrected")),
    }


def _under_the_prior(
    fitted: Alliance, record: np.ndarray, draws: int, seed: int
) -> tuple[float, tuple[float, float, float], float]:
    unknown = {name: x for name, x in sweep_box().items() if name in PRIOR}
    drawn = random_alliances(fitted, unknown, draws, np.random.default_rng(seed))
    course = drawn.run()
    errors = np.sqrt(((at_anchors(course)[2] - record[2]) ** 2).mean(-1))
    reference = min(_rmse(record[1], record[2]), _rmse(record[:2].mean(0), record[2]))
    low, middle, high = np.percentile(errors, (5, 50, 95))
    right = _later_course(level(course, diagonal=False)[fitted.bounds])
    return float((errors < reference).mean()), (float(low), float(middle), float(high)), float(right.mean())


def _later_course(tau: np.ndarray) -> np.ndarray:
    """Whether trust at the phases' bounds ``[6, ...]`` falls in the crisis, rises after it, and stays below before."""
    return np.asarray((tau[3] < tau[2]) & (tau[4] > tau[3]) & (tau[5] > tau[4]) & (tau[5] < tau[2]))


def _rmse(predicted: np.ndarray, record: np.ndarray) -> float:
    return float(np.sqrt(((predicted - record) ** 2).mean()))
