"""The packaged case studies pass their schema; broken copies are refused by the name of the field."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from coopgym.validation.files import read_data
from coopgym.validation.report1 import case as slcd
from coopgym.validation.report2 import case as alliance
from coopgym.validation.report3 import case as apache
from coopgym.validation.report4 import case as apple


def test_packaged_cases() -> None:
    assert len(apache.apache_case()["members"]) == 8
    assert apple.apple_case()["phases"][-1]["end"] == 66
    assert slcd.slcd_case()["matrices"]["current"] == [[0.0, 0.64], [0.86, 0.0]]
    assert sum(phase["steps"] for phase in alliance.renault_nissan_case()["phases"]) == 79


APACHE_DAMAGE: list[tuple[Callable[[Any], Any], str]] = [
    (lambda d: d["parameters"].pop("beta"), "parameters.beta\n  Field required"),
    (lambda d: d["phases"][1].update(documented_effort="much"), "phases.1.documented_effort"),
    (lambda d: d["phases"][1].update(clas="high"), "phases.1.clas\n  Extra inputs"),
    (lambda d: d["phases"][2].update({"class": "odd"}), "phases.2.class"),
    (lambda d: d["parameters"].update(a_min=60.0), "a_min=60.0 contradicts a_max"),
    (lambda d: d["members"][0].update(weight=0.9), "members.weight sums to"),
    (lambda d: d.update(phases=[]), "phases\n  List should have at least 2"),
]
APPLE_DAMAGE: list[tuple[Callable[[Any], Any], str]] = [
    (lambda d: d.pop("initial_trust"), "initial_trust\n  Field required"),
    (lambda d: d["parameters"].update(alpha=2.0), "parameters.alpha"),
    (lambda d: d["phases"][1].update(start=17), r"phases\[1\]: start=17"),
    (lambda d: d["phases"][3]["shocks"].update(Appel=-0.1), r"phases\[3\].shocks='Appel' .* did you mean 'Apple'"),
    (lambda d: d["phases"][0]["documented"].pop("Apple"), r"phases\[0\].documented"),
    (lambda d: d["trajectory"]["Apple"].pop(), "trajectory.Apple"),
    (lambda d: d["trajectory"].pop("SmallDev"), "trajectory has"),
    (lambda d: d["trajectory"]["quarters"].reverse(), "trajectory.quarters"),
    (lambda d: d["interdependence"][0].pop(), "interdependence.0"),
    (lambda d: d["interdependence"].pop(), "interdependence\n  List should have at least 3"),
    (lambda d: d["interdependence"][1].__setitem__(1, 0.2), r"interdependence\[1\]\[1\]=0.2 contradicts"),
    (lambda d: d["initial_trust"][2].__setitem__(2, 0.9), r"initial_trust\[2\]\[2\]=0.9 contradicts"),
    (lambda d: d["counterfactual_shocks"][0].update(actor="Epic"), r"counterfactual_shocks\[0\].actor='Epic'"),
    (lambda d: d.update(parameters=3), "parameters"),
]


@pytest.mark.parametrize(("damage", "message"), APACHE_DAMAGE)
def test_broken_apache_data_is_refused(damage: Callable[[Any], Any], message: str) -> None:
    data = copy.deepcopy(read_data("apache"))
    damage(data)
    with pytest.raises(ValueError, match=message):
        apache.checked(data)


@pytest.mark.parametrize(("damage", "message"), APPLE_DAMAGE)
def test_broken_apple_data_is_refused(damage: Callable[[Any], Any], message: str) -> None:
    data = copy.deepcopy(read_data("apple"))
    damage(data)
    with pytest.raises(ValueError, match=message):
        apple.checked(data)


SLCD_DAMAGE: list[tuple[Callable[[Any], Any], str]] = [
    (lambda d: d["forms"]["log"].pop("synergy"), "forms.log.synergy\n  Field required"),
    (lambda d: d["forms"]["power"].update(curvature=1.5), "power.curvature=1.5"),
    (lambda d: d["matrices"]["transposed"][0].__setitem__(1, 0.5), "matrices.transposed contradicts"),
    (lambda d: d["matrices"]["current"][1].__setitem__(1, 0.3), "matrices.current\\[1\\]\\[1\\]=0.3"),
    (lambda d: d.update(shares=[0.55, 0.55]), "shares"),
    (lambda d: d["bands"].update(samsung_share=[0.65, 0.5]), "bands.samsung_share: 0.65 contradicts 0.5"),
    (lambda d: d["waypoints"]["rising"].pop(), "waypoints.rising"),
    (lambda d: d["anchors"].reverse(), "anchors.position"),
    (lambda d: d["trust"].update(initial_trust="high"), "trust.initial_trust"),
]
ALLIANCE_DAMAGE: list[tuple[Callable[[Any], Any], str]] = [
    (lambda d: d["parameters"]["current"].pop("mu_R"), "parameters.current.mu_R\n  Field required"),
    (lambda d: d["parameters"]["current"].update(muR=0.5), "parameters.current.muR\n  Extra inputs"),
    (lambda d: d["initial_trust"].update(corrected=[[1.0, 0.5], [0.55, 0.9]]), "initial_trust.corrected"),
    (lambda d: d["phases"][2]["actions"].pop("published"), "phases.2.actions.published"),
    (lambda d: d["phases"][1].update(name="formation"), "phases.name"),
    (lambda d: d["anchors"][2].update(step=80), "anchors.step"),
    (lambda d: d["interdependence"][0].__setitem__(0, 0.2), "interdependence"),
]


@pytest.mark.parametrize(("damage", "message"), SLCD_DAMAGE)
def test_broken_slcd_data_is_refused(damage: Callable[[Any], Any], message: str) -> None:
    data = copy.deepcopy(read_data("slcd"))
    damage(data)
    with pytest.raises(ValueError, match=message):
        slcd.checked(data)


@pytest.mark.parametrize(("damage", "message"), ALLIANCE_DAMAGE)
def test_broken_renault_nissan_data_is_refused(damage: Callable[[Any], Any], message: str) -> None:
    data = copy.deepcopy(read_data("renault_nissan"))
    damage(data)
    with pytest.raises(ValueError, match=message):
        alliance.checked(data)
