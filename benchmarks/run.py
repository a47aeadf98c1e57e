"""Everything that is timed, in one run: prints a table and writes JSON.

    python benchmarks/run.py [--device cpu|cuda] [--only faces,batches,vector,training] [--out FILE]

One thread. On a GPU the sweep runs from 1 to about a million games. No figure decides a test.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import json
import sys
import warnings
from pathlib import Path
from typing import Any

import batches
import faces
import torch
import training
from timing import machine

ROOMS = ("faces", "batches", "vector", "training")
SIZES = {"cpu": (1, 1024, 16384), "cuda": tuple(4**k for k in range(11))}


def measure(device: str, rooms: list[str], seconds: float) -> dict[str, list[dict[str, Any]]]:
    """The rows of each room, printed as they come."""
    work = {
        "faces": faces.rows,
        "batches": lambda: batches.rows(device, SIZES[device], seconds),
        "vector": lambda: batches.vector_rows(device),
        "training": lambda: training.rows(device),
    }
    result = {}
    for room in rooms:
        print(f"\n{room}", flush=True)
        result[room] = work[room]()
        for row in result[room]:
            games = f" {row['games']:>9,} games" if "games" in row else ""
            print(f"  {row['what']:<48} N={row['agents']:<3}{games}{row['figure']:>16,.0f} {row['unit']}", flush=True)
    return result


def main() -> int:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu", choices=("cpu", "cuda"))
    parser.add_argument("--only", default=",".join(ROOMS), help=f"rooms to measure, of {', '.join(ROOMS)}")
    parser.add_argument("--seconds", type=float, default=0.4, help="length of one round of a batch measurement")
    parser.add_argument("--out", type=Path, help="JSON file (default: benchmarks/results/<device>.json)")
    options = parser.parse_args()
    rooms = options.only.split(",")
    unknown = set(rooms) - set(ROOMS)
    if unknown:
        parser.error(f"--only {','.join(sorted(unknown))}: the rooms are {', '.join(ROOMS)}")
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", category=DeprecationWarning, module="torch")
    about = {**machine(), "device": torch.cuda.get_device_name() if options.device == "cuda" else "cpu", "threads": 1}
    print(json.dumps(about, indent=1))
    report = {"machine": about, "results": measure(options.device, rooms, options.seconds)}
    out = options.out or Path(__file__).parent / "results" / f"{options.device}.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(report, indent=1) + "\n")
    print(f"\nwritten to {out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
