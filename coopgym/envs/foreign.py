"""How a model of another library, or a file of one, is told from everything else that may play a seat."""

from __future__ import annotations

import os
from typing import Any

LIBRARIES = ("stable_baselines3", "sb3_contrib", "ray", "tensordict")  # roots of their models' classes
SUFFIX = ".zip"  # of Stable-Baselines3's files


def is_foreign(spec: Any) -> bool:
    """True for a model of another library, and for a path; names of policies hold neither a folder nor ".zip"."""
    if isinstance(spec, os.PathLike):
        return True
    if isinstance(spec, str):
        return spec.endswith(SUFFIX) or any(mark in spec for mark in ("/", os.sep))
    return any(kind.__module__.split(".")[0] in LIBRARIES for kind in type(spec).__mro__)
