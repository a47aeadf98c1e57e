"""Checks of what the functions of this package are given: every message names the value, the rule and the cure."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from coopgym.mechanisms import checks


def share(name: str, value: Any) -> float:
    """``value`` as a float between 0 and 1, both left out; ValueError otherwise."""
    x = real(name, value)
    if not 0.0 < x < 1.0:
        raise ValueError(f"{name}={checks.shown(value)}: a share between 0 and 1 is needed, such as 0.95")
    return x


def real(name: str, value: Any) -> float:
    """``value`` as a float, which may be infinite; ValueError for NaN, text, and whole numbers beyond floats."""
    try:
        if isinstance(value, (str, bytes, bool, np.bool_)):
            raise TypeError
        x = float(value)
    except (TypeError, ValueError, OverflowError):
        x = math.nan
    if math.isnan(x):
        raise ValueError(f"{name}={checks.shown(value)}: a number is needed, such as 0.5")
    return x


def array(name: str, value: Any) -> np.ndarray:
    """``value`` as an array of double precision, in which None is NaN; ValueError for text and other things."""
    try:
        x = np.asarray(value)
        if value is None or x.dtype.kind not in "fiubO":
            raise TypeError
        return x.astype(np.float64, copy=False)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"{name}={checks.shown(value)}: numbers are needed, in a list or an array") from None


def strata(name: str, value: Any, what: str = "run") -> list[np.ndarray]:
    """Arrays of runs, one for each game; ValueError where there is none, or no list of numbers for each."""
    found = [array(name, x) for x in checks.items(name, value, "a list of numbers for each game")]
    if not found:
        raise ValueError(f"{name}=[]: there is nothing to average; give at least one {what} of one game")
    if any(not x.ndim for x in found):
        raise ValueError(f"{name}={checks.shown(value)}: a list of numbers is needed for each game")
    if len({x.shape[1:] for x in found}) > 1:
        raise ValueError(f"{name} has shapes {[x.shape for x in found][:5]}: they may differ in the first axis only")
    return found


def some(name: str, found: list[np.ndarray]) -> list[np.ndarray]:
    """``found`` if every game has a run; ValueError otherwise."""
    if not all(x.size for x in found):
        raise ValueError(f"{name}: a game has no run; give at least one of each, or leave the game out")
    return found
