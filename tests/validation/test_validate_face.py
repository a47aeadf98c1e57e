"""``coopgym.validate``: all reports in one call, what departs, and what the evidence supports."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

import coopgym
from coopgym.validation import validate as face
from coopgym.validation.figures import Figure, ReportResult
from coopgym.validation.nulls import Placed
from coopgym.validation.report3 import validate as report3
from coopgym.validation.report4 import validate as report4
from coopgym.validation.validate import Validation


@pytest.fixture(scope="module")
def plain() -> Validation:
    return coopgym.validate()


@pytest.fixture(scope="module")
def apache() -> ReportResult:
    return report3.validate(strict=True)


@pytest.fixture(scope="module")
def apple() -> ReportResult:
    return report4.validate(strict=True)


def test_all_reports_hold_and_their_case_scores_are_the_published_ones(plain: Validation) -> None:
    assert list(plain.reports) == [1, 2, 3, 4]
    assert plain.holds and plain.departures == () and plain.verdicts == ()
    scores = {k: result.scores for k, result in plain.reports.items()}
    assert scores[1]["current, log"] == (58, 60) and scores[1]["current, power"] == (46, 60)
    assert set(scores[2].values()) == {(49, 60)}
    assert scores[3] == {"mean": (45, 60), "sum": (60, 60)}
    assert scores[4] == {"current": (43, 51)}


def test_every_published_figure_is_beside_ours(plain: Validation) -> None:
    medians = {f.name: f for f in plain.reports[3].figures["sum"]}
    assert medians["differentiation_median"].published == 15.04
    assert medians["differentiation_median"].value == pytest.approx(15.04, abs=0.005)
    assert all(any(f.published is not None for f in figures) for _, figures in every_variant(plain))


def every_variant(found: Validation) -> Iterator[tuple[str, tuple[Figure, ...]]]:
    for result in found.reports.values():
        yield from result.figures.items()


@pytest.mark.parametrize(("asked", "numbers"), [(3, [3]), ("1,3", [1, 3]), ([3, 1, 3], [3, 1]), ("3", [3])])
def test_which_reports(monkeypatch: pytest.MonkeyPatch, asked: Any, numbers: list[int]) -> None:
    monkeypatch.setattr(face, "_validated", lambda k, strict, news: ReportResult(k, {}, {}))
    assert list(coopgym.validate(asked).reports) == numbers


@pytest.mark.parametrize("asked", [5, "5", "", [], [1, 7], None, 1.5, "every"])
def test_a_report_that_does_not_exist_is_refused(asked: Any) -> None:
    with pytest.raises(ValueError, match="does not exist; choose 1, 2, 3 or 4"):
        coopgym.validate(asked)


def test_a_figure_that_departs_is_named() -> None:
    bad = Figure("score", 48.0, 49.0, 0.0)
    found = Validation({2: ReportResult(2, {"published": (Figure("fine", 1.0, 1.0, 0.0), bad)}, {})})
    assert not found.holds
    assert [str(x) for x in found.departures] == ["TR-2, published: score is 48, recorded 49 ± 0"]
    assert found.to_dict()["departures"] == ["TR-2, published: score is 48, recorded 49 ± 0"]


def test_progress_rises_to_one_in_each_report() -> None:
    heard: list[tuple[str, float]] = []
    coopgym.validate([1, 2], news=lambda name, share: heard.append((name, share)))
    for name in ("TR-1", "TR-2"):
        shares = [share for who, share in heard if who == name]
        assert shares == sorted(shares) and shares[0] == 0.0 and shares[-1] == 1.0


def test_json_has_every_figure_and_infinities_as_words(plain: Validation) -> None:
    kept = json.loads(json.dumps(plain.to_dict(), allow_nan=False))["reports"]
    assert sum(len(x) for report in kept.values() for x in report["figures"].values()) > 1000
    endless = ReportResult(1, {"transposed": (Figure("d", float("inf"), float("inf"), 0.1),)}, {}).to_dict()
    (figure,) = json.loads(json.dumps(endless, allow_nan=False))["figures"]["transposed"]
    assert (figure["value"], figure["recorded"], figure["holds"]) == ("inf", "inf", True)


def placed(percentile: float, of_parameters: bool = True) -> Placed:
    return Placed(49, 100, 45, 40, 50, 0.5, percentile, 10, 5, of_parameters)


def test_the_first_sentence_says_whether_any_score_is_informative() -> None:
    nulls = {"a": placed(91.0), "b": placed(40.0), "walks": placed(100.0, of_parameters=False)}
    result = ReportResult(2, {}, {}, nulls=nulls, ablations={"x": {"calibrated": 5.0, "off": 5.0, "needed": 3.0}})
    verdicts = Validation({2: result}, strict=True).verdicts
    assert verdicts[0] == (
        "No case score reaches the 95th percentile of random parameters; the highest stands at 91 (TR-2, a)."
    )
    assert verdicts[1] == "TR-2, x: no point is lost under: off."
    better = replace(result, nulls={**nulls, "c": placed(96.0)})
    assert "TR-2, c (96)" in Validation({2: better}, strict=True).verdicts[0]


def test_apache_is_judged(apache: ReportResult) -> None:
    assert apache.holds
    assert apache.harder["scores without a model"] == {
        "documented": 52, "constant 20": 52, "halved from 40": 60, "at the floor": 45,
    }  # fmt: skip
    assert apache.harder["documented efforts, sum"]["mape"] == pytest.approx(420.6, abs=0.05)
    assert apache.harder["targets that can fail, mean, documented box"]["differentiation_pct"] == pytest.approx(54.4)
    assert not any(x.informative for x in apache.nulls.values() if x.of_parameters)
    assert "without loyalty the mean variant scores more than with it" in apache.verdicts[-1]


def test_apple_has_one_success_and_its_counter_example(apple: ReportResult) -> None:
    assert apple.holds
    assert apple.harder["phase means, calibrated"]["r2"] < 0 < apple.harder["phase means, shocks only"]["r2"]
    success, failure = apple.verdicts[1:]
    assert "quarters after 36" in success and "better than everything beside it" in success
    assert "quarters after 47" in failure and "no better than no reciprocity: the counter-example" in failure
    skills = apple.harder["quarters after 36 predicted: skill of the fit"]
    assert min(skills.values()) > 0 > min(apple.harder["quarters after 47 predicted: skill of the fit"].values())
    assert not any(x.informative for x in apple.nulls.values() if x.of_parameters)
