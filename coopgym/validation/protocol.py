"""What the validations of all reports do alike: every figure beside its record, then what is stricter."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from coopgym.validation.figures import ReportResult, compare
from coopgym.validation.files import read_data

News = Callable[[str], None]
Full = tuple[float, float]  # a score, and the full one


def run(
    report: int,
    recorded: str,
    variants: Sequence[str],
    reproduced: Callable[[str], Mapping[str, float]],
    scores: Callable[[], Mapping[str, Full]],
    stricter: Callable[[ReportResult], ReportResult],
    strict: bool,
    news: News | None,
) -> ReportResult:
    """The result of one report, whose recorded figures stand in the data file of that name.

    ``news`` hears of each variant before it is computed, and of what ``stricter`` adds.
    """
    start, say = time.perf_counter(), news or (lambda _: None)
    entries, figures = read_data(recorded)["figures"], {}
    for variant in variants:
        say(f"TR-{report}: the published figures, {variant} variant")
        figures[variant] = compare(reproduced(variant), entries[variant])
    found = ReportResult(report, figures, scores())
    if strict:
        say(f"TR-{report}: nulls, ablations, predictions and targets that can fail")
        found = stricter(found)
    return replace(found, seconds=time.perf_counter() - start)
