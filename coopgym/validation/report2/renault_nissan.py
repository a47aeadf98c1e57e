"""Renault and Nissan as trust that follows prescribed actions through five phases, and their rubric's evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from coopgym.validation.files import read_data
from coopgym.validation.report2.case import renault_nissan_case
from coopgym.validation.report2.model import Rates, TrustCourse, follow
from coopgym.validation.scoring import Scored, read_rubric, score

OFF_DIAGONAL = 1.0 - np.eye(2)
BAD, GOOD = -0.3, 0.3  # signals of a violation and of the recovery after it, for the hysteresis item


@dataclass(frozen=True, eq=False)
class Alliance:
    """One or many alliances; ``[...]`` any batch.

    interdependence ``[..., 2, 2]``; actions ``[phases, ..., 2]``; baselines ``[2]``; trust ``[..., 2, 2]`` at the
    start; names and steps of the phases.
    """

    rates: Rates
    interdependence: np.ndarray
    actions: np.ndarray
    baselines: np.ndarray
    trust: np.ndarray
    names: tuple[str, ...]
    steps: tuple[int, ...]

    @classmethod
    def of(cls, case: Mapping[str, Any], state: str = "current", start: str = "released") -> Alliance:
        """The calibration of the case study's data; the released tables share the published parameters."""
        key = "current" if state == "current" else "published"
        return cls(
            rates=Rates.of(case["parameters"][key], state),
            interdependence=np.array(case["interdependence"]),
            actions=np.array([phase["actions"][key] for phase in case["phases"]]),
            baselines=np.array(case["baselines"]),
            trust=np.array(case["initial_trust"][start]),
            names=tuple(phase["name"] for phase in case["phases"]),
            steps=tuple(phase["steps"] for phase in case["phases"]),
        )

    @property
    def bounds(self) -> np.ndarray:
        """First step of each phase, and the end, ``[phases + 1]``."""
        return np.concatenate([[0], np.cumsum(self.steps)])

    @property
    def signals(self) -> np.ndarray:
        """Signal of each partner in each phase, ``[phases, ..., 2]``."""
        missing = max(0, np.ndim(self.rates.kappa) - (self.actions.ndim - 2))
        actions = self.actions.reshape(len(self.steps), *[1] * missing, *self.actions.shape[1:])
        return np.asarray(self.rates.dynamics(self.interdependence).signal(actions, self.baselines))

    def run(self) -> TrustCourse:
        """Trust and damage through all phases; what a partner thinks of itself stays as given."""
        dynamics = self.rates.dynamics(self.interdependence, OFF_DIAGONAL)
        return follow(dynamics, np.repeat(self.signals, self.steps, axis=0), self.trust)

    def with_rates(self, **changed: Any) -> Alliance:
        """The same alliance with other rates."""
        return replace(self, rates=replace(self.rates, **changed))


def alliance(state: str = "current", start: str = "released") -> Alliance:
    """The calibration of the packaged data."""
    return Alliance.of(renault_nissan_case(), state, start)


def level(course: TrustCourse, *, diagonal: bool = True) -> np.ndarray:
    """tau ``[T + 1, ...]``: mean trust, over all four cells as the suite takes it, or over the two that move."""
    mean = course.trust.mean((-2, -1))
    return np.asarray(mean if diagonal else (course.trust * OFF_DIAGONAL).sum((-2, -1)) / 2.0)


def evidence(tau: np.ndarray, damage: np.ndarray, signals: np.ndarray, the: Alliance) -> dict[str, np.ndarray]:
    """What the rubric asks of mean trust ``[T + 1, ...]``, damage ``[T + 1, ..., 2, 2]`` and signals by phase.

    ``phase.follows``: trust moves the way of the phase's signal; ``phase.jump``: change of trust across its start;
    erosion_to_building: mean rates of bad over those of good phases; recovered: trust after a violation and recovery
    over trust before them, least over such pairs of phases.
    """
    bounds, steps = the.bounds, np.array(the.steps)
    sigma = signals.mean(-1)
    change = np.diff(tau[bounds], axis=0)
    sigma = np.broadcast_to(sigma.reshape(*sigma.shape, *[1] * (change.ndim - sigma.ndim)), change.shape)
    facts = {f"{name}.follows": np.sign(change[k]) == np.sign(sigma[k]) for k, name in enumerate(the.names)}
    for name, start in zip(the.names[1:], bounds[1:-1], strict=True):
        facts[f"{name}.jump"] = abs(tau[start + 1] - tau[start - 1])
    speed = abs(change) / steps.reshape(-1, *[1] * (change.ndim - 1))
    return {
        **facts,
        "erosion_to_building": _ratio(_mean_where(speed, sigma < 0), _mean_where(speed, sigma > 0)),
        "recovered": _recovered(tau, sigma, bounds),
        "largest_damage": damage.max((0, -2, -1)),
        "final_trust": tau[-1],
    }


def _mean_where(x: np.ndarray, mask: np.ndarray) -> np.ndarray:
    count = mask.sum(0)
    return np.asarray(np.where(count > 0, (x * mask).sum(0) / np.maximum(count, 1), np.nan))


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """above / below, infinite over zero; where either is missing, not a number."""
    return np.asarray(np.where(below == 0, np.where(above > 0, np.inf, np.nan), above / np.where(below == 0, 1, below)))


def _recovered(tau: np.ndarray, sigma: np.ndarray, bounds: np.ndarray) -> np.ndarray:
    ratios = [
        np.where((sigma[k] < BAD) & (sigma[k + 1] > GOOD), tau[bounds[k + 2]] / tau[max(int(bounds[k]) - 1, 0)], np.inf)
        for k in range(len(sigma) - 1)
    ]
    return np.asarray(np.min(ratios, axis=0))


def facts_of(the: Alliance, *, diagonal: bool = True) -> dict[str, np.ndarray]:
    """Evidence of an alliance's own course."""
    course = the.run()
    return evidence(level(course, diagonal=diagonal), course.damage, the.signals, the)


def alliance_score(facts: dict[str, np.ndarray]) -> Scored:
    """The published rubric on the facts of any batch of alliances."""
    return score(read_rubric(read_data("renault_nissan_rubric")), facts)
