"""The Apple App Store as three actors who answer each other, 66 quarters, and what its rubric asks of a trajectory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from coopgym.validation.report4.model import Course, ReciprocalWorld, Shock, simulate


@dataclass(frozen=True, eq=False)
class Apple:
    """One or many App Stores: a world, where it starts, what befalls it, and its noise ``[quarters, ..., 3]``."""

    world: ReciprocalWorld
    actions: np.ndarray
    baselines: np.ndarray
    trust: np.ndarray
    shocks: tuple[Shock, ...]
    noise: np.ndarray | None
    quarters: int = 66

    @classmethod
    def of(cls, case: Mapping[str, Any], seed: int | None = None) -> Apple:
        """The calibration of the case study's data; ``seed`` in place of the suite's."""
        given, actors = case["parameters"], case["actors"]
        quarters = case["phases"][-1]["end"]
        return cls(
            world=_world(np.array(case["interdependence"]), given),
            actions=np.array(case["initial_actions"]),
            baselines=np.array(case["initial_baselines"]),
            trust=np.array(case["initial_trust"]),
            shocks=imposed(case, actors),
            noise=legacy_noise(given["seed"] if seed is None else seed, quarters, given["noise_sd"]),
            quarters=quarters,
        )

    def run(self) -> Course:
        """Simulate all quarters."""
        return simulate(
            self.world,
            self.quarters,
            actions=self.actions,
            baselines=self.baselines,
            trust=self.trust,
            shocks=self.shocks,
            noise=self.noise,
        )

    def variants(self) -> dict[str, Apple]:
        """One claimed mechanism off in each."""

        def world(**changed: Any) -> Apple:
            return replace(self, world=replace(self.world, **changed))

        return {
            "no reciprocity": world(sensitivity=0.0),
            "no trust gate": world(gated=False),
            "no amplification": world(amplification=0.0),
            "no adaptation": world(adaptation=0.0),
            "no shocks": replace(self, shocks=()),
            "no noise": replace(self, noise=None),
        }


def _world(interdependence: np.ndarray, given: Mapping[str, float]) -> ReciprocalWorld:
    return ReciprocalWorld(
        interdependence,
        sensitivity=given["rho_0"],
        elasticity=given["eta"],
        response=given["kappa"],
        strength=given["lambda_R"],
        step=given["alpha"],
        decay=given["decay"],
        adaptation=given["baseline_adaptation"],
        amplification=given["omega"],
        rates={
            "building": given["lambda_plus"],
            "erosion": given["lambda_minus"],
            "amplification": given["psi"],
            "harm": given["mu_R"],
            "forgetting": given["delta_R"],
        },
        trust_cap=given["T_max"],
        damage_slope=given["theta_R"],
    )


def imposed(case: Mapping[str, Any], actors: Sequence[str]) -> tuple[Shock, ...]:
    """The shocks of each phase, at its first quarter."""
    return tuple(
        Shock(step=phase["start"], actor=actors.index(name), shift=shift)
        for phase in case["phases"]
        for name, shift in phase["shocks"].items()
    )


def conceded(case: Mapping[str, Any]) -> tuple[Shock, ...]:
    """The shocks of the published counterfactual, in which Apple gives way early."""
    return tuple(
        Shock(step=shock["quarter"], actor=case["actors"].index(shock["actor"]), shift=shock["shift"])
        for shock in case["counterfactual_shocks"]
    )


def legacy_noise(seed: int, quarters: int, sd: float, actors: int = 3) -> np.ndarray:
    """Normal draws ``[quarters, actors]`` on the generator that the suite used."""
    return np.random.RandomState(seed).normal(0.0, sd, (quarters, actors))


def random_apples(calibrated: Apple, draws: int, rng: np.random.Generator, sd: float = 0.02) -> Apple:
    """The null: response, dependence, initial trust and noise drawn from the box of section 5.1 of the protocol."""
    off = 1.0 - np.eye(3)
    rho, kappa, strength = (rng.uniform(0.5, 2.0, draws) for _ in range(3))
    world = replace(
        calibrated.world,
        interdependence=off * rng.uniform(0.0, 1.0, (draws, 3, 3)),
        sensitivity=rho,
        elasticity=rng.uniform(0.8, 2.0, draws),
        response=kappa,
        strength=strength,
    )
    trust = np.where(off > 0, rng.uniform(0.3, 0.9, (draws, 3, 3)), 1.0)
    return replace(calibrated, world=world, trust=trust, noise=rng.normal(0.0, sd, (calibrated.quarters, draws, 3)))


def reseeded(calibrated: Apple, draws: int, rng: np.random.Generator, sd: float = 0.02) -> Apple:
    """The calibration under other noise."""
    return replace(calibrated, noise=rng.normal(0.0, sd, (calibrated.quarters, draws, 3)))


def random_walks(calibrated: Apple, draws: int, rng: np.random.Generator, sd: float = 0.03) -> np.ndarray:
    """Actions ``[quarters + 1, draws, 3]`` that wander from .7 inside [0, 1], with no model."""
    actions = np.full((calibrated.quarters + 1, draws, 3), 0.7)
    for quarter in range(calibrated.quarters):
        actions[quarter + 1] = np.clip(actions[quarter] + rng.normal(0.0, sd, (draws, 3)), 0.0, 1.0)
    return actions


def held(calibrated: Apple) -> np.ndarray:
    """Actions ``[quarters + 1, 3]`` that only the imposed shocks change."""
    still = replace(calibrated.world, step=0.0, decay=0.0)
    return replace(calibrated, world=still, noise=None).run().actions


def phase_means(actions: np.ndarray, case: Mapping[str, Any]) -> np.ndarray:
    """``[phases, ..., actors]``: mean action in each phase, both end quarters included."""
    return np.stack([actions[phase["start"] : phase["end"] + 1].mean(0) for phase in case["phases"]])


def documented_means(case: Mapping[str, Any]) -> np.ndarray:
    """``[phases, actors]``, as read off the record."""
    return np.array([[phase["documented"][actor] for actor in case["actors"]] for phase in case["phases"]])


def evidence(actions: np.ndarray, case: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """What the rubric asks of actions ``[quarters + 1, ..., 3]``, by ``phase.quantity``."""
    facts: dict[str, np.ndarray] = {}
    for phase, target in zip(case["phases"], documented_means(case), strict=True):
        x = actions[phase["start"] : phase["end"] + 1]
        facts |= {f"{phase['name']}.{key}": value for key, value in _facts(x, target).items()}
    return facts


def _facts(x: np.ndarray, documented: np.ndarray) -> dict[str, np.ndarray]:
    """Of one phase's actions ``[t, ..., 3]``; actor 1 is the large developer, actors 1 and 2 the developers.

    change: last minus first, mean over actors; spread: standard deviation in time; error: relative, of the phase
    means; jump: largest step of any actor; major_change: last minus first of actor 1; developer_range: how far the
    developers' actions vary at all; rising_share: share of steps in which the mean action falls by less than .01;
    variance: in time, mean over actors.
    """
    mean = x.mean(-1)
    return {
        "change": (x[-1] - x[0]).mean(-1),
        "spread": x.std(0).mean(-1),
        "error": (abs(x.mean(0) - documented) / documented).mean(-1),
        "jump": abs(np.diff(x, axis=0)).max((0, -1)),
        "major_change": x[-1, ..., 1] - x[0, ..., 1],
        "developer_range": np.ptp(x[..., 1:], axis=0).max(-1),
        "rising_share": (np.diff(mean, axis=0) > -0.01).mean(0),
        "variance": x.var(0).mean(-1),
    }
