"""The joint venture of the case study, alone or among others: as calibrated, disturbed, scanned, or drawn at random."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from coopgym.mechanisms.checks import choice
from coopgym.validation.report1.case import slcd_case
from coopgym.validation.report1.model import Venture

MATRICES = ("current", "transposed")


def slcd(form: str, matrix: str = "current", case: Mapping[str, Any] | None = None) -> Venture:
    """The calibration of the case study's data."""
    case = slcd_case() if case is None else case
    given = case["forms"][form]
    D = case["matrices"][choice("matrix", matrix, MATRICES)]
    return Venture(
        form,
        given["curvature"],
        given["synergy"],
        endowment=np.array(case["endowments"]),
        shares=np.array(case["shares"]),
        dependence=np.array([D[0][1], D[1][0]]),
    )


def shared_out(first: np.ndarray) -> np.ndarray:
    """Shares ``[..., 2]`` of which the first is given ``[...]``."""
    return np.stack([first, 1.0 - first], axis=-1)


def disturbed(venture: Venture, level: float, trials: int, seed: int = 42) -> Venture:
    """The suite's Monte Carlo: four uniforms a trial on the generator that it used; the third serves twice."""
    u = np.random.RandomState(seed).uniform(-level, level, (trials, 4))
    shares = venture.shares * (1.0 + u[:, 1:3])
    return replace(
        venture,
        endowment=venture.endowment * (1.0 + u[:, :1]),
        shares=shares / shares.sum(-1, keepdims=True),
        dependence=np.clip(venture.dependence * (1.0 + u[:, 2:4]), 0.0, 1.0),
    )


def with_first_dependence(venture: Venture, values: np.ndarray, second: float) -> Venture:
    """D_01 scanned over ``values`` ``[k]`` with D_10 held."""
    return replace(venture, dependence=np.stack([values, np.full_like(values, second)], axis=-1))


def with_synergy(venture: Venture, values: np.ndarray) -> Venture:
    """gamma scanned over ``values`` ``[k]``."""
    return replace(venture, synergy=values)


def random_ventures(venture: Venture, draws: int, rng: np.random.Generator, *, synergy: bool = False) -> Venture:
    """The null of section 5.1 of the protocol: dependence and shares, and the synergy too if asked."""
    return replace(
        venture,
        dependence=rng.uniform(0.0, 1.0, (draws, 2)),
        shares=shared_out(rng.uniform(0.3, 0.7, draws)),
        synergy=rng.uniform(0.02, 1.0, draws) if synergy else venture.synergy,
    )
