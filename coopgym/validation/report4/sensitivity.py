"""Which parameters the actors of TR-4 owe anything to: those of its factorial, and the App Store's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from coopgym.validation.files import read_data
from coopgym.validation.report4.apple import Apple, documented_means, phase_means
from coopgym.validation.report4.case import apple_case
from coopgym.validation.report4.reproduced import apple_score
from coopgym.validation.report4.sweep import Runs
from coopgym.validation.robustness import Model, sensitivity_tables, sobol

BOX = {  # of the null, and of the fit for how fast actions and baselines move; k from one quarter to five years
    "rho_0": (0.5, 2.0),
    "eta": (0.8, 2.0),
    "kappa": (0.5, 2.0),
    "k": (1.0, 20.0),
    "lambda_R": (0.5, 2.0),
    "omega": (0.0, 1.2),
    "alpha": (0.01, 0.3),
    "decay": (0.0, 0.3),
    "baseline_adaptation": (0.0, 0.4),
}
DEPENDENCE, TRUST = (0.0, 1.0), (0.3, 0.9)
DRAWS = 512


def apple_box() -> dict[str, tuple[float, float]]:
    """Parameters, and dependence and initial trust of each ordered pair; the rates of trust stay as calibrated."""
    return {**BOX, **{f"D {pair}": DEPENDENCE for pair in _pairs()}, **{f"T {pair}": TRUST for pair in _pairs()}}


def apple_centre() -> dict[str, float]:
    """The calibration, under the same names."""
    case = apple_case()
    matrices = {"D": case["interdependence"], "T": case["initial_trust"]}
    pairs = {f"{name} {pair}": m[i][j] for name, m in matrices.items() for pair, (i, j) in _pairs().items()}
    return {**{name: float(case["parameters"][name]) for name in BOX}, **pairs}


def apple_model() -> Model:
    """Mean action of each phase, distance from the documented means, and score ``[draws]``, under the suite's noise."""
    case = apple_case()
    calibrated = Apple.of(case)
    documented = documented_means(case)

    def run(p: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        noise = None if calibrated.noise is None else calibrated.noise[:, None]
        actions = replace(_drawn(calibrated, p), noise=noise).run().actions
        means = phase_means(actions, case)
        by_phase = {f"level_{phase['name']}": means[k].mean(-1) for k, phase in enumerate(case["phases"])}
        rmse = np.sqrt(((means - documented[:, None]) ** 2).mean((0, -1)))
        return {**by_phase, "rmse": rmse, "score": apple_score(actions).total}

    return run


def _drawn(calibrated: Apple, p: Mapping[str, np.ndarray]) -> Apple:
    """One App Store for each draw; no dependence and no trust above 1."""
    world = replace(
        calibrated.world,
        interdependence=_matrix(p, "D", 0.0),
        sensitivity=p["rho_0"],
        elasticity=p["eta"],
        response=p["kappa"],
        strength=p["lambda_R"],
        step=p["alpha"],
        decay=p["decay"],
        adaptation=p["baseline_adaptation"],
        amplification=p["omega"],
    )
    return replace(calibrated, world=world, trust=_matrix(p, "T", 1.0))


def _matrix(p: Mapping[str, np.ndarray], name: str, own: float) -> np.ndarray:
    """``[draws, 3, 3]``, with ``own`` for oneself."""
    matrix = np.full((len(p["rho_0"]), 3, 3), own)
    for pair, (i, j) in _pairs().items():
        matrix[:, i, j] = np.clip(p[f"{name} {pair}"], 0.0, 1.0)
    return matrix


def _pairs() -> dict[str, tuple[int, int]]:
    """``first on second`` -> indices of the actors."""
    actors = list(enumerate(apple_case()["actors"]))
    return {f"{first} on {second}": (i, j) for i, first in actors for j, second in actors if i != j}


def swept_model() -> Model:
    """The continuous statistics of the factorial ``[draws]``; when forgiveness is looked for is left out, as it only
    reads a course at another step.
    """

    def run(p: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        window = np.maximum(p["k"].astype(int), 1)
        rows = Runs.of({name: x for name, x in p.items() if name != "k"}).rows(window, np.arange(len(window)))
        return {name: getattr(rows, name) for name in ("final_cooperation", "punishment", "interaction", "ratio")}

    return run


def swept_box() -> dict[str, tuple[float, float]]:
    """Lowest and highest level of each factor of the published factorial."""
    return {name: (min(x), max(x)) for name, x in read_data("tr4_sweep")["boxes"]["published"].items()}


def tables() -> dict[str, dict[str, float]]:
    """Sensitivity of the factorial's statistics and of the Apple case, for a report."""
    swept = sobol(swept_model(), swept_box(), DRAWS)
    case, _ = sensitivity_tables(apple_model(), apple_box(), apple_centre(), DRAWS)
    factorial = {f"factorial, total index of {name}": dict(row) for name, row in swept.total.items()}
    return {**factorial, **{f"Apple, {name}": row for name, row in case.items()}}


def inert() -> tuple[str, ...]:
    """Factors that neither the factorial nor the case owes anything to."""
    found = sobol(swept_model(), swept_box(), DRAWS).inert(), sobol(apple_model(), apple_box(), DRAWS).inert()
    return tuple(name for name in found[0] if name in found[1])
