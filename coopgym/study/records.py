"""Records on disk: Parquet parts that are either whole or absent, keyed by run_id, so that work can be resumed."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from coopgym.algorithms.policy import Policy
from coopgym.algorithms.record import digest, finite
from coopgym.algorithms.storage import packed
from coopgym.study import claims
from coopgym.study.schema import MOMENT, SCHEMAS
from coopgym.study.store import store

Row = dict[str, Any]
MEASURED = ("created", "seconds", "program_seconds", "env_steps_per_second")  # columns that differ from time to time
KEYS = ("run_id", "metric", "agent", "effort")  # those that a table has tell its rows apart
FAILED = "failed"  # the status of a record that says why there is no result


class Records:
    """The tables of one study, as parts ``<folder>/<table>/<name>.parquet``; ``out`` is a path or a URL.

    A part is written to a temporary file beside its place, flushed to the disk and renamed: whoever reads sees all of
    it or nothing. A program writes its other tables first and ``runs`` last, so a run found in ``runs`` is complete.
    """

    def __init__(self, out: str | Path, schemas: Mapping[str, pa.Schema] = SCHEMAS) -> None:
        """``schemas``: columns by table; another room's tables stand beside those of ``coopgym.study.schema``."""
        self.store, self.schemas = store(out), schemas
        self._complete: dict[str, list[str]] = {}  # part -> run_ids; a part never changes what it holds

    @property
    def folder(self) -> Path:
        """On this machine; of a URL, where what only this machine needs is kept."""
        return self.store.local

    def check(self) -> None:
        """OSError with the reason if nothing can be written here: better now than after the first program."""
        try:
            self.store.write(".writable", b"")
            self.store.remove(".writable")
        except OSError as error:
            raise OSError(f"out={self.store.url!r} cannot be written ({error}); name another folder") from error

    def write(self, table: str, part: str, rows: Iterable[Mapping[str, Any]]) -> Path:
        """Write ``rows`` as one part and return where it is in ``folder``; a part of the same name is replaced.

        Columns are those of the table's schema; what a row leaves out is null, and so is a non-finite number.
        Raises ValueError for a column that the table does not have.
        """
        schema, sink = self.schemas[table], pa.BufferOutputStream()
        clean = [_clean(row, schema) for row in rows]
        content = pa.Table.from_pylist(clean, schema=schema)
        pq.write_table(content, sink, compression="zstd", write_page_checksum=True)
        name = f"{table}/{part}.parquet"
        self.store.write(name, sink.getvalue().to_pybytes())
        return self.folder / name

    def has(self, part: str) -> bool:
        """Whether the runs of a part are there."""
        return self.store.exists(f"runs/{part}.parquet")

    def fail(self, part: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Write records of what did not finish; a result in another part goes before them."""
        self.write("runs", f"{part}.{FAILED}", [{**row, "status": FAILED} for row in rows])

    def forgive(self, part: str) -> None:
        """Remove records of failure: now there are better ones."""
        self.store.remove(f"runs/{part}.{FAILED}.parquet")

    def keep(self, policy: Policy, name: str, numbers: bool) -> tuple[str, str]:
        """Save a policy, and return its name and the sha256 of the file with its numbers (all of it, without any).

        The name is ``name`` and the beginning of the checksum: a record and its policy always match, even where two
        runners made the same run and only one of their records counts.

        Not flushed to the disk: should the power fail, ``verify`` misses what was lost, and its run is done again.
        """
        files = packed(policy)
        sha256 = hashlib.sha256(files[".safetensors" if numbers else ".json"]).hexdigest()
        own = f"{name}-{sha256[:12]}"
        for suffix, data in files.items():
            self.store.write(f"{own}{suffix}", data, durable=False)
        return own, sha256

    def read(self, table: str, where: pc.Expression | None = None) -> list[Row]:
        """All rows of a table, or those that ``where`` chooses, sorted by part.

        Of two rows with one key the later part's is kept, a failed one last. A table that was packed into one file,
        ``<table>.parquet``, counts as its first part. A part that cannot be read is named in a RuntimeWarning and set
        aside as ``*.damaged``, so its runs count as missing and are done again.
        """
        keys = [name for name in KEYS if name in self.schemas[table].names]
        found: dict[tuple[Any, ...], Row] = {}
        packed = f"{table}.parquet"
        for name in [*([packed] if self.store.exists(packed) else []), *self.store.names(table, ".parquet")]:
            for row in self._part(table, name, where):
                key = tuple(row[key] for key in keys)
                if key not in found or row.get("status") != FAILED:
                    found[key] = row
        return list(found.values())

    def sweep(self) -> None:
        """Remove what those who were killed have left, unless somebody is at work."""
        if claims.sweep(self.store):
            for folder in (*self.schemas, "policies"):
                self.store.sweep(folder)

    def done(self) -> set[str]:
        """The run_ids that are complete here; a part that was seen before is not read again."""
        present = self.store.names("runs", ".parquet")
        self._complete = {
            name: self._complete.get(name) or [r["run_id"] for r in self._part("runs", name) if r["status"] != FAILED]
            for name in present
        }
        return {run for runs in self._complete.values() for run in runs}

    def fingerprint(self) -> str:
        """A hash of all that the records say but for when they were made and how long it took."""
        runs = [{k: v for k, v in row.items() if k not in MEASURED} for row in self.read("runs")]
        curves = sorted(self.read("curves"), key=lambda row: (row["run_id"], row["metric"], row["agent"]))
        return digest([sorted(runs, key=lambda row: str(row["run_id"])), curves])

    def verify(self) -> None:
        """Set aside runs whose curves or policies are damaged, with a RuntimeWarning; they count as missing then."""
        for name in self.store.names("runs", ".parquet"):
            rows, curves = self._part("runs", name), name.replace("runs", "curves", 1)
            for row in rows:
                reason = self._harm(row)
                if reason:
                    self._set_aside(name, f"refers to a policy that {reason}")
                    break
            else:
                learned = any(row["kind"] == "learner" and row["status"] != FAILED for row in rows)
                if learned and not (self.store.exists(curves) and self._part("curves", curves)):
                    self._set_aside(name, "has lost its curves")

    def _harm(self, row: Row) -> str | None:
        """What is wrong with the policy of a run."""
        if row["policy_file"] is None:
            return None
        suffix = ".safetensors" if row["parameters"] else ".json"  # where its numbers are
        try:
            data = self.store.read(f"{row['policy_file']}{suffix}")
        except OSError:
            return f"is gone: {row['policy_file']}{suffix}"
        same = hashlib.sha256(data).hexdigest() == row["policy_sha256"]
        return None if same else f"has another checksum: {row['policy_file']}{suffix}"

    def _part(self, table: str, name: str, where: pc.Expression | None = None) -> list[Row]:
        try:
            source = pa.BufferReader(self.store.read(name))
            part = pq.ParquetFile(source, page_checksum_verification=True)
            content = aligned(part.read(), self.schemas[table])
            rows: list[Row] = (content if where is None else content.filter(where)).to_pylist()
        except FileNotFoundError:  # removed since it was listed
            return []
        except (pa.ArrowException, OSError, ValueError) as reason:
            cause = str(reason).split("\n")[0]
            self._set_aside(name, f"cannot be read ({cause})")
            return []
        return rows

    def _set_aside(self, name: str, reason: str) -> None:
        aside = name.removesuffix(".parquet") + ".damaged"
        self.store.rename(name, aside)
        text = f"{self.store.url}/{name} {reason}; it is now {aside} and its runs will be done again"
        warnings.warn(text, RuntimeWarning, stacklevel=4)


def aligned(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """The columns of ``schema``: what an earlier version did not write is null, what a later one added is left out."""
    missing = [field for field in schema if field.name not in table.column_names]
    for field in missing:
        table = table.append_column(field, pa.nulls(len(table), field.type))
    return table.select(schema.names).cast(schema)


def _clean(row: Mapping[str, Any], schema: pa.Schema) -> Row:
    """A row with plain values, in which nothing is NaN or infinite and moments are no longer text."""
    unknown = sorted(set(row) - set(schema.names))
    if unknown:
        raise ValueError(f"columns {unknown} are not in the table; add them to coopgym.study.schema first")
    clean = {name: finite(_plain(row.get(name))) for name in schema.names}
    for column in schema:
        if column.type == MOMENT and isinstance(clean[column.name], str):
            clean[column.name] = datetime.fromisoformat(clean[column.name])
    return clean


def _plain(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else value
