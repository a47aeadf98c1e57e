"""The table that a study's estimate starts from: ``python benchmarks/speeds.py`` writes ``coopgym/study/speeds.json``.

Environment steps a second over all replicas on one core, by learner and number of agents: the median over the whole
cells of ``results/quality.json``, and where there is none the steady pace of ``results/learners-cpu.json``.
"""

from __future__ import annotations

import json
import statistics
from collections import defaultdict
from pathlib import Path

import coopgym

HERE = Path(__file__).parent
TARGET = HERE.parent / "coopgym" / "study" / "speeds.json"


def speeds() -> dict[str, dict[str, float]]:
    """{learner: {number of agents: environment steps a second}}."""
    found: dict[str, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    for row in json.loads((HERE / "results" / "quality.json").read_text())["rows"]:
        agents, steps = coopgym.game(row["game"]).n, row["env_steps"] * len(row["returns"])
        found[row["algorithm"]][agents].append(steps / row["seconds"])
    for row in json.loads((HERE / "results" / "learners-cpu.json").read_text())["results"]["learners"]:
        if row["algorithm"] not in found:
            found[row["algorithm"]][row["agents"]].append(row["figure"])
    return {
        name: {str(agents): float(f"{statistics.median(values):.3g}") for agents, values in sorted(by_size.items())}
        for name, by_size in sorted(found.items())
    }


if __name__ == "__main__":
    TARGET.write_text(json.dumps(speeds(), indent=1) + "\n")
    print(f"written to {TARGET}")
