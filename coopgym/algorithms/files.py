"""Files that are either whole or absent: what a reader finds under a name has been written to its end."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def atomic_path(path: Path, durable: bool = True) -> Iterator[Path]:
    """Where to write a file, which takes the place of ``path`` when the block ends well, and vanishes otherwise.

    It stands beside ``path``, is flushed to the disk, then renamed. The folder must exist. durable: False for a file
    whose loss, should the power fail, would be noticed and mended: flushing takes far longer than writing.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        if durable:
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    if durable:
        _sync(path.parent)


@contextmanager
def atomic_file(path: Path, durable: bool = True) -> Iterator[IO[bytes]]:
    """The same, opened for writing."""
    with atomic_path(path, durable) as temporary, temporary.open("wb") as file:
        yield file


def write_atomically(path: Path, data: bytes, durable: bool = True) -> None:
    """Put ``data`` under ``path``, whole or not at all."""
    with atomic_file(path, durable) as file:
        file.write(data)


def _sync(folder: Path) -> None:
    """Make a rename in ``folder`` durable, where the system lets folders be opened."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
