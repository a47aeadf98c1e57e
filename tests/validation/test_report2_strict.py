"""TR-2's case: rubric, nulls, ablations, and the crisis predicted from the calm years."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from coopgym.validation.nulls import place_in_all
from coopgym.validation.report2 import nulls
from coopgym.validation.report2.harder import first_step_ratio, swept_statistics
from coopgym.validation.report2.model import STATES
from coopgym.validation.report2.prediction import anchor_fit, predict_crisis
from coopgym.validation.report2.renault_nissan import alliance, alliance_score, evidence, facts_of, level
from coopgym.validation.report2.reproduced import case_score
from coopgym.validation.report2.validate import validate
from coopgym.validation.robustness import sobol

KEYS = {"current": "current", "published": "published_README_F_35_05", "released": "released_json_F_34_36"}
ABLATIONS = {
    "calibrated": "calibrated",
    "equal rates": "symmetric_rates",
    "rates exchanged": "inverted_rates",
    "no reputation damage": "no_reputation",
    "no amplification by dependence": "no_dependency_amplification",
    "dependence transposed": "swapped_D",
    "initial trust corrected": "corrected_initial_trust",
}


@pytest.fixture(scope="module")
def recorded(golden: Path) -> Any:
    return json.loads((golden / "validation.json").read_text())


def items(points: Any) -> dict[str, float]:
    return {
        "alignment": points[0],
        "behaviour": points[1:6].sum(),
        "asym": points[6],
        "hyst": points[7],
        "rep": points[8],
        "final": points[9],
        "trans": points[10:].sum(),
    }


@pytest.mark.parametrize("state", STATES)
def test_rubric_item_by_item(recorded: Any, state: str) -> None:
    assert items(case_score(state).points) == recorded["tr2"]["renault_nissan"][KEYS[state]]["items"]


def test_five_points_cannot_be_had() -> None:
    rubric = case_score().rubric
    attainable = sum(item.points if item.constant is None else item.constant for item in rubric.items)
    assert (rubric.out_of, attainable) == (60, 55)


@pytest.mark.parametrize("state", STATES)
def test_whole_course_against_the_suite(recorded: Any, state: str) -> None:
    source, course = recorded["tr2"]["renault_nissan"][KEYS[state]], alliance(state).run()
    for name, (i, j) in {"trust_R_to_N": (0, 1), "trust_N_to_R": (1, 0)}.items():
        path = source[name]
        for t, x in enumerate(path) if isinstance(path, list) else ((int(t), x) for t, x in path.items()):
            assert course.trust[t, i, j] == pytest.approx(x, abs=1e-12)


def test_scores_of_other_mixtures(recorded: Any) -> None:
    source = recorded["tr2"]["renault_nissan"]
    mixed = replace(alliance(), actions=alliance("published").actions)
    assert alliance_score(facts_of(mixed)).total == source["current_model_with_published_actions"]["total"]
    other = source["current_model_corrected_initial_trust"]
    assert nulls.off_diagonal_score("corrected") == other["total_if_off_diagonal_means"] == 51
    old = alliance("published")
    assert alliance_score(facts_of(replace(old, rates=replace(old.rates, state="current")))).total == 49


def test_ablations_item_by_item(recorded: Any) -> None:
    for name, variant in nulls.ablations(alliance()).items():
        if name in ABLATIONS:
            source = recorded["null_models"]["tr2_ablations"][ABLATIONS[name]]
            scored = alliance_score(facts_of(variant))
            assert items(scored.points) == source["items"]
            assert scored.total == source["score"] == nulls.ablation_scores()[name]


def test_the_alliance_is_not_informative_among_parameters(recorded: Any) -> None:
    placed = place_in_all(case_score(), nulls.null_scores(draws=10_000))
    boxes = {"random rates": "tr2_sweep_box", "random rates, dependence and trust": "tr2_wide_box"}
    for name, key in boxes.items():
        source = recorded["null_models"][key]["score"]
        assert placed[name].percentile == pytest.approx(source["percentile_of_calibrated"], abs=2.5)
        assert placed[name].mean == pytest.approx(source["mean"], abs=0.25)
        assert not placed[name].informative
    assert placed["random walks of trust"].informative


def test_a_batch_scores_as_its_members_do() -> None:
    drawn = nulls.random_alliances(alliance(), nulls.sweep_box(), 5, np.random.default_rng(2))
    together = alliance_score(facts_of(drawn)).total
    for k in range(5):
        alone = alliance().with_rates(**{name: float(getattr(drawn.rates, name)[k]) for name in nulls.FACTORS})
        assert alliance_score(facts_of(alone)).total == together[k]


def test_trust_that_never_moves_follows_nothing() -> None:
    the = alliance()
    flat = np.full(80, 0.5)
    facts = evidence(flat, np.zeros((80, 2, 2)), the.signals, the)
    assert items(alliance_score(facts).points) == {
        "alignment": 10, "behaviour": 0, "asym": 0, "hyst": 0, "rep": 0, "final": 7, "trans": 0,
    }  # fmt: skip


def test_first_steps_tell_inverted_rates() -> None:
    variants = nulls.ablations(alliance())
    assert first_step_ratio(variants["rates exchanged"]) < 1.0 < 4.0 < first_step_ratio(variants["calibrated"])
    published_item = facts_of(variants["rates exchanged"])["erosion_to_building"]
    assert published_item > 1.5  # long phases dilute their rates, so the published item passes the inverted model


@pytest.mark.parametrize(("start", "key"), [("released", "as_released"), ("corrected", "corrected_initial_trust")])
def test_anchors(recorded: Any, start: str, key: str) -> None:
    source, found = recorded["tr2"]["renault_nissan"]["fit_to_unused_anchors"][key], anchor_fit(start)
    assert found["rmse"] == pytest.approx(source["rmse"], abs=1e-12)
    assert found["r2"] == pytest.approx(source["r2_determination"], abs=1e-12)


def test_crisis_from_calm_years() -> None:
    predicted = predict_crisis(draws=500)
    assert predicted.test_rmse["fit"] < 0.2 * predicted.test_rmse["persistence"]
    assert predicted.test_rmse["no amplification by dependence"] < predicted.test_rmse["fit"]
    assert predicted.test_rmse["no reputation damage"] == predicted.test_rmse["fit"]  # damage is not tested by it
    assert predicted.prior_beats == 1.0
    assert 0.8 < predicted.course < 1.0


def test_inert_factors() -> None:
    assert sobol(swept_statistics, nulls.sweep_box(), draws=128).inert() == ("kappa",)


def test_mean_trust_with_and_without_self_trust() -> None:
    course = alliance().run()
    assert level(course)[0] == pytest.approx((0.5 + 1.0 + 1.0 + 0.55) / 4)
    assert level(course, diagonal=False)[0] == pytest.approx(0.75)


def test_validate_in_one_call() -> None:
    heard: list[str] = []
    result = validate(strict=True, news=heard.append)
    assert result.holds
    assert result.scores == dict.fromkeys(STATES, (49.0, 60))
    assert result.inert == ("kappa", "rho")
    assert len(heard) == 4
    assert result.ablations["current"]["no reputation damage"] == 41
    assert not validate().nulls
