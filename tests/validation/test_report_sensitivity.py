"""Sensitivity of TR-3's and TR-4's statistics against what is known of them in closed form or from the records."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from coopgym.validation.files import read_data
from coopgym.validation.report3 import sensitivity as three
from coopgym.validation.report3.apache import Apache
from coopgym.validation.report3.case import apache_case
from coopgym.validation.report4 import sensitivity as four
from coopgym.validation.robustness import sobol


def only(parameters: dict[str, float]) -> dict[str, np.ndarray]:
    return {name: np.array([x]) for name, x in parameters.items()}


@pytest.mark.parametrize(("teammates", "counted"), [("mean", lambda n: 1.0), ("sum", lambda n: n - 1.0)])
def test_teams_in_closed_form(teammates: str, counted: object) -> None:
    p = {"omega": 22.0, "beta": 0.45, "c": 1.6, "n": 3.5, "theta": 0.4}
    found = three.swept_model(teammates)(only(p))
    power = 1.0 / (1.0 - p["beta"])
    alone = (p["omega"] * p["beta"] / (p["c"] * p["n"] ** (2.0 - p["beta"]))) ** power
    m = counted(p["n"])  # type: ignore[operator]
    loyal = ((1.0 + 0.8 * p["theta"] * m) / (1.0 - 0.3 * p["theta"])) ** power
    apart = ((1.0 + 0.72 * m) / (1.0 + 0.08 * m) * 0.97 / 0.73) ** power
    assert found["free_riding_effort"] == pytest.approx([alone])
    assert found["effort"] == pytest.approx([alone * loyal])
    assert found["differentiation"] == pytest.approx([apart])


def test_differentiation_owes_all_to_the_exponent() -> None:
    free = {"omega": (25.0, 30.0), "beta": (0.4, 0.5), "c": (1.5, 1.8), "n": (3.0, 3.5), "theta": (0.0, 0.9)}
    found = sobol(three.swept_model("mean"), free)  # a box in which nobody meets a bound
    expected = {"omega": 0.0, "beta": 1.0, "c": 0.0, "n": 0.0, "theta": 0.0}
    for name in ("differentiation", "synergy"):
        assert found.total[name] == pytest.approx(expected, abs=0.01)
    assert found.total["free_riding_effort"]["theta"] == 0.0
    assert sobol(three.swept_model("sum"), free).total["differentiation"]["n"] > 0.1


@pytest.mark.parametrize("teammates", ["mean", "sum"])
def test_apache_at_its_calibration(teammates: str) -> None:
    recorded = read_data("tr3_sweep")["figures"][teammates]
    found = three.apache_model(teammates)(only(three.apache_centre()))
    assert found["score"] == recorded["apache_score"]["recorded"]
    for phase in ("formation", "growth", "maturation", "evolution"):
        entry = recorded[f"apache_effort_{phase}"]
        assert found[f"effort_{phase}"] == pytest.approx(entry["recorded"], abs=entry["tolerance"])


def test_apache_tables() -> None:
    tables = three.tables()
    assert set(tables["Apache, total index of score"]) == set(three.apache_box()) == set(three.apache_centre())
    calibrated = Apache.of(apache_case())
    dearer = replace(calibrated, parameters={**calibrated.parameters, "c": 1.2 * 1.2}).mean_efforts()
    moved = [tables[f"Apache, effort_{phase['name']} with one parameter 20 % off"] for phase in apache_case()["phases"]]
    assert [row["c up"] for row in moved] == pytest.approx(dearer.tolist())
    low, middle, high = (
        tables["Apache, all parameters up to 15 % off"][f"score {x}"] for x in ("2.5 %", "median", "97.5 %")
    )
    assert 24.0 <= low <= middle <= high <= 60.0
    assert three.inert() == ("phi_B", "phi_C")


def test_the_ratio_of_answers_is_two_to_the_eta() -> None:
    levels = only({"rho_0": 1.3, "eta": 1.7, "kappa": 0.9, "k": 4.0, "lambda_R": 1.1, "T_0": 0.5})
    assert four.swept_model()(levels)["ratio"] == pytest.approx([2.0**1.7])
    total = sobol(four.swept_model(), four.swept_box(), 256).total
    assert total["ratio"] == pytest.approx({name: float(name == "eta") for name in levels}, abs=0.01)
    assert [row["k"] for row in total.values()] == [0.0] * len(total)


def test_strength_and_sensitivity_act_as_a_product() -> None:
    p = {"rho_0": 1.0, "eta": 1.1, "kappa": 0.7, "k": 4.0, "lambda_R": 1.2, "T_0": 0.4}
    one, other = (four.swept_model()(only(x)) for x in (p, {**p, "rho_0": 1.2, "lambda_R": 1.0}))
    assert one["final_cooperation"] == pytest.approx(other["final_cooperation"])


def test_apple_at_its_calibration() -> None:
    found = four.apple_model()(only(four.apple_centre()))
    recorded = read_data("tr4_sweep")["figures"]["current"]
    assert found["score"] == 43.0
    assert found["rmse"] == pytest.approx(recorded["apple_phase_rmse"]["recorded"], abs=1e-9)
    means = np.mean([[0.855, 0.760, 0.789], [0.994, 0.951, 0.961], [0.933, 0.826, 0.937]], axis=1)
    assert [found[f"level_{x}"][0] for x in ("symbiosis", "maturation", "tension")] == pytest.approx(means, abs=1e-3)


def test_apple_tables() -> None:
    tables = four.tables()
    score = tables["Apple, score with one parameter 20 % off"]
    assert score["k up"] == score["k down"] == 43.0
    assert score["rho_0 up"] == score["lambda_R up"] != 43.0  # they act as a product
    assert four.inert() == ("k",)
