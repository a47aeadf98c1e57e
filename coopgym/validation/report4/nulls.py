"""What the Apple rubric pays for nothing: random parameters, seeds and trajectories, and the model without parts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from coopgym.validation.report4.apple import Apple, held, random_apples, random_walks, reseeded
from coopgym.validation.report4.case import apple_case
from coopgym.validation.report4.reproduced import apple_score
from coopgym.validation.scoring import Scored

PARAMETERS = ("random parameters",)  # the nulls that draw parameters


def null_scores(draws: int = 2000, seed: int = 0) -> dict[str, Scored]:
    """Scores of each null, ``[draws]``."""
    rng = np.random.default_rng(seed)
    calibrated = Apple.of(apple_case())
    return {
        "random parameters": apple_score(random_apples(calibrated, draws, rng).run().actions),
        "other noise": apple_score(reseeded(calibrated, draws, rng).run().actions),
        "random walk": apple_score(random_walks(calibrated, draws, rng)),
        "random actions": apple_score(rng.uniform(0.0, 1.0, (calibrated.quarters + 1, draws, 3))),
    }


def ablation_scores(draws: int = 1000, seed: int = 0) -> dict[str, float]:
    """Mean score over other noise of the calibration, and with each claimed mechanism off."""
    calibrated = reseeded(Apple.of(apple_case()), draws, np.random.default_rng(seed))
    variants = {"calibrated": calibrated, **calibrated.variants()}
    return {name: float(apple_score(variant.run().actions).total.mean()) for name, variant in variants.items()}


def without_a_model(constants: Sequence[float] = (0.5, 0.6, 0.7, 0.8)) -> dict[str, float]:
    """Scores of the record itself, of the imposed shocks alone, and of flat lines."""
    case = apple_case()
    calibrated = Apple.of(case)
    quarters = np.arange(calibrated.quarters + 1)
    knots = case["trajectory"]["quarters"]
    courses = {
        "documented": np.stack([np.interp(quarters, knots, case["trajectory"][x]) for x in case["actors"]], axis=-1),
        "shocks only": held(calibrated),
        **{f"constant {level:g}": np.full((len(quarters), 3), level) for level in constants},
    }
    return {name: float(apple_score(actions).total) for name, actions in courses.items()}
