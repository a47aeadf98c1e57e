"""Which printed figure comes from which model variant."""

from __future__ import annotations

import pytest

import coopgym
from coopgym.validation.claims import Claim
from coopgym.validation.figures import Figure
from coopgym.validation.validate import Validation


def claim(published: float) -> Claim:
    return Claim(report=3, what="x", published=published, source="abstract", statistics=["a", "b"])


def figures(**values: float) -> dict[str, tuple[Figure, ...]]:
    return {variant: (Figure("a", x, x, 0.0), Figure("c", 15.04, 15.04, 0.0)) for variant, x in values.items()}


def test_a_number_is_given_to_the_digits_that_were_printed() -> None:
    found = figures(sum=15.0364, mean=4.478, near=15.046)
    assert claim(15.04).given_by(found) == ("sum",)
    assert claim(15.0).given_by(found) == ("sum", "near")
    assert claim(4.12).given_by(found) == ()


def test_a_claim_without_a_statistic_or_with_another_field_is_refused() -> None:
    with pytest.raises(ValueError, match="statistics"):
        Claim(report=3, what="x", published=1.0, source="abstract", statistics=[])
    with pytest.raises(ValueError, match="statistic\n"):
        Claim.model_validate({**claim(1.0).model_dump(), "statistic": "a"})


@pytest.fixture(scope="module")
def found() -> Validation:
    return coopgym.validate()


def test_every_claim_is_about_figures_that_exist(found: Validation) -> None:
    names = {k: {f.name for row in x.figures.values() for f in row} for k, x in found.reports.items()}
    assert all(set(claim.statistics) <= names[claim.report] for claim, _ in found.claims)
    assert len(found.claims) > 40


def test_the_disagreements_are_resolved(found: Validation) -> None:
    given = {(claim.report, claim.what, claim.published): variants for claim, variants in found.claims}
    assert given[1, "cooperation increase, power form [%]", 166.0] == ("transposed",)
    assert given[1, "cooperation increase, power form [%]", 170.0] == ("current",)
    assert given[1, "S-LCD score, logarithmic form", 59.0] == ()
    assert given[2, "recovery from a violation, median", 1.11] == ("published", "released")
    assert [given[3, "Apache score", x] for x in (60.0, 45.0)] == [("sum",), ("mean",)]
    assert given[4, "App Store score", 48.0] == ()
