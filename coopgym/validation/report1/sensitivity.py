"""Which of a venture's parameters its statistics and its score owe anything to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from coopgym.validation.report1.evidence import evidence, slcd_score
from coopgym.validation.report1.slcd import shared_out, slcd
from coopgym.validation.robustness import Model

STATISTICS = ("cooperation_increase", "value_increase", "share", "asymmetry")
CURVATURES = {"log": (15.0, 25.0), "power": (0.65, 0.85)}


def box(form: str) -> dict[str, tuple[float, float]]:
    """The null's box, with the curvature of the value function and the endowments."""
    return {
        "D_01": (0.0, 1.0),
        "D_10": (0.0, 1.0),
        "alpha_0": (0.3, 0.7),
        "gamma": (0.02, 1.0),
        "curvature": CURVATURES[form],
        "endowment": (80.0, 120.0),
    }


def centre(form: str) -> dict[str, float]:
    """The calibration, under the same names."""
    venture = slcd(form)
    return {
        "D_01": float(venture.dependence[0]),
        "D_10": float(venture.dependence[1]),
        "alpha_0": float(venture.shares[0]),
        "gamma": float(venture.synergy),
        "curvature": float(venture.curvature),
        "endowment": float(venture.endowment[0]),
    }


def model(form: str) -> Model:
    """Statistics and score ``[draws]`` as a function of the parameters; dependence stays below 1, endowments equal."""

    def run(p: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        venture = replace(
            slcd(form),
            curvature=p["curvature"],
            synergy=p["gamma"],
            endowment=np.stack([p["endowment"]] * 2, axis=-1),
            shares=shared_out(p["alpha_0"]),
            dependence=np.clip(np.stack([p["D_01"], p["D_10"]], axis=-1), 0.0, 1.0),
        )
        facts = evidence(venture, venture.equilibrium())
        return {**{name: facts[name] for name in STATISTICS}, "score": slcd_score(facts).total}

    return run
