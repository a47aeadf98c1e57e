"""How far what tests say of learning is from its bound: other seeds, with and without the processor's vectors.

    OMP_NUM_THREADS=1 python benchmarks/learning_margins.py [--seeds 6] [--capabilities default,native] [--claims TEXT]

Each claim of ``tests/algorithms/claims.py`` is measured over other seeds than the test's. A test judges the second
best of three or four seeds: its mean and standard deviation here are those over all choices of so many. "margin" is the
distance of that mean from the bound in these standard deviations; a claim is safe where it is at least 2. The number of
threads is not varied, because it changes no bit (``tests/algorithms/test_independence.py``). What is in the file of
results stays there unless it is measured again; a ``--claims`` text selects claims by a part of their names.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import json
import statistics
import subprocess
import sys
import time
from itertools import combinations
from pathlib import Path
from typing import Any

from timing import machine

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "algorithms"))
FIRST = 100  # seed of those measured; tests have the smallest


def measured(name: str, capability: str, seeds: list[int]) -> dict[str, Any]:
    """A row, measured in a process of its own: the capability is chosen once, when torch is loaded."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    if capability != "native":
        environment["ATEN_CPU_CAPABILITY"] = capability
    command = [sys.executable, __file__, "--child", json.dumps([name, seeds])]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    return {"claim": name, "asked": capability, **json.loads(done.stdout.splitlines()[-1])}


def child(name: str, seeds: list[int]) -> dict[str, Any]:
    """The values of a claim and what they say of its bound."""
    import torch
    from claims import CLAIMS

    torch.set_num_threads(1)
    claim, start = CLAIMS[name], time.process_time()
    values = claim.quantity(seeds)
    judged = [claim.judged(some) for some in combinations(values, len(claim.seeds))]
    middle, spread = statistics.fmean(judged), statistics.stdev(judged)
    room = claim.bound - middle if claim.distance else middle - claim.bound
    fails = sum(x > claim.bound if claim.distance else x < claim.bound for x in judged)
    return {
        "capability": torch.backends.cpu.get_cpu_capability(), "bound": claim.bound,
        "judged": f"second best of {len(claim.seeds)}", "distance": claim.distance,
        "seeds": seeds, "values": [round(x, 5) for x in values], "judged_mean": round(middle, 5),
        "judged_sd": round(spread, 5), "margin": None if spread == 0.0 else round(room / spread, 2),
        "judged_beyond": fails / len(judged), "cpu_seconds": round(time.process_time() - start, 1),
    }  # fmt: skip


def main() -> None:
    """Measure claims, print a line each, and put them into the file of results."""
    from claims import CLAIMS

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--capabilities", default="default,native")
    parser.add_argument("--claims", default="")
    parser.add_argument("--child", type=json.loads)
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "results" / "learning_margins.json")
    asked = parser.parse_args()
    if asked.child:
        print(json.dumps(child(*asked.child)))
        return
    rows = json.loads(asked.out.read_text())["rows"] if asked.out.exists() else []
    for name in [name for name in CLAIMS if asked.claims in name]:
        for capability in asked.capabilities.split(","):
            row = measured(name, capability, list(range(FIRST, FIRST + asked.seeds)))
            rows = [x for x in rows if (x["claim"], x["asked"]) != (name, capability)] + [row]
            print(
                f"{name:36s} {row['capability']:8s} {row['values']} bound {row['bound']} margin {row['margin']}",
                flush=True,
            )
            rows.sort(key=lambda x: (list(CLAIMS).index(x["claim"]), x["asked"]))
            asked.out.write_text(json.dumps({"machine": machine(), "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
