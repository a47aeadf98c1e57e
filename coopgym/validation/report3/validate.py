"""TR-3's validation as one call: the published figures, and on request the stricter protocol."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from coopgym.validation.figures import ReportResult
from coopgym.validation.files import read_data
from coopgym.validation.fit import fit
from coopgym.validation.nulls import Placed, place_in_all, verdict
from coopgym.validation.protocol import News, run
from coopgym.validation.report3 import prediction, sensitivity
from coopgym.validation.report3.apache import Apache
from coopgym.validation.report3.case import apache_case
from coopgym.validation.report3.harder import harder_targets
from coopgym.validation.report3.nulls import PARAMETERS, ablation_scores, null_scores, without_a_model
from coopgym.validation.report3.reproduced import VARIANTS, case_score, reproduced


def validate(strict: bool = False, news: News | None = None) -> ReportResult:
    """Everything of report 3; ``news`` hears what is being done."""
    return run(3, "tr3_sweep", VARIANTS, reproduced, _scores, _stricter, strict, news)


def _scores() -> dict[str, tuple[float, float]]:
    return {variant: (float(case_score(variant).total), case_score(variant).rubric.out_of) for variant in VARIANTS}


def _stricter(plain: ReportResult) -> ReportResult:
    nulls = {variant: place_in_all(case_score(variant), null_scores(variant), PARAMETERS) for variant in VARIANTS}
    ablations = {variant: ablation_scores(variant) for variant in VARIANTS}
    fits = {variant: _fit(variant) for variant in VARIANTS}
    return replace(
        plain,
        nulls={f"{variant}, {name}": x for variant, placed in nulls.items() for name, x in placed.items()},
        ablations=ablations,
        harder={
            **_targets(),
            **{f"documented efforts, {variant}": found for variant, found in fits.items()},
            "scores without a model": without_a_model(),
            **_predictions_and_sensitivity(),
        },
        inert=_inert(),
        verdicts=(
            *(verdict(f"Apache, teammates by {v}, {case_score(v).total:g} of 60", x) for v, x in nulls.items()),
            _fit_verdict(nulls, ablations, fits),
        ),
    )


def _targets() -> dict[str, dict[str, float]]:
    """Targets that can fail, on the published grid and on the one that the README documents."""
    return {
        f"targets that can fail, {variant}, {box} box": harder_targets(levels, variant)
        for variant in VARIANTS
        for box, levels in read_data("tr3_sweep")["boxes"].items()
    }


def _predictions_and_sensitivity() -> dict[str, dict[str, float]]:
    return {
        f"{variant}, {title}": row
        for variant in VARIANTS
        for title, row in {**prediction.tables(variant), **sensitivity.tables(variant)}.items()
    }


def _inert() -> tuple[str, ...]:
    first, *others = (sensitivity.inert(variant) for variant in VARIANTS)
    return tuple(name for name in first if all(name in other for other in others))


def _fit(teammates: str) -> dict[str, float]:
    documented = np.array([phase["documented_effort"] for phase in apache_case()["phases"]])
    return fit(Apache.of(apache_case(), teammates).mean_efforts(), documented)


def _fit_verdict(
    nulls: Mapping[str, Mapping[str, Placed]],
    ablations: Mapping[str, Mapping[str, float]],
    fits: Mapping[str, Mapping[str, float]],
) -> str:
    without, own = without_a_model(), {v: ablations[v]["calibrated"] for v in VARIANTS}
    gained = [v for v in VARIANTS if ablations[v]["no loyalty"] > own[v]]
    better = f"; without loyalty the {' and '.join(gained)} variant scores more than with it" if gained else ""
    errors = ", ".join(f"{own[v]:g} of 60 go with a mean error of {fits[v]['mape']:.0f} % ({v})" for v in VARIANTS)
    return (
        f"Apache, fit: {errors}, and the documented efforts themselves score {without['documented']:g}{better}. "
        f"The rubric pays for a falling order, which the growing core gives, and not for levels."
    )
