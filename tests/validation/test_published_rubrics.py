"""The published rubrics of the Apache and Apple cases: scores item by item, ablations, nulls, and refused data."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from coopgym.validation.files import read_data
from coopgym.validation.report3 import apache
from coopgym.validation.report4 import apple
from coopgym.validation.scoring import Scored, read_rubric, score

APACHE, APPLE = read_data("apache"), read_data("apple")
APACHE_RUBRIC, APPLE_RUBRIC = read_rubric(read_data("apache_rubric")), read_rubric(read_data("apple_rubric"))
PHASES = tuple(phase["name"] for phase in APACHE["phases"])
VARIANTS = [("mean", "current"), ("sum", "published")]
INDICATORS = {
    "coop_trend": "cooperation trend",
    "response_magnitude": "response magnitude",
    "memory_effects": "memory effects",
    "asymmetry": "asymmetry",
    "trust_recip_align": "trust-reciprocity alignment",
    "punishment": "punishment",
    "forgiveness": "forgiveness",
    "phase_timing": "phase timing",
    "recovery_shape": "recovery shape",
    "eq_stability": "equilibrium stability",
    "param_sensitivity": "parameter sensitivity",
    "overall_fit": "overall fit",
}


@pytest.fixture(scope="module")
def recorded(golden: Path) -> Any:
    return json.loads((golden / "validation.json").read_text())


def apache_score(efforts: Any) -> Scored:
    return score(APACHE_RUBRIC, apache.evidence(np.asarray(efforts, float), PHASES))


def apple_score(actions: np.ndarray) -> Scored:
    return score(APPLE_RUBRIC, apple.evidence(actions, APPLE))


def by_label(scored: Scored) -> dict[str, float]:
    return {item.label: float(x) for item, x in zip(scored.rubric.items, scored.points, strict=True)}


@pytest.mark.parametrize(
    ("teammates", "key", "total"), [("mean", "current_average", 45), ("sum", "published_aggregate", 60)]
)
def test_apache_item_by_item(recorded: Any, teammates: str, key: str, total: int) -> None:
    scored = apache_score(apache.Apache.of(APACHE, teammates).mean_efforts())
    assert scored.total == total == recorded["tr3"][key]["apache"]["total"]
    points = by_label(scored)
    for phase in recorded["tr3"][key]["apache"]["phases"]:
        name = phase["name"].lower()
        validity = sum(points[f"{name}: {item}"] for item in ("positive", "below 100", "finite"))
        assert validity == phase["items"]["validity"]
        assert {item: points[f"{name}: {item}"] for item in ("rank", "level", "trend")} == {
            item: phase["items"][item] for item in ("rank", "level", "trend")
        }


def test_apache_with_the_cap_of_an_earlier_state_scores_52() -> None:
    capped = replace(apache.Apache.of(APACHE, "sum"), cap=10.0)
    assert apache_score(capped.mean_efforts()).total == 52


@pytest.mark.parametrize(("teammates", "state"), VARIANTS)
def test_apache_with_a_mechanism_off(recorded: Any, teammates: str, state: str) -> None:
    expected = recorded["null_models"][f"tr3_apache_ablations_{state}"]
    calibrated = apache.Apache.of(APACHE, teammates)
    assert apache_score(calibrated.without_loyalty().mean_efforts()).total == expected["no_loyalty"]
    assert apache_score(calibrated.without_dilution().mean_efforts()).total == expected["no_dilution"]


def test_apache_sequences_that_no_model_made(recorded: Any) -> None:
    expected = recorded["null_models"]["tr3_apache_sequences"]
    documented = [phase["documented_effort"] for phase in APACHE["phases"]]
    assert apache_score(documented).total == expected["documented_efforts"]
    assert apache_score([20.0] * 4).total == expected["constant_20"]
    assert apache_score([0.01] * 4).total == expected["constant_floor_0_01"]
    assert apache_score([40, 20, 10, 5]).total == expected["halving_40_20_10_5"]
    assert apache_score([5, 10, 20, 40]).total == expected["increasing_5_10_20_40"]


@pytest.mark.parametrize(("teammates", "state"), VARIANTS)
def test_apache_null(recorded: Any, teammates: str, state: str) -> None:
    expected = recorded["null_models"][f"tr3_apache_param_box_{state}"]
    calibrated = apache.Apache.of(APACHE, teammates)
    drawn = apache.random_apaches(calibrated, 20_000, np.random.default_rng(1))
    null, own = apache_score(drawn.mean_efforts()).total, apache_score(calibrated.mean_efforts()).total
    assert null.mean() == pytest.approx(expected["mean"], abs=0.1)
    assert np.percentile(null, (5, 50, 95)) == pytest.approx([expected[k] for k in ("p5", "median", "p95")])
    assert (null >= own).mean() == pytest.approx(expected["share_ge_calibrated"], abs=0.02)


def test_apple_cell_by_cell(recorded: Any) -> None:
    suite = recorded["tr4"]["current"]["apple"]
    scored = apple_score(apple.Apple.of(APPLE).run().actions)
    assert scored.total == 43.0 == suite["total"]
    cells = {
        f"{phase.lower()}: {INDICATORS[indicator]}": points
        for phase, items in suite["items"].items()
        for indicator, points in items.items()
        if points is not None
    }
    assert by_label(scored) == cells
    assert {k: float(x) for k, x in scored.by_section().items()} == {
        phase.lower(): points for phase, points in suite["phase_scores"].items()
    }


def test_apple_null(recorded: Any) -> None:
    expected = recorded["null_models"]["tr4_random_params"]
    drawn = apple.random_apples(apple.Apple.of(APPLE), 4000, np.random.default_rng(0))
    scored = apple_score(drawn.run().actions)
    assert scored.total.mean() == pytest.approx(expected["score"]["mean"], abs=0.2)
    assert (scored.total >= 43).mean() == pytest.approx(expected["score"]["share_ge_calibrated"], abs=0.04)
    means = {item.label: float(x) for item, x in zip(scored.rubric.items, scored.points.mean(-1), strict=True)}
    for cell, mean in expected["item_mean"].items():
        indicator, phase = cell.split("|")
        assert means[f"{phase.lower()}: {INDICATORS[indicator]}"] == pytest.approx(mean, abs=0.04), cell


@pytest.mark.parametrize(
    ("variant", "key"),
    [("no reciprocity", "tr4_no_reciprocity"), ("no shocks", "tr4_no_shocks"), (None, "tr4_seed_only")],
)
def test_apple_under_other_noise(recorded: Any, variant: str | None, key: str) -> None:
    drawn = apple.reseeded(apple.Apple.of(APPLE), 2000, np.random.default_rng(0))
    total = apple_score((drawn if variant is None else drawn.variants()[variant]).run().actions).total
    assert total.mean() == pytest.approx(recorded["null_models"][key]["score"]["mean"], abs=0.15)


def test_apple_trajectories_that_no_model_made(recorded: Any) -> None:
    calibrated, rng = apple.Apple.of(APPLE), np.random.default_rng(0)
    walks = apple_score(apple.random_walks(calibrated, 4000, rng)).total
    noise = apple_score(rng.uniform(0.0, 1.0, (67, 1000, 3))).total
    nulls = recorded["null_models"]
    assert walks.mean() == pytest.approx(nulls["tr4_random_walk_sd_0.03_start_0.7"]["score"]["mean"], abs=0.15)
    assert noise.mean() == pytest.approx(nulls["tr4_iid_uniform"]["score"]["mean"], abs=0.15)
    knots = APPLE["trajectory"]["quarters"]
    record = np.stack([np.interp(np.arange(67), knots, APPLE["trajectory"][x]) for x in APPLE["actors"]], axis=-1)
    expected = recorded["stricter_reference"]["apple_documented_trajectory_scores_on_released_rubric"]
    assert apple_score(record).total == expected


def test_apple_constants_score_as_recorded_but_for_rounding(recorded: Any) -> None:
    """The suite takes the rounding residue of a constant's standard deviation for variation, half a point a phase."""
    for level, expected in recorded["null_models"]["tr4_constants"].items():
        actions = np.full((67, 3), float(level))
        residues = sum(
            any(actions[p["start"] : p["end"] + 1, i].copy().std() > 0 for i in (1, 2)) for p in APPLE["phases"]
        )
        assert apple_score(actions).total + 0.5 * residues == expected


def test_live_items_of_the_apple_rubric() -> None:
    drawn = apple.random_apples(apple.Apple.of(APPLE), 2000, np.random.default_rng(0))
    live = apple_score(drawn.run().actions).live()
    labels = [item.label for item, alive in zip(APPLE_RUBRIC.items, live, strict=True) if alive]
    assert "crisis: response magnitude" in labels
    assert not any("phase timing" in label for label in labels)


GOOD: dict[str, Any] = {
    "rubric": "r",
    "out_of": 2,
    "items": [{"section": "s", "name": "n", "points": 2, "key": "k", "bands": [{"above": 0, "points": 2}]}],
}


def item(**changed: Any) -> dict[str, Any]:
    kept = {k: x for k, x in {**GOOD["items"][0], **changed}.items() if x is not None}
    return {**GOOD, "items": [kept]}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({k: x for k, x in GOOD.items() if k != "out_of"}, "no field 'out_of'"),
        ({**GOOD, "out_of": 3}, "out_of=3 contradicts"),
        (item(name=None), r"items\[0\] has no field 'name'"),
        (item(point=2), "did you mean 'points'"),
        (item(constant=1), "'key' with 'bands', or the field 'constant'"),
        (item(bands=None), "'key' and 'bands' together"),
        (item(bands=[{"above": 0, "points": 5}]), "points=5"),
        (item(bands=[{"points": 1}]), "at least one limit"),
        (item(bands=[{"above": 3, "below": 1, "points": 1}]), "contradicts itself"),
    ],
)
def test_missing_and_contradictory_fields_are_named(data: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_rubric(data)


def test_a_missing_or_undefined_quantity() -> None:
    rubric = read_rubric(GOOD)
    assert score(rubric, {"k": np.array([1.0, -1.0, np.nan])}).total.tolist() == [2.0, 0.0, 0.0]
    with pytest.raises(ValueError, match="s: n: the evidence has no 'k'"):
        score(rubric, {})
