"""The S-LCD data and its schema."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from coopgym.mechanisms.checks import shares
from coopgym.validation.files import check_diagonal, read_data
from coopgym.validation.schema import Amount, Case, Matrix, Strict, TrustRates, Unit

Pair = Annotated[list[Amount], Field(min_length=2, max_length=2)]
Waypoints = Annotated[list[Unit], Field(min_length=4, max_length=4)]
Band = Annotated[list[float], Field(min_length=2, max_length=2)]


class Form(Strict):
    """One value function: theta of the logarithm or beta of the power, and gamma."""

    curvature: Amount
    synergy: Unit


class Forms(Strict):
    """Both value functions."""

    log: Form
    power: Form

    @model_validator(mode="after")
    def _concave(self) -> Forms:
        if self.power.curvature >= 1.0:
            raise ValueError(f"power.curvature={self.power.curvature} must lie below 1, for the value to be concave")
        return self


class Matrices(Strict):
    """D of the newest suite and of the state of the abstract."""

    current: Matrix
    transposed: Matrix


class Bands(Strict):
    """Documented ranges; increases in percent of the baseline."""

    cooperation_increase: Band
    cooperation_increase_rubric: Band
    value_increase: Band
    samsung_share: Band
    duration_years: Amount

    @model_validator(mode="after")
    def _ordered(self) -> Bands:
        for name in ("cooperation_increase", "cooperation_increase_rubric", "value_increase", "samsung_share"):
            low, high = getattr(self, name)
            if low >= high:
                raise ValueError(f"bands.{name}: {low} contradicts {high}")
        return self


class Phase(Strict):
    """One documented period, with the illustrative actions of the environment page."""

    name: str
    period: str
    documented_trust: str
    actions: Pair
    steps: int = Field(ge=1)


class Anchor(Strict):
    """One dated event."""

    position: Literal["0", "T/4", "T/2", "3T/4", "T"]
    date: str
    event: str


class Trust(TrustRates):
    """Trust dynamics of the environment."""

    initial_trust: Unit
    initial_damage: Unit
    baselines: Pair


class SlcdCase(Case):
    """The case study."""

    report: Literal[1]
    actors: list[str] = Field(min_length=2, max_length=2)
    matrices: Matrices
    shares: list[Unit]
    endowments: Pair
    forms: Forms
    bands: Bands
    phases: list[Phase] = Field(min_length=2)
    anchors: list[Anchor] = Field(min_length=5, max_length=5)
    waypoints: dict[str, Waypoints] = Field(min_length=1)
    trust: Trust

    @model_validator(mode="after")
    def _agreement(self) -> SlcdCase:
        shares(self.shares, len(self.actors))
        given = self.matrices
        for name in ("current", "transposed"):
            check_diagonal(f"matrices.{name}", getattr(given, name), 0.0)
        if given.transposed != [list(column) for column in zip(*given.current, strict=True)]:
            raise ValueError("matrices.transposed contradicts matrices.current: it is not its transpose")
        positions = [anchor.position for anchor in self.anchors]
        if positions != ["0", "T/4", "T/2", "3T/4", "T"]:
            raise ValueError(f"anchors.position={positions} must run from 0 to T in quarters")
        return self


def slcd_case() -> dict[str, Any]:
    """The packaged case study."""
    return checked(read_data("slcd"))


def checked(data: Any) -> dict[str, Any]:
    """``data`` if it is an S-LCD case; a ValueError that names each wrong field otherwise."""
    return SlcdCase.model_validate(data).model_dump()
