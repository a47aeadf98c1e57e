"""Writes the generated parts of docs/case_conduct.md: ``python docs/conduct_tables.py [--write]``.

The record comes from the case studies in the package, conduct from ``benchmarks/results/conduct.json``. Without
``--write`` it says whether the page is up to date (exit code 1 if not).
"""

from __future__ import annotations

import json
import math
from typing import Any

from learner_tables import ROOT, table
from readme_tables import keep, replaced

import coopgym
from coopgym.study.summary import Estimate, estimate
from coopgym.validation.conduct.audit import CAUTION
from coopgym.validation.conduct.record import record_of
from coopgym.validation.nulls import INFORMATIVE

PAGE = ROOT / "docs" / "case_conduct.md"
RESULTS = ROOT / "benchmarks" / "results" / "conduct.json"
SHOWN = ("r2", "band_share", "tau", "turns", "score")
BOUNDS = {"r2": (-math.inf, 1.0), "tau": (-1.0, 1.0)}  # what a mean cannot leave; shares lie from 0 to 1
Row = dict[str, Any]
Key = tuple[str, str]  # learner and reward mode


def record_table(game: str) -> str:
    """What the actors are documented to have done, in shares of the endowment, and at which steps of an episode."""
    record = record_of(coopgym.game(game))
    lines = []
    for k, phase in enumerate(record.phases):
        steps = f"{record.bounds[k]} to {record.bounds[k + 1] - 1}"
        pairs = zip(record.levels[k], record.widths[k], strict=True)
        lines.append([phase, steps, *(f"{level:.2f} ± {width:.2f}" for level, width in pairs)])
    return f"{table(['phase', 'steps', *record.actors], lines, left=1)}\n\nHere {record.note}."


def grouped(rows: list[Row]) -> dict[Key, list[Row]]:
    """Runs of one game that did not diverge, by learner and reward mode, in the order of their mean r2."""
    found: dict[Key, list[Row]] = {}
    for row in rows:
        for run in row["runs"]:
            if run["status"] == "ok":
                found.setdefault((row["algorithm"], run["reward_mode"]), []).append(run)
    return dict(sorted(found.items(), key=lambda item: -r2(item[1]).mean))


def r2(runs: list[Row]) -> Estimate:
    """Mean and interval over seeds."""
    return estimate([run["r2"] for run in runs]).within(*BOUNDS["r2"])


def number(x: float) -> str:
    """Three digits; nothing has no sign."""
    return f"{x:.3f}".replace("-0.000", "0.000")


def interval(x: Estimate) -> str:
    """Mean and 95 % interval."""
    return (
        number(x.mean) if x.low is None or x.high is None else f"{number(x.mean)} [{number(x.low)}, {number(x.high)}]"
    )


def conduct_table(rows: list[Row]) -> str:
    """One line a learner and mode, the nearest to the record first, then what stands beside them."""
    lines = []
    for (algorithm, mode), runs in grouped(rows).items():
        budget = next(row["env_steps"] for row in rows if row["algorithm"] == algorithm)
        beats = sum(run["beats_constants"] for run in runs)
        found = {name: estimate([run[name] for run in runs]) for name in SHOWN}
        measured = [interval(x.within(*BOUNDS.get(name, (0.0, 1.0)))) for name, x in found.items()]
        place = f"{estimate([run['r2_percentile'] for run in runs]).mean:.0f}"
        lines.append([algorithm, mode, f"{budget:,}", *measured, place, f"{beats} of {len(runs)}"])
    lines += beside(rows)
    head = ["learner", "rewards", "steps", "R²", "in bands", "order", "turns", "rubric", "percentile", "beat constants"]
    return table(head, lines, left=2)


def beside(rows: list[Row]) -> list[list[str]]:
    """The three nulls."""
    first = rows[0]
    place = f"{first['constants_at']['r2']:.0f}"
    lines = [["*best constants*", "", "", *(number(first["best_constants"][name]) for name in SHOWN), place, ""]]
    mean = [number(first["shuffled"][name][0]) for name in SHOWN]
    lines.append(["*record shuffled, mean*", "", "", *mean, "50", ""])
    for row in rows:
        numbers = [number(row["untrained"][name]) for name in SHOWN]
        lines.append([f"*{row['algorithm']}, untrained*", "", "0", *numbers, "", ""])
    return lines


def answer(game: str, rows: list[Row]) -> str:
    """Who is nearest, whether another cannot be told from it, and whether constants or no training are as near."""
    lines = grouped(rows)
    (algorithm, mode), best = next(iter(lines.items()))
    own, constants = r2(best), rows[0]["best_constants"]["r2"]
    others = {key: r2(runs) for key, runs in lines.items() if key != (algorithm, mode)}
    least = own.mean if own.low is None else own.low
    tied = [" ".join(key) for key, x in others.items() if (x.mean if x.high is None else x.high) >= least]
    beside = f"; intervals overlap with {', '.join(tied)}" if tied else "; no other interval overlaps with its"
    at = f"{number(constants)} (percentile {rows[0]['constants_at']['r2']:.0f})"
    fresh = next(row["untrained"]["r2"] for row in rows if row["algorithm"] == algorithm)
    runs = [run for group in lines.values() for run in group]
    beaten = f"Of {len(runs)} trained policies {sum(run['beats_constants'] for run in runs)} beat constants"
    placed = sum(run["r2_percentile"] >= INFORMATIVE for run in runs)
    return (
        f"- **{game}**: nearest by R² is {algorithm} with {mode} rewards, {interval(own)}{beside}. Constants reach "
        f"{at}, {algorithm} before training {number(fresh)}. {beaten}, and {placed} "
        f"reach percentile {INFORMATIVE:.0f} of the shuffled record."
    )


def page(text: str) -> str:
    """The page with its tables made again."""
    found = json.loads(RESULTS.read_text())
    machine, rows = found["machine"], found["rows"]
    games = list(dict.fromkeys(row["game"] for row in rows))
    by_game = {game: [row for row in rows if row["game"] == game] for game in games}
    versions = ", ".join(f"{name} {x}" for name, x in machine["versions"].items() if name in ("coopgym", "torch"))
    seconds = sum(row["seconds"] for row in rows)
    about = f"{machine['processor']}, one core, {versions}, {machine['date']}; {seconds:.0f} core seconds in all."
    answers = "\n".join(answer(game, by_game[game]) for game in games)
    parts = [f"### {g}\n\n{record_table(g)}\n\n{conduct_table(by_game[g])}" for g in games]
    text = replaced(text, "answers", f"{answers}\n\n{about}\n\n{CAUTION}")
    return replaced(text, "games", "\n\n".join(parts))


if __name__ == "__main__":
    keep(PAGE, page, __doc__)
