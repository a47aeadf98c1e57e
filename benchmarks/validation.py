"""The four published validations, their nulls, ablations and stricter tests: what they give and how long they take.

    python benchmarks/validation.py

Everything of ``coopgym.validate("all", strict=True)`` goes to ``results/validation.json``, from which ``make tables``
makes docs/validation.md, with the seconds it took. Beside it, in the same run and on one core, each sweep as a plain
loop over all configurations (``plain_sweeps.py``; no extrapolation), whose results have to agree.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "2")

import json
import re
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import plain_sweeps
from timing import machine

import coopgym
from coopgym.files import write_atomically
from coopgym.validation.files import read_data
from coopgym.validation.report1.evidence import evidence
from coopgym.validation.report1.model import FORMS
from coopgym.validation.report1.slcd import disturbed, slcd
from coopgym.validation.report2.sweep import sweep as sweep2
from coopgym.validation.report3.sweep import sweep as sweep3
from coopgym.validation.report4.sweep import sweep as sweep4

RESULT = Path(__file__).parent / "results" / "validation.json"
TRIALS = 500
Row = dict[str, Any]


def timed(act: Callable[[], Any]) -> tuple[Any, float]:
    start = time.perf_counter()
    return act(), time.perf_counter() - start


def race(report: int, what: str, sizes: tuple[int, int], loop: Callable[[], Any], batch: Callable[[], Any]) -> Row:
    """Both ways, their seconds, and the largest difference between their results.

    sizes: configurations that the loop goes through, as the suite does, and those of them that the batch simulates,
    since it leaves out factors that move nothing.
    """
    (one, slow), (other, fast) = timed(loop), timed(batch)
    row = {
        "report": report, "what": what, "loop": sizes[0], "batch": sizes[1], "loop_seconds": round(slow, 3),
        "batch_seconds": round(fast, 4), "times": round(slow / fast, 1), "difference": difference(one, other),
    }  # fmt: skip
    print(row, flush=True)
    return row


def difference(one: Any, other: Any) -> float:
    """Largest absolute one."""
    x, y = (list(z.values()) if isinstance(z, dict) else z for z in (one, other))
    return float(np.abs(np.asarray(x) - np.asarray(y)).max())


def races() -> list[Row]:
    """Loops and batches for each sweep; the second loop of report 3 searches for equilibria, as the suite does."""
    boxes = {k: read_data(name)["boxes"] for k, name in ((2, "tr2_sweep"), (3, "tr3_sweep"), (4, "tr4_sweep"))}
    seven, teams, pairs = boxes[2]["standard_seven"], boxes[3]["published"], boxes[4]["published"]
    two, three, four = (
        (size(box), size(box, still)) for box, still in ((seven, ("kappa", "rho")), (teams, ()), (pairs, ("k",)))
    )
    trials = (4 * TRIALS, 4 * TRIALS)
    return [
        race(1, "trials of both forms", trials, partial(ventures, True), partial(ventures, False)),
        race(2, "factorial, product form", two, partial(plain_sweeps.tr2, seven), partial(medians, seven)),
        race(3, "factorial", three, partial(plain_sweeps.tr3, teams), partial(efforts, teams)),
        race(3, "factorial, searched", three, partial(plain_sweeps.tr3_searched, teams), partial(efforts, teams)),
        race(4, "factorial", four, partial(plain_sweeps.tr4, pairs), partial(shares, pairs)),
    ]


def size(levels: dict[str, Any], without: tuple[str, ...] = ()) -> int:
    return int(np.prod([len(x) for name, x in levels.items() if name not in without]))


def ventures(loop: bool) -> np.ndarray:
    """Cooperation increase of all trials."""
    found = []
    for form in FORMS:
        for level in (0.05, 0.15):
            venture = disturbed(slcd(form), level, TRIALS)
            if loop:
                rows = np.concatenate([venture.shares, venture.dependence], axis=-1)
                found.append(plain_sweeps.tr1(rows, form, float(venture.curvature), float(venture.synergy)))
            else:
                found.append(evidence(venture, venture.equilibrium())["cooperation_increase"])
    return np.concatenate(found)


def medians(levels: dict[str, Any]) -> dict[str, float]:
    names = ("hysteresis_recovery_35", "cumulative_amplification", "time_to_50pct_recovery")
    summary = sweep2(levels, "published").summary(names)
    return {name: summary[f"{name}.median"] for name in names}


def efforts(levels: dict[str, Any]) -> np.ndarray:
    return sweep3(levels).effort.ravel()


def shares(levels: dict[str, Any]) -> dict[str, float]:
    found = sweep4(levels).statistics()
    return {name: found[name] for name in ("emergence_pct", "forgiveness_pct")}


def written(content: Row) -> bytes:
    """JSON with one line for each innermost object."""
    text = json.dumps(content, indent=1, allow_nan=False)
    return (re.sub(r"\{[^{}]*\}", lambda found: " ".join(found[0].split()), text) + "\n").encode()


def main() -> int:
    """Validate, race, file; 1 if a figure departs."""
    about = machine()
    (found, seconds), (_, published) = timed(lambda: coopgym.validate("all", strict=True)), timed(coopgym.validate)
    print(f"all reports: {published:.1f} s; strict: {seconds:.1f} s", flush=True)
    content = {
        "machine": about,
        "seconds": {"published figures": round(published, 2), "strict": round(seconds, 2)},
        "loops": races(),
        "found": found.to_dict(),
    }
    write_atomically(RESULT, written(content))
    return 0 if found.holds else 1


if __name__ == "__main__":
    sys.exit(main())
