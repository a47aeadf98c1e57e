"""What the schemas of all case studies share: strictness, ranges, and the fields that say what a case is."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Unit = Annotated[float, Field(ge=0, le=1)]
Size = Annotated[float, Field(ge=0)]
Amount = Annotated[float, Field(gt=0)]
UnitPair = Annotated[list[Unit], Field(min_length=2, max_length=2)]
Matrix = Annotated[list[UnitPair], Field(min_length=2, max_length=2)]


class Strict(BaseModel):
    """Nothing unknown, nothing missing, nothing converted, nothing infinite."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, populate_by_name=True)


class Case(Strict):
    """Where a case study comes from."""

    case: str
    reference: str
    period: str
    unit: str
    sources: dict[str, str]
    notes: dict[str, str] = {}


class TrustRates(Strict):
    """Rates of TR-2's trust dynamics."""

    lambda_plus: Unit
    lambda_minus: Unit
    mu_R: Unit
    delta_R: Unit
    xi: Size
    kappa: Amount
