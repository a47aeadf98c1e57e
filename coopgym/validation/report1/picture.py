"""S-LCD in numbers for a picture: three metrics of both forms, and trust through the documented phases."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from coopgym.validation.panels import DRAWS, Band, CasePicture, Panel, Stretch, envelope
from coopgym.validation.report1.case import slcd_case
from coopgym.validation.report1.evidence import evidence
from coopgym.validation.report1.model import FORMS
from coopgym.validation.report1.prediction import venture_trust
from coopgym.validation.report1.slcd import random_ventures, slcd
from coopgym.validation.report2.nulls import random_alliances, sweep_box
from coopgym.validation.report2.renault_nissan import level

METRICS = {
    "cooperation_increase": ("Cooperation increase [%]", "cooperation_increase"),
    "value_increase": ("Value increase [%]", "value_increase"),
    "share": ("Samsung's share of payoffs", "samsung_share"),
}


def picture(draws: int = DRAWS, seed: int = 0) -> CasePicture:
    """Everything that the picture shows."""
    case, rng = slcd_case(), np.random.default_rng(seed)
    panels = (*_metrics(case, draws, rng), _trust(case, draws, rng))
    bounds = venture_trust(case).bounds
    phases = [
        Stretch(f"{phase['name']} {phase['period']}", float(a), float(b))
        for phase, a, b in zip(case["phases"], bounds[:-1], bounds[1:], strict=True)
    ]
    null = "dependence, shares and synergy drawn; for trust, the rates of the TR-2 sweep"
    return CasePicture("slcd", "Samsung and Sony, S-LCD (TR-1)", null, "step", tuple(phases), panels)


def _metrics(case: Mapping[str, Any], draws: int, rng: np.random.Generator) -> list[Panel]:
    own, null = [], []
    for form in FORMS:
        venture = slcd(form)
        drawn = random_ventures(venture, draws, rng, synergy=True)
        own.append(evidence(venture, venture.equilibrium()))
        null.append(evidence(drawn, drawn.equilibrium()))
    panels = []
    for name, (title, band) in METRICS.items():
        low, high = case["bands"][band]
        panels.append(
            Panel(
                title=title,
                x=np.arange(len(FORMS)),
                models={"model": np.array([float(facts[name]) for facts in own])},
                envelope=envelope(np.stack([facts[name] for facts in null]), -1),
                bands=(Band(-0.5, len(FORMS) - 0.5, low, high),),
                forms=FORMS,
            )
        )
    return panels


def _trust(case: Mapping[str, Any], draws: int, rng: np.random.Generator) -> Panel:
    the = venture_trust(case)
    quarters = np.arange(1, 5) * int(the.bounds[-1]) // 4
    random = level(random_alliances(the, sweep_box(), draws, rng).run(), diagonal=False)
    own = level(the.run(), diagonal=False)
    waypoints = {f"documented, {name}": (quarters, np.array(y)) for name, y in case["waypoints"].items()}
    return Panel("mean trust", np.arange(len(own)), {"model": own}, envelope(random, -1), documented=waypoints)
