"""``coopgym compare``: several folders side by side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from rich.text import Text

from coopgym.cli import output
from coopgym.cli.group import plain
from coopgym.cli.parameters import Json, argument, file, place
from coopgym.cli.parameters import plot as drawing

if TYPE_CHECKING:
    from coopgym.report.compare import Comparison, Difference

SHOWN = ("welfare", "cooperation", "trust")  # measures whose differences are printed


def compare(
    folders: Annotated[
        list[str],
        argument("What `coopgym train`, `ablate` or `study run` has written; one or several.", "FOLDERS", place),
    ],
    out: Annotated[Path | None, file("A folder for comparison.csv, comparison.json and comparison.png.")] = None,
    csv: Annotated[Path | None, file("The table as CSV; a file.")] = None,
    plot: Annotated[Path | None, drawing("A picture: .png, .pdf or .svg.")] = None,
    json: Json = False,
) -> None:
    """Put folders of records side by side: a line for each design, differences from the first folder paired by seed.

    Nothing is averaged but runs that differ in their seeds alone; names say what else differs. Of one folder the
    designs in it are compared.

    Example: coopgym compare runs/short runs/long --plot comparison.png
    """
    from coopgym.report.compare import compare as compared

    found = compared(folders)
    files = []
    if csv:
        files.append(found.to_csv(csv))
    if plot:
        files.append(found.plot(plot))
    if out:
        files += [found.to_csv(out / "comparison.csv"), found.to_json(out / "comparison.json")]
        files.append(found.plot(out / "comparison.png"))
    if json:
        return output.print_json(found.to_dict() | {"files": [str(path) for path in files]})
    return show(found, files)


def show(found: Comparison, files: Iterable[Path] = ()) -> None:
    """The lines of each game, then how they differ from the first folder's."""
    from coopgym.statistics import OF_THE_SUM

    console = output.new_console()
    numbers = ("welfare", "of best", "coop.", "trust", "runs")
    for game in dict.fromkeys(line.game for line in found.lines):
        table = output.new_table(("design", ""), ("mode", ""), *((name, "r") for name in numbers))
        for line in (line for line in found.lines if line.game == game):
            runs = f"{line.runs}" + (f" (+{line.left_out} left out)" if line.left_out else "")
            cells = (_cell(line.means[name], *form) for name, form in FORMS.items())
            table.add_row(line.name, line.reward_mode, *cells, runs)
        console.print(Text(plain(game), "bold"))
        console.print(table)
    shown = [each for each in found.differences if each.measure in SHOWN]
    if shown:
        console.print(_changes(shown, {line.algorithm: line.name for line in found.lines}))
    console.print(MEANING, highlight=False, markup=False)
    if any(line.team for line in found.lines):
        console.print(OF_THE_SUM, highlight=False, markup=False)
    for note in found.notes:
        console.print(note, highlight=False, markup=False)
    for path in files:
        console.print(str(path), highlight=False, markup=False, soft_wrap=True)


FORMS = {  # measure: form, factor, unit
    "welfare": (",.0f", 1.0, ""), "share_of_best": (".1f", 100.0, "%"), "cooperation": (".0f", 100.0, "%"),
    "trust": (".2f", 1.0, ""),
}  # fmt: skip
MEANING = (
    "Means over seeds with 95% intervals. Differences are paired by seed, with 95% intervals over pairs; p: exact sign "
    "flips, corrected by Holm over all differences."
)


def _changes(shown: Iterable[Difference], names: Mapping[str, str]) -> Any:
    """names: how algorithms are called here, by their own names."""
    heads = (("difference of", ""), ("from", ""), ("mode", ""), ("measure", ""))
    table = output.new_table(*heads, ("by", "r"), ("pairs", "r"), ("p", "r"))
    last = None
    for each in shown:
        key = (each.game, each.of, each.reward_mode, each.against)
        first = ("", "", "") if key == last else (names[each.of], _against(each.against, names), each.reward_mode)
        last = key
        form, factor, unit = FORMS[each.measure]
        by = _signed((each.difference, each.low, each.high), f"+{form}", factor, unit)
        p = "" if each.adjusted is None else f"{each.adjusted:.3f}" + ("*" if each.found else "")
        table.add_row(*first, each.measure, by, str(each.pairs), p)
    return table


def _against(text: str, names: Mapping[str, str]) -> str:
    """The name of a line, with the algorithm at its beginning as it is called here."""
    own = max((name for name in names if f"{text} ".startswith((f"{name} ", f"{name},"))), key=len, default="")
    return f"{names.get(own, '')}{text[len(own) :]}"


def _cell(mean: Any, form: str, factor: float, unit: str) -> str:
    return "" if mean is None else _signed((mean.mean, mean.low, mean.high), form, factor, unit)


def _signed(numbers: tuple[Any, Any, Any], form: str, factor: float, unit: str) -> str:
    mean, low, high = (None if x is None else f"{factor * x:{form}}" for x in numbers)
    return f"{mean}{unit}" if low is None or high is None else f"{mean}{unit} [{low}, {high}]"
