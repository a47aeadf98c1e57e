"""TR-2: statistics against closed forms and a plain loop, and every recorded figure of the three states."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from coopgym.validation.figures import compare
from coopgym.validation.files import read_data
from coopgym.validation.report2.harder import asymmetry, harder_targets
from coopgym.validation.report2.model import STATES, Rates, watched
from coopgym.validation.report2.reproduced import VARIANTS, reproduced
from coopgym.validation.report2.sweep import deficits, statistics, sweep, undominated

DATA = read_data("tr2_sweep")
KEYS = {"current": "current_gap", "published": "published_product", "released": "released_csv_product_always_decay"}
DEFAULTS = Rates(0.10, 0.30, 0.60, 0.03, 0.50)


@pytest.fixture(scope="module")
def recorded(golden: Path) -> Any:
    return json.loads((golden / "validation.json").read_text())


def plain(state: str, dependence: float, signals: np.ndarray, trust: float) -> list[float]:
    """The model of the report in scalars."""
    t, r, path = trust, 0.0, [trust]
    for s in signals:
        ceiling = 1.0 - r
        if s > 0:
            t_new = t + 0.10 * s * (max(0.0, ceiling - t) if state == "current" else (1.0 - t) * ceiling)
        else:
            t_new = t + 0.30 * s * t * (1.0 + 0.50 * dependence)
        fade = 0.03 * r if s >= 0 or state == "released" else 0.0
        r = min(1.0, max(0.0, r - fade + (0.60 * -s * (1.0 - r) if s < 0 else 0.0)))
        t = min(1.0, max(0.0, t_new))
        path.append(t)
    return path


@pytest.mark.parametrize("state", STATES)
def test_trust_against_a_plain_loop(state: str) -> None:
    signals = np.tanh(np.random.default_rng(1).uniform(-3, 3, 200))
    path = watched(replace(DEFAULTS, state=state), 0.7, signals, 0.6)
    np.testing.assert_allclose(path, plain(state, 0.7, signals, 0.6), rtol=0, atol=1e-13)


def test_identities_of_the_published_statistics() -> None:
    result = sweep(DATA["boxes"]["standard"])
    s, f = result.statistics, result.factors
    q = f["lambda_minus"] * (1.0 + f["xi"] / 2.0)
    single = np.minimum(1.0, q * np.tanh(4.0))
    np.testing.assert_allclose(s["cumulative_amplification"], (1.0 - (1.0 - q * np.tanh(1.0)) ** 4) / single)
    np.testing.assert_allclose(s["dependency_amplification"], (1.0 + 0.8 * f["xi"]) / (1.0 + 0.2 * f["xi"]))
    np.testing.assert_allclose(s["building_rate"], 0.05 * (1.0 - (1.0 - f["lambda_plus"] * np.tanh(2.0)) ** 10))
    np.testing.assert_allclose(s["erosion_acceleration"], 1.0 - q * np.tanh(2.0))
    np.testing.assert_allclose(s["negativity_ratio"], f["lambda_minus"] / f["lambda_plus"])


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_recorded_figure(variant: str) -> None:
    assert [x for x in compare(reproduced(variant), DATA["figures"][variant]) if not x.holds] == []


@pytest.mark.parametrize(("variant", "published"), [("current", 0.83), ("published", 1.11)])
def test_hysteresis_depends_on_the_form(variant: str, published: float) -> None:
    figures = sweep(DATA["boxes"]["standard"], variant).summary(["hysteresis_recovery_35"])
    assert round(figures["hysteresis_recovery_35.median"], 2) == published


def test_the_factorial_counts_copies() -> None:
    seven, six = sweep(DATA["boxes"]["standard_seven"], "published"), sweep(DATA["boxes"]["standard"], "published")
    assert (seven.enumerated, six.enumerated, seven.distinct, six.distinct) == (78_125, 15_625, 3125, 3125)
    assert seven.summary()["cumulative_amplification.median"] == pytest.approx(1.97, abs=0.005)
    assert seven.summary()["dependency_amplification.mean"] == pytest.approx(1.27, abs=0.005)


def test_kappa_moves_nothing() -> None:
    weak, strong = (statistics(replace(DEFAULTS, kappa=k)) for k in (0.5, 1.5))
    assert all(weak[name] == strong[name] for name in weak)


def test_recorded_figures_are_those_of_the_suite(recorded: Any) -> None:
    for variant, key in KEYS.items():
        source = recorded["tr2"][key]
        summary = source["summary"] if variant == "released" else source["standard"]["summary"]
        for name, words in summary.items():
            for word, x in words.items():
                entry = DATA["figures"][variant][f"{name}.{'sd' if word == 'sd_sample' else word}"]
                assert entry["recorded"] == x
                assert entry["tolerance"] == 1e-9


@pytest.mark.parametrize("variant", ["current", "published"])
def test_one_row_worked_out(recorded: Any, variant: str) -> None:
    row = recorded["tr2"]["worked_example_default_parameters"][KEYS[variant]]
    found = statistics(replace(DEFAULTS, state=variant))
    assert {name: float(x) for name, x in found.items()} == pytest.approx(row, abs=1e-12)


def test_undominated_rows() -> None:
    rows = np.array([[1.0, 2.0], [2.0, 1.0], [2.0, 2.0], [1.0, 2.0]])
    assert undominated(rows).tolist() == [True, True, False, True]


def test_a_scar_fades_only_in_the_published_form() -> None:
    gap, product = (harder_targets(DATA["boxes"]["standard"], state) for state in ("current", "published"))
    assert gap["deficit_35_median"] > 0.2 > 0.1 > product["deficit_35_median"]
    assert float(deficits(DEFAULTS)["deficit_10"]) > float(deficits(DEFAULTS)["deficit_100"]) > 0.0


def test_regaining_takes_longer_than_losing() -> None:
    equal = Rates(*(np.array([x]) for x in (0.10, 0.10, 0.60, 0.03, 0.0)))
    clean, scarred = asymmetry(equal)
    falling, rising = np.log(0.65 / 0.8), np.log(0.35 / 0.5)
    assert clean[0] == pytest.approx(rising / falling, rel=0.02)
    assert scarred[0] > clean[0]


def test_only_known_states() -> None:
    with pytest.raises(ValueError, match="state='draft'"):
        replace(DEFAULTS, state="draft")
