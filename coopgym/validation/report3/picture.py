"""Apache in numbers for a picture: mean effort by phase, in both ways of counting teammates' payoffs."""

from __future__ import annotations

import numpy as np

from coopgym.validation.panels import DRAWS, CasePicture, Panel, Stretch, envelope, in_steps
from coopgym.validation.report3.apache import Apache, random_apaches
from coopgym.validation.report3.case import apache_case
from coopgym.validation.report3.reproduced import VARIANTS


def picture(draws: int = DRAWS, seed: int = 0) -> CasePicture:
    """Everything that the picture shows; a phase ends where the next one starts."""
    case = apache_case()
    years = [[int(year) for year in phase["period"].split("-")] for phase in case["phases"]]
    edges = np.array([*(first for first, _ in years), years[-1][1] + 1])
    phases = tuple(
        Stretch(f"{phase['name']}, {phase['members']} members", float(a), float(b))
        for phase, a, b in zip(case["phases"], edges[:-1], edges[1:], strict=True)
    )
    panels = tuple(_panel(teammates, edges, draws, seed) for teammates in VARIANTS)
    return CasePicture("apache", "Apache HTTP Server (TR-3)", "parameters and loyalties drawn", "year", phases, panels)


def _panel(teammates: str, edges: np.ndarray, draws: int, seed: int) -> Panel:
    case = apache_case()
    calibrated = Apache.of(case, teammates)
    random = random_apaches(calibrated, draws, np.random.default_rng(seed)).mean_efforts()
    x, own = in_steps(edges, calibrated.mean_efforts())
    low, high = (in_steps(edges, y)[1] for y in envelope(random, 0))
    documented = np.array([phase["documented_effort"] for phase in case["phases"]])
    return Panel(
        title=f"mean effort,\nteammates by {teammates}",
        x=x,
        models={"model": own},
        envelope=(low, high),
        documented={"documented": ((edges[:-1] + edges[1:]) / 2.0, documented)},
        log=True,
    )
