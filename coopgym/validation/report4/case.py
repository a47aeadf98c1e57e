"""The App Store data and its schema."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from coopgym.mechanisms.checks import choice, vector
from coopgym.validation.files import check_diagonal, read_data
from coopgym.validation.schema import Case, Size, Strict, Unit

Shift = Annotated[float, Field(ge=-1, le=1)]
Triple = Annotated[list[Unit], Field(min_length=3, max_length=3)]
Square = Annotated[list[Triple], Field(min_length=3, max_length=3)]


class Parameters(Strict):
    """The calibration; k enters no equation."""

    rho_0: Size
    eta: Size
    kappa: Size
    k: int = Field(ge=1)
    lambda_R: Size
    omega: Size
    lambda_plus: Unit
    lambda_minus: Unit
    psi: Size
    mu_R: Unit
    delta_R: Unit
    T_max: Unit
    theta_R: Unit
    alpha: Unit
    decay: Unit
    baseline_adaptation: Unit
    noise_sd: Size
    seed: int = Field(ge=0)


class Phase(Strict):
    """One documented period, both end quarters included; its shocks strike at its first quarter."""

    name: str
    dates: str
    start: int = Field(ge=0)
    end: int
    shocks: dict[str, Shift]
    documented: dict[str, Unit]
    documented_sd: dict[str, Unit]


class Concession(Strict):
    """One shock of the counterfactual."""

    quarter: int = Field(ge=0)
    actor: str
    shift: Shift


class AppleCase(Case):
    """The case study."""

    report: Literal[4]
    actors: list[str] = Field(min_length=3, max_length=3)
    interdependence: Square
    initial_trust: Square
    initial_actions: Triple
    initial_baselines: Triple
    parameters: Parameters
    phases: list[Phase] = Field(min_length=2)
    trajectory: dict[str, list[float | int]]
    counterfactual_shocks: list[Concession]

    @model_validator(mode="after")
    def _agreement(self) -> AppleCase:
        for name, own in (("interdependence", 0.0), ("initial_trust", 1.0)):
            check_diagonal(name, getattr(self, name), own)
        for i, shock in enumerate(self.counterfactual_shocks):
            choice(f"counterfactual_shocks[{i}].actor", shock.actor, self.actors)
        _check_phases(self.phases, self.actors)
        _check_trajectory(self.trajectory, self.actors, self.phases[-1].end)
        return self


def apple_case() -> dict[str, Any]:
    """The packaged case study."""
    return checked(read_data("apple"))


def checked(data: Any) -> dict[str, Any]:
    """``data`` if it is an App Store case; a ValueError that names each wrong field otherwise."""
    return AppleCase.model_validate(data).model_dump()


def _check_phases(phases: list[Phase], actors: list[str]) -> None:
    before = 0
    for i, phase in enumerate(phases):
        if phase.start != before or phase.end <= phase.start:
            raise ValueError(f"phases[{i}]: start={phase.start}, end={phase.end} do not follow on quarter {before}")
        before = phase.end
        for name in phase.shocks:
            choice(f"phases[{i}].shocks", name, actors)
        for field, given in (("documented", phase.documented), ("documented_sd", phase.documented_sd)):
            if sorted(given) != sorted(actors):
                raise ValueError(f"phases[{i}].{field} has {sorted(given)}; give one number for each of {actors}")


def _check_trajectory(trajectory: dict[str, Any], actors: list[str], last: int) -> None:
    if sorted(trajectory) != sorted(["quarters", *actors]):
        raise ValueError(f"trajectory has {sorted(trajectory)}; give 'quarters' and each of {actors}")
    quarters = trajectory["quarters"]
    if sorted(set(quarters)) != quarters or quarters[-1] > last:
        raise ValueError(f"trajectory.quarters={quarters} must rise, up to quarter {last}")
    for actor in actors:
        vector(f"trajectory.{actor}", trajectory[actor], len(quarters), 0.0, 1.0)
