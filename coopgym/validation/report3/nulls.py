"""What the Apache rubric pays for nothing: random parameters, random efforts, and the model without its mechanisms."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from coopgym.validation.report3.apache import Apache, random_apaches
from coopgym.validation.report3.case import apache_case
from coopgym.validation.report3.reproduced import apache_score
from coopgym.validation.scoring import Scored

PARAMETERS = ("random parameters",)  # the nulls that draw parameters


def null_scores(teammates: str = "mean", draws: int = 20_000, seed: int = 0) -> dict[str, Scored]:
    """Scores of each null, ``[draws]``."""
    rng = np.random.default_rng(seed)
    calibrated = Apache.of(apache_case(), teammates)
    return {
        "random parameters": apache_score(random_apaches(calibrated, draws, rng).mean_efforts()),
        "random efforts": apache_score(rng.uniform(0.0, calibrated.cap, (draws, len(calibrated.sizes)))),
    }


def ablation_scores(teammates: str = "mean") -> dict[str, float]:
    """Score of the calibration, and with each claimed mechanism off; a mechanism that matters loses points."""
    calibrated = Apache.of(apache_case(), teammates)
    variants = {
        "calibrated": calibrated,
        "no loyalty": calibrated.without_loyalty(),
        "no dilution": calibrated.without_dilution(),
        "no benefit of others": calibrated.without("phi_B"),
        "no joy of contributing": calibrated.without("phi_C"),
        "effort cap 10": replace(calibrated, cap=10.0),
    }
    return {name: float(apache_score(variant.mean_efforts()).total) for name, variant in variants.items()}


def without_a_model() -> dict[str, float]:
    """Scores of the record itself, of one effort in all phases, and of halving from phase to phase."""
    case = apache_case()
    floor, phases = case["parameters"]["a_min"], len(case["phases"])
    courses = {
        "documented": np.array([phase["documented_effort"] for phase in case["phases"]]),
        "constant 20": np.full(phases, 20.0),
        "halved from 40": 40.0 / 2.0 ** np.arange(phases),
        "at the floor": np.full(phases, floor),
    }
    return {name: float(apache_score(efforts).total) for name, efforts in courses.items()}
