"""Writes the generated parts of docs/validation.md: ``python docs/validation_tables.py [--write]``.

Everything comes from ``benchmarks/results/validation.json``, which holds what ``coopgym.validate("all", strict=True)``
found. With ``--write`` the pictures of the case studies are drawn again too. Without, it says whether the page is up to
date (exit code 1 if not).
"""

from __future__ import annotations

import json
import re
import sys
from typing import Any

from learner_tables import ROOT, table
from readme_tables import keep, replaced

from coopgym.report.cases import plot_cases

PAGE = ROOT / "docs" / "validation.md"
RESULTS = ROOT / "benchmarks" / "results" / "validation.json"
INDEX = re.compile(r"(?:(?P<variant>.*), )?(?P<order>first-order|total) index of (?P<statistic>.*)")
Row = dict[str, Any]


def verdicts(found: Row) -> str:
    """The sentences for a reader."""
    return "\n".join(f"- {sentence}" for sentence in found["verdicts"])


def claims(found: Row) -> str:
    """What was printed where, and which variant gives it."""
    lines = [
        [
            f"TR-{x['report']}", x["what"], x["source"], ", ".join(x["given_by"]) or "**none**", x["note"],
            f"{x['published']:,.{_digits(x['published'])}f}",
        ]
        for x in found["claims"]
    ]  # fmt: skip
    return table(["report", "of", "printed in", "given by variant", "note", "printed"], lines, left=5)


def figures(report: Row) -> str:
    """Published figures beside ours in every variant; bold where ours is the published one to its digits."""
    variants = list(report["figures"])
    ours = {variant: {x["name"]: x["value"] for x in row} for variant, row in report["figures"].items()}
    published = {
        x["name"]: x["published"] for row in report["figures"].values() for x in row if x["published"] is not None
    }
    lines = [
        [
            f"`{name}`",
            f"{number:,.{_digits(number)}f}",
            *(_ours(ours[variant].get(name), number) for variant in variants),
        ]
        for name, number in published.items()
    ]
    compared = [x for row in report["figures"].values() for x in row]
    inside = sum(x["holds"] for x in compared)
    said = f"{inside:,} of {len(compared):,} figures lie within the tolerance of what the released suite gave when run."
    return f"{table(['figure', 'published', *(f'ours, {name}' for name in variants)], lines)}\n\n{said}"


def _ours(found: float | str | None, published: float) -> str:
    if found is None:
        return "-"
    digits, value = _digits(published), float(found)
    if 0.0 < abs(value) < 1e-6:
        return f"{value:.1e}"
    text = f"{value:,.{digits + 2}f}" if value != round(value) or digits else f"{value:,.0f}"
    return f"**{text}**" if f"{value:.{digits}f}" == f"{published:.{digits}f}" else text


def _digits(printed: float) -> int:
    return len(f"{printed:g}".partition(".")[2])


def nulls(found: Row) -> str:
    """Where each case score stands among models and trajectories that know nothing."""
    lines = [
        [f"TR-{k}", null, *_placed(x)] for k, report in found["reports"].items() for null, x in report["nulls"].items()
    ]
    head = [
        "report",
        "null",
        "draws",
        "informative",
        "score",
        "mean",
        "5 to 95 %",
        "as good",
        "percentile",
        "live points",
    ]
    return table(head, lines, left=4)


def _placed(x: Row) -> list[str]:
    drawn = "parameters" if x["of_parameters"] else "no model, or noise"
    middle, live = f"{x['low']:g} to {x['high']:g}", f"{x['live_own']:g} of {x['live_points']:g}"
    numbers = [
        f"{x['own']:g}",
        f"{x['mean']:.1f}",
        middle,
        f"{x['share_at_least']:.0%}",
        f"{x['percentile']:.0f}",
        live,
    ]
    return [drawn, "**yes**" if x["informative"] else "no", *numbers]


def ablations(found: Row) -> str:
    """What each change of the calibration does to the score."""
    lines = [
        [f"TR-{k}", variant, name, f"{x:.4g}", f"{x - scores['calibrated']:+.3g}" if x != scores["calibrated"] else "0"]
        for k, report in found["reports"].items()
        for variant, scores in report["ablations"].items()
        for name, x in scores.items()
        if name != "calibrated"
    ]
    return table(["report", "variant", "changed", "score", "change"], lines, left=3)


def harder(report: Row) -> str:
    """Targets that can fail, fits and predictions, one line each; then how much each parameter matters."""
    lines = [f"- {name}{_entries(entries)}" for name, entries in report["harder"].items() if not INDEX.fullmatch(name)]
    inert = f"- factors that move nothing: {', '.join(report['inert']) or 'none'}"
    return "\n\n".join(filter(None, ["\n".join([*lines, inert]), sensitivity(report)]))


def _entries(entries: Row) -> str:
    """``: name number, ...``; of one parameter moved at a time both numbers together, of spreads all three."""
    number = {key: f"{float(x):.4g}" for key, x in entries.items()}
    for said, words in ((" (down / up)", ("down", "up")), (" (2.5 %, median, 97.5 %)", ("2.5 %", "median", "97.5 %"))):
        names = list(dict.fromkeys(key.removesuffix(f" {words[0]}") for key in number if key.endswith(f" {words[0]}")))
        if names and len(number) == len(words) * len(names):
            return f"{said}: " + "; ".join(
                f"{name} {' / '.join(number[f'{name} {w}'] for w in words)}" for name in names
            )
    return ": " + ", ".join(f"{key} {x}" for key, x in number.items())


def sensitivity(report: Row) -> str:
    """Sobol indices, first order / total: a table for each set of parameters, its longer side downwards."""
    indices: dict[tuple[str, ...], dict[str, dict[str, Row]]] = {}
    for name, entries in report["harder"].items():
        if match := INDEX.fullmatch(name):
            label = ", ".join(filter(None, [match["variant"], match["statistic"]]))
            indices.setdefault(tuple(entries), {}).setdefault(label, {})[match["order"]] = entries
    return "\n\n".join(_indices(names, rows) for names, rows in indices.items())


def _indices(names: tuple[str, ...], rows: dict[str, dict[str, Row]]) -> str:
    cells = {
        (label, name): " / ".join(_index(x[order][name]) for order in ("first-order", "total") if order in x)
        for label, x in rows.items()
        for name in names
    }
    order = "first / total" if any("first-order" in x for x in rows.values()) else "total"
    if len(names) > len(rows):
        body = [[name, *(cells[label, name] for label in rows)] for name in names]
        return table([f"Sobol index, {order}", *rows], body)
    return table(
        [f"Sobol index, {order}", *names], [[label, *(cells[label, name] for name in names)] for label in rows]
    )


def _index(x: float | str) -> str:
    value = float(x)
    return "-" if value != value else f"{value + 0.0:.2f}".replace("-0.00", "0.00")


def speed(content: Row) -> str:
    """Seconds of everything, and of each sweep beside a plain loop."""
    lines = [
        [
            f"TR-{x['report']}, {x['what']}", f"{x['loop']:,}", f"{x['loop_seconds']:.3g}", f"{x['batch']:,}",
            f"{x['batch_seconds']:.3g}", f"{x['times']:,.0f}", f"{x['difference']:.0e}",
        ]
        for x in content["loops"]
    ]  # fmt: skip
    head = ["sweep", "rows in the loop", "seconds", "rows in the batch", "seconds", "times", "largest difference"]
    machine, seconds = content["machine"], content["seconds"]
    about = f"{machine['processor']}, {machine['cores']} cores, load {machine['load_average']:g}; {machine['date']}"
    both = (
        f"All four reports: {seconds['published figures']:.1f} s; with all that is stricter {seconds['strict']:.1f} s"
    )
    return f"{both} ({about}).\n\n{table(head, lines)}"


def page(text: str) -> str:
    """The page with its parts made again."""
    content = json.loads(RESULTS.read_text())
    found = content["found"]
    for name, make in {"verdicts": verdicts, "claims": claims, "nulls": nulls, "ablations": ablations}.items():
        text = replaced(text, name, make(found))
    for k, report in found["reports"].items():
        text = replaced(text, f"figures-{k}", figures(report))
        text = replaced(text, f"harder-{k}", harder(report))
    return replaced(text, "speed", speed(content))


if __name__ == "__main__":
    if "--write" in sys.argv:
        for old in PAGE.parent.glob("case_*.png"):
            old.unlink()
        plot_cases((1, 2, 3, 4), PAGE.parent)
    keep(PAGE, page, __doc__)
