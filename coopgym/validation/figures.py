"""Reproduced numbers beside the recorded and the published ones, and what the validation of one report returns."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from coopgym.mechanisms.checks import choice
from coopgym.validation.nulls import Placed

FIELDS = ("recorded", "tolerance", "published", "note")


@dataclass(frozen=True)
class Figure:
    """One number: ours, the one the released suite gave when it was run, and the one that was printed, if any."""

    name: str
    value: float
    recorded: float
    tolerance: float
    published: float | None = None
    note: str = ""

    @property
    def holds(self) -> bool:
        """Whether ours lies within the tolerance of the recorded one; two infinities of one sign agree."""
        return self.value == self.recorded or abs(self.value - self.recorded) <= self.tolerance


def compare(values: Mapping[str, float], entries: Mapping[str, Mapping[str, Any]]) -> tuple[Figure, ...]:
    """A figure for each recorded entry; ValueError names a number nobody computed, or an entry's wrong field."""
    return tuple(_figure(name, values, entry) for name, entry in entries.items())


def _figure(name: str, values: Mapping[str, float], entry: Mapping[str, Any]) -> Figure:
    if name not in values:
        raise ValueError(f"figure {name!r} is recorded, but was not computed")
    for key in entry:
        choice(f"figures.{name} field", key, FIELDS)
    for key in ("recorded", "tolerance"):
        if key not in entry:
            raise ValueError(f"figures.{name} has no field {key!r}")
    return Figure(name, float(values[name]), **entry)


@dataclass(frozen=True)
class ReportResult:
    """What the validation of one report found.

    figures: model variant -> reproduced numbers; scores: model variant -> (score, full score) of the case's rubric.
    The rest is empty unless the stricter protocol ran. nulls: null -> where the score stands in it; ablations: variant
    -> mechanism switched off -> score; harder: figures of targets that can fail, of fits, of predictions and of
    sensitivity, by table; inert: factors that move no statistic; verdicts: sentences for the reader.
    """

    report: int
    figures: Mapping[str, tuple[Figure, ...]]
    scores: Mapping[str, tuple[float, float]]
    nulls: Mapping[str, Placed] = field(default_factory=dict)
    ablations: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    harder: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    inert: tuple[str, ...] = ()
    verdicts: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def departures(self) -> tuple[Figure, ...]:
        """The figures that do not hold."""
        return tuple(figure for figures in self.figures.values() for figure in figures if not figure.holds)

    @property
    def holds(self) -> bool:
        """Whether every reproduced figure lies within its tolerance."""
        return not self.departures

    def to_dict(self) -> dict[str, Any]:
        """Names and numbers, for JSON; numbers that JSON lacks are "inf", "-inf" and "nan"."""
        found = plain(asdict(self))
        for variant, figures in self.figures.items():
            for entry, figure in zip(found["figures"][variant], figures, strict=True):
                entry["holds"] = figure.holds
        for null, placed in self.nulls.items():
            found["nulls"][null]["informative"] = placed.informative
        return {**found, "holds": self.holds}


def plain(content: Any) -> Any:
    """The same of dictionaries, lists and scalars that JSON knows."""
    if isinstance(content, Mapping):
        return {key: plain(value) for key, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [plain(value) for value in content]
    return str(content) if isinstance(content, float) and not math.isfinite(content) else content
