"""What the Renault-Nissan rubric pays for nothing: random parameters, actions and trust, and the model in parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from coopgym.validation.files import read_data
from coopgym.validation.report2.model import FACTORS, Rates
from coopgym.validation.report2.renault_nissan import (
    OFF_DIAGONAL,
    Alliance,
    alliance,
    alliance_score,
    evidence,
    facts_of,
)
from coopgym.validation.scoring import Scored

PARAMETERS = ("random rates", "random rates, dependence and trust")  # the nulls that draw parameters
WANDER = 0.05  # deviation of a random walk of trust in one step
WIDE: Mapping[str, tuple[float, float]] = {
    "lambda_plus": (0.01, 0.5),
    "lambda_minus": (0.01, 0.5),
    "mu_R": (0.0, 1.0),
    "delta_R": (0.0, 0.1),
    "xi": (0.0, 1.0),
    "kappa": (0.2, 2.0),
}


def sweep_box() -> dict[str, tuple[float, float]]:
    """Lowest and highest level of each factor of the published sweep."""
    levels = read_data("tr2_sweep")["boxes"]["standard"]
    return {name: (min(levels[name]), max(levels[name])) for name in FACTORS}


def null_scores(state: str = "current", draws: int = 5000, seed: int = 0) -> dict[str, Scored]:
    """Scores of each null, ``[draws]``."""
    rng = np.random.default_rng(seed)
    the = alliance(state)
    return {
        "random rates": alliance_score(facts_of(random_alliances(the, sweep_box(), draws, rng))),
        "random rates, dependence and trust": alliance_score(facts_of(_wide(the, draws, rng))),
        "random actions": alliance_score(facts_of(_random_actions(the, draws, rng))),
        "random walks of trust": _random_walks(the, draws, rng),
    }


def random_alliances(
    the: Alliance, box: Mapping[str, tuple[float, float]], draws: int, rng: np.random.Generator
) -> Alliance:
    """Rates drawn from a box, all else as it is."""
    drawn: dict[str, Any] = {name: rng.uniform(low, high, draws) for name, (low, high) in box.items()}
    return the.with_rates(**drawn)


def _wide(the: Alliance, draws: int, rng: np.random.Generator) -> Alliance:
    """The wide box of section 5.1 of the protocol; everybody trusts itself."""
    drawn = random_alliances(the, WIDE, draws, rng)
    trust = OFF_DIAGONAL * rng.uniform(0.1, 0.9, (draws, 2, 2)) + np.eye(2)
    return replace(drawn, interdependence=OFF_DIAGONAL * rng.uniform(0.0, 1.0, (draws, 2, 2)), trust=trust)


def _random_actions(the: Alliance, draws: int, rng: np.random.Generator) -> Alliance:
    """Calibrated rates, and actions that know nothing of the history: within 3 of what is expected."""
    kappa = np.full(draws, the.rates.kappa)
    actions = the.baselines + rng.uniform(-3.0, 3.0, (len(the.steps), draws, 2))
    return replace(the, actions=actions, rates=replace(the.rates, kappa=kappa))


def _random_walks(the: Alliance, draws: int, rng: np.random.Generator) -> Scored:
    """Trust and damage that wander inside [0, 1], trust from anywhere and damage from nothing; no model."""
    length = int(the.bounds[-1]) + 1
    trust = _walk(rng.uniform(0.1, 0.9, (draws, 2, 2)), length, rng) * OFF_DIAGONAL + np.eye(2)
    damage = _walk(np.zeros((draws, 2, 2)), length, rng) * OFF_DIAGONAL
    return alliance_score(evidence(trust.mean((-2, -1)), damage, the.signals, the))


def _walk(start: np.ndarray, length: int, rng: np.random.Generator) -> np.ndarray:
    path = np.empty((length, *start.shape))
    path[0] = start
    for t in range(1, length):
        path[t] = np.clip(path[t - 1] + rng.normal(0.0, WANDER, start.shape), 0.0, 1.0)
    return path


def ablations(the: Alliance) -> dict[str, Alliance]:
    """One claimed mechanism off, or turned round, in each."""
    given = the.rates
    return {
        "calibrated": the,
        "equal rates": the.with_rates(lambda_minus=given.lambda_plus),
        "rates exchanged": the.with_rates(lambda_plus=given.lambda_minus, lambda_minus=given.lambda_plus),
        "no reputation damage": the.with_rates(mu_R=0.0),
        "no amplification by dependence": the.with_rates(xi=0.0),
        "dependence transposed": replace(the, interdependence=the.interdependence.T),
        "initial trust corrected": replace(the, trust=alliance(start="corrected").trust),
        "actions of the published state": replace(the, actions=alliance("published").actions),
    }


def ablation_scores(state: str = "current") -> dict[str, float]:
    """Score of the calibration and of each ablation; a mechanism that matters loses points."""
    variants = ablations(alliance(state))
    return {name: float(alliance_score(facts_of(variant)).total) for name, variant in variants.items()}


def off_diagonal_score(start: str = "released") -> float:
    """Score if mean trust leaves out what partners think of themselves."""
    return float(alliance_score(facts_of(alliance(start=start), diagonal=False)).total)


def rate_scores(parameters: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Final trust and score of alliances with given rates ``[draws]``, for sensitivity."""
    facts = facts_of(replace(alliance(), rates=Rates.of(parameters)))
    return {"final_trust": facts["final_trust"], "score": alliance_score(facts).total}
