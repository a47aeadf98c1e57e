"""Out-of-sample prediction of the App Store: the one success, and its counter-example."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from coopgym.validation.files import read_data
from coopgym.validation.report4.prediction import predict

CASE = read_data("apple")
REFERENCES = {
    "no reciprocity": "no_reciprocity_test_rmse",
    "shocks only": "shock_only_test_rmse",
    "released calibration": "released_calibration_test_rmse",
    "persistence": "persistence_test_rmse",
}


@pytest.fixture(scope="module")
def recorded(golden: Path) -> Any:
    return json.loads((golden / "validation.json").read_text())["stricter_reference"]["apple_out_of_sample"]


SPLITS = [(36, "train_to_q36", True), (47, "train_to_q47", False)]


@pytest.mark.parametrize(("quarter", "key", "succeeds"), SPLITS)
def test_fitted_on_the_calm_years_only_it_predicts_the_conflict(
    recorded: Any, quarter: int, key: str, succeeds: bool
) -> None:
    prediction = predict(CASE, quarter, draws=4000, rounds=25)
    assert prediction.train_rmse <= recorded[key]["train_rmse"]
    for name, golden_name in REFERENCES.items():
        assert prediction.test_rmse[name] == pytest.approx(recorded[key][golden_name], abs=1e-4), name
    assert prediction.beats_all_references is succeeds


@pytest.mark.parametrize(("quarter", "key", "succeeds"), SPLITS)
def test_the_best_of_uniform_draws_is_near_the_recorded_one(
    recorded: Any, quarter: int, key: str, succeeds: bool
) -> None:
    prediction = predict(CASE, quarter, draws=20_000, rounds=0)
    assert prediction.train_rmse == pytest.approx(recorded[key]["train_rmse"], abs=0.002)
    assert prediction.test_rmse["fit"] == pytest.approx(recorded[key]["test_rmse"], abs=0.04)


def test_same_seed_same_fit() -> None:
    first, second = (predict(CASE, 36, draws=500, rounds=2) for _ in range(2))
    assert first.parameters == second.parameters
