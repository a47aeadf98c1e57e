"""How long the behavioural audit of ``studies/audit.toml`` took, for docs/behaviour.md.

    coopgym study run studies/audit.toml && coopgym audit runs/audit --out runs/audit
    coopgym study card runs/audit --out data_cards/audit --curves welfare_eval
    python benchmarks/behaviour.py [--run runs/audit]

Writes ``results/behaviour.json``; with the data set of the second line, ``make tables`` makes the page and the notes on
the data set.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from timing import machine

from coopgym.study.audits import TABLES
from coopgym.study.records import Records

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "behaviour.json"
Row = dict[str, Any]


def times(runs: Sequence[Row], audits: Sequence[Row]) -> Row:
    """Seconds: training, summed over processes and from its first start to its last record; audits, in one process."""
    seconds = {row["program_id"]: row["program_seconds"] for row in runs}
    ends = {row["program_id"]: _at(row["created"]).timestamp() for row in runs}
    batches = {(row["game"], row["algorithm"], row["program_seconds"]) for row in audits}
    return {
        "training_process_seconds": round(sum(seconds.values())),
        "training_wall_seconds": round(max(ends.values()) - min(ends[name] - seconds[name] for name in ends)),
        "audit_seconds": round(sum(seconds for *_, seconds in batches)),
        "audit_batches": len(batches),
    }


def _at(moment: str | datetime) -> datetime:
    return moment if isinstance(moment, datetime) else datetime.fromisoformat(moment)


def main() -> None:
    """Of what stands in the folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, default=ROOT / "runs" / "audit")
    records = Records(parser.parse_args().run, TABLES)
    audits, runs = records.read("audits"), records.read("runs")
    told = {"machine": machine(), "runs": len(runs), "audits": len(audits), **times(runs, audits)}
    RESULTS.write_text(json.dumps(told, indent=1) + "\n")
    print(f"{len(audits):,} audits of {len(runs):,} runs")


if __name__ == "__main__":
    main()
