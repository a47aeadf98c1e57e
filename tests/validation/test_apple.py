"""The Apple case: the simulated quarters against the suite's, what is read from them, and the nulls."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from coopgym.validation.files import read_data
from coopgym.validation.fit import fit
from coopgym.validation.report4.apple import (
    Apple,
    conceded,
    documented_means,
    evidence,
    held,
    phase_means,
    random_apples,
    random_walks,
    reseeded,
)

CASE = read_data("apple")


@pytest.fixture(scope="module")
def suite(golden: Path) -> Any:
    return json.loads((golden / "validation.json").read_text())["tr4"]["current"]["apple"]


def test_every_quarter(suite: Any) -> None:
    course = Apple.of(CASE).run()
    assert course.actions == pytest.approx(np.array(suite["actions_by_quarter"]), abs=1e-12)
    assert course.trust[-1] == pytest.approx(np.array(suite["final_trust"]), abs=1e-12)


def test_phase_means_and_their_fit(suite: Any) -> None:
    means = phase_means(Apple.of(CASE).run().actions, CASE)
    assert means == pytest.approx(np.array([list(x.values()) for x in suite["phase_means"].values()]), abs=1e-12)
    distance = fit(means, documented_means(CASE))
    assert distance["r"] == pytest.approx(suite["pearson_r_phase_means"])
    assert distance["rmse"] == pytest.approx(suite["rmse_phase_means"])
    assert distance["r2"] == pytest.approx(suite["r2_determination_phase_means"])
    assert distance["bias"] == pytest.approx(suite["bias_phase_means"])


def test_the_documented_trajectory(suite: Any) -> None:
    knots = CASE["trajectory"]["quarters"]
    simulated = Apple.of(CASE).run().actions[knots]
    documented = np.stack([CASE["trajectory"][actor] for actor in CASE["actors"]], axis=-1)
    distance = fit(simulated, documented)
    assert distance["r"] == pytest.approx(suite["trajectory"]["aggregate_r"])
    assert distance["rmse"] == pytest.approx(suite["trajectory_rmse"])
    assert distance["r2"] == pytest.approx(suite["trajectory_r2_determination"])


def test_the_counterfactual(suite: Any) -> None:
    calibrated = Apple.of(CASE)
    base = calibrated.run().actions[-1]
    yielding = replace(calibrated, shocks=conceded(CASE)).run().actions[-1]
    assert yielding == pytest.approx(suite["counterfactual"]["final_actions"], abs=1e-12)
    assert yielding.mean() - base.mean() == pytest.approx(suite["counterfactual"]["improvement"])


def test_shocks_alone_fit_better_than_the_calibration(golden: Path) -> None:
    reference = json.loads((golden / "validation.json").read_text())["stricter_reference"]["apple_shock_only_hold"]
    means = phase_means(held(Apple.of(CASE)), CASE)
    assert fit(means, documented_means(CASE))["rmse"] == pytest.approx(reference["phase_rmse"])


def test_mechanisms_off() -> None:
    variants = Apple.of(CASE).variants()
    assert "no reciprocity" in variants
    reference = Apple.of(CASE).run().actions
    for name, variant in variants.items():
        assert not np.array_equal(variant.run().actions, reference), name


def test_nulls_are_batches_whose_members_stand_alone() -> None:
    calibrated = Apple.of(CASE)
    drawn = random_apples(calibrated, 6, np.random.default_rng(0))
    actions = drawn.run().actions
    assert actions.shape == (67, 6, 3)
    assert ((actions >= 0) & (actions <= 1)).all()
    world = replace(
        drawn.world,
        **{
            name: getattr(drawn.world, name)[2]
            for name in ("interdependence", "sensitivity", "elasticity", "response", "strength")
        },
    )
    assert drawn.noise is not None
    alone = replace(drawn, world=world, trust=drawn.trust[2], noise=drawn.noise[:, 2])
    assert np.array_equal(alone.run().actions, actions[:, 2])
    assert reseeded(calibrated, 4, np.random.default_rng(0)).run().actions.shape == (67, 4, 3)
    assert random_walks(calibrated, 4, np.random.default_rng(0)).shape == (67, 4, 3)


def test_evidence_of_one_phase() -> None:
    actions = np.full((67, 3), 0.8)
    actions[54:, 1] = 0.5
    actions[60:, 0] = 0.9
    facts = evidence(actions, CASE)
    assert facts["adjustment.change"] == pytest.approx(0.1 / 3)
    assert facts["crisis.major_change"] == pytest.approx(-0.3)
    assert facts["crisis.jump"] == pytest.approx(0.3)
    assert facts["tension.developer_range"] == 0.0
    assert facts["adjustment.rising_share"] == 1.0
