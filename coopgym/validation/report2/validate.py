"""TR-2's validation as one call: the published figures, and on request the stricter protocol."""

from __future__ import annotations

from dataclasses import replace

from coopgym.validation.figures import ReportResult
from coopgym.validation.files import read_data
from coopgym.validation.nulls import place_in_all, verdict
from coopgym.validation.protocol import News, run
from coopgym.validation.report2.harder import first_step_ratio, harder_targets, swept_statistics
from coopgym.validation.report2.model import FACTORS
from coopgym.validation.report2.nulls import PARAMETERS, ablation_scores, ablations, null_scores, rate_scores, sweep_box
from coopgym.validation.report2.prediction import CrisisPrediction, anchor_fit, leave_one_out_tables, predict_crisis
from coopgym.validation.report2.renault_nissan import alliance
from coopgym.validation.report2.reproduced import VARIANTS, case_score, reproduced
from coopgym.validation.robustness import Sobol, by_quantile, latin_hypercube, one_at_a_time, sobol


def validate(strict: bool = False, news: News | None = None) -> ReportResult:
    """Everything of report 2; ``news`` hears what is being done."""
    return run(2, "tr2_sweep", VARIANTS, reproduced, _scores, _stricter, strict, news)


def _scores() -> dict[str, tuple[float, float]]:
    return {variant: (float(case_score(variant).total), case_score(variant).rubric.out_of) for variant in VARIANTS}


def _stricter(plain: ReportResult) -> ReportResult:
    nulls = place_in_all(case_score(), null_scores(), PARAMETERS)
    swept = sobol(swept_statistics, sweep_box())
    predicted = predict_crisis()
    return replace(
        plain,
        nulls=nulls,
        ablations={"current": ablation_scores("current"), "published": ablation_scores("published")},
        harder={**_targets(), **_fits(predicted), **leave_one_out_tables(), **_sensitivity(swept)},
        inert=(*swept.inert(), "rho"),
        verdicts=(
            verdict(f"Renault-Nissan, {case_score().total:g} of 60", nulls),
            _prediction_verdict(predicted),
        ),
    )


def _targets() -> dict[str, dict[str, float]]:
    levels = read_data("tr2_sweep")["boxes"]["standard"]
    ratios = {name: float(first_step_ratio(variant)) for name, variant in ablations(alliance()).items()}
    return {
        "targets that can fail, current": harder_targets(levels, "current"),
        "targets that can fail, published": harder_targets(levels, "published"),
        "loss over gain in first steps, at equal trust": ratios,
    }


def _fits(predicted: CrisisPrediction) -> dict[str, dict[str, float]]:
    low, middle, high = predicted.prior_rmse
    return {
        "anchors, as released": anchor_fit("released"),
        "anchors, initial trust corrected": anchor_fit("corrected"),
        "crisis from calm years: rmse": dict(predicted.test_rmse),
        "crisis from calm years: skill of the fit": dict(predicted.skills),
        "crisis from calm years: unknown rates drawn": {
            "rmse 5 %": low,
            "rmse median": middle,
            "rmse 95 %": high,
            "beats mean and persistence": predicted.prior_beats,
            "later course right": predicted.course,
        },
    }


def _sensitivity(swept: Sobol) -> dict[str, dict[str, float]]:
    case = sobol(rate_scores, sweep_box())
    centre = {name: float(getattr(alliance().rates, name)) for name in FACTORS}
    moved = one_at_a_time(rate_scores, centre)
    return {
        **{f"first-order index of {name}": dict(x) for name, x in {**swept.first, **case.first}.items()},
        **{f"total index of {name}": dict(x) for name, x in {**swept.total, **case.total}.items()},
        "score with one rate 20 % off": {label: row["score"] for label, row in moved.items()},
        "all rates up to 15 % off": by_quantile(latin_hypercube(rate_scores, centre)),
    }


def _prediction_verdict(predicted: CrisisPrediction) -> str:
    tested = predicted.test_rmse
    better = [name for name, x in tested.items() if name.startswith(("no ", "equal")) and x < tested["fit"]]
    against = f"; without a mechanism it is nearer still ({', '.join(better)})" if better else ""
    return (
        f"Renault-Nissan, crisis predicted from the calm years: RMSE {tested['fit']:.3f}, persistence "
        f"{tested['persistence']:.3f}, training mean {tested['training mean']:.3f}{against}. The crisis's actions are "
        f"given, its rates are prior values no calm year identifies, and the test is one anchor of two numbers."
    )
