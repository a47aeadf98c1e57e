"""``coopgym.validate``: the published figures of the technical reports computed again, and tests they could fail."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from coopgym.extras import explains
from coopgym.validation.claims import Claim, claims
from coopgym.validation.figures import Figure, ReportResult
from coopgym.validation.nulls import INFORMATIVE

REPORTS = (1, 2, 3, 4)
News = Callable[[str, float], None]


@dataclass(frozen=True)
class Departure:
    """A reproduced number that is not the recorded one."""

    report: int
    variant: str
    figure: Figure

    def __str__(self) -> str:
        x = self.figure
        recorded = f"recorded {x.recorded:.10g} ± {x.tolerance:g}"
        return f"TR-{self.report}, {self.variant}: {x.name} is {x.value:.10g}, {recorded}"


@dataclass(frozen=True)
class Validation:
    """What was found of each report that was asked for, by its number."""

    reports: Mapping[int, ReportResult]
    strict: bool = False

    @property
    def departures(self) -> tuple[Departure, ...]:
        """The figures that are not the recorded ones."""
        return tuple(
            Departure(result.report, variant, figure)
            for result in self.reports.values()
            for variant, figures in result.figures.items()
            for figure in figures
            if not figure.holds
        )

    @property
    def holds(self) -> bool:
        """Whether every reproduced figure lies within its tolerance of the recorded one."""
        return not self.departures

    @property
    def verdicts(self) -> tuple[str, ...]:
        """Sentences for the reader, those on all reports together first; none unless strict."""
        each = [x for result in self.reports.values() for x in result.verdicts]
        return (self._on_nulls(), *self._on_ablations(), *each) if self.strict else ()

    def _on_nulls(self) -> str:
        placed = {
            f"TR-{k}, {null}": x
            for k, result in self.reports.items()
            for null, x in result.nulls.items()
            if x.of_parameters
        }
        reached = [f"{name} ({x.percentile:.0f})" for name, x in placed.items() if x.informative]
        if reached:
            return (
                f"Case scores that reach the {INFORMATIVE:.0f}th percentile of random parameters: {', '.join(reached)}."
            )
        name, best = max(placed.items(), key=lambda item: item[1].percentile)
        return (
            f"No case score reaches the {INFORMATIVE:.0f}th percentile of random parameters; the highest stands at "
            f"{best.percentile:.0f} ({name})."
        )

    def _on_ablations(self) -> list[str]:
        return [
            f"TR-{k}, {variant}: no point is lost under: {'; '.join(idle)}."
            for k, result in self.reports.items()
            for variant, scores in result.ablations.items()
            if (idle := [name for name, x in scores.items() if name != "calibrated" and x >= scores["calibrated"]])
        ]

    @property
    def claims(self) -> tuple[tuple[Claim, tuple[str, ...]], ...]:
        """What was printed about each report and where, with the model variants that give it."""
        return tuple((claim, claim.given_by(x.figures)) for k, x in self.reports.items() for claim in claims(k))

    def to_dict(self) -> dict[str, Any]:
        """Names and numbers, for JSON; numbers that JSON lacks are "inf", "-inf" and "nan"."""
        return {
            "holds": self.holds,
            "strict": self.strict,
            "departures": [str(departure) for departure in self.departures],
            "verdicts": list(self.verdicts),
            "claims": [claim.model_dump() | {"given_by": list(variants)} for claim, variants in self.claims],
            "reports": {str(k): result.to_dict() for k, result in self.reports.items()},
        }


@explains("coopgym.validate")
def validate(report: int | str | Iterable[int] = "all", strict: bool = False, news: News | None = None) -> Validation:
    """Compute the published validation of technical reports again, and compare each figure with its recorded value.

    report: 1, 2, 3 or 4, "all", or several of the numbers (also "1,3"). strict: also nulls, ablations, predictions,
    sensitivity, and targets that the models could fail. news: called with the name of a report and the share of it that
    is done.

    The result is frozen: ``holds``, ``departures``, ``claims``, ``verdicts``, ``reports`` by number, ``to_dict()``.
    ValueError for a report that does not exist.
    """
    say = news or (lambda name, share: None)
    return Validation({k: _validated(k, strict, say) for k in _asked(report)}, strict)


def _asked(report: int | str | Iterable[int]) -> tuple[int, ...]:
    if report == "all":
        return REPORTS
    named = report.split(",") if isinstance(report, str) else report if isinstance(report, Iterable) else [report]
    chosen = [int(k) if str(k) in map(str, REPORTS) else 0 for k in named]
    if not chosen or 0 in chosen:
        raise ValueError(f"report={report!r} does not exist; choose 1, 2, 3 or 4, several of them, or 'all'")
    return tuple(dict.fromkeys(chosen))


def _validated(report: int, strict: bool, news: News) -> ReportResult:
    """One report; each piece that it announces counts as much."""
    room = importlib.import_module(f"coopgym.validation.report{report}.validate")
    heard, pieces = 0, len(room.VARIANTS) + strict

    def say(_: str) -> None:
        nonlocal heard
        news(f"TR-{report}", heard / pieces)
        heard += 1

    result: ReportResult = room.validate(strict, say)
    news(f"TR-{report}", 1.0)
    return result
