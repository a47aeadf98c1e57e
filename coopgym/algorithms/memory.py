"""Memory that a learner frees and takes again thousands of times a second stays with the process."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import sys

TRIM_THRESHOLD, TOP_PAD, MMAP_THRESHOLD = -1, -2, -3  # numbers of mallopt's parameters, malloc.h of glibc
KEPT = 1 << 29  # bytes


@functools.cache
def keep_freed_memory() -> bool:
    """Ask glibc, once, not to give freed blocks back to the system at once; True if it agreed.

    By default it maps large tensors afresh each time, and the system clears and faults in every page of them again: a
    sixth of the time of PPO on a CPU. Results do not change. Elsewhere than on glibc nothing happens.
    """
    if not sys.platform.startswith("linux"):
        return False
    with contextlib.suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        agreed = [mallopt(name, KEPT) == 1 for name in (MMAP_THRESHOLD, TRIM_THRESHOLD, TOP_PAD)]
        return all(agreed)
    return False
