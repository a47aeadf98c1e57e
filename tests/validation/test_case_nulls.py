"""Where the calibrated Apache and Apple stand among models and trajectories that know nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from coopgym.validation.nulls import percentile_in
from coopgym.validation.report3 import nulls as apache
from coopgym.validation.report4 import nulls as apple


@pytest.fixture(scope="module")
def recorded(golden: Path) -> Any:
    return json.loads((golden / "validation.json").read_text())


def test_percentile_counts_half_of_the_ties() -> None:
    assert percentile_in(np.array([1.0, 2.0, 2.0, 5.0]), 2.0) == 50.0
    assert percentile_in(np.array([1.0, 2.0]), 3.0) == 100.0


@pytest.mark.parametrize(("teammates", "state", "own"), [("mean", "current", 45), ("sum", "published", 60)])
def test_apache_is_not_informative(recorded: Any, teammates: str, state: str, own: int) -> None:
    null = apache.null_scores(teammates)
    place = percentile_in(null["random parameters"].total, own)
    assert place == pytest.approx(
        recorded["null_models"][f"tr3_apache_param_box_{state}"]["percentile_of_calibrated"], abs=1.5
    )
    assert place < 95
    uniform = recorded["null_models"]["tr3_apache_iid_uniform_0_50"]
    assert null["random efforts"].total.mean() == pytest.approx(uniform["mean"], abs=0.2)


def test_apple_is_not_informative(recorded: Any) -> None:
    null = apple.null_scores()
    place = percentile_in(null["random parameters"].total, 43)
    assert place == pytest.approx(
        recorded["null_models"]["tr4_random_params"]["score"]["percentile_of_calibrated"], abs=4
    )
    assert place < 95
    assert null["random walk"].total.max() > 43


def test_apache_ablations() -> None:
    current, published = apache.ablation_scores("mean"), apache.ablation_scores("sum")
    assert current["no loyalty"] > current["calibrated"]
    assert published["no loyalty"] < published["calibrated"]
    assert published["effort cap 10"] == 52


def test_apple_ablations(recorded: Any) -> None:
    scores, nulls = apple.ablation_scores(), recorded["null_models"]
    assert scores["no reciprocity"] == pytest.approx(nulls["tr4_no_reciprocity"]["score"]["mean"], abs=0.2)
    assert scores["no shocks"] == pytest.approx(nulls["tr4_no_shocks"]["score"]["mean"], abs=0.2)
    assert scores["calibrated"] == pytest.approx(nulls["tr4_seed_only"]["score"]["mean"], abs=0.2)


def test_the_record_beats_the_model() -> None:
    scores = apple.without_a_model()
    assert scores["documented"] == 48.5
    assert scores["shocks only"] == 40.0
