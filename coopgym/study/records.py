"""Records on disk: Parquet parts that are either whole or absent, keyed by run_id, so that work can be resumed."""

from __future__ import annotations

import hashlib
import re
import uuid
import warnings
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from coopgym.algorithms.policy import Policy
from coopgym.algorithms.record import digest, finite
from coopgym.algorithms.storage import packed
from coopgym.extras import explained
from coopgym.files import check_name
from coopgym.study import claims
from coopgym.study.parts import DamageError, ForeignError, aligned, decode, encode, summed
from coopgym.study.schema import MOMENT, SCHEMAS
from coopgym.study.store import store

with explained("coopgym.study"):
    import pyarrow as pa
    import pyarrow.compute as pc

__all__ = ["FAILED", "Records", "Row", "aligned"]

Row = dict[str, Any]
MEASURED = ("created", "seconds", "program_seconds", "env_steps_per_second")  # columns that differ from time to time
KEYS = ("run_id", "metric", "agent", "effort")  # those that a table has tell its rows apart
NEEDED = ("run_id", "status", "algorithm", "game", "reward_mode")  # columns of a run that are never null
FAILED = "failed"  # the status of a record that says why there is no result
PART = re.compile(r"[0-9a-f]{24}(\.failed)?\.parquet")  # names that programs give their parts
AGAIN = "its runs count as missing"
OWNERS = {"curves": "runs", "audit_curves": "audits"}  # tables whose rows name no version: parts of one name are of one
DAMAGED = ".damaged"  # how the name of a part ends that was set aside


class Records:
    """The tables of one study, as parts ``<folder>/<table>/<name>.parquet``; ``out`` is a path or a URL.

    A part is written to a temporary file beside its place, flushed to the disk and renamed: whoever reads sees all of
    it or nothing. A program writes its other tables first and ``runs`` last, so a run found in ``runs`` is complete.

    Reading never changes anything. A part that is damaged is named in a RuntimeWarning, and its rows are left out; it
    is set aside by ``repair`` only, which the command that does its runs again calls. A file that this package has not
    written is left alone. Errors of the place itself (no permission, no connection) are raised: they are no damage.
    """

    def __init__(self, out: str | Path, schemas: Mapping[str, pa.Schema] = SCHEMAS) -> None:
        """``schemas``: columns by table; tables of another package stand beside those of ``coopgym.study.schema``."""
        self.store, self.schemas = store(out), schemas
        self._complete: dict[str, list[str]] = {}  # part -> run_ids; a part never changes what it holds
        self._said: set[str] = set()  # parts that a warning has named

    @property
    def folder(self) -> Path:
        """On this machine; of a URL, where what only this machine needs is kept."""
        return self.store.local

    def check(self) -> None:
        """OSError with the reason if nothing can be written here: better now than after the first program."""
        probe = f".writable.{uuid.uuid4().hex}"
        try:
            self.store.write(probe, b"")
            self.store.remove(probe)
        except OSError as error:
            raise OSError(f"out={self.store.url!r} cannot be written ({error}); name another folder") from error

    def write(self, table: str, part: str, rows: Iterable[Mapping[str, Any]]) -> Path:
        """Write ``rows`` as one part and return where it is.

        Columns are those of the table's schema; what a row leaves out is null, and so is a non-finite number. A part of
        the same name is replaced; anything else of that name is set aside under a free name, with a RuntimeWarning.

        Raises:
            ValueError: For a column that the table does not have.
        """
        schema, name = self.schemas[table], f"{table}/{part}.parquet"
        clean = [_clean(row, schema) for row in rows]
        data = encode(pa.Table.from_pylist(clean, schema=schema))
        if self.store.exists(name) and not self._sound(table, name):
            self._set_aside(name, "is damaged or was not written by coopgym")
        self._complete.pop(name, None)
        self.store.write(name, data)
        return Path(self.store.url) / name

    def has(self, part: str) -> bool:
        """Whether the runs of a part are there, and can be read."""
        name = f"runs/{part}.parquet"
        return self.store.exists(name) and self._sound("runs", name)

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

        Not flushed to the disk: should the power fail, ``repair`` misses what was lost, and its run is done again.
        """
        files = packed(policy)
        sha256 = hashlib.sha256(files[".safetensors" if numbers else ".json"]).hexdigest()
        own = f"{name}-{sha256[:12]}"
        for suffix, data in files.items():
            self.store.write(f"{own}{suffix}", data, durable=False)
        return own, sha256

    def read(self, table: str, where: pc.Expression | None = None, columns: Sequence[str] | None = None) -> list[Row]:
        """All rows of a table, or those that ``where`` chooses, sorted by part.

        Of two rows with one key the later part's is kept, a failed one last. A table that was packed into one file,
        ``<table>.parquet``, counts as its first part.

        Args:
            table: Its name.
            where: Rows that are wanted; all by default.
            columns: Columns that are wanted, the key and the status always with them; all by default.
        """
        schema = self.schemas[table]
        keys = [name for name in KEYS if name in schema.names]
        if columns is not None:
            schema = pa.schema([field for field in schema if field.name in {*columns, *keys, "status"}])
        found: dict[tuple[Any, ...], Row] = {}
        for part in self.tables(table, schema, where):
            for row in part.to_pylist():
                key = tuple(row[key] for key in keys)
                if key not in found or row.get("status") != FAILED:
                    found[key] = row
        return list(found.values())

    def tables(
        self, table: str, schema: pa.Schema, where: pc.Expression | None = None, *, strict: bool = False
    ) -> Iterator[pa.Table]:
        """Each part of a table with the columns of ``schema``; parts that cannot be read are left out.

        strict: raise ValueError for a damaged part instead.
        """
        packed = f"{table}.parquet"
        for name in [*([packed] if self.store.exists(packed) else []), *self.store.names(table, ".parquet")]:
            try:
                found = self._decode(table, name, schema, where)
            except ValueError as error:
                if strict and not isinstance(error, ForeignError):
                    cure = "`coopgym study run` sets it aside and does its runs again"
                    raise ValueError(f"{self.store.url}/{name} cannot be read ({error}); {cure}") from None
                self._warn(name, error)
                continue
            if found is not None:
                yield found

    def sweep(self) -> None:
        """Remove what those who were killed have left, unless somebody is at work."""
        if claims.sweep(self.store):
            for folder in (*self.schemas, "policies"):
                self.store.sweep(folder)

    def done(self) -> set[str]:
        """The run_ids that are complete here; a part that was seen before is not read again."""
        complete = {}
        for name in self.store.names("runs", ".parquet"):
            found = self._complete.get(name)
            complete[name] = self._finished(name) if found is None else found
        self._complete = {name: runs for name, runs in complete.items() if runs is not None}
        return {run for runs in self._complete.values() for run in runs}

    def fingerprint(self) -> str:
        """A hash of all that the records say but for when they were made and how long it took."""
        runs = [{k: v for k, v in row.items() if k not in MEASURED} for row in self.read("runs")]
        curves = sorted(self.read("curves"), key=lambda row: (row["run_id"], row["metric"], row["agent"]))
        return digest([sorted(runs, key=lambda row: str(row["run_id"])), curves])

    def repair(self, plan: Collection[str]) -> None:
        """Set aside parts that are damaged and whose runs are about to be done again, with a RuntimeWarning.

        A part is damaged if its content is not what was written, or if curves or a policy of its runs are. Its runs
        count as missing then.

        Args:
            plan: The run_ids that will be done if they are missing. Parts with other runs are left alone, and so is a
                damaged part where nothing of the plan is missing.
        """
        lost = []
        for name, runs, reason in self._harmed():
            if runs is None:
                lost.append((name, reason))
            elif runs <= set(plan):
                self._set_aside(name, f"{reason}; its runs will be done again")
                curves = name.replace("runs", "curves", 1)
                if curves in reason:
                    self.store.set_aside(curves, DAMAGED)
        self._said |= {name for name, _ in lost}
        if set(plan) - self.done():
            for name, reason in lost:
                if PART.fullmatch(name.rpartition("/")[2]):
                    self._set_aside(name, f"{reason}; its runs will be done again")

    def verify(self) -> None:
        """Name each part that is damaged, or whose curves or policies are, in a RuntimeWarning; nothing is changed."""
        for name, _, reason in self._harmed():
            warnings.warn(f"{self.store.url}/{name} {reason}", RuntimeWarning, stacklevel=2)

    def _harmed(self) -> Iterator[tuple[str, set[str] | None, str]]:
        """(name, run_ids, what is wrong) of each damaged part of ``runs``; None where its runs cannot be read."""
        for name in self.store.names("runs", ".parquet"):
            try:
                part = self._decode("runs", name, self.schemas["runs"])
            except DamageError as error:
                yield name, None, f"cannot be read ({error})"
                continue
            except ForeignError:
                continue
            rows = [] if part is None else part.to_pylist()
            reason = self._harm(name, rows)
            if reason:
                yield name, {row["run_id"] for row in rows}, reason

    def _harm(self, name: str, rows: Sequence[Row]) -> str | None:
        """What is wrong with the policies or curves of a part of ``runs``."""
        for row in rows:
            reason = self._harm_of_policy(row)
            if reason:
                return f"refers to a policy that {reason}"
        if not any(row["kind"] == "learner" and row["status"] != FAILED for row in rows):
            return None
        curves = name.replace("runs", "curves", 1)
        try:
            found = self._decode("curves", curves, self.schemas["curves"]) if self.store.exists(curves) else None
        except ValueError as error:
            return f"has lost its curves: {curves} cannot be read ({error})"
        return None if found is not None and len(found) else "has lost its curves"

    def _harm_of_policy(self, row: Row) -> str | None:
        """What is wrong with the policy of a run."""
        if row["policy_file"] is None:
            return None
        suffix = ".safetensors" if row["parameters"] else ".json"  # where its numbers are
        try:
            data = self.store.read(f"{check_name(row['policy_file'])}{suffix}")
        except FileNotFoundError:
            return f"is gone: {row['policy_file']}{suffix}"
        except ValueError as error:
            return f"is not in this folder: {error}"
        same = hashlib.sha256(data).hexdigest() == row["policy_sha256"]
        return None if same else f"has another checksum: {row['policy_file']}{suffix}"

    def _finished(self, name: str) -> list[str] | None:
        """The run_ids of a part that did not fail; None where it cannot be read."""
        schema = pa.schema([self.schemas["runs"].field(column) for column in NEEDED])
        try:
            part = self._decode("runs", name, schema)
        except ValueError as error:
            self._warn(name, error)
            return None
        return [row["run_id"] for row in part.to_pylist() if row["status"] != FAILED] if part is not None else []

    def _sound(self, table: str, name: str) -> bool:
        try:
            return self._decode(table, name, self.schemas[table]) is not None
        except ValueError:
            return False

    def _decode(self, table: str, name: str, schema: pa.Schema, where: pc.Expression | None = None) -> pa.Table | None:
        """A part, or None if it was removed since it was listed; DamageError or ForeignError."""
        try:
            data = self.store.read(name)
        except FileNotFoundError:
            return None
        found = decode(data, table, schema, where)
        if not summed(data) and table in OWNERS and self._has_checksum(name.replace(table, OWNERS[table], 1)):
            raise DamageError(f"it has lost its checksum, which the part of {OWNERS[table]} with its name has")
        empty = [column for column in NEEDED if table == "runs" and column in schema.names and found[column].null_count]
        if empty:
            raise DamageError(f"it has runs without {empty[0]}")
        return found

    def _has_checksum(self, name: str) -> bool:
        try:
            return summed(self.store.read(name))
        except FileNotFoundError:
            return False

    def _warn(self, name: str, error: ValueError) -> None:
        if name not in self._said:
            self._said.add(name)
            what = "is left alone" if isinstance(error, ForeignError) else AGAIN
            warnings.warn(f"{self.store.url}/{name} cannot be read ({error}); {what}", RuntimeWarning, stacklevel=4)

    def _set_aside(self, name: str, reason: str) -> None:
        aside = self.store.set_aside(name, DAMAGED)
        warnings.warn(f"{self.store.url}/{name} {reason}; it is now {aside}", RuntimeWarning, stacklevel=4)


def _clean(row: Mapping[str, Any], schema: pa.Schema) -> Row:
    """A row with plain values, in which nothing is NaN or infinite and moments are no longer text."""
    unknown = sorted(set(row) - set(schema.names))
    if unknown:
        raise ValueError(f"columns {unknown} are not in the table; add them to coopgym.study.schema first")
    clean = {name: finite(plain(row.get(name))) for name in schema.names}
    for column in schema:
        if column.type == MOMENT and isinstance(clean[column.name], str):
            clean[column.name] = datetime.fromisoformat(clean[column.name])
    return clean


def plain(value: Any) -> Any:
    """Lists and numbers of Python for what NumPy holds."""
    return value.tolist() if hasattr(value, "tolist") else value
