"""Parquet files with a checksum over all of their bytes: how parts of records are written, checked and read.

The checksum stands in the gap between the data pages and the footer, where readers of Parquet do not look. It covers
everything else, so that a flipped bit anywhere in the footer is found before a column is taken for missing.
"""

from __future__ import annotations

import hashlib
from typing import Any

from coopgym.extras import explained
from coopgym.study import earlier

with explained("coopgym.study"):
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

MAGIC = b"coopgym sha256 "
SIZE = len(MAGIC) + 64
TAIL = 8  # bytes after the footer: its length, and the name of the format
NAMED = ("run_id",)  # columns without which a file is not a part of records


class DamageError(ValueError):
    """A part whose content is proven to be other than what was written."""


class ForeignError(ValueError):
    """A file that this package has not written."""


def encode(table: pa.Table, **options: Any) -> bytes:
    """A table as the content of a Parquet file with a checksum; the same table gives the same bytes.

    Args:
        table: Columns of a schema of ``coopgym.study.schema``.
        **options: For ``pyarrow.parquet.write_table``.
    """
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, **{"compression": "zstd", "write_page_checksum": True, **options})
    data: bytes = sink.getvalue().to_pybytes()
    footer = _footer(data)
    digest = hashlib.sha256(data).hexdigest().encode()
    return data[:footer] + MAGIC + digest + data[footer:]


def summed(data: bytes) -> bool:
    """Whether a file has a checksum, right or wrong."""
    return data.startswith(MAGIC, max(0, _footer(data) - SIZE))


def check(data: bytes) -> bool:
    """Whether a file has a checksum.

    Raises:
        DamageError: If it has one, and the content has another.
    """
    if not summed(data):
        return False
    footer, view = _footer(data), memoryview(data)
    block = data[footer - SIZE : footer]
    total = hashlib.sha256(view[: footer - SIZE])
    total.update(view[footer:])
    if total.hexdigest().encode() != block[len(MAGIC) :]:
        raise DamageError("its content has another checksum")
    return True


def decode(data: bytes, table: str, schema: pa.Schema, where: pc.Expression | None = None) -> pa.Table:
    """The columns of ``schema``, checked; what a later version added is left out.

    Args:
        data: Content of a part.
        table: The name of its table.
        schema: Columns that are wanted, some or all of the table's.
        where: Rows that are wanted; all by default.

    Raises:
        DamageError: If the content is damaged, or lacks a column or the checksum that its version wrote.
        ForeignError: If this is a table of something else.
    """
    checked = check(data)
    try:
        part = pq.ParquetFile(pa.BufferReader(data), page_checksum_verification=True)
        there = part.schema_arrow.names
        if not set(NAMED) <= set(there):
            raise ForeignError(f"it has no column {NAMED[0]!r}")
        missing = [name for name in schema.names if name not in there]
        if not checked:
            _check_earlier(part, table, missing)
        found = aligned(part.read([name for name in schema.names if name in there]), schema)
        return found if where is None else found.filter(where)
    except (pa.ArrowException, OSError, EOFError, ValueError, UnicodeDecodeError, MemoryError) as error:
        if isinstance(error, (DamageError, ForeignError)):
            raise
        raise DamageError(str(error).split("\n")[0][:300] or type(error).__name__) from None


def aligned(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """The columns of ``schema``: what an earlier version did not write is null, what a later one added is left out."""
    missing = [field for field in schema if field.name not in table.column_names]
    for field in missing:
        table = table.append_column(field, pa.nulls(len(table), field.type))
    return table.select(schema.names).cast(schema)


def _check_earlier(part: pq.ParquetFile, table: str, missing: list[str]) -> None:
    """What a part without a checksum may be: rows of a version that wrote neither that nor the missing columns.

    Raises:
        DamageError: If any row is of a version that writes a checksum, which is lost then, or should have the columns.
    """
    known = "package_version" in part.schema_arrow.names
    versions = set(part.read(["package_version"])["package_version"].to_pylist()) if known else {None}
    later = [each for each in versions if each is not None and not str(each).startswith(earlier.VERSION)]
    if later:
        raise DamageError(f"it has lost its checksum, which coopgym {min(map(str, later))!r:.40} writes")
    if missing and (None in versions or set(missing) & earlier.COLUMNS.get(table, set(missing))):
        raise DamageError(f"it has neither a checksum nor the column {missing[0]!r}")


def _footer(data: bytes) -> int:
    """Where the footer of a Parquet file begins; 0 for anything else."""
    if len(data) < TAIL + 4 or data[-4:] != b"PAR1":
        return 0
    start = len(data) - TAIL - int.from_bytes(data[-TAIL:-4], "little")
    return max(start, 0)
