"""The Apache case: predictions against the suite's, ablations, and the null's shapes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from coopgym.validation.files import read_data
from coopgym.validation.fit import fit
from coopgym.validation.report3.apache import Apache, evidence, random_apaches

CASE = read_data("apache")
DOCUMENTED = np.array([phase["documented_effort"] for phase in CASE["phases"]])
VARIANTS = [("mean", "current_average"), ("sum", "published_aggregate")]


@pytest.mark.parametrize(("teammates", "key"), VARIANTS)
def test_predicted_efforts(golden: Path, teammates: str, key: str) -> None:
    suite = json.loads((golden / "validation.json").read_text())["tr3"][key]["apache"]
    efforts = Apache.of(CASE, teammates).mean_efforts()
    assert efforts == pytest.approx([phase["exact_mean_effort"] for phase in suite["phases"]], rel=1e-9)
    distance = fit(efforts, DOCUMENTED)
    assert distance["r"] == pytest.approx(suite["pearson_r"], rel=2e-5)
    assert distance["rmse"] == pytest.approx(suite["rmse"], rel=2e-5)
    assert distance["mape"] == pytest.approx(suite["mape_pct"], rel=2e-5)


@pytest.mark.parametrize(("teammates", "key"), VARIANTS)
def test_who_contributes_among_the_founders(golden: Path, teammates: str, key: str) -> None:
    suite = json.loads((golden / "validation.json").read_text())["tr3"][key]["apache"]
    assert Apache.of(CASE, teammates).efforts(0) == pytest.approx(suite["founder_contributions"], rel=2e-5, abs=1e-5)


def test_the_cap_of_an_earlier_state(golden: Path) -> None:
    suite = json.loads((golden / "validation.json").read_text())["tr3"]["apache_52_of_60_candidate"]
    capped = Apache.of({**CASE, "parameters": {**CASE["parameters"], "a_max": 10.0}}, "sum")
    assert capped.mean_efforts() == pytest.approx(suite["phase_means"], rel=2e-4)


def test_without_loyalty_nobody_works() -> None:
    assert Apache.of(CASE).without_loyalty().mean_efforts()[1:].max() < 0.012


def test_ablations_lower_effort() -> None:
    calibrated = Apache.of(CASE, "sum")
    for name in ("phi_B", "phi_C"):
        assert (calibrated.without(name).mean_efforts() <= calibrated.mean_efforts()).all()
    assert (calibrated.without_dilution().mean_efforts() >= calibrated.mean_efforts()).all()


def test_random_apaches_are_a_batch() -> None:
    calibrated = Apache.of(CASE)
    drawn = random_apaches(calibrated, 50, np.random.default_rng(0))
    efforts = drawn.mean_efforts()
    assert efforts.shape == (50, 4)
    first = Apache(
        {k: np.asarray(x)[0] for k, x in drawn.parameters.items()}, drawn.loyalties[0], drawn.sizes, drawn.multipliers
    )
    assert first.mean_efforts() == pytest.approx(efforts[0])


def test_evidence() -> None:
    facts = evidence(np.array([[10.0, 12.0, 12.0, 3.0]]), ("a", "b", "c", "d"))
    assert [facts[f"{name}.displacement"][0] for name in "abcd"] == [2, 1, 1, 0]
    assert facts["b.growth"][0] == 1.2
    assert facts["d.level"][0] == 0.06
    assert facts["a.to_largest"][0] == pytest.approx(10 / 12)
