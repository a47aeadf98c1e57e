"""The App Store in numbers for a picture: the action of each actor, quarter by quarter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from coopgym.validation.panels import DRAWS, Band, CasePicture, Panel, Stretch, envelope
from coopgym.validation.report4.apple import Apple, random_apples
from coopgym.validation.report4.case import apple_case
from coopgym.validation.report4.prediction import documented_knots


def picture(draws: int = DRAWS, seed: int = 0) -> CasePicture:
    """Everything that the picture shows."""
    case = apple_case()
    calibrated = Apple.of(case)
    random = random_apples(calibrated, draws, np.random.default_rng(seed)).run().actions
    own, (quarters, record) = calibrated.run().actions, documented_knots(case)
    panels = tuple(
        Panel(
            title=f"action of {actor}",
            x=np.arange(len(own)),
            models={"model": own[:, i]},
            envelope=envelope(random[..., i], -1),
            bands=_bands(case, actor),
            documented={"documented": (quarters, record[:, i])},
        )
        for i, actor in enumerate(case["actors"])
    )
    phases = tuple(Stretch(phase["name"], phase["start"], phase["end"]) for phase in case["phases"])
    null = "parameters, dependence, trust and noise drawn, under the same imposed shocks"
    return CasePicture("apple", "Apple App Store (TR-4)", null, "quarter since 2008 Q1", phases, panels)


def _bands(case: Mapping[str, Any], actor: str) -> tuple[Band, ...]:
    """Documented mean of each phase, a standard deviation up and down."""
    return tuple(
        Band(phase["start"], phase["end"], mean - spread, mean + spread)
        for phase in case["phases"]
        for mean, spread in [(phase["documented"][actor], phase["documented_sd"][actor])]
    )
