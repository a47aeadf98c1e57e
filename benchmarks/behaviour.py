"""The behavioural audit of ``studies/audit.toml``, packed for docs/behaviour.md.

    coopgym study run studies/audit.toml && coopgym audit runs/audit
    python benchmarks/behaviour.py [--run runs/audit]

Puts the table ``audits`` into ``data_cards/audit/audits.parquet`` (numbers in single precision; of what each agent has,
the mean over agents, and agent by agent only free riding, whose mean is 0), and how long everything took into
``results/behaviour.json``; ``make tables`` makes the page and the data set's card.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from timing import machine

from coopgym.audit.measures import CATALOGUE
from coopgym.study.audits import AUDITS, TABLES
from coopgym.study.records import Records

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "data_cards" / "audit" / "audits.parquet"
RESULTS = ROOT / "benchmarks" / "results" / "behaviour.json"
BY_AGENT = ("free_riding_by_agent",)
ORDER = ("game", "algorithm", "reward_mode", "seed")
Row = dict[str, Any]


def single() -> pa.Schema:
    """The table's columns, measures in single precision, without most of those that have a number for each agent."""
    kept = [f for f in AUDITS if f.name in BY_AGENT or not f.name.endswith("_by_agent")]
    small = {name: pa.float32() for name in CATALOGUE} | {name: pa.list_(pa.float32()) for name in BY_AGENT}
    return pa.schema([f.with_type(small.get(f.name, f.type)) for f in kept])


def pack(rows: Sequence[Row]) -> None:
    """Write the rows in a fixed order."""
    shape = single()
    ordered = sorted(rows, key=lambda row: [row[name] for name in ORDER])
    table = pa.Table.from_pylist([{name: row[name] for name in shape.names} for row in ordered], schema=shape)
    words = [f.name for f in shape if f.type == pa.string()]
    split = [f.name for f in shape if f.type == pa.float32()]
    DATA.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(
        table, DATA, compression="zstd", compression_level=19, use_dictionary=words, use_byte_stream_split=split
    )  # fmt: skip


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
    """Pack what stands in the folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, default=ROOT / "runs" / "audit")
    records = Records(parser.parse_args().run, TABLES)
    audits, runs = records.read("audits"), records.read("runs")
    pack(audits)
    told = {"machine": machine(), "runs": len(runs), "audits": len(audits), **times(runs, audits)}
    RESULTS.write_text(json.dumps(told, indent=1) + "\n")
    print(f"{len(audits):,} audits of {len(runs):,} runs, {DATA.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
