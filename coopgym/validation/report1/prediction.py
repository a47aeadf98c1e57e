"""Out of sample: trust of Samsung and Sony at the first two waypoints predicts, or does not, the last two.

The published validation of TR-1 has no time in it. Here trust follows the illustrative actions of the three documented
phases by TR-2's equations, with the rates of the environment's constructor.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from coopgym.validation.fit import skill
from coopgym.validation.report1.case import slcd_case
from coopgym.validation.report2.model import FACTORS, Rates
from coopgym.validation.report2.renault_nissan import Alliance, level

BUILDING = np.arange(0.005, 0.5005, 0.005)
EXPECTED = np.arange(20.0, 80.5, 1.0)  # actions expected of both partners, where they are fitted too


@dataclass(frozen=True)
class WaypointPrediction:
    """Errors on the last two waypoints of one schedule: of fits, and of what stands beside them.

    train_rmse: fit -> error on the first two; predicted: fit -> trust at all four.
    """

    train_rmse: Mapping[str, float]
    test_rmse: Mapping[str, float]
    predicted: Mapping[str, tuple[float, ...]]

    def skill_of(self, name: str, reference: str = "persistence") -> float:
        """1 - RMSE / RMSE of the reference."""
        return skill(self.test_rmse[name], self.test_rmse[reference])


def venture_trust(case: Mapping[str, Any]) -> Alliance:
    """The joint venture as trust that follows prescribed actions."""
    given, D = case["trust"], np.array(case["matrices"]["current"])
    return Alliance(
        rates=Rates(**{name: given[name] for name in FACTORS}),
        interdependence=D,
        actions=np.array([phase["actions"] for phase in case["phases"]]),
        baselines=np.array(given["baselines"]),
        trust=np.where(np.eye(2) > 0, 1.0, given["initial_trust"]),
        names=tuple(phase["name"] for phase in case["phases"]),
        steps=tuple(phase["steps"] for phase in case["phases"]),
    )


def at_waypoints(the: Alliance) -> np.ndarray:
    """Mean trust of the two partners in each other at T/4, T/2, 3T/4 and T, ``[4, ...]``."""
    quarters = np.arange(1, 5) * int(the.bounds[-1]) // 4
    return level(the.run(), diagonal=False)[quarters]


def predict(schedule: str) -> WaypointPrediction:
    """Fit to T/4 and T/2 of one schedule: the building rate, and then what is expected of the partners as well."""
    case = slcd_case()
    record, the = np.array(case["waypoints"][schedule]), venture_trust(case)
    rates = the.with_rates(lambda_plus=BUILDING)
    both, expected = (x.ravel() for x in np.meshgrid(BUILDING, EXPECTED, indexing="ij"))
    actions = np.broadcast_to(the.actions[:, None], (len(the.steps), len(both), 2))
    free = replace(the.with_rates(lambda_plus=both), actions=actions, baselines=np.stack([expected] * 2, axis=-1))
    fits = {"fit": _best(rates, record), "fit with expected actions": _best(free, record)}
    predictions = {
        **fits,
        "released calibration": at_waypoints(the),
        "training mean": np.full(4, record[:2].mean()),
        "persistence": np.full(4, record[1]),
    }
    return WaypointPrediction(
        train_rmse={name: _rmse(x[:2], record[:2]) for name, x in fits.items()},
        test_rmse={name: _rmse(x[2:], record[2:]) for name, x in predictions.items()},
        predicted={name: tuple(float(y) for y in x) for name, x in predictions.items()},
    )


def _best(tried: Alliance, record: np.ndarray) -> np.ndarray:
    """Of many ventures ``[k]``, the waypoints ``[4]`` of that nearest to the first two."""
    waypoints = at_waypoints(tried)
    errors = ((waypoints[:2] - record[:2, None]) ** 2).sum(0)
    return np.asarray(waypoints[:, errors.argmin()])


def _rmse(predicted: np.ndarray, record: np.ndarray) -> float:
    return float(np.sqrt(((predicted - record) ** 2).mean()))
