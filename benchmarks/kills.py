"""Kill a two-worker study at random instants, again and again, and compare what it ends with: exit code 0 if equal.

    python benchmarks/kills.py [--kills 20] [--seed 0] [--out benchmarks/results/kills.json]

SIGKILL goes to the runner and its workers at once, at an instant drawn evenly between the start and the time that the
undisturbed study takes. The values of both data sets, without times, must have one hash.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import contextlib
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

from timing import machine

from coopgym.study import study
from coopgym.study.records import Records

HERE = Path(__file__).resolve().parent
STUDY = """
name = "kills"
games = ["TrustDilemma", "SLCD"]
algorithms = ["IPPO", "IA2C", "ISAC", "TitForTat", "Nash"]
seeds = 2
device = "cpu"
checkpoint_seconds = 0.5
[budget]
steps = 400
[hyperparameters.all]
lanes = 2
hidden = [8]
batch = 16
warmup = 0
[game_options.all]
max_steps = 10
"""


def start(source: Path, out: Path) -> subprocess.Popen[bytes]:
    """The command, in a process group of its own."""
    code = "from coopgym.cli import main; main()"
    command = [sys.executable, "-c", code, "study", "run", str(source), "--workers", "2", "--out", str(out)]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.Popen(command, start_new_session=True, **quiet)  # type: ignore[call-overload,no-any-return]


def kill(process: subprocess.Popen[bytes], after: float) -> bool:
    """Whether it was still at work after so many seconds, and is no more."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(after)
        return False
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return True


def main() -> int:
    """Run undisturbed, run disturbed, compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=HERE / "results" / "kills.json")
    options = parser.parse_args()
    draw, kills = random.Random(options.seed), list[dict[str, float]]()
    with tempfile.TemporaryDirectory() as folder:
        source, whole, torn = (Path(folder) / name for name in ("kills.toml", "whole", "torn"))
        source.write_text(STUDY)
        begin = time.perf_counter()
        start(source, whole).wait()
        length = time.perf_counter() - begin
        print(f"undisturbed: {length:.1f} s, {len(Records(whole).read('runs'))} runs", flush=True)
        while len(kills) < options.kills:
            after = draw.uniform(0.0, length)
            if kill(start(source, torn), after):
                runs = len(list((torn / "runs").glob("*.parquet")))
                kills.append({"after": round(after, 2), "programs_finished": runs})
                print(f"kill {len(kills)} after {after:.1f} s: {runs} programs finished", flush=True)
            elif len(kills) < options.kills:  # it got through: begin anew, and keep what was learned
                equal = Records(torn).fingerprint() == Records(whole).fingerprint()
                print(f"got through; equal: {equal}", flush=True)
                if not equal:
                    return 1
                torn = torn.with_name(f"torn-{len(kills)}")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            done = study.run(source, out=torn, workers=1)
        found, wanted = Records(torn).fingerprint(), Records(whole).fingerprint()
    report = {
        "machine": machine(), "kills": kills, "undisturbed_seconds": length, "runs": done.status.count("ok"),
        "hash": found, "hash_undisturbed": wanted, "equal": found == wanted,
    }  # fmt: skip
    options.out.write_text(json.dumps(report, indent=1) + "\n")
    print(f"equal: {found == wanted} ({found}); written to {options.out}")
    return 0 if found == wanted else 1


if __name__ == "__main__":
    sys.exit(main())
