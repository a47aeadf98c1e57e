"""TR-1 under the stricter protocol: where S-LCD stands in its nulls, what switches off, and what is foreseen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from coopgym.validation.nulls import place_in_all
from coopgym.validation.report1 import nulls, sensitivity
from coopgym.validation.report1.case import slcd_case
from coopgym.validation.report1.model import FORMS
from coopgym.validation.report1.prediction import at_waypoints, predict, venture_trust
from coopgym.validation.report1.reproduced import case_score
from coopgym.validation.report1.validate import validate
from coopgym.validation.robustness import one_at_a_time, sobol


@pytest.fixture(scope="module")
def recorded(golden: Path) -> Any:
    return json.loads((golden / "validation.json").read_text())["null_models"]


@pytest.mark.parametrize("form", FORMS)
def test_slcd_is_not_informative_among_ventures(recorded: Any, form: str) -> None:
    placed = place_in_all(case_score(form), nulls.null_scores()[form])
    for name, key in (("random dependence and shares", "tr1_D_alpha"), ("random synergy too", "tr1_D_alpha_gamma")):
        assert placed[name].percentile == pytest.approx(recorded[key][form]["percentile_of_calibrated"], abs=2.0)
        assert placed[name].mean == pytest.approx(recorded[key][form]["mean"], abs=0.3)
        assert not placed[name].informative


def test_live_points_of_the_logarithmic_form() -> None:
    null = nulls.null_scores()["log"]["random dependence and shares"]
    live = [item.label for item, on in zip(null.rubric.items, null.live(), strict=True) if on]
    assert live == [
        "value: increase above 10",
        "value: increase above 15",
        "value: increase in band",
        "distribution: share in band",
        "realism: asymmetry in band",
    ]
    assert null.total.min() == 45


def test_better_form_is_a_statement_about_gamma(recorded: Any) -> None:
    found = nulls.log_against_power()
    assert found["log_better_pct_fixed_synergy"] == pytest.approx(
        100 * recorded["tr1_D_alpha"]["share_log_gt_power"], abs=1.0
    )
    assert found["log_better_pct_random_synergy"] == pytest.approx(
        100 * recorded["tr1_D_alpha_gamma"]["share_log_gt_power"], abs=3.0
    )


def test_ablations() -> None:
    scores = nulls.ablation_scores()
    assert scores["log"]["no synergy"] < scores["log"]["no dependence"] < scores["log"]["calibrated"]
    assert scores["power"]["no dependence"] > scores["power"]["calibrated"]


@pytest.mark.parametrize("schedule", list(slcd_case()["waypoints"]))
def test_released_baselines_cannot_foresee_the_collapse(schedule: str) -> None:
    predicted = predict(schedule)
    assert predicted.skill_of("fit") < 0.0
    assert np.all(np.diff(predicted.predicted["fit"]) > 0.0)  # every documented action lies above what is expected
    assert predicted.train_rmse["fit with expected actions"] <= predicted.train_rmse["fit"]


def test_trust_at_waypoints_by_hand() -> None:
    the = venture_trust(slcd_case())
    gap = 0.35 * (1.0 - 0.08) ** 25  # the signals are saturated: tanh 30 and above
    assert at_waypoints(the)[0] == pytest.approx(1.0 - gap, rel=1e-9)


def test_endowments_only_move_the_share() -> None:
    found = sobol(sensitivity.model("log"), sensitivity.box("log"), draws=256)
    assert found.total["cooperation_increase"]["endowment"] < 1e-12
    assert found.total["share"]["endowment"] > 1e-4
    assert found.total["cooperation_increase"]["gamma"] > 0.8


def test_scores_move_with_single_parameters() -> None:
    moved = one_at_a_time(sensitivity.model("log"), sensitivity.centre("log"))
    assert moved["gamma up"]["score"] == 60
    assert min(row["score"] for row in moved.values()) == 54


def test_validate_in_one_call() -> None:
    heard: list[str] = []
    result = validate(strict=True, news=heard.append)
    assert result.holds
    assert result.scores["current, log"] == (58.0, 60)
    assert result.scores["transposed, power"] == (46.0, 60)
    assert len(heard) == 3
    assert "waypoints, rising: test rmse" in result.harder
    assert any("84 of random dependence" in sentence for sentence in result.verdicts)
    assert not validate().nulls
