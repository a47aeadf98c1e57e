"""The factorial of TR-3's section 6 as one program: 3,125 rows, six behavioural targets, and the Monte Carlo."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from coopgym.mechanisms.arrays import Array
from coopgym.validation.report3.model import LoyalTeam

LOYAL, DISLOYAL, SYNERGETIC = 0.9, 0.1, 0.7  # the loyalties at which the published targets are read


@dataclass(frozen=True, eq=False)
class Sweep:
    """One factorial: cells (omega, beta, c, n) on four leading axes; loyalty, where there is one, on the last."""

    factors: Mapping[str, Sequence[float]]
    team: LoyalTeam  # arrays of shape [omega, beta, c, n]
    loyalties: np.ndarray
    effort: np.ndarray  # [omega, beta, c, n, theta]: mean effort
    free_riding_error: np.ndarray  # [omega, beta, c, n]: percent
    differentiation: np.ndarray  # [omega, beta, c, n]: effort at loyalty .9 over effort at .1
    synergy: np.ndarray  # [omega, beta, c, n]

    @property
    def output(self) -> np.ndarray:
        """Q, ``[omega, beta, c, n, theta]``."""
        return np.asarray(_with_loyalty_axis(self.team).output(self.effort))

    def statistics(self) -> dict[str, float]:
        """Every number that the report prints of its factorial, by name; shares in percent."""
        return {**self._targets(), **self._spread(), **paired_difference(self.effort[..., -1], self.effort[..., 0])}

    def _targets(self) -> dict[str, float]:
        effort = self.effort
        return {
            "free_riding_pct": percent(self.free_riding_error < 5.0),
            "free_riding_mean_error": float(self.free_riding_error.mean()),
            "free_riding_max_error": float(self.free_riding_error.max()),
            "free_riding_failed_cells": float((self.free_riding_error >= 5.0).sum()),
            "loyalty_pct": percent((np.diff(effort, axis=-1) >= 0).all(-1)),
            "differentiation_pct": percent(self.differentiation > 2.0),
            "team_size_pct": percent((np.diff(effort[..., 0], axis=-1) <= 0).all(-1)),
            "synergy_pct": percent(self.synergy > 1.1),
            "bounded_pct": percent((effort >= 0) & (effort <= self.team.cap)),
        }

    def _spread(self) -> dict[str, float]:
        ratio = self.differentiation
        by_exponent = {
            f"{name}_median_beta_{beta:.2f}": float(np.median(values[:, i]))
            for name, values in (("differentiation", ratio), ("synergy", self.synergy))
            for i, beta in enumerate(self.factors["beta"])
        }
        return {
            "differentiation_median": float(np.median(ratio)),
            "differentiation_mean": float(ratio.mean()),
            "differentiation_min": float(ratio.min()),
            "differentiation_max": float(ratio.max()),
            "synergy_median": float(np.median(self.synergy)),
            "effort_mean": float(self.effort.mean()),
            "effort_sd": float(self.effort.std(ddof=1)),
            "clipped_pct": percent((self.effort <= self.team.floor) | (self.effort >= self.team.cap)),
            **by_exponent,
        }


def sweep(factors: Mapping[str, Sequence[float]], teammates: str = "mean") -> Sweep:
    """All combinations of ``factors``: omega, beta, c, n, theta, each a list of levels."""
    cells = (np.asarray(factors[k], float) for k in ("omega", "beta", "c", "n"))
    productivity, exponent, cost, size = np.meshgrid(*cells, indexing="ij")
    team = LoyalTeam(productivity, exponent, cost, size, teammates=teammates)
    loyalties = np.asarray(factors["theta"], float)
    baseline = team.free_riding
    return Sweep(
        factors=factors,
        team=team,
        loyalties=loyalties,
        effort=_with_loyalty_axis(team).mean_effort(loyalties),
        free_riding_error=100.0 * abs(team.mean_effort(0.0) - baseline) / baseline,
        differentiation=differentiation(team),
        synergy=synergy(team),
    )


def differentiation(team: LoyalTeam) -> np.ndarray:
    """Mean effort of a loyal team over that of a disloyal one."""
    return np.asarray(team.mean_effort(LOYAL) / team.mean_effort(DISLOYAL))


def synergy(team: LoyalTeam) -> np.ndarray:
    """What the two loyalty benefits raise effort by together, over the sum of what each does alone; 1 if neither does.

    A rise below a billionth counts as none: there both efforts sit at the floor.
    """
    alone = team.mean_effort(0.0)
    variants = (team, replace(team, joy=0.0), replace(team, benefit=0.0))
    together, warm, joyful = (np.asarray(variant.mean_effort(SYNERGETIC) - alone) for variant in variants)
    apart = warm + joyful
    ratio: np.ndarray = np.divide(together, apart, out=np.ones_like(apart), where=apart > 1e-9)
    return ratio


def monte_carlo(teammates: str = "mean", trials: int = 2000, noise: float = 0.15, seed: int = 42) -> dict[str, float]:
    """Uniform noise around (omega 25, beta .7, c 1, phi_B .8), five members, on the generator that the suite used."""
    u = np.random.RandomState(seed).uniform(-noise, noise, (trials, 4)).T
    team = LoyalTeam(
        25.0 * (1 + u[0]),
        np.clip(0.7 * (1 + u[1]), 0.3, 0.95),
        1.0 + u[2],
        5.0,
        benefit=np.clip(0.8 * (1 + u[3]), 0.2, 1.0),
        teammates=teammates,
    )
    effort = np.stack([team.mean_effort(x) for x in (0.0, 0.3, 0.6, 0.9)])
    ratio = differentiation(team)
    return {
        "monte_carlo_loyalty_pct": percent((np.diff(effort, axis=0) >= 0).all(0)),
        "monte_carlo_differentiation_pct": percent(ratio > 2.0),
        "monte_carlo_differentiation_mean": float(ratio.mean()),
        "monte_carlo_differentiation_sd": float(ratio.std()),
    }


def sensitivity(result: Sweep) -> dict[str, dict[str, float]]:
    """Pearson r of each factor with effort, and with the percent that effort and output rise over no loyalty."""
    effort, output = result.effort, result.output
    measured = {
        "effort": effort,
        "effort_increase": 100.0 * (effort / effort[..., :1] - 1.0),
        "output_increase": 100.0 * (output / output[..., :1] - 1.0),
    }
    levels = np.meshgrid(*(np.asarray(result.factors[k], float) for k in result.factors), indexing="ij")
    return {
        factor: {name: float(np.corrcoef(level.ravel(), y.ravel())[0, 1]) for name, y in measured.items()}
        for factor, level in zip(result.factors, levels, strict=True)
    }


def paired_difference(after: np.ndarray, before: np.ndarray) -> dict[str, float]:
    """Paired t and d = mean / population s.d., as published; over a deterministic grid neither tests anything."""
    change = (after - before).ravel()
    t = change.mean() / (change.std(ddof=1) / np.sqrt(change.size))
    return {"effect_size": float(change.mean() / change.std()), "effect_t": float(t), "effect": float(change.mean())}


def percent(mask: Array) -> float:
    """Share of true entries, in percent."""
    return 100.0 * float(mask.mean())


def _with_loyalty_axis(team: LoyalTeam) -> LoyalTeam:
    """The same team with a last axis for loyalties."""
    productivity, exponent, cost, size = (
        np.asarray(x)[..., None] for x in (team.productivity, team.exponent, team.cost, team.size)
    )
    return replace(team, productivity=productivity, exponent=exponent, cost=cost, size=size)
