"""Which parameters the teams of TR-3 owe anything to: those of its factorial, and Apache with its eight founders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from coopgym.validation.files import read_data
from coopgym.validation.report3.apache import Apache
from coopgym.validation.report3.case import apache_case
from coopgym.validation.report3.model import LoyalTeam
from coopgym.validation.report3.reproduced import apache_score
from coopgym.validation.report3.sweep import differentiation, synergy
from coopgym.validation.robustness import Model, sensitivity_tables, sobol

BOX = {"omega": (10.0, 50.0), "beta": (0.4, 0.8), "c": (0.5, 3.0), "phi_B": (0.3, 1.0), "phi_C": (0.1, 0.5)}
LOYALTY = (0.3, 1.0)  # of each founder, as in the null
NOT_SWEPT = ("phi_B", "phi_C")  # the suite lists levels of them and uses none


def apache_box() -> dict[str, tuple[float, float]]:
    """The null's box: parameters, and the base loyalty of each founder under its name."""
    return {**BOX, **{member["name"]: LOYALTY for member in apache_case()["members"]}}


def apache_centre() -> dict[str, float]:
    """The calibration, under the same names."""
    case = apache_case()
    founders = {member["name"]: member["loyalty"] for member in case["members"]}
    return {**{name: case["parameters"][name] for name in BOX}, **founders}


def apache_model(teammates: str = "mean") -> Model:
    """Mean effort of each phase and score ``[draws]``; nobody is more than wholly loyal."""
    case = apache_case()
    calibrated = Apache.of(case, teammates)

    def run(p: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        loyalties = np.stack([p[member["name"]] for member in case["members"]], axis=-1)
        drawn = replace(calibrated, parameters={k: p[k] for k in BOX}, loyalties=np.clip(loyalties, 0.0, 1.0))
        efforts = drawn.mean_efforts()
        by_phase = {f"effort_{phase['name']}": efforts[..., k] for k, phase in enumerate(case["phases"])}
        return {**by_phase, "score": apache_score(efforts).total}

    return run


def swept_model(teammates: str = "mean") -> Model:
    """The statistics of the factorial ``[draws]`` as functions of its factors, between its levels as well."""

    def run(p: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        team = LoyalTeam(p["omega"], p["beta"], p["c"], p["n"], teammates=teammates)
        return {
            "free_riding_effort": np.asarray(team.free_riding),
            "effort": np.asarray(team.mean_effort(p["theta"])),
            "differentiation": differentiation(team),
            "synergy": synergy(team),
        }

    return run


def swept_box() -> dict[str, tuple[float, float]]:
    """Lowest and highest level of each factor of the published factorial."""
    return {name: (min(x), max(x)) for name, x in read_data("tr3_sweep")["boxes"]["published"].items()}


def tables(teammates: str = "mean") -> dict[str, dict[str, float]]:
    """Sensitivity of the factorial's statistics and of the Apache case, for a report."""
    swept = sobol(swept_model(teammates), swept_box())
    case, _ = sensitivity_tables(apache_model(teammates), apache_box(), apache_centre())
    factorial = {f"factorial, total index of {name}": dict(row) for name, row in swept.total.items()}
    return {**factorial, **{f"Apache, {name}": row for name, row in case.items()}}


def inert(teammates: str = "mean") -> tuple[str, ...]:
    """Factors that the factorial's statistics owe nothing to, those it never moves included."""
    return (*sobol(swept_model(teammates), swept_box()).inert(), *NOT_SWEPT)
