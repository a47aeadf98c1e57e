"""What every game answers to every concept under every reward mode, how sure that is, and what it took to find.

    python benchmarks/oracles.py [--versions v1,v0] [--games TrustDilemma-v1] [--concepts nash] [--modes private]
        [--cache FOLDER]

A row for each cell: an answer with its certificate, or the reason why it was refused. The table goes to
``results/oracles.json``; what is done is skipped. The cells of a game run in one process: some of them share a search.
``seconds`` are those of one core. With ``--cache`` whole answers are kept in a folder, where ``benchmarks/attack.py``
finds them.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from cells import Cell, Filed, carry_out

import coopgym
from coopgym.envs.reward import KINDS, RewardMode
from coopgym.envs.symmetry import roles
from coopgym.oracles.best_response import separable
from coopgym.oracles.concepts import CONCEPTS
from coopgym.oracles.result import RefusedError, Solution

DIGITS = 8


def asked() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--versions", type=_names, default=["v1", "v0"])
    parser.add_argument("--games", type=_names, help="by default all of the versions")
    parser.add_argument("--concepts", type=_names, default=list(CONCEPTS))
    parser.add_argument("--modes", type=_names, default=list(KINDS))
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--cache", help="a folder in which whole answers are kept")
    return parser.parse_args()


def _names(text: str) -> list[str]:
    return text.split(",")


def planned(options: argparse.Namespace) -> list[Cell]:
    """The design, long games first: those that end last should be short."""
    games = options.games or [id for version in options.versions for id in coopgym.list_games(version=version)]
    games = sorted(games, key=_size, reverse=True)
    return [
        {"game": game, "concept": concept, "reward_mode": mode}
        for game in games
        for concept in options.concepts
        for mode in options.modes
    ]


def _size(id: str) -> float:
    """A guess of how long a game takes: a search for each role and each mode in which an agent's steps touch."""
    game = coopgym.game(id)
    searched = sum(not separable(game, RewardMode(kind)) for kind in KINDS)
    return float((1 + roles(game).max()) * game.horizon * searched)


def solve_one(cell: Cell, report: Any, cache: str | None = None) -> None:
    """Report the answer to one cell, or the reason of its refusal."""
    began = time.process_time()
    try:
        outcome = summary(coopgym.solve(cell["game"], cell["concept"], cell["reward_mode"], cache=cache))
    except RefusedError as reason:
        outcome = {"status": "refused", "reason": str(reason)}
    report(outcome | {"seconds": round(time.process_time() - began, 2)})


def summary(solution: Solution) -> dict[str, Any]:
    """What a reader wants to know of a solution without its actions; mean_action at the first, middle and last step
    [endowment units]."""
    certificate, means = solution.certificate, np.atleast_2d(solution.actions).mean(-1)
    return {
        "status": solution.status, "kind": solution.kind, "method": solution.method,
        "gain": _number(certificate.gain), "relative": _number(certificate.relative),
        "solutions": certificate.solutions, "exhaustive": certificate.exhaustive,
        "at_most": _number(certificate.at_most), "searched": solution.searched,
        "uniqueness": solution.uniqueness, "bound": _number(solution.bound),
        "welfare": _number(solution.welfare), "rewards": _number(float(solution.rewards.sum())),
        "mean_action": [_number(float(means[k])) for k in (0, len(means) // 2, -1)],
        "notes": list(solution.notes),
    }  # fmt: skip


def _number(x: float | None) -> float | None:
    """Rounded; None for what is not finite, which JSON does not know."""
    return float(f"{x:.{DIGITS}g}") if x is not None and np.isfinite(x) else None


def main() -> int:
    """Solve what is missing, file it, count."""
    began, options = time.perf_counter(), asked()
    filed = Filed(Path(__file__).parent / "results" / "oracles.json")
    code = carry_out(partial(solve_one, cache=options.cache), planned(options), filed, options.workers, together="game")
    counts = {name: sum(row["status"] == name for row in filed.rows) for name in (row["status"] for row in filed.rows)}
    print(counts)
    for concept in CONCEPTS:
        print(f"{concept}: {sum(row['seconds'] for row in filed.rows if row['concept'] == concept):.1f} core seconds")
    print(f"{time.perf_counter() - began:.1f} s in all")
    return code


if __name__ == "__main__":
    sys.exit(main())
