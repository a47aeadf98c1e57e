"""The Apache data and its schema."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from coopgym.validation.files import read_data
from coopgym.validation.schema import Case, Strict


class Member(Strict):
    """One founder: weight in the team's cohesion, base loyalty."""

    name: str
    role: str
    weight: float = Field(ge=0, le=1)
    loyalty: float = Field(ge=0, le=1)


class Parameters(Strict):
    """The calibration."""

    omega: float = Field(gt=0)
    beta: float = Field(gt=0, lt=1)
    c: float = Field(gt=0)
    phi_B: float = Field(ge=0)
    phi_C: float = Field(ge=0, lt=1)
    a_min: float = Field(gt=0)
    a_max: float

    @model_validator(mode="after")
    def _bounds(self) -> Parameters:
        if self.a_min >= self.a_max:
            raise ValueError(f"a_min={self.a_min} contradicts a_max={self.a_max}")
        return self


class Phase(Strict):
    """One documented period."""

    name: str
    period: str
    members: int = Field(ge=2)
    loyalty_multiplier: float = Field(ge=0, le=1)
    pattern: Literal["high", "moderate", "sustained", "declining"] = Field(alias="class")
    documented_effort: float = Field(ge=0)


class ApacheCase(Case):
    """The case study."""

    report: Literal[3]
    members: list[Member] = Field(min_length=1)
    parameters: Parameters
    phases: list[Phase] = Field(min_length=2)
    documented_contribution_ratio: float = Field(ge=1)

    @model_validator(mode="after")
    def _weights(self) -> ApacheCase:
        total = sum(member.weight for member in self.members)
        if abs(total - 1.0) > 1e-9:
            raise ValueError(f"members.weight sums to {total:g}; weights are shares of one team and sum to 1")
        return self


def apache_case() -> dict[str, Any]:
    """The packaged case study."""
    return checked(read_data("apache"))


def checked(data: Any) -> dict[str, Any]:
    """``data`` if it is an Apache case; a ValueError that names each wrong field otherwise."""
    return ApacheCase.model_validate(data).model_dump(by_alias=True)
