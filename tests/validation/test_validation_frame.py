"""The frame of the validations: figures, places in nulls, and sensitivity against functions with known indices."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from coopgym.validation.figures import Figure, ReportResult, compare
from coopgym.validation.nulls import place, verdict
from coopgym.validation.robustness import latin_hypercube, one_at_a_time, sobol
from coopgym.validation.scoring import Scored, read_rubric, score

RUBRIC = read_rubric(
    {
        "rubric": "made up",
        "out_of": 5,
        "items": [
            {"section": "a", "name": "given", "points": 2, "constant": 2},
            {"section": "a", "name": "large", "points": 3, "key": "x", "bands": [{"points": 3, "above": 0.5}]},
        ],
    }
)


def scored(x: object) -> Scored:
    return score(RUBRIC, {"x": np.asarray(x, float)})


def test_a_figure_holds_within_its_tolerance() -> None:
    assert Figure("f", 1.0, 1.1, 0.2).holds
    assert not Figure("f", 1.0, 1.3, 0.2).holds
    assert Figure("f", np.inf, np.inf, 0.0).holds
    assert not Figure("f", float("nan"), 1.0, 1.0).holds


def test_only_departures_fail_a_report() -> None:
    good, bad = Figure("good", 1.0, 1.0, 0.0), Figure("bad", 1.0, 2.0, 0.0)
    assert ReportResult(1, {"current": (good,)}, {}).holds
    assert ReportResult(1, {"current": (good, bad)}, {}).departures == (bad,)


@pytest.mark.parametrize(
    ("values", "entry", "message"),
    [
        ({}, {"recorded": 1.0, "tolerance": 0.0}, "'x' is recorded, but was not computed"),
        ({"x": 1.0}, {"recorded": 1.0}, "figures.x has no field 'tolerance'"),
        ({"x": 1.0}, {"recorded": 1.0, "tolerence": 0.0}, "figures.x field='tolerence' .* did you mean 'tolerance'"),
    ],
)
def test_recorded_figures_are_checked(values: dict[str, float], entry: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        compare(values, {"x": entry})


def test_a_score_is_placed_with_its_live_points() -> None:
    placed = place(scored(1.0), scored([0.0, 0.0, 0.0, 1.0]))
    assert (placed.own, placed.mean, placed.share_at_least) == (5.0, 2.75, 0.25)
    assert placed.percentile == 87.5
    assert (placed.live_own, placed.live_points) == (3.0, 3.0)
    assert not placed.informative
    assert "no better than a null" in verdict("case", {"coins": placed})
    sure = place(scored(1.0), scored(np.zeros(50)))
    assert "informative only against luck" in verdict("case", {"coins": placed, "luck": sure})


def linear(p: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {"sum": 3.0 * p["a"] + 4.0 * p["b"] + 0.0 * p["c"], "product": p["a"] * p["b"], "none": 0.0 * p["a"]}


def test_sobol_indices_of_known_functions() -> None:
    found = sobol(linear, {"a": (-1.0, 1.0), "b": (-1.0, 1.0), "c": (0.0, 1.0)}, draws=4096)
    assert found.first["sum"] == pytest.approx({"a": 9 / 25, "b": 16 / 25, "c": 0.0}, abs=0.01)
    assert found.total["sum"] == pytest.approx({"a": 9 / 25, "b": 16 / 25, "c": 0.0}, abs=0.01)
    assert found.first["product"] == pytest.approx({"a": 0.0, "b": 0.0, "c": 0.0}, abs=0.02)
    assert found.total["product"] == pytest.approx({"a": 1.0, "b": 1.0, "c": 0.0}, abs=0.02)
    assert np.isnan(found.total["none"]["a"])
    assert found.inert() == ("c",)


def test_moves_around_a_centre() -> None:
    centre = {"a": 1.0, "b": 2.0, "c": 5.0}
    assert one_at_a_time(linear, centre)["b up"]["sum"] == pytest.approx(3.0 + 4.0 * 2.4)
    low, middle, high = latin_hypercube(linear, centre)["sum"]
    assert 11.0 * 0.85 < low < middle < high < 11.0 * 1.15
    assert middle == pytest.approx(11.0, abs=0.1)
