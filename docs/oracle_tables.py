"""Writes the generated parts of docs/oracles.md: ``python docs/oracle_tables.py [--write]``.

Answers come from ``benchmarks/results/oracles.json``, dilemmas from ``coopgym/report/dilemmas.json``. Without
``--write`` it says whether the page is up to date (exit code 1 if not).
"""

from __future__ import annotations

import json
from typing import Any

from learner_tables import ROOT, table
from readme_tables import keep, replaced

import coopgym
from coopgym.envs.reward import KINDS
from coopgym.oracles import NAMES
from coopgym.oracles.concepts import CONCEPTS
from coopgym.oracles.result import STATUSES
from coopgym.report.catalogue import dilemmas

PAGE = ROOT / "docs" / "oracles.md"
RESULTS = ROOT / "benchmarks" / "results" / "oracles.json"
Row = dict[str, Any]


def concepts() -> str:
    """What can be asked, of which games."""
    lines = [[f"`{c.name}`", c.oracle, c.mode, c.question] for c in CONCEPTS.values()]
    return table(["concept", "oracle", "rewards by default", "question"], lines, left=4)


def dilemma_table(version: str) -> str:
    """One line a game and reward mode: what selfish play loses in one step, and what tempts."""
    lines = [row for game in coopgym.list_games(version=version) for row in dilemma_rows(game)]
    head = ["game", "rewards", "label", "Nash / optimum", "lost", "price of anarchy", "greed", "fear"]
    return table(head, lines, left=3)


def dilemma_rows(game: str) -> list[list[str]]:
    """The lines of one game."""
    lines = []
    for mode in KINDS:
        row = dilemmas()[game, mode]
        rates = f"{row['nash']:.1%} / {row['optimum']:.1%}"
        numbers = [f"{row['lost']:.2%}", f"{row['price_of_anarchy']:.4g}", f"{row['greed']:.2%}"]
        lines.append([game, mode, row["label"], rates, *numbers, f"{row['fear']:.2%}"])
    return lines


def answers(rows: list[Row], version: str) -> str:
    """One line for each answer: what it earns, what could still be gained, how sure it is."""
    lines = []
    for row in sorted(rows, key=_place):
        if row["game"].endswith(version) and row["status"] != "refused":
            gain = _gain(row)
            bound = "-" if row["bound"] is None else f"{row['bound']:,.0f}"
            actions = " → ".join(f"{x:.3g}" for x in dict.fromkeys(row["mean_action"]))
            found = [f"{row['welfare']:,.0f}", f"{row['rewards']:,.0f}", bound, gain]
            lines.append([row["game"], row["concept"], row["reward_mode"], row["status"], actions, *found])
    head = ["game", "concept", "rewards", "status", "mean action", "welfare", "sum of rewards", "bound", "gain"]
    return table(head, lines, left=5)


def _gain(row: Row) -> str:
    """The largest gain that was found, and in brackets the largest that is possible, where that is known and more."""
    found, most = row["relative"], row.get("at_most")
    told = "-" if found is None else f"{found:.1e}"
    return told if not most or most <= found else f"{told} (≤ {most:.0e})"


def counts(rows: list[Row]) -> str:
    """How many answers of each concept have each status or are refused, and the seconds it took."""
    lines = []
    for version in ("v1", "v0"):
        for concept in NAMES:
            own = [r for r in rows if r["concept"] == concept and r["game"].endswith(version)]
            if own:
                told = [sum(r["status"] == s for r in own) for s in (*STATUSES, "refused")]
                seconds = sum(r["seconds"] for r in own)
                lines.append([concept, version, str(len(own)), *map(str, told), f"{seconds:.0f}"])
    head = ["concept", "version", "asked", *STATUSES, "refused", "core seconds"]
    return table(head, lines, left=2)


def _place(row: Row) -> tuple[int, ...]:
    games = [*coopgym.list_games(), *coopgym.list_games(version="v0")]
    return games.index(row["game"]), NAMES.index(row["concept"]), KINDS.index(row["reward_mode"])


def page(text: str) -> str:
    """The page with its tables made again."""
    found = json.loads(RESULTS.read_text())
    rows, machine = found["rows"], found["machine"]
    about = f"{machine['processor']}, one core; {machine['date']}."
    text = replaced(text, "concepts", concepts())
    text = replaced(text, "counts", f"{counts(rows)}\n\n{about}")
    for version in ("v1", "v0"):
        text = replaced(text, f"dilemmas-{version}", dilemma_table(version))
        text = replaced(text, f"answers-{version}", answers(rows, version))
    return text


if __name__ == "__main__":
    keep(PAGE, page, __doc__)
