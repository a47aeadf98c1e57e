"""TR-4's validation as one call: the published figures, and on request the stricter protocol."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from coopgym.validation.figures import ReportResult
from coopgym.validation.files import read_data
from coopgym.validation.fit import skill
from coopgym.validation.nulls import place_in_all, verdict
from coopgym.validation.protocol import News, run
from coopgym.validation.report4 import sensitivity
from coopgym.validation.report4.case import apple_case
from coopgym.validation.report4.harder import harder_targets
from coopgym.validation.report4.nulls import PARAMETERS, ablation_scores, null_scores, without_a_model
from coopgym.validation.report4.prediction import Prediction, leave_one_out_tables, predict
from coopgym.validation.report4.reproduced import VARIANTS, case_fits, case_score, reproduced


def validate(strict: bool = False, news: News | None = None) -> ReportResult:
    """Everything of report 4; ``news`` hears what is being done."""
    return run(4, "tr4_sweep", VARIANTS, reproduced, _scores, _stricter, strict, news)


def _scores() -> dict[str, tuple[float, float]]:
    scored = case_score()
    return {variant: (float(scored.total), scored.rubric.out_of) for variant in VARIANTS}


def _stricter(plain: ReportResult) -> ReportResult:
    nulls, case = place_in_all(case_score(), null_scores(), PARAMETERS), apple_case()
    predictions = {f"quarters after {last}": predict(case, last) for last in _last_training_quarters(case)}
    return replace(
        plain,
        nulls=nulls,
        ablations={"current, mean over other noise": ablation_scores()},
        harder={
            "targets that can fail": harder_targets(read_data("tr4_sweep")["boxes"]["published"]),
            **case_fits(),
            "scores without a model": without_a_model(),
            **_errors(predictions),
            **leave_one_out_tables(case),
            **sensitivity.tables(),
        },
        inert=sensitivity.inert(),
        verdicts=(
            verdict(f"Apple, {case_score().total:g} of {case_score().rubric.out_of:g}", nulls),
            *(_prediction_verdict(name, x) for name, x in predictions.items()),
        ),
    )


def _last_training_quarters(case: Mapping[str, Any]) -> tuple[int, int]:
    """Fit on the calm years alone; then on the tension too, whose end is the quarter at which the crisis strikes."""
    phases = {phase["name"]: phase for phase in case["phases"]}
    return int(phases["maturation"]["end"]), int(phases["crisis"]["start"]) - 1


def _errors(predictions: Mapping[str, Prediction]) -> dict[str, dict[str, float]]:
    tables = {}
    for name, x in predictions.items():
        fitted = x.test_rmse["fit"]
        tables[f"{name} predicted: rmse"] = {"training": x.train_rmse, **x.test_rmse}
        tables[f"{name} predicted: skill of the fit"] = {
            k: skill(fitted, y) for k, y in x.test_rmse.items() if k != "fit"
        }
        tables[f"{name} predicted: fitted parameters"] = x.parameters
    return tables


def _prediction_verdict(name: str, prediction: Prediction) -> str:
    tested = dict(prediction.test_rmse)
    own = tested.pop("fit")
    beside = ", ".join(f"{reference} {x:.3f}" for reference, x in tested.items())
    better = [reference for reference, x in tested.items() if x <= own]
    outcome = (
        f"no better than {' or '.join(better)}: the counter-example" if better else "better than everything beside it"
    )
    return (
        f"Apple, {name} predicted from those before: RMSE {own:.3f} ({beside}); {outcome}. "
        f"The shocks, read off the record, are given to every prediction but persistence."
    )
