"""Can the Apple model predict what it was not fitted to? Fit the early years, predict the conflict, beside references.

The imposed shocks were read off the record and are given to every prediction but persistence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from coopgym.validation.fit import skill
from coopgym.validation.report4.apple import Apple, documented_means, held, phase_means

BOX = {
    "sensitivity": (0.0, 2.0),  # rho_0 lambda_R: only their product acts
    "elasticity": (0.5, 2.0),
    "response": (0.3, 2.5),
    "step": (0.01, 0.3),
    "decay": (0.0, 0.3),
    "adaptation": (0.0, 0.4),
}
ELITE, ROUND = 50, 1500  # candidates kept, and new ones drawn around them, in each round of the fit


@dataclass(frozen=True, eq=False)
class Prediction:
    """The best of the draws on the training quarters, and errors on the test quarters beside the references'."""

    parameters: dict[str, float]
    train_rmse: float
    test_rmse: dict[str, float]  # fit, no reciprocity, shocks only, persistence, released calibration
    phase_r2: float  # determination of all phase means by the fit

    @property
    def beats_all_references(self) -> bool:
        """Whether the fit is nearer to the record than everything beside it."""
        return min(self.test_rmse, key=lambda name: self.test_rmse[name]) == "fit"


def documented_knots(case: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Quarters ``[knots]`` and documented actions ``[knots, actors]``."""
    record = case["trajectory"]
    return np.array(record["quarters"]), np.stack([record[actor] for actor in case["actors"]], axis=-1)


def predict(
    case: Mapping[str, Any], last_training_quarter: int, draws: int = 10_000, rounds: int = 30, seed: int = 0
) -> Prediction:
    """Fit to the record up to ``last_training_quarter``, and test on what follows.

    ``rounds=0`` takes the best of uniform draws and nothing more, as the recorded reference does with 40,000.
    """
    return predict_rest(case, documented_knots(case)[0] <= last_training_quarter, draws, rounds, seed)


def leave_one_out(case: Mapping[str, Any], draws: int = 4000, rounds: int = 20, seed: int = 0) -> dict[str, Prediction]:
    """Phase left out -> fit to the other phases, tested on it; a knot at a boundary is of the phase that it begins."""
    quarters, _ = documented_knots(case)
    found = {}
    for phase in case["phases"]:
        last = phase is case["phases"][-1]
        inside = (quarters >= phase["start"]) & ((quarters <= phase["end"]) if last else (quarters < phase["end"]))
        found[phase["name"]] = predict_rest(case, ~inside, draws, rounds, seed)
    return found


def leave_one_out_tables(case: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """Errors on each phase left out, and the skill of the fit beside everything else, for a report."""
    tables = {}
    for name, found in leave_one_out(case).items():
        beside = {reference: skill(found.test_rmse["fit"], x) for reference, x in found.test_rmse.items()}
        tables[f"{name} left out: rmse"] = {"training": found.train_rmse, **found.test_rmse}
        tables[f"{name} left out: skill of the fit"] = {k: x for k, x in beside.items() if k != "fit"}
    return tables


def predict_rest(
    case: Mapping[str, Any], training: np.ndarray, draws: int = 10_000, rounds: int = 30, seed: int = 0
) -> Prediction:
    """Fit to the knots where ``training [knots]`` is true, and test on the others.

    Persistence holds the last training knot before each test knot; before the first there is that one to hold.
    """
    quarters, record = documented_knots(case)
    quiet = replace(Apple.of(case), noise=None)
    parameters, train_rmse = _fit(quiet, quarters[training], record[training], draws, rounds, seed)
    fitted = _with(quiet, {"strength": 1.0, **parameters}).run().actions
    held_from = np.maximum(np.searchsorted(quarters[training], quarters, side="right") - 1, 0)
    predictions = {
        "fit": fitted[quarters],
        "no reciprocity": quiet.variants()["no reciprocity"].run().actions[quarters],
        "shocks only": held(quiet)[quarters],
        "persistence": record[training][held_from],
        "released calibration": quiet.run().actions[quarters],
    }
    tested = {name: _rmse(x[~training], record[~training]) for name, x in predictions.items()}
    means, documented = phase_means(fitted, case), documented_means(case)
    r2 = 1.0 - ((means - documented) ** 2).sum() / ((documented - documented.mean()) ** 2).sum()
    return Prediction(parameters, train_rmse, tested, float(r2))


def _fit(
    quiet: Apple, quarters: np.ndarray, record: np.ndarray, draws: int, rounds: int, seed: int
) -> tuple[dict[str, float], float]:
    """The best parameters, and their error: uniform draws, then ``rounds`` of new ones around the fifty best.

    The rounds matter: the least of 40,000 draws still leaves a test error that depends on the seed.
    """
    rng = np.random.default_rng(seed)
    low, high = np.array(list(BOX.values())).T
    short = replace(quiet, quarters=int(quarters[-1]))
    elite, errors = _best(short, rng.uniform(low, high, (draws, len(BOX))), quarters, record)
    for _ in range(rounds):
        around = elite[rng.integers(0, len(elite), ROUND)] + elite.std(0) * rng.normal(size=(ROUND, len(BOX)))
        elite, errors = _best(short, np.concatenate([elite, np.clip(around, low, high)]), quarters, record)
    return {name: float(x) for name, x in zip(BOX, elite[0], strict=True)}, float(errors[0])


def _best(
    short: Apple, candidates: np.ndarray, quarters: np.ndarray, record: np.ndarray, batch: int = 10_000
) -> tuple[np.ndarray, np.ndarray]:
    """The candidates ``[ELITE, parameters]`` of least error, best first, and their errors."""
    parts = np.split(candidates, range(batch, len(candidates), batch))
    errors = np.concatenate([_errors(short, dict(zip(BOX, x.T, strict=True)), quarters, record) for x in parts])
    order = np.argsort(errors, kind="stable")[:ELITE]
    return candidates[order], errors[order]


def _errors(short: Apple, drawn: dict[str, np.ndarray], quarters: np.ndarray, record: np.ndarray) -> np.ndarray:
    actions = _with(short, {"strength": 1.0, **drawn}).run().actions[quarters]
    error: np.ndarray = np.sqrt(((actions - record[:, None]) ** 2).mean((0, -1)))
    return error


def _with(apple: Apple, changed: Mapping[str, Any]) -> Apple:
    return replace(apple, world=replace(apple.world, **changed))


def _rmse(predicted: np.ndarray, record: np.ndarray) -> float:
    return float(np.sqrt(((predicted - record) ** 2).mean()))
