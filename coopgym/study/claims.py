"""Who is at work on what, for any number of runners on one folder: a claim is a small file that is renewed.

Claims save work; nothing else depends on them. Should two workers ever hold the same one (a clock jumped, a machine
slept), both write the same records under the same name.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import re
import socket
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from coopgym.study.store import Store

FOLDER = "claims"
NAME = re.compile(rf"{FOLDER}/[^/]+\.[0-9]{{1,18}}\.json")
BEAT = 15.0  # seconds between two renewals
SILENCE = 120.0  # seconds without one after which a claim of another machine is void


@contextlib.contextmanager
def claim(store: Store, key: str) -> Iterator[bool]:
    """Hold ``key`` inside the block: True, or False if somebody else does.

    Files are ``claims/<key>.<number>.json``. A void claim is not deleted but outbid, by the next number: of several who
    find it void, only one can create that.
    """
    held = names(store, key)
    if held and not void(store, held[-1]):
        yield False
        return
    name = f"{FOLDER}/{key}.{_number(held[-1]) + 1 if held else 0:06d}.json"
    if not store.create(name, json.dumps(_self()).encode()):
        yield False
        return
    ended = threading.Event()
    beat = threading.Thread(target=_renew, args=(store, name, ended), daemon=True)
    beat.start()
    try:
        yield True
    finally:
        ended.set()
        beat.join()
        with contextlib.suppress(OSError):  # what is left is void once this process has ended
            for each in [*held, name]:
                store.remove(each)
        store.tidy(FOLDER)


def names(store: Store, key: str = "") -> list[str]:
    """Names of the claims on a key, or of all, in the order of their numbers."""
    start = f"{FOLDER}/{key}"
    return [name for name in store.names(FOLDER, ".json") if name.startswith(start) and NAME.fullmatch(name)]


def sweep(store: Store) -> bool:
    """Remove claims that are void, and whether none is left: nobody is at work then."""
    left = [name for name in names(store) if not void(store, name)]
    for name in set(names(store)) - set(left):
        with contextlib.suppress(OSError):
            store.remove(name)
    store.tidy(FOLDER)
    return not left


def void(store: Store, name: str, probe: bool = True) -> bool:
    """Whether whoever made a claim is gone: its process here has ended, or it has been silent for too long.

    probe: whether a file may be written to learn the time of the place; see ``Store.age``.
    """
    maker = _maker(store, name)
    if maker is None:  # removed meanwhile, or cut off by a kill while it was written
        return (store.age(name, probe) or 0.0) > BEAT
    if maker["place"] == _place():
        return bool(_started(maker["pid"]) != maker["started"])
    return (store.age(name, probe) or 0.0) > SILENCE


def holder(store: Store, keys: Iterable[str]) -> str:
    """Who holds one of these keys, for people: machine and process."""
    for key in keys:
        held = names(store, f"{key}.")
        maker = _maker(store, held[-1]) if held else None
        if maker:
            return f"process {maker['pid']} on {maker['place'][0]}"
    return "somebody"


def _maker(store: Store, name: str) -> dict[str, Any] | None:
    """What a claim says of whoever made it; None if it is gone, or is no claim."""
    try:
        maker = json.loads(store.read(name))
        place, pid, started = maker["place"], maker["pid"], maker["started"]
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None
    known = isinstance(place, list) and place and isinstance(place[0], str) and isinstance(started, str | None)
    return {"place": place, "pid": pid, "started": started} if known and type(pid) is int else None


def _number(name: str) -> int:
    return int(name.split(".")[-2])


def _renew(store: Store, name: str, ended: threading.Event) -> None:
    while not ended.wait(BEAT):
        with contextlib.suppress(OSError):  # a disk that is away for a moment
            store.touch(name)


def _self() -> dict[str, Any]:
    return {"place": _place(), "pid": os.getpid(), "started": _started(os.getpid())}


@functools.cache
def _place() -> list[str]:
    """Where process numbers mean the same: this machine since it was started, and this container."""
    parts = [socket.gethostname()]
    with contextlib.suppress(OSError):
        parts += [Path("/proc/sys/kernel/random/boot_id").read_text().strip(), os.readlink("/proc/self/ns/pid")]
    return parts


def _started(pid: int) -> str | None:
    """When a process was started, as text that no later process of this number shares; None if it has ended."""
    try:
        state, *rest = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return None if state in "ZX" else rest[18]
    except OSError:
        if Path("/proc/self/stat").exists():
            return None
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass
    return "running"
