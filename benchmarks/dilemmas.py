"""How much of a dilemma one step of each game is, for both versions and all reward modes.

    python benchmarks/dilemmas.py

Solves every first step (v1: seconds; v0: minutes) and writes coopgym/report/dilemmas.json, from which the catalogue and
docs/oracles.md are made.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import coopgym
from coopgym.envs.reward import KINDS
from coopgym.files import write_atomically

FILE = Path(coopgym.__file__).parent / "report" / "dilemmas.json"


def row(game: str, mode: str) -> dict[str, Any]:
    """One line of the table, rounded to six digits."""
    found = coopgym.dilemma(game, mode)
    endowment = coopgym.game(game).endowment
    numbers = {
        "welfare_nash": found.welfare_nash, "welfare_optimum": found.welfare_optimum, "lost": found.lost,
        "price_of_anarchy": found.price_of_anarchy, "greed": found.greed.max(), "fear": found.fear.max(),
        "nash": (found.nash.actions / endowment).mean(), "optimum": (found.optimum.actions / endowment).mean(),
        "own": found.own.mean(), "cross": found.cross.mean(),
    }  # fmt: skip
    plain = {name: float(f"{value:.6g}") for name, value in numbers.items()}
    return {"game": game, "reward_mode": mode, "label": found.label, "status": found.nash.status, **plain}


def main() -> None:
    """Solve all and write the file."""
    rows = []
    for game in [*coopgym.list_games(), *coopgym.list_games(version="v0")]:
        for mode in KINDS:
            rows.append(row(game, mode))
            print(rows[-1], flush=True)
    lines = ",\n".join(json.dumps(each) for each in rows)
    write_atomically(FILE, f"[\n{lines}\n]\n".encode())


if __name__ == "__main__":
    main()
