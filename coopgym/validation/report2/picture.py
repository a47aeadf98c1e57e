"""Renault-Nissan in numbers for a picture: trust of each partner in the other."""

from __future__ import annotations

import numpy as np

from coopgym.validation.panels import DRAWS, CasePicture, Panel, Stretch, envelope
from coopgym.validation.report2.case import renault_nissan_case
from coopgym.validation.report2.nulls import random_alliances, sweep_box
from coopgym.validation.report2.prediction import anchors
from coopgym.validation.report2.renault_nissan import alliance


def picture(draws: int = DRAWS, seed: int = 0) -> CasePicture:
    """Everything that the picture shows; the initial trust is the corrected one."""
    case, the = renault_nissan_case(), alliance(start="corrected")
    own = {"model, current": the.run().trust, "model, published": alliance("published", "corrected").run().trust}
    random = random_alliances(the, sweep_box(), draws, np.random.default_rng(seed)).run().trust
    steps, record = anchors()
    panels = tuple(
        Panel(
            title=f"trust of {case['actors'][i]} in {case['actors'][1 - i]}",
            x=np.arange(len(random)),
            models={name: trust[:, i, 1 - i] for name, trust in own.items()},
            envelope=envelope(random[..., i, 1 - i], -1),
            documented={"documented": (steps, record[:, i])},
        )
        for i in range(2)
    )
    phases = tuple(
        Stretch(f"{phase['name']} {phase['period']}", float(a), float(b))
        for phase, a, b in zip(case["phases"], the.bounds[:-1], the.bounds[1:], strict=True)
    )
    return CasePicture(
        "renault_nissan", "Renault and Nissan (TR-2)", "rates drawn from the box of the sweep", "step", phases, panels
    )
