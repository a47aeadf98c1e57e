"""Fits with a phase left out: planted records are recovered, and references are what they are said to be."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from coopgym.validation.report2 import prediction as two
from coopgym.validation.report2.renault_nissan import alliance
from coopgym.validation.report3 import prediction as three
from coopgym.validation.report3.apache import Apache
from coopgym.validation.report3.case import apache_case
from coopgym.validation.report4 import prediction as four
from coopgym.validation.report4.apple import Apple, held
from coopgym.validation.report4.case import apple_case


@pytest.mark.parametrize("left", range(4))
def test_a_planted_apache_is_recovered(left: int) -> None:
    calibrated = Apache.of(apache_case(), "sum")
    omega = float(three.PRODUCTIVITY[1500])
    truth = 0.13 * replace(calibrated, parameters={**calibrated.parameters, "omega": omega}).mean_efforts()
    known = [i for i in range(4) if i != left]
    found, scale, efforts = three.fitted(calibrated, truth, known)
    assert (scale * efforts)[known] == pytest.approx(truth[known])
    if left:
        assert (found, scale) == pytest.approx((omega, 0.13))
    else:  # where nobody meets a bound only scale times a power of omega is known; formation's cap tells them apart
        assert found < omega and scale * found ** (1.0 / 0.35) == pytest.approx(0.13 * omega ** (1.0 / 0.35))


def test_references_of_apache() -> None:
    found = three.predict((0, 1))
    later = np.array([4.1, 3.8])
    assert found.test_rmse["training mean"] == pytest.approx(np.sqrt(((6.0 - later) ** 2).mean()))
    assert found.test_rmse["persistence"] == pytest.approx(np.sqrt(((5.2 - later) ** 2).mean()))
    first = three.leave_one_out()["formation"]
    assert first.test_rmse["persistence"] == pytest.approx(6.8 - 5.2)  # nothing precedes it: the next is held
    assert first.predicted["training mean"] == pytest.approx([(5.2 + 4.1 + 3.8) / 3.0] * 4)


def test_apache_is_no_better_than_repeating_the_last_phase() -> None:
    """In the newest form two phases are met by putting everybody at the floor, times several hundred."""
    found = three.predict((0, 1), "mean")
    assert found.scale > 400.0 and found.train_rmse < 0.01
    assert found.test_rmse["fit"] == pytest.approx(found.test_rmse["persistence"], abs=0.01)
    assert three.predict((0, 1), "sum").test_rmse["fit"] > found.test_rmse["persistence"]


def test_planted_trust_is_recovered(monkeypatch: pytest.MonkeyPatch) -> None:
    rates = {**two.PRIOR, "lambda_plus": 0.06, "lambda_minus": 0.31}
    course, steps = alliance(start="corrected").with_rates(**rates).run(), two.anchors()[0]
    truth = np.stack([course.trust[steps, 0, 1], course.trust[steps, 1, 0]], axis=-1)
    monkeypatch.setattr(two, "anchors", lambda: (steps, truth))
    for row in two.leave_one_out().values():
        assert (row["lambda_plus"], row["lambda_minus"]) == pytest.approx((0.06, 0.31))
        assert row["training"] == pytest.approx(0.0, abs=1e-9) and row["fit"] == pytest.approx(0.0, abs=1e-9)


def test_references_of_the_alliance() -> None:
    found = two.leave_one_out_tables()
    mature = found["anchor of mature left out: rmse"]
    assert mature["persistence"] == pytest.approx(np.sqrt(((0.95 - 0.85) ** 2 + (0.93 - 0.82) ** 2) / 2.0))
    formation = found["anchor of formation left out: rmse"]
    assert formation["persistence"] == mature["persistence"]  # nothing precedes it: the next is held
    assert formation["training mean"] == pytest.approx(
        np.sqrt((((0.95 + 0.20) / 2 - 0.85) ** 2 + ((0.93 + 0.25) / 2 - 0.82) ** 2) / 2.0)
    )
    crisis = found["anchor of crisis left out: rmse"]
    assert crisis["fit"] == two.predict_crisis(draws=2).test_rmse["fit"]


def test_every_knot_of_apple_is_left_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    masks = []

    def noted(case: Any, training: np.ndarray, *_: Any) -> None:
        masks.append(~training)

    monkeypatch.setattr(four, "predict_rest", noted)
    assert list(four.leave_one_out(apple_case())) == ["symbiosis", "maturation", "tension", "crisis", "adjustment"]
    assert (np.sum(masks, axis=0) == 1).all()
    assert four.documented_knots(apple_case())[0][masks[3]].tolist() == [48, 50, 52]


def test_references_of_apple() -> None:
    case = apple_case()
    quarters, record = four.documented_knots(case)
    crisis = (quarters >= 48) & (quarters < 54)
    found = four.predict_rest(case, ~crisis, draws=60, rounds=0)
    before = record[quarters == 44]
    assert found.test_rmse["persistence"] == pytest.approx(np.sqrt(((record[crisis] - before) ** 2).mean()))
    shocked = held(replace(Apple.of(case), noise=None))[quarters]
    assert found.test_rmse["shocks only"] == pytest.approx(np.sqrt(((record - shocked)[crisis] ** 2).mean()))


def test_a_planted_app_store_is_predicted() -> None:
    case = apple_case()
    quarters, _ = four.documented_knots(case)
    world = {"sensitivity": 0.6, "elasticity": 1.2, "response": 1.0, "step": 0.1, "decay": 0.08, "adaptation": 0.1}
    quiet = replace(Apple.of(case), noise=None)
    course = replace(quiet, world=replace(quiet.world, strength=1.0, **world)).run().actions[quarters]
    planted = {
        **case,
        "trajectory": {"quarters": quarters.tolist(), **dict(zip(case["actors"], course.T, strict=True))},
    }
    found = four.predict_rest(planted, (quarters < 48) | (quarters >= 54), draws=1500, rounds=12)
    assert found.train_rmse < 0.01 and found.test_rmse["fit"] < 0.02
    assert found.beats_all_references
