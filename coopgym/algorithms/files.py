"""The old name of ``coopgym.files``."""

from __future__ import annotations

from coopgym.files import atomic_file, atomic_path, write_atomically

__all__ = ["atomic_file", "atomic_path", "write_atomically"]
