"""A million records: time and memory of their whole analysis. ``python benchmarks/large.py [--records 1000000]``

The records are synthetic: 16 learners, 20 games, 3 modes, as many seeds as it takes, in parts of ten thousand rows. The
analysis runs in a process of its own, whose peak memory is what is reported. Exit code 1 above a minute of the
processor (wall time is reported too: it says more about the machine's other work) or 4 GiB.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from timing import machine

import coopgym
from coopgym.algorithms import registry
from coopgym.envs.reward import KINDS
from coopgym.study.schema import RUNS

HERE = Path(__file__).resolve().parent
MINUTE, MEMORY = 60.0, 4.0
ANALYSE = """
import json, resource, sys, time
from coopgym.study.analysis.analysis import analyse
start = time.perf_counter()
found = analyse(sys.argv[1])
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
cost = {"seconds": time.perf_counter() - start, "cpu_seconds": time.process_time()}
print(json.dumps({**cost, "gib": peak, "runs": found["runs"]}))
"""


def part(game: str, best: float, learners: list[registry.Algorithm], mode: str, seeds: range) -> pa.Table:
    """Records of every learner on one game in one mode."""
    draw = np.random.default_rng([len(game), KINDS.index(mode), seeds.start])
    count, made = len(seeds) * len(learners), coopgym.game(game)
    level = np.repeat(np.linspace(0.7, 0.95, len(learners)), len(seeds))
    names = [found.name for found in learners for _ in seeds]
    columns = {
        "run_id": [f"{game}{mode}{name}{seed}" for name, seed in zip(names, list(seeds) * len(learners), strict=True)],
        "kind": ["learner"] * count, "algorithm": names,
        "paradigm": [found.paradigm for found in learners for _ in seeds], "game": [game] * count,
        "report": [made.report] * count, "reward_mode": [mode] * count, "seed": list(seeds) * len(learners),
        "agents": [made.n] * count, "horizon": [made.horizon] * count, "game_options": ["{}"] * count,
        "status": ["ok"] * count, "welfare": (level + 0.03 * draw.standard_normal(count)) * best,
        "rate": draw.random((count, made.n)).tolist(), "final_trust": draw.random(count),
        "length": np.full(count, float(made.horizon)), "best_constant_welfare": np.full(count, best),
    }  # fmt: skip
    rows = {f.name: columns.get(f.name, [None] * count) for f in RUNS}
    return pa.table({name: pa.array(values, type=RUNS.field(name).type) for name, values in rows.items()}, schema=RUNS)


def main() -> int:
    """Write records, analyse them, report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--out", type=Path, default=HERE / "results" / "large.json")
    options = parser.parse_args()
    learners = [registry.algorithm(name) for name in coopgym.list_algorithms("learner")]
    games = coopgym.list_games()
    seeds = -(-options.records // (len(learners) * len(games) * len(KINDS)))
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "runs").mkdir()
        for game in games:
            best = coopgym.evaluate("Constant_50", game, episodes=1).welfare.mean()
            for mode in KINDS:
                for first in range(0, seeds, 625):
                    found = part(game, float(best), learners, mode, range(first, min(seeds, first + 625)))
                    pq.write_table(found, Path(folder) / "runs" / f"{game}.{mode}.{first}.parquet", compression="zstd")
        start = time.perf_counter()
        done = subprocess.run([sys.executable, "-c", ANALYSE, folder], capture_output=True, text=True, check=True)
        wall = time.perf_counter() - start
    report = {"machine": machine(), **json.loads(done.stdout), "wall_seconds": wall}
    print(json.dumps(report, indent=1))
    options.out.write_text(json.dumps(report, indent=1) + "\n")
    return int(report["cpu_seconds"] > MINUTE or report["gib"] > MEMORY)


if __name__ == "__main__":
    sys.exit(main())
