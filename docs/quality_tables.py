"""Writes the generated parts of docs/learners.md from benchmarks/results: ``python docs/quality_tables.py [--write]``.

Quality comes from ``quality.json``, that of teams from ``yardsticks.json``, divergence from ``divergence.json``, the
choice of defaults from ``sweep.json``.
Parts without measurements stay as they are. Without ``--write`` it says whether the page is up to date (exit code 1
if not).
"""

from __future__ import annotations

import json
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from learner_tables import table
from readme_tables import keep, replaced

import coopgym
from coopgym.algorithms.record import canonical

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "learners.md"
RESULTS = ROOT / "benchmarks" / "results"
SMALL = 6  # agents
BEST = ("best_constant", "best_sequence")
Row = dict[str, Any]


def load(name: str) -> tuple[list[Row], str]:
    """(rows, a sentence about the machine) of one file of results; of two budgets in one game the larger one counts."""
    found = json.loads((RESULTS / f"{name}.json").read_text())
    if name == "quality":
        largest = {(r["algorithm"], r["game"]): r for r in sorted(found["rows"], key=lambda r: int(r["steps"]))}
        found["rows"] = list(largest.values())
    machine = found["machine"]
    versions = ", ".join(f"{k} {v}" for k, v in machine["versions"].items() if k in ("coopgym", "torch", "numpy"))
    return found["rows"], f"{machine['processor']}, Python {machine['python']}, {versions}; {machine['date']}."


def shares(row: Row) -> list[float]:
    """Each seed's return as a share of the best constant policy's; a diverged one counts as 0."""
    return [0.0 if x is None else x / row["best_constant"] for x in row["returns"]]


def order(rows: list[Row]) -> tuple[list[str], list[str]]:
    """(learners, games) in the order of the registry and of the catalogue."""
    learners, games = ({row[key] for row in rows} for key in ("algorithm", "game"))
    return (
        [name for name in coopgym.list_algorithms("learner") if name in learners],
        [name for name in coopgym.list_games() if name in games],
    )


def summary(rows: list[Row]) -> str:
    """For each learner: on how many games of at most six agents it comes how near the best constant policy."""
    lines = []
    for name in order(rows)[0]:
        means = {r["game"]: fmean(shares(r)) for r in rows if r["algorithm"] == name and agents(r["game"]) <= SMALL}
        worst = min(means, key=lambda game: means[game])
        counts = [sum(mean >= level for mean in means.values()) for level in (0.98, 0.995, 1.0)]
        own = [r["steps"] for r in rows if r["algorithm"] == name and agents(r["game"]) <= SMALL]
        usual, longest = max(set(own), key=own.count), max(own)
        budget = f"{usual:,}" + (f" ({longest:,} on {own.count(longest)})" if longest > usual else "")
        lines.append([
            name, budget, str(len(means)), *map(str, counts), f"{100 * means[worst]:.1f}%", worst.split("-")[0],
        ])  # fmt: skip
    return table(["learner", "steps", "games", "≥ 98%", "≥ 99.5%", "≥ 100%", "worst", "on"], lines)


def agents(game: str) -> int:
    """N."""
    return coopgym.game(game).n


def matrix(rows: list[Row]) -> str:
    """Mean share of the best constant's return, in per cent: games down, learners across."""
    learners, games = order(rows)
    cells = {(r["game"], r["algorithm"]): f"{100 * fmean(shares(r)):.1f}" for r in rows}
    lines = [[game, str(agents(game)), *(cells.get((game, name), "-") for name in learners)] for game in games]
    return table(["game", "N", *learners], lines)


def details(rows: list[Row]) -> str:
    """Every cell: return, gap to the best constant, spread over seeds, wall time."""
    learners, games = order(rows)
    by_cell = {(r["game"], r["algorithm"]): r for r in rows}
    parts = []
    for game in games:
        lines = []
        for name in learners:
            if (game, name) in by_cell:
                lines.append(cell(name, by_cell[game, name]))
        best = next(r["best_constant"] for r in rows if r["game"] == game)
        head = f"**{game}**, {agents(game)} agents, best constant {best:,.0f}"
        columns = ["learner", "return", "gap", "sd", "lowest", "diverged", "steps", "updates", "seconds"]
        parts.append(f"{head}\n\n{table(columns, lines)}")
    return "\n\n".join(parts)


def cell(name: str, row: Row) -> list[str]:
    """One line of ``details``."""
    kept = [x for x in row["returns"] if x is not None]
    lost, best = len(row["returns"]) - len(kept), row["best_constant"]
    cost = [f"{row['env_steps']:,}", f"{row['updates']:,}", f"{row['seconds']:.0f}"]
    if not kept:
        return [
            name,
            "-",
            "-",
            "-",
            "-",
            str(lost),
            f"{row['env_steps']:,}",
            f"{row['updates']:,}",
            f"{row['seconds']:.0f}",
        ]
    gap = 100 * (fmean(kept) / best - 1)
    return [
        name, f"{fmean(kept):,.0f}", f"{gap:+.2f}%", f"{100 * stdev(kept) / best:.2f}%",
        f"{100 * (min(kept) / best - 1):+.2f}%", str(lost), *cost,
    ]  # fmt: skip


def yardsticks(rows: list[Row]) -> str:
    """Each learner's returns beside the best constant and the best sequence of a game: mean and worst seed."""
    lines = []
    for row in rows:
        against = ([0.0 if x is None else x / row[best] for x in row["returns"]] for best in BEST)
        parts = [f"{100 * value:.2f}%" for found in against for value in (fmean(found), min(found))]
        lines.append([row["algorithm"], row["game"], f"`{canonical(row['options'])}`", f"{row['env_steps']:,}", *parts])
    head = ["learner", "game", "options", "steps", "of the best constant", "worst seed", "of the best sequence"]
    return table([*head, "worst seed"], lines, left=3)


def divergence(rows: list[Row]) -> str:
    """How many runs of each learner diverged, over all games and reward modes; beside them the updates of its long run
    on a released game, where that was done."""
    lines = []
    for name in order(rows)[0]:
        every = [r for r in rows if r["algorithm"] == name]
        own = [r for r in every if r["game"].endswith("-v1")]
        long = [f"{r['updates']:,}, {r['diverged']} diverged" for r in every if r not in own]
        runs, lost = sum(r["runs"] for r in own), sum(r["diverged"] for r in own)
        steps, updates = ([r[key] for r in own] for key in ("env_steps", "updates"))
        lines.append([
            name, str(len(own)), str(runs), str(lost), f"{min(steps):,} to {max(steps):,}",
            f"{min(updates):,} to {max(updates):,}", *(long or ["-"]),
        ])  # fmt: skip
    total = sum(r["runs"] for r in rows), sum(r["diverged"] for r in rows)
    lines.append(["all, with the long ones", "", str(total[0]), str(total[1]), "", "", ""])
    head = ["learner", "games", "runs", "diverged", "steps a run", "updates a run", "updates on ApacheProject-v0"]
    return table(head, lines)


def sweep(rows: list[Row]) -> str:
    """The candidates of each learner, best first; ``{}`` is the default where a learner keeps one."""
    groups: dict[str, dict[tuple[int, str], list[float]]] = {}
    for row in rows:
        options = {key: value for key, value in row["options"].items() if key != "total_steps"}
        key = (row["options"].get("total_steps", row["steps"]), canonical(options))
        groups.setdefault(row["algorithm"], {}).setdefault(key, []).extend(row["shares"])
    lines = []
    for name, candidates in groups.items():
        for (steps, text), found in sorted(candidates.items(), key=lambda item: -fmean(item[1])):
            shares = [f"{100 * fmean(found):.2f}%", f"{100 * min(found):.1f}%", str(len(found))]
            lines.append([name, f"`{text}`", f"{steps:,}", *shares])
    return table(["learner", "candidate", "steps", "mean", "worst run", "runs"], lines, left=2)


def page(text: str) -> str:
    """The page with every part made again whose measurements are there."""
    for name, makers in PARTS.items():
        if (RESULTS / f"{name}.json").exists():
            rows, about = load(name)
            for part, make in makers.items():
                text = replaced(text, part, f"{make(rows)}\n\n{about}" if part in DATED else make(rows))
    return text


DATED = ("matrix", "yardsticks", "divergence")  # parts that say on what machine they were measured
PARTS = {
    "quality": {"summary": summary, "matrix": matrix, "details": details},
    "yardsticks": {"yardsticks": yardsticks},
    "divergence": {"divergence": divergence},
    "sweep": {"sweep": sweep},
}


if __name__ == "__main__":
    keep(PAGE, page, __doc__)
