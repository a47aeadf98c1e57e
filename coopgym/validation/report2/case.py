"""The Renault-Nissan data and its schema."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from coopgym.validation.files import check_diagonal, read_data
from coopgym.validation.schema import Case, Matrix, Size, Strict, TrustRates, Unit

Pair = Annotated[list[Size], Field(min_length=2, max_length=2)]


class States(Strict):
    """The calibration of the newest suite and of the abstract's."""

    current: TrustRates
    published: TrustRates


class Actions(Strict):
    """What the partners do in a phase, in each state."""

    current: Pair
    published: Pair


class Phase(Strict):
    """One documented period."""

    name: str
    title: str
    period: str
    steps: int = Field(ge=1)
    actions: Actions
    readme_level: float


class Starts(Strict):
    """Initial trust as released, and with its index slip undone."""

    released: Matrix
    corrected: Matrix

    @model_validator(mode="after")
    def _own_trust(self) -> Starts:
        check_diagonal("initial_trust.corrected", self.corrected, 1.0)
        return self


class Anchor(Strict):
    """Documented trust at one step."""

    step: int = Field(ge=0)
    renault_in_nissan: Unit
    nissan_in_renault: Unit


class RenaultNissanCase(Case):
    """The case study."""

    report: Literal[2]
    actors: list[str] = Field(min_length=2, max_length=2)
    interdependence: Matrix
    initial_trust: Starts
    initial_damage: Matrix
    baselines: Pair
    parameters: States
    phases: list[Phase] = Field(min_length=2)
    anchors: list[Anchor] = Field(min_length=1)

    @model_validator(mode="after")
    def _agreement(self) -> RenaultNissanCase:
        check_diagonal("interdependence", self.interdependence, 0.0)
        names = [phase.name for phase in self.phases]
        if len(set(names)) < len(names):
            raise ValueError(f"phases.name={names} has a name twice")
        last = sum(phase.steps for phase in self.phases)
        steps = [anchor.step for anchor in self.anchors]
        if steps != sorted(set(steps)) or steps[-1] > last:
            raise ValueError(f"anchors.step={steps} must rise, up to step {last}, where phases.steps end")
        return self


def renault_nissan_case() -> dict[str, Any]:
    """The packaged case study."""
    return checked(read_data("renault_nissan"))


def checked(data: Any) -> dict[str, Any]:
    """``data`` if it is a Renault-Nissan case; a ValueError that names each wrong field otherwise."""
    return RenaultNissanCase.model_validate(data).model_dump()
