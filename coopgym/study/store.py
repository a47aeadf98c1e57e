"""Where records are kept: a folder of this machine, or anything that fsspec can reach by a URL (``s3://bucket/study``).

Both do the same few things. Names are paths below the root, with slashes.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
import uuid
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

from coopgym.algorithms.record import digest
from coopgym.files import output_path, private_folder, set_aside, sweep, write_atomically


class Store(Protocol):
    """What a place for records can do."""

    url: str

    @property
    def local(self) -> Path:
        """A folder of this machine for files that only it needs."""

    def names(self, folder: str, suffix: str) -> list[str]:
        """Names in ``folder`` that end in ``suffix``, sorted; hidden ones are left out."""

    def read(self, name: str) -> bytes:
        """Content; OSError if there is none."""

    def write(self, name: str, data: bytes, durable: bool = True) -> None:
        """Put ``data`` under a name, whole or not at all. durable: so that it outlives a power failure."""

    def create(self, name: str, data: bytes) -> bool:
        """The same if the name is free; of several that try at once, one is told True."""

    def exists(self, name: str) -> bool:
        """Whether there is something under a name."""

    def age(self, name: str, probe: bool = True) -> float | None:
        """Seconds since a name was written or touched; None if it is gone.

        probe: by the clock of the place itself, for which a file is written there for a moment; else, and where that
        is not allowed, by the clock of this machine.
        """

    def touch(self, name: str) -> None:
        """Make a name new again."""

    def rename(self, name: str, new: str) -> None:
        """Give another name, in place of what has it."""

    def set_aside(self, name: str, suffix: str) -> str:
        """Give the ending ``suffix`` in place of its own, under a name that is free; the new name."""

    def remove(self, name: str) -> None:
        """Delete, if it is there."""

    def tidy(self, folder: str) -> None:
        """Remove a folder in which nothing is left."""

    def sweep(self, folder: str) -> None:
        """Remove what writings that were killed have left in a folder; only while nobody writes."""


def store(out: str | Path) -> Store:
    """The place that ``out`` names: a path, or a URL with a scheme.

    Raises:
        ValueError: For an empty name, a file, and a URL that pathlib has shortened (``s3:/bucket``).
    """
    text = os.fspath(out)
    if "://" in text and not text.startswith("file://"):
        return Remote(text)
    return Folder(output_path(text.removeprefix("file://")))


class Folder:
    """A folder of this machine, or of a disk that several share."""

    def __init__(self, folder: str | Path) -> None:
        self._local, self.url = Path(folder), str(folder)
        if self.local.exists() and not self.local.is_dir():
            raise ValueError(f"out={str(folder)!r} is a file; give the name of a folder")

    @property
    def local(self) -> Path:  # noqa: D102
        return self._local

    def names(self, folder: str, suffix: str) -> list[str]:  # noqa: D102
        try:  # glob would take a folder that may not be listed for an empty one
            found = os.listdir(self.local / folder)
        except FileNotFoundError:
            return []
        except NotADirectoryError:
            place = str(self.local / folder)
            raise NotADirectoryError(f"{place!r} is a file, and a folder is needed there; move it") from None
        return sorted(f"{folder}/{name}" for name in found if name.endswith(suffix) and not name.startswith("."))

    def read(self, name: str) -> bytes:  # noqa: D102
        return (self.local / name).read_bytes()

    def write(self, name: str, data: bytes, durable: bool = True) -> None:  # noqa: D102
        write_atomically(self._at(name), data, durable)

    def create(self, name: str, data: bytes) -> bool:  # noqa: D102
        path = self._at(name)
        try:
            handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
        except FileExistsError:
            return False
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        return True

    def exists(self, name: str) -> bool:  # noqa: D102
        return (self.local / name).exists()

    def age(self, name: str, probe: bool = True) -> float | None:  # noqa: D102
        try:
            written = (self.local / name).stat().st_mtime
        except FileNotFoundError:
            return None
        if probe:
            with (
                contextlib.suppress(OSError),  # a folder that may only be read
                tempfile.NamedTemporaryFile(dir=self.local / Path(name).parent, prefix=".now.") as file,
            ):
                return os.fstat(file.fileno()).st_mtime - written  # a server's clock on both sides
        return time.time() - written

    def touch(self, name: str) -> None:  # noqa: D102
        os.utime(self.local / name)

    def rename(self, name: str, new: str) -> None:  # noqa: D102
        (self.local / name).replace(self.local / new)

    def set_aside(self, name: str, suffix: str) -> str:  # noqa: D102
        return str(PurePosixPath(name).with_name(set_aside(self.local / name, suffix).name))

    def remove(self, name: str) -> None:  # noqa: D102
        (self.local / name).unlink(missing_ok=True)

    def tidy(self, folder: str) -> None:  # noqa: D102
        with contextlib.suppress(OSError):  # something is in it, or it is not there
            (self.local / folder).rmdir()

    def sweep(self, folder: str) -> None:  # noqa: D102
        sweep(self.local / folder)

    def _at(self, name: str) -> Path:
        path = self.local / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except FileExistsError:
            raise NotADirectoryError(f"{str(path.parent)!r} is a file, and a folder is needed there; move it") from None
        return path


class Remote:
    """A place behind a URL. An upload is whole or absent there, so it needs no temporary name."""

    def __init__(self, url: str) -> None:
        import fsspec

        try:
            self.system, self.root = fsspec.core.url_to_fs(url)
        except (ImportError, ValueError) as error:
            raise ValueError(f"out={url!r} cannot be reached: {error}") from None
        self.url = url

    @property
    def local(self) -> Path:  # noqa: D102
        return private_folder(digest(self.url))

    def names(self, folder: str, suffix: str) -> list[str]:  # noqa: D102
        place = self._at(folder)
        with contextlib.suppress(FileNotFoundError):
            self.system.invalidate_cache()
            found = [str(path).rpartition("/")[2] for path in self.system.ls(place, detail=False)]
            return sorted(f"{folder}/{name}" for name in found if name.endswith(suffix) and not name.startswith("."))
        return []

    def read(self, name: str) -> bytes:  # noqa: D102
        data: bytes = self.system.cat_file(self._at(name))
        return data

    def write(self, name: str, data: bytes, durable: bool = True) -> None:  # noqa: D102
        self.system.makedirs(self._at(name).rpartition("/")[0], exist_ok=True)
        self.system.pipe_file(self._at(name), data)

    def create(self, name: str, data: bytes) -> bool:  # noqa: D102
        self.system.makedirs(self._at(name).rpartition("/")[0], exist_ok=True)
        try:
            self.system.pipe_file(self._at(name), data, mode="create")
        except FileExistsError:
            return False
        return True

    def exists(self, name: str) -> bool:  # noqa: D102
        return bool(self.system.exists(self._at(name)))

    def age(self, name: str, probe: bool = True) -> float | None:  # noqa: D102
        try:
            written: Any = self.system.modified(self._at(name))
        except FileNotFoundError:
            return None
        now: Any = datetime.now(written.tzinfo)
        if probe:
            with contextlib.suppress(OSError):  # a place that may only be read
                file = f"{name}.{uuid.uuid4().hex}.now"
                self.write(file, b"")
                now = self.system.modified(self._at(file))
                self.remove(file)
        return float((now - written).total_seconds())

    def touch(self, name: str) -> None:  # noqa: D102
        self.write(name, self.read(name))

    def rename(self, name: str, new: str) -> None:  # noqa: D102
        self.system.mv(self._at(name), self._at(new))

    def set_aside(self, name: str, suffix: str) -> str:  # noqa: D102
        stem, count = str(PurePosixPath(name).with_suffix("")), 1
        while self.exists(aside := f"{stem}{'' if count == 1 else f'-{count}'}{suffix}"):
            count += 1
        self.rename(name, aside)
        return aside

    def remove(self, name: str) -> None:  # noqa: D102
        with contextlib.suppress(FileNotFoundError):
            self.system.rm_file(self._at(name))

    def tidy(self, folder: str) -> None:  # noqa: D102
        with contextlib.suppress(OSError, FileNotFoundError):
            self.system.rmdir(self._at(folder))

    def sweep(self, folder: str) -> None:  # noqa: D102
        return None  # an upload that was killed leaves nothing

    def _at(self, name: str) -> str:
        return f"{self.root.rstrip('/')}/{name}"
