"""Writes the generated parts of docs/landscape.md: ``python docs/landscape_tables.py [--write]``.

Ours come from ``benchmarks/results/landscape.json``, the release's from the two tables in ``tests/data``. Without
``--write`` it says whether the page is up to date (exit code 1 if not).
"""

from __future__ import annotations

import csv
import json
from typing import Any

from learner_tables import ROOT, table
from readme_tables import keep, replaced

import coopgym

PAGE = ROOT / "docs" / "landscape.md"
RESULTS = ROOT / "benchmarks" / "results" / "landscape.json"
RECORDED = ROOT / "tests" / "data"
Row = dict[str, Any]


def recorded(name: str, game: str) -> list[dict[str, str]]:
    """The rows of a game in a recorded table."""
    with (RECORDED / f"v0_{name}_audit.csv").open() as lines:
        return [row for row in csv.DictReader(lines) if row["environment"] == game]


def released(rows: list[Row]) -> str:
    """One line a -v0 game: our figure, and the recorded one behind a stroke."""
    lines = []
    for row in rows:
        static, temporal = recorded("static", row["game"]), recorded("temporal", row["game"])
        best = max(static[:21], key=lambda r: float(r["mean_return_per_agent"]))
        flags = sum(r["exploitative"] == "True" for r in static)
        late = [r for r in temporal if r["strategy"] == "late_defection"]
        harmful = sum(r["exploitative"] == "True" for r in late)
        ramp, count = temporal[-1], row["agreement"]
        lines.append([
            row["game"], f"{row['optimal_level']:.0%} / {float(best['level']):.0%}",
            f"{row['optimal_return']:,.1f} / {float(best['mean_return_per_agent']):,.1f}",
            f"{row['exploitative_levels'][0]} / {flags}", str(row["exploitative_above_optimum"][0]),
            f"{row['verdicts'][0]} / {harmful} of {len(late)}",
            f"{share(row):+.4%} / {share(row | {'ramp_gain': [float(ramp['agent0_gain'])]}):+.4%}",
            *(f"{count[name]} of {count['recorded']}" for name in ("single", "double")),
        ])  # fmt: skip
    head = ["game", "best level", "return there", "flags", "above the best level", "late defection", "ramp"]
    return table([*head, "rows that agree", "sums in double"], lines)


def share(row: Row) -> float:
    """The first agent's gain of the ramp, over the mean return of common play at half."""
    return float(row["ramp_gain"][0] / row["baseline_return"])


def stated(rows: list[Row]) -> str:
    """One line a -v1 game."""
    lines = [
        [
            row["game"], f"{row['optimal_level']:.0%}", f"{row['optimal_return']:,.1f}",
            str(row["exploitative_levels"][0]), str(row["exploitative_above_optimum"][0]), row["verdicts"][0],
            f"{share(row):+.4%}" + (" flagged" if row["ramp_exploitative"][0] else ""),
        ]
        for row in rows
    ]  # fmt: skip
    return table(
        ["game", "best level", "return there", "flags", "above the best level", "late defection", "ramp"], lines
    )


def corrected(rows: list[Row]) -> str:
    """One line a role: where giving less pays most, until when it pays, and the two classes."""
    lines = []
    for row in rows:
        for k, role in enumerate(row["roles"]):
            own = [t for t in row["temptations"] if t["agent"] == role]
            paid = [t for t in row["temptations_payoff"] if t["agent"] == role]
            lines.append([
                row["game"], role, *told(own), told(paid)[1],
                row["corrected_verdicts"][k], row["corrected_verdicts_payoff"][k], f"{row['joint_level']:.0%}",
                row["joint_verdicts"][k], row["joint_verdicts_payoff"][k],
            ])  # fmt: skip
    head = ["game", "role", "to", "gain", "others", "last start", "gain in payoff", "from half", "in payoff"]
    return table([*head, "joint optimum", "from there", "in payoff"], lines, left=2)


def told(temptations: list[Row]) -> list[str]:
    """(level, gain, change of the others, last start that still pays) of one role; dashes where nothing pays."""
    start, pays = temptations[0], [t["start"] for t in temptations if t["own_level"] is not None]
    last = str(max(pays)) if pays else "-"
    if start["own_level"] is None:
        return ["-", "-", "-", last]
    return [f"{start['own_level']:.0%}", f"{start['share']:.2%}", f"{start['others_change']:,.0f}", last]


def counts(rows: list[Row]) -> str:
    """What the tables add up to, version by version."""
    lines = []
    for version in ("v0", "v1"):
        own = of(rows, version)
        roles = [(r, t) for r in own for t in r["temptations"] if t["start"] == 0]
        lines.append([
            version, str(len(own)), str(sum(r["exploitative_levels"][0] for r in own)),
            str(sum(r["exploitative_above_optimum"][0] for r in own)),
            str(sum(r["verdicts"][0] != "immune" for r in own)), str(sum(r["ramp_exploitative"][0] for r in own)),
            str(sum(any(t["own_level"] is not None for t in r["temptations"]) for r in own)),
            f"{sum(t['own_level'] is not None for _, t in roles)} of {len(roles)}",
            str(sum(r["records"] for r in own)), f"{sum(r['seconds'] for r in own):.1f}",
        ])  # fmt: skip
    head = ["version", "games", "flags", "above the best level", "late to zero pays", "ramp flagged"]
    return table([*head, "giving less pays in", "roles, from the start", "records", "seconds"], lines)


def of(rows: list[Row], version: str) -> list[Row]:
    """The rows of one version, in the order of the catalogue."""
    games = coopgym.list_games(version=version)
    return sorted((r for r in rows if r["game"] in games), key=lambda r: games.index(r["game"]))


def page(text: str) -> str:
    """The page with its tables made again."""
    found = json.loads(RESULTS.read_text())
    rows, machine = found["rows"], found["machine"]
    about = f"{machine['processor']}, one core, load average {machine['load_average']}; {machine['date']}."
    text = replaced(text, "counts", f"{counts(rows)}\n\n{about}")
    text = replaced(text, "released", released(of(rows, "v0")))
    text = replaced(text, "stated", stated(of(rows, "v1")))
    for version in ("v0", "v1"):
        text = replaced(text, f"corrected-{version}", corrected(of(rows, version)))
    return text


if __name__ == "__main__":
    keep(PAGE, page, __doc__)
