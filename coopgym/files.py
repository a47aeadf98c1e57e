"""Atomic writes of files and folders, and the rule that only files of this package are ever replaced.

A reader finds a file or folder whole or not at all. Modes of new files follow the umask. What somebody else has
written is never removed, renamed or replaced: it is refused by name, before anything changes.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import stat
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from glob import escape
from pathlib import Path
from typing import IO, Any

ENDING = ".coopgym.tmp"  # of the temporary names that this module gives
LEFTOVER = re.compile(rf"\.(.+)\.[0-9a-f]{{12}}{re.escape(ENDING)}")
MARKER = ".coopgym.json"  # in a folder that was built here: what it is, and the checksum of each of its files
PICTURE = "coopgym picture"  # stands in each picture made here as the program that made it
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]*")  # of files that are named after something in a record
SHOWN = 3  # files that an error names
# of URLs that fsspec knows; other names may have a colon, such as run:1
SCHEMES = [
    "abfs",
    "abfss",
    "adl",
    "az",
    "dbfs",
    "dropbox",
    "file",
    "filecache",
    "ftp",
    "gcs",
    "gdrive",
    "github",
    "gs",
    "hdfs",
    "hf",
    "http",
    "https",
    "local",
    "memory",
    "oci",
    "oss",
    "r2",
    "s3",
    "s3a",
    "sftp",
    "simplecache",
    "smb",
    "ssh",
    "tos",
    "wandb",
    "webdav",
    "webhdfs",
    "zip",
]


class OverwriteError(ValueError):
    """Something that this package has not written is in the way of an output."""


@contextmanager
def atomic_path(path: Path, durable: bool = True) -> Iterator[Path]:
    """Write a file under a temporary name and rename it to ``path`` when the block ends without an error.

    The temporary file is in the folder of ``path``, which must exist; it is removed after an error. Its mode follows
    the umask, also where a library puts a file of its own in its place.

    Args:
        path: Final name; a file of that name is replaced.
        durable: Flush the file to the disk first. False for a file whose loss after a power failure would be noticed
            and mended: flushing takes far longer than writing.
    """
    temporary = _temporary(path)
    handle = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
    mode = stat.S_IMODE(os.fstat(handle).st_mode)
    os.close(handle)
    try:
        yield temporary
        if stat.S_IMODE(temporary.stat().st_mode) != mode:
            temporary.chmod(mode)  # safetensors gives its files to their owner alone
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
    """Like ``atomic_path``, with the file opened for writing."""
    with atomic_path(path, durable) as temporary, temporary.open("wb") as file:
        yield file


def write_atomically(path: Path, data: bytes, durable: bool = True) -> None:
    """Write ``data`` to ``path``, whole or not at all."""
    with atomic_file(path, durable) as file:
        file.write(data)


def write_own(path: Path, data: bytes, own: Callable[[bytes], bool]) -> None:
    """Write ``data`` to ``path`` unless a file is there that is not ours.

    Args:
        path: Name of the output; its folder is made.
        data: New content.
        own: Whether the present content of ``path`` was written by this package.

    Raises:
        OverwriteError: If ``own`` says no, or ``path`` is a folder.
    """
    check_own(path, own)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, data)


def check_own(path: Path, own: Callable[[bytes], bool]) -> None:
    """Raise OverwriteError if ``path`` is a folder, or a file whose content ``own`` does not accept."""
    if path.is_dir():
        raise OverwriteError(f"{str(path)!r} is a folder; give the name of a file")
    if os.path.lexists(path) and not (path.is_file() and own(path.read_bytes())):
        raise OverwriteError(f"{str(path)!r} was not written by coopgym; move it away or give another name")


def check_picture(path: Path) -> None:
    """Raise OverwriteError if ``path`` is a folder, or a file that is no picture made by this package."""
    check_own(path, _is_picture)


def write_picture(path: Path, data: bytes) -> None:
    """Write a picture, which holds PICTURE, in the place of one that was made here; see ``check_picture``."""
    write_own(path, data, _is_picture)


def _is_picture(content: bytes) -> bool:
    return PICTURE.encode() in content


def set_aside(path: Path, suffix: str) -> Path:
    """Rename ``path`` so that it ends in ``suffix``, under a name that nothing has yet.

    Returns:
        The new name: ``<stem><suffix>``, ``<stem>-2<suffix>`` and so on.
    """
    count = 1
    while True:
        aside = path.with_name(f"{path.stem}{'' if count == 1 else f'-{count}'}{suffix}")
        try:
            os.link(path, aside)  # unlike a rename, this fails where the name is taken
        except FileExistsError:
            count += 1
            continue
        except OSError:  # a file system without hard links
            if os.path.lexists(aside):
                count += 1
                continue
            path.rename(aside)
            return aside
        path.unlink()
        return aside


def sweep(folder: Path, name: str = "") -> None:
    """Remove what interrupted writes of this module have left in a folder; call it only while nobody writes there.

    name: only what was to become this file.
    """
    for path in folder.glob(f".{escape(name)}*{ENDING}"):
        found = LEFTOVER.fullmatch(path.name)
        if found and name in ("", found[1]) and path.is_file():
            path.unlink(missing_ok=True)


def file_name(text: str) -> str:
    """``text`` if it may be the name of a file: letters, digits and ``_ . + : -`` only.

    Raises:
        ValueError: For anything else, such as a path.
    """
    if not isinstance(text, str) or not NAME.fullmatch(text) or len(text) > 200:
        raise ValueError(f"{text!r:.200} cannot be the name of a file: letters, digits, '_', '.' and '-' are allowed")
    return text


def check_name(name: Any) -> str:
    """``name`` if it is a relative path of ordinary names, such as ``policies/run-1``.

    Raises:
        ValueError: For anything else: another type, an absolute path, "..", an empty name.
    """
    if not isinstance(name, str) or not all(NAME.fullmatch(part) for part in name.split("/")):
        raise ValueError(f"{name!r:.200} is not the name of a file")
    return name


def inside(folder: Path, name: Any) -> Path:
    """The path of ``name`` in ``folder``.

    Raises:
        ValueError: If ``name`` is no relative path, or leads out of the folder (also by a link).
    """
    path = folder.joinpath(*check_name(name).split("/"))
    if not path.resolve().is_relative_to(folder.resolve()):
        raise ValueError(f"{name!r:.200} leads out of {str(folder)!r}")
    return path


def output_path(given: str | Path, name: str = "out") -> Path:
    """The path of an output on this machine, with ``~`` replaced by the user's home.

    Raises:
        ValueError: For an empty name, or a URL.
    """
    text = os.fspath(given)
    if not text or "\0" in text:
        raise ValueError(f"{name}={text!r} is no path; give the name of a file or folder")
    scheme = re.match(r"([a-z][a-z0-9+.-]+):(/?)", text, re.IGNORECASE)  # pathlib turns s3://x into s3:/x
    if "://" in text or (scheme and scheme[2]):
        raise ValueError(f"{name}={text!r} is a URL, which works for records only; give a path on this machine")
    if scheme and scheme[1].lower() in SCHEMES:
        raise ValueError(
            f"{name}={text!r} begins like a URL and is none; write {scheme[1]}://... for a URL, which works for "
            f"records only, or './{text}' for a folder of this name"
        )
    return Path(text).expanduser()


def private_folder(name: str) -> Path:
    """A folder for temporary files of this user alone: mode 0700, no link, owned by the user.

    Raises:
        OSError: If somebody else has taken its name in the system's temporary folder.
    """
    user = os.getuid() if hasattr(os, "getuid") else "user"
    path = Path(tempfile.gettempdir()) / f"coopgym-{user}"
    for folder in (path, path / file_name(name)):
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        found = folder.lstat()
        own = not hasattr(os, "getuid") or found.st_uid == os.getuid()
        if not (stat.S_ISDIR(found.st_mode) and own):
            raise OSError(f"{str(folder)!r} is not a folder of this user; remove it or set TMPDIR to another folder")
        if os.name == "posix" and found.st_mode & 0o077:
            folder.chmod(0o700)
    return path / name


@contextmanager
def build_folder(target: Path, kind: str) -> Iterator[Path]:
    """Fill a new folder, which takes the place of ``target`` when the block ends without an error.

    ``target`` may be absent, empty, or a folder of the same ``kind`` that was built here and has not been changed.

    Args:
        target: Final place of the folder.
        kind: What the folder is, for example "data set".

    Raises:
        OverwriteError: If anything else is in the way; raised before the block starts.
    """
    target = target.resolve()
    check_replaceable(target, kind)
    target.parent.mkdir(parents=True, exist_ok=True)
    place = _temporary(target)
    place.mkdir()
    try:
        yield place
        (place / MARKER).write_text(json.dumps({"kind": kind, "files": _checksums(place)}, indent=1) + "\n")
        check_replaceable(target, kind)
        _move(place, target)
    finally:
        if place.is_dir():
            shutil.rmtree(place)


def check_replaceable(target: Path, kind: str) -> None:
    """Raise OverwriteError unless ``target`` is absent, empty, or an unchanged folder that ``build_folder`` made."""
    if not os.path.lexists(target):
        return
    if not target.is_dir():
        raise OverwriteError(f"{str(target)!r} is a file; give the name of a folder")
    there = sorted(path.name for path in target.iterdir())
    if not there:
        return
    cure = "move it away or name another folder"
    known = _marked(target, kind)
    if known is None:
        raise OverwriteError(f"{str(target)!r} holds {_listed(there)} and is no {kind} made by coopgym; {cure}")
    found = _checksums(target)
    changed = [name for name, checksum in found.items() if known.get(name) != checksum]
    if changed:
        raise OverwriteError(f"{str(target)!r} holds {_listed(changed)}, which coopgym did not write; {cure}")
    if Path.cwd().is_relative_to(target):
        raise OverwriteError(f"{str(target)!r} holds the working folder; call the command from another one")


def _marked(folder: Path, kind: str) -> dict[str, str] | None:
    """Checksums by name that the marker of a folder holds; None where there is no marker of this kind."""
    try:
        found = json.loads((folder / MARKER).read_bytes())
        return dict(found["files"]) if found["kind"] == kind else None
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None


def _checksums(folder: Path) -> dict[str, str]:
    """SHA-256 by relative name of all files of a folder but its marker; "" for what is no plain file."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            found[name] = ""
        elif path.is_file() and name != MARKER:
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
        elif path.is_dir() and not any(path.iterdir()):
            found[name] = ""  # an empty folder is not ours either
    return found


def _move(place: Path, target: Path) -> None:
    """Put the folder ``place`` where ``target`` is, which is absent, empty, or may be replaced."""
    if not target.exists():
        place.rename(target)
    elif not any(target.iterdir()):  # the folder stays: it may be somebody's working folder
        for path in sorted(place.iterdir(), key=lambda path: path.name == MARKER):
            path.rename(target / path.name)
    else:
        old = _temporary(target)
        target.rename(old)
        try:
            place.rename(target)
        except BaseException:
            old.rename(target)
            raise
        shutil.rmtree(old)
    _sync(target.parent)


def _temporary(path: Path) -> Path:
    """A free name beside ``path``, from which ``sweep`` knows the file again."""
    return path.with_name(f".{path.name[:180]}.{uuid.uuid4().hex[:12]}{ENDING}")


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(map(repr, names[:SHOWN])) + more


def _sync(folder: Path) -> None:
    """Make a rename in ``folder`` durable, where the system lets folders be opened."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
