"""Out of sample: can the Apache model, fitted to some phases, say how much the core gave in the others?

Two numbers are fitted, the team's productivity and the scale between the model's effort and the record's, which runs
from 0 to 10. The size of the core in each phase is given to every prediction of the model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from coopgym.validation.fit import skill
from coopgym.validation.report3.apache import Apache
from coopgym.validation.report3.case import apache_case

PRODUCTIVITY = np.geomspace(1.0, 1000.0, 3001)  # omega; 30 in the calibration


@dataclass(frozen=True)
class Prediction:
    """Errors of the fit and of what stands beside it, on the phases that were left out.

    omega and scale are the fitted ones; predicted: name -> effort of every phase, on the record's scale.
    """

    omega: float
    scale: float
    train_rmse: float
    test_rmse: Mapping[str, float]
    predicted: Mapping[str, tuple[float, ...]]


def documented_efforts() -> np.ndarray:
    """Of the four phases, ``[4]``."""
    return np.array([phase["documented_effort"] for phase in apache_case()["phases"]])


def predict(training: Sequence[int], teammates: str = "mean") -> Prediction:
    """Fit to the phases with these indices, test on the others.

    Beside it: the model without loyalty, and with undiluted loyalty, fitted alike; the mean of the training phases; the
    last of them before each phase (the first, where none is); and the released calibration, on its own scale.
    """
    calibrated, record = Apache.of(apache_case(), teammates), documented_efforts()
    fits = {
        "fit": fitted(calibrated, record, training),
        "no loyalty": fitted(calibrated.without_loyalty(), record, training),
        "no dilution": fitted(calibrated.without_dilution(), record, training),
    }
    known = np.sort(np.asarray(training))
    predictions = {
        **{name: scale * efforts for name, (_, scale, efforts) in fits.items()},
        "training mean": np.full(len(record), record[known].mean()),
        "persistence": record[known[np.maximum(np.searchsorted(known, np.arange(len(record)), side="right") - 1, 0)]],
        "released calibration": calibrated.mean_efforts(),
    }
    left = np.setdiff1d(np.arange(len(record)), known)
    omega, scale, _ = fits["fit"]
    return Prediction(
        omega=omega,
        scale=scale,
        train_rmse=_rmse(predictions["fit"][known], record[known]),
        test_rmse={name: _rmse(x[left], record[left]) for name, x in predictions.items()},
        predicted={name: tuple(float(y) for y in x) for name, x in predictions.items()},
    )


def fitted(model: Apache, record: np.ndarray, training: Sequence[int]) -> tuple[float, float, np.ndarray]:
    """(omega, scale, efforts ``[phases]`` before scaling) of least squares on the training phases.

    For each omega the best scale is known. Where nobody meets a bound effort is a power of omega, so that the scale
    makes up for it: of equally good ones the smallest omega is taken.
    """
    known = list(training)
    loyalties = np.broadcast_to(model.loyalties, (len(PRODUCTIVITY), len(model.loyalties)))
    tried = replace(model, parameters={**model.parameters, "omega": PRODUCTIVITY}, loyalties=loyalties)
    efforts = tried.mean_efforts()
    seen = efforts[:, known]
    scales = (seen * record[known]).sum(-1) / (seen**2).sum(-1)
    errors = ((scales[:, None] * seen - record[known]) ** 2).sum(-1).round(12)
    best = int(errors.argmin())
    return float(PRODUCTIVITY[best]), float(scales[best]), efforts[best]


def leave_one_out(teammates: str = "mean") -> dict[str, Prediction]:
    """Phase left out -> fit to the other three."""
    names = [phase["name"] for phase in apache_case()["phases"]]
    return {name: predict([i for i in range(len(names)) if i != k], teammates) for k, name in enumerate(names)}


def tables(teammates: str = "mean") -> dict[str, dict[str, float]]:
    """The last two phases from the first two, and each phase from the others, for a report."""
    found = {"last two phases": predict((0, 1), teammates)}
    found |= {f"{name} left out": x for name, x in leave_one_out(teammates).items()}
    return {title: row for name, x in found.items() for title, row in _tables(name, x).items()}


def _tables(name: str, found: Prediction) -> dict[str, dict[str, float]]:
    fit = {"omega": found.omega, "scale": found.scale, "training": found.train_rmse}
    own = found.test_rmse["fit"]
    return {
        f"{name}: rmse": {**fit, **found.test_rmse},
        f"{name}: skill of the fit": {k: skill(own, x) for k, x in found.test_rmse.items() if k != "fit"},
    }


def _rmse(predicted: np.ndarray, record: np.ndarray) -> float:
    return float(np.sqrt(((predicted - record) ** 2).mean()))
