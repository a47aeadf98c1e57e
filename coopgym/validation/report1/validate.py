"""TR-1's validation as one call: the published figures, and on request the stricter protocol."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from coopgym.validation.figures import ReportResult
from coopgym.validation.nulls import Placed, place_in_all, verdict
from coopgym.validation.protocol import News, run
from coopgym.validation.report1 import sensitivity
from coopgym.validation.report1.case import slcd_case
from coopgym.validation.report1.model import FORMS
from coopgym.validation.report1.nulls import PARAMETERS, ablation_scores, log_against_power, null_scores
from coopgym.validation.report1.prediction import WaypointPrediction, predict
from coopgym.validation.report1.reproduced import VARIANTS, case_score, reproduced
from coopgym.validation.robustness import by_quantile, latin_hypercube, one_at_a_time, sobol


def validate(strict: bool = False, news: News | None = None) -> ReportResult:
    """Everything of report 1; ``news`` hears what is being done."""
    return run(1, "tr1_trials", VARIANTS, reproduced, _scores, _stricter, strict, news)


def _scores() -> dict[str, tuple[float, float]]:
    return {f"{variant}, {form}": _score(form, variant) for variant in VARIANTS for form in FORMS}


def _stricter(plain: ReportResult) -> ReportResult:
    nulls = _placed()
    predictions = {schedule: predict(schedule) for schedule in slcd_case()["waypoints"]}
    return replace(
        plain,
        nulls={f"{form}, {name}": x for form, placed in nulls.items() for name, x in placed.items()},
        ablations=ablation_scores(),
        harder={"log against power": log_against_power(), **_waypoints(predictions), **_sensitivity()},
        verdicts=(*_verdicts(nulls), _prediction_verdict(predictions)),
    )


def _score(form: str, matrix: str) -> tuple[float, float]:
    scored = case_score(form, matrix)
    return float(scored.total), scored.rubric.out_of


def _placed() -> dict[str, dict[str, Placed]]:
    nulls = null_scores()
    return {form: place_in_all(case_score(form), nulls[form], PARAMETERS) for form in FORMS}


def _waypoints(predictions: Mapping[str, WaypointPrediction]) -> dict[str, dict[str, float]]:
    return {f"waypoints, {name}: test rmse": dict(x.test_rmse) for name, x in predictions.items()}


def _sensitivity() -> dict[str, dict[str, float]]:
    tables: dict[str, dict[str, float]] = {}
    for form in FORMS:
        model, centre = sensitivity.model(form), sensitivity.centre(form)
        found = sobol(model, sensitivity.box(form))
        for name in found.total:
            tables[f"{form}, first-order index of {name}"] = dict(found.first[name])
            tables[f"{form}, total index of {name}"] = dict(found.total[name])
        moved = one_at_a_time(model, centre)
        tables[f"{form}, score with one parameter 20 % off"] = {label: row["score"] for label, row in moved.items()}
        tables[f"{form}, all parameters up to 15 % off"] = by_quantile(latin_hypercube(model, centre))
    return tables


def _verdicts(nulls: Mapping[str, Mapping[str, Placed]]) -> list[str]:
    return [verdict(f"S-LCD, {form} form, {case_score(form).total:g} of 60", x) for form, x in nulls.items()]


def _prediction_verdict(predictions: Mapping[str, WaypointPrediction]) -> str:
    lost = [name for name, x in predictions.items() if x.skill_of("fit") <= 0.0]
    won = [name for name, x in predictions.items() if x.skill_of("fit with expected actions") > 0.0]
    return (
        f"S-LCD, waypoints: with the released baselines every documented action is a good sign, trust can only rise, "
        f"and the collapse is missed (worse than persistence on {len(lost)} of {len(predictions)} schedules). With the "
        f"expected actions fitted too, two parameters on two points, it is foreseen on {len(won)} of "
        f"{len(predictions)}, from actions that are illustrations and fall themselves."
    )
