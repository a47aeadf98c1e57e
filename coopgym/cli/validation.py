"""What ``coopgym validate`` prints: published figures beside ours, then what the stricter protocol found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from coopgym.cli.group import say
from coopgym.cli.output import new_console, new_table, print_json

if TYPE_CHECKING:
    from coopgym.validation.figures import Figure, ReportResult
    from coopgym.validation.validate import Validation


def show(found: Validation, pictures: Sequence[Path], json: bool) -> None:
    """Everything, or JSON alone; departures on stderr too."""
    for departure in found.departures:
        say("departs", departure)
    if json:
        return print_json(found.to_dict() | {"pictures": [str(path) for path in pictures]})
    console = new_console()
    for result in found.reports.values():
        console.print(_figures(result))
        console.print(_summary(result), highlight=False, markup=False)
        console.print()
        console.print(_claims(found, result.report))
        if found.strict:
            console.print(_nulls(result))
            console.print(_ablations(result))
            for name, table in result.harder.items():
                console.print(f"{name}: {_entries(table)}", highlight=False, markup=False, soft_wrap=True)
            console.print(f"moves nothing: {', '.join(result.inert) or 'no factor'}", highlight=False, markup=False)
            console.print()
    for verdict in found.verdicts:
        console.print(f"- {verdict}", highlight=False, markup=False, soft_wrap=True)
    for path in pictures:
        console.print(f"plot: {path}", highlight=False, markup=False, soft_wrap=True)
    return None


def _figures(result: ReportResult) -> Table:
    """Figures that were published, and those that depart, by model variant."""
    table = new_table(
        (f"TR-{result.report}", ""), ("figure", ""), *((x, "r") for x in ("published", "recorded", "ours"))
    )
    table.add_column("tolerance", justify="right")
    table.add_column("ok")
    for variant, figures in result.figures.items():
        table.add_section()
        shown = [figure for figure in figures if figure.published is not None or not figure.holds]
        for i, figure in enumerate(shown):
            ok = Text("yes") if figure.holds else Text("NO", "bold red")
            table.add_row("" if i else variant, figure.name, *_numbers(figure), f"{figure.tolerance:g}", ok)
    return table


def _numbers(figure: Figure) -> list[str]:
    published = "" if figure.published is None else f"{figure.published:g}"
    return [published, f"{figure.recorded:.6g}", f"{figure.value:.6g}"]


def _summary(result: ReportResult) -> str:
    """How many figures were compared, and the scores of the case study."""
    compared = sum(len(figures) for figures in result.figures.values())
    scores = "; ".join(f"{variant} {own:g}/{full:g}" for variant, (own, full) in result.scores.items())
    inside = compared - len(result.departures)
    return f"{inside} of {compared} recorded figures reproduced in {result.seconds:.1f} s; case study: {scores}"


def _claims(found: Validation, report: int) -> Table:
    """Which variant gives which of the numbers that were printed."""
    table = new_table(("printed of", ""), ("number", "r"), ("in", ""), ("given by", ""))
    for claim, variants in found.claims:
        if claim.report == report:
            given = ", ".join(variants) or "no variant"
            table.add_row(claim.what, f"{claim.published:g}", claim.source, given)
    return table


def _nulls(result: ReportResult) -> Table:
    names = ("score", "mean", "5 %", "95 %", "as good", "percentile", "live points")
    table = new_table(("null", ""), *((name, "r") for name in names))
    for name, x in result.nulls.items():
        numbers = (f"{x.own:g}", f"{x.mean:.1f}", f"{x.low:g}", f"{x.high:g}", f"{x.share_at_least:.0%}")
        percentile = f"{x.percentile:.0f}" + ("" if x.informative else " <95")
        table.add_row(name, *numbers, percentile, f"{x.live_own:g}/{x.live_points:g}")
    return table


def _ablations(result: ReportResult) -> Table:
    table = new_table(("variant", ""), ("changed", ""), ("score", "r"), ("change", "r"))
    for variant, scores in result.ablations.items():
        table.add_section()
        for name, x in scores.items():
            change = x - scores["calibrated"]
            label = "" if name != "calibrated" else variant
            table.add_row(label, name, f"{x:.4g}", f"{change:+.3g}" if change else "0")
    return table


def _entries(table: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {x:.4g}" for name, x in table.items())
