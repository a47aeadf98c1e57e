"""What was printed where: published figures that disagree with each other, and which model variant gives which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import Field

from coopgym.validation.figures import Figure
from coopgym.validation.files import read_data
from coopgym.validation.schema import Strict


class Claim(Strict):
    """One printed number, its source, and the figures of the report that it is a claim about."""

    report: Annotated[int, Field(ge=1, le=4)]
    what: str
    published: float
    source: str
    statistics: Annotated[list[str], Field(min_length=1)]
    note: str = ""

    def given_by(self, figures: Mapping[str, Sequence[Figure]]) -> tuple[str, ...]:
        """The variants in which one of the figures is the printed number, to the digits that were printed."""
        found = []
        for variant, row in figures.items():
            values = [figure.value for figure in row if figure.name in self.statistics]
            if any(f"{x:.{self.digits}f}" == f"{self.published:.{self.digits}f}" for x in values):
                found.append(variant)
        return tuple(found)

    @property
    def digits(self) -> int:
        """Decimals that were printed."""
        return len(f"{self.published:g}".partition(".")[2])


class Claims(Strict):
    """All of them."""

    claims: list[Claim]


def claims(report: int) -> tuple[Claim, ...]:
    """The claims about one report."""
    return tuple(claim for claim in Claims.model_validate(read_data("claims")).claims if claim.report == report)
