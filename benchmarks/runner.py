"""What a study costs besides training: ``python benchmarks/runner.py [--cells 5,20] [--workers 1,2]``.

Every cell is a small program (21 replicas of one learner, 100 steps). Overhead of a cell is the processor time of the
study, of all its processes, less that of ``coopgym.train`` called by itself for the same cells, over their number: what
planning, claims, processes, policies and records cost. Of cells of ten seconds it should be less than 3 %. What a study
takes to begin (processes, imports) is not in it: it is the same for any number of cells. Wall time stands beside it,
with the machine's load, which it depends on.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from timing import machine

import coopgym
from coopgym.envs.reward import RewardMode
from coopgym.study.cells import Cell
from coopgym.study.engines import engine
from coopgym.study.records import Records
from coopgym.study.runner import Runner, Work

HERE = Path(__file__).resolve().parent
CELL = 10.0  # seconds, of which the overhead is given as a share
TINY = {"lanes": 2, "hidden": (8,)}


def cells(count: int) -> list[Cell]:
    """Each a program of its own: other seeds of the same learner and game, three modes."""
    modes = tuple(RewardMode(kind) for kind in ("private", "integrated", "cooperative"))
    seeds = [tuple(range(7 * k, 7 * k + 7)) for k in range(count)]
    return [Cell("IA2C", "TrustDilemma-v1", modes, own, 100, TINY, str(own[0])) for own in seeds]


def alone(count: int) -> float:
    """Processor seconds of training so many cells, and nothing else."""
    start = used()
    for cell in cells(count):
        coopgym.train(
            cell.algorithm, cell.game, reward_modes=cell.modes, seeds=cell.seeds, total_steps=cell.steps, device="cpu",
            **cell.options,
        )  # fmt: skip
    return used() - start


def used() -> float:
    """Processor seconds of this process and of those that it has started and that have ended."""
    return sum(os.times()[:4])


def measured(count: int, workers: int) -> dict[str, Any]:
    """One study of so many cells on so many workers."""
    with tempfile.TemporaryDirectory() as folder:

        def run() -> tuple[float, float]:
            runner = Runner(cells(count), Records(folder), engine("local", workers=workers, device="cpu"), Work("cpu"))
            wall, before = time.perf_counter(), used()
            assert runner.run() == []
            return time.perf_counter() - wall, used() - before

        (wall, computed), (resume, _) = run(), run()
    return {
        "cells": count, "workers": workers, "runs": 21 * count, "wall_seconds": wall, "cpu_seconds": computed,
        "resume_seconds": resume, "train_cpu_seconds": alone(count),
    }  # fmt: skip


def main() -> int:
    """Measure, and tell what a cell costs from the largest and the smallest study of each number of workers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", default="5,20")
    parser.add_argument("--workers", default="1,2")
    parser.add_argument("--out", type=Path, default=HERE / "results" / "runner.json")
    options = parser.parse_args()
    measured(1, 1)  # libraries are imported, files are read for the first time
    rows, overheads = [], {}
    for workers in map(int, options.workers.split(",")):
        own = []
        for count in map(int, options.cells.split(",")):
            own.append(measured(count, workers))
            print(json.dumps(own[-1]), flush=True)
        spent = [row["cpu_seconds"] - row["train_cpu_seconds"] for row in (own[0], own[-1])]
        each = (spent[1] - spent[0]) / (own[-1]["cells"] - own[0]["cells"])
        overheads[workers] = {"cpu_seconds_per_cell": each, "share_of_ten_seconds": each / CELL}
        print(f"{workers} workers: {each:.3f} s a cell, {each / CELL:.1%} of ten seconds", flush=True)
        rows += own
    options.out.write_text(json.dumps({"machine": machine(), "overhead": overheads, "rows": rows}, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
