"""Records on disk: Parquet parts that are either whole or absent, keyed by run_id, so that work can be resumed."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from coopgym.algorithms.files import atomic_file
from coopgym.algorithms.record import finite
from coopgym.study.schema import MOMENT, SCHEMAS

Row = dict[str, Any]
KEYS = ("run_id", "metric", "agent", "effort")  # those that a table has tell its rows apart


class Records:
    """The tables of one study, as parts ``<folder>/<table>/<name>.parquet``.

    A part is written to a temporary file beside its place, flushed to the disk and renamed: whoever reads sees all of
    it or nothing. A program writes its other tables first and ``runs`` last, so a run found in ``runs`` is complete.
    """

    def __init__(self, folder: str | Path, schemas: Mapping[str, pa.Schema] = SCHEMAS) -> None:
        """``schemas``: columns by table; another room's tables stand beside those of ``coopgym.study.schema``."""
        self.folder, self.schemas = Path(folder), schemas
        if self.folder.exists() and not self.folder.is_dir():
            raise ValueError(f"out={str(folder)!r} is a file; give the name of a folder")

    def write(self, table: str, part: str, rows: Iterable[Mapping[str, Any]]) -> Path:
        """Write ``rows`` as one part and return its path; a part of the same name is replaced.

        Columns are those of the table's schema; what a row leaves out is null, and so is a non-finite number.
        Raises ValueError for a column that the table does not have.
        """
        schema = self.schemas[table]
        clean = [_clean(row, schema) for row in rows]
        folder = self.folder / table
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / f"{part}.parquet"
        with atomic_file(target) as file:
            pq.write_table(pa.Table.from_pylist(clean, schema=schema), file, compression="zstd")
        return target

    def read(self, table: str) -> list[Row]:
        """All rows of a table, sorted by part; of two rows with one key the later part's is kept.

        A part that cannot be read is named in a RuntimeWarning and set aside as ``*.damaged``, so its runs count as
        missing and are done again.
        """
        keys = [name for name in KEYS if name in self.schemas[table].names]
        found: dict[tuple[Any, ...], Row] = {}
        for path in sorted((self.folder / table).glob("*.parquet")):
            for row in self._part(table, path):
                found[tuple(row[key] for key in keys)] = row
        return list(found.values())

    def done(self) -> set[str]:
        """The run_ids that are complete here."""
        return {row["run_id"] for row in self.read("runs")}

    def _part(self, table: str, path: Path) -> list[Row]:
        schema = self.schemas[table]
        try:
            # ParquetFile reads this file alone; read_table would take the folder for a partitioned data set
            rows: list[Row] = pq.ParquetFile(path).read().cast(schema).to_pylist()
        except (pa.ArrowException, OSError, ValueError) as reason:
            aside = path.with_suffix(".damaged")
            path.replace(aside)
            cause = str(reason).split("\n")[0]
            warnings.warn(
                f"{path} cannot be read ({cause}); it is now {aside.name} and its runs will be done again",
                RuntimeWarning,
                stacklevel=3,
            )
            return []
        return rows


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
