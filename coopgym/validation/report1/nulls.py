"""What the S-LCD rubric pays for nothing: random ventures, random actions, and the model without its parts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from coopgym.validation.report1.evidence import evidence, slcd_score
from coopgym.validation.report1.model import FORMS, Venture
from coopgym.validation.report1.slcd import random_ventures, slcd
from coopgym.validation.scoring import Scored

PARAMETERS = ("random dependence and shares", "random synergy too")  # the nulls that draw parameters
REACH = 3.0  # random actions go up to this many times the baseline


def null_scores(matrix: str = "current", draws: int = 20_000, seed: int = 0) -> dict[str, dict[str, Scored]]:
    """Form -> null -> scores ``[draws]``; both forms see the same dependence and shares."""
    return {form: _nulls(slcd(form, matrix), draws, seed) for form in FORMS}


def _nulls(venture: Venture, draws: int, seed: int) -> dict[str, Scored]:
    rng = np.random.default_rng(seed)
    return {
        "random dependence and shares": _scored(random_ventures(venture, draws, rng)),
        "random synergy too": _scored(random_ventures(venture, draws, rng, synergy=True)),
        "random actions": _random_actions(venture, draws, rng),
    }


def _scored(ventures: Venture) -> Scored:
    return slcd_score(evidence(ventures, ventures.equilibrium()))


def _random_actions(venture: Venture, draws: int, rng: np.random.Generator) -> Scored:
    """Actions that follow no model, granted the five points for a solver that stops."""
    baseline = venture.baseline()
    facts = evidence(venture, rng.uniform(0.0, REACH, (draws, 2)) * baseline, baseline)
    return slcd_score({**facts, "residual": np.zeros(draws)})


def log_against_power(matrix: str = "current", draws: int = 20_000, seed: int = 0) -> dict[str, float]:
    """How often the logarithmic form beats the power form; with random synergy each form has its own."""
    rng = np.random.default_rng(seed)
    same = {form: _scored(random_ventures(slcd(form, matrix), draws, np.random.default_rng(seed))) for form in FORMS}
    free = {form: _scored(random_ventures(slcd(form, matrix), draws, rng, synergy=True)) for form in FORMS}
    found = {}
    for name, scored in (("fixed_synergy", same), ("random_synergy", free)):
        difference = scored["log"].total - scored["power"].total
        found[f"log_better_pct_{name}"] = 100.0 * float((difference > 0).mean())
        found[f"power_better_pct_{name}"] = 100.0 * float((difference < 0).mean())
    return found


def ablation_scores(matrix: str = "current") -> dict[str, dict[str, float]]:
    """Form -> mechanism switched off -> score. The baseline of the rubric never has either mechanism."""
    return {form: _ablations(slcd(form, matrix)) for form in FORMS}


def _ablations(venture: Venture) -> dict[str, float]:
    alone = replace(venture, dependence=0.0 * venture.dependence)
    variants = {
        "calibrated": venture,
        "no dependence": alone,
        "no synergy": replace(venture, synergy=0.0),
        "neither": replace(alone, synergy=0.0),
        "dependence transposed": replace(venture, dependence=venture.dependence[::-1].copy()),
        "equal shares": replace(venture, shares=np.array([0.5, 0.5])),
    }
    return {name: float(_scored(variant).total) for name, variant in variants.items()}
