"""What constants earn in every game, what leaving them pays, and how much of the release's tables comes out again.

    python benchmarks/landscape.py [--games TrustDilemma-v1,SLCD-v0] [--workers 1]

A row for each game, under integrated rewards, in ``results/landscape.json``; what is done is skipped. ``agreement`` of
a -v0 game counts the recorded rows that come out within 1e-5 (relative, or absolute below 1) with the same flag: as the
release rounds, and with the two sums in double precision as in the recorded tables. ``seconds`` are wall time.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import csv
import sys
import time
from pathlib import Path
from typing import Any

from cells import Cell, Filed, carry_out

import coopgym
from coopgym.audit.landscape import landscape, static_audit, temporal_audit
from coopgym.audit.landscape.recorded import as_recorded
from coopgym.envs.game import Game

TABLES = Path(__file__).resolve().parents[1] / "tests" / "data"
RECORDED = {
    "mean_return": "mean_return_per_agent", "return_agent": "return_agent_0", "return_others": "mean_return_others",
    "gain": "agent0_gain", "others_change": "others_change",
}  # fmt: skip
DIGITS = 8


def recorded(name: str, game: str) -> list[dict[str, str]]:
    """The rows of a game in a recorded table, ``"static"`` or ``"temporal"``."""
    with (TABLES / f"v0_{name}_audit.csv").open() as lines:
        return [row for row in csv.DictReader(lines) if row["environment"] == game]


def agrees(ours: dict[str, Any], theirs: dict[str, str]) -> bool:
    """Whether all numbers that were recorded come out again, and the flag."""
    told = [(ours[name], float(theirs[column])) for name, column in RECORDED.items() if theirs.get(column)]
    flag = theirs["exploitative"]
    return all(abs(x - y) <= 1e-5 * max(1.0, abs(y)) for x, y in told) and (
        not flag or ours["exploitative"] == (flag == "True")
    )


def agreement(game: Game) -> dict[str, Any]:
    """How many recorded rows there are, and how many come out again in either rounding."""
    theirs = [row for name in ("static", "temporal") for row in recorded(name, game.id)]
    counts = {}
    for name, made in (("single", game), ("double", as_recorded(game))):
        ours = [*static_audit(made).rows(), *temporal_audit(made).rows()]
        counts[name] = sum(agrees(*pair) for pair in zip(ours, theirs, strict=True))
    return {"recorded": len(theirs), **counts}


def audit_one(cell: Cell, report: Any) -> None:
    """Report one game."""
    began = time.perf_counter()
    found = landscape(cell["game"], cell["reward_mode"])
    seconds = time.perf_counter() - began
    summary = {name: value for name, value in found.summary().items() if name not in cell}
    outcome = _rounded(summary) | {"records": len(found.rows()), "seconds": round(seconds, 3)}
    if cell["game"].endswith("v0"):
        outcome["agreement"] = agreement(coopgym.game(cell["game"]))
    report(outcome)


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}")
    if isinstance(value, dict):
        return {name: _rounded(x) for name, x in value.items()}
    return [_rounded(x) for x in value] if isinstance(value, list) else value


def main() -> int:
    """Audit what is missing, file it, add up."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    all_games = [*coopgym.list_games(version="v0"), *coopgym.list_games()]
    parser.add_argument("--games", type=lambda text: text.split(","), default=all_games)
    parser.add_argument("--workers", type=int, default=1)
    options, began = parser.parse_args(), time.perf_counter()
    filed = Filed(Path(__file__).parent / "results" / "landscape.json")
    code = carry_out(
        audit_one, [{"game": g, "reward_mode": "integrated"} for g in options.games], filed, options.workers
    )
    print(f"{sum(row['seconds'] for row in filed.rows):.1f} s of audits, {time.perf_counter() - began:.1f} s in all")
    return code


if __name__ == "__main__":
    sys.exit(main())
