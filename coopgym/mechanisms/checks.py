"""Checks of user input: every message names the value, the rule and the cure."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable
from typing import Any

import numpy as np


def number(name: str, value: Any, low: float, high: float, *, open_low: bool = False) -> float:
    """``value`` as a float inside [low, high] (or (low, high]); ValueError otherwise."""
    try:
        x = float(value)
    except (TypeError, ValueError):
        raise ValueError(f"{name}={value!r} is not a number; give a value in [{low}, {high}]") from None
    if isinstance(value, bool) or not math.isfinite(x) or x < low or x > high or (open_low and x == low):
        bracket = "(" if open_low else "["
        raise ValueError(f"{name}={value!r} is out of range; give a finite number in {bracket}{low}, {high}]")
    return x


def whole(name: str, value: Any, low: int, high: int) -> int:
    """``value`` as an int inside [low, high]; ValueError otherwise."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or not low <= value <= high:
        raise ValueError(f"{name}={value!r} is out of range; give a whole number in [{low}, {high}]")
    return int(value)


def choice(name: str, value: Any, allowed: Iterable[str]) -> str:
    """``value`` if it is one of ``allowed``; ValueError naming the nearest one otherwise."""
    names = list(allowed)
    if isinstance(value, str) and value in names:
        return value
    raise ValueError(f"{name}={value!r} is not known;{nearest(value, names)} choose one of {', '.join(names)}")


def flag(name: str, value: Any) -> bool:
    """``value`` if it is a bool; ValueError otherwise."""
    if not isinstance(value, (bool, np.bool_)):
        raise ValueError(f"{name}={value!r} is not a truth value; give True or False")
    return bool(value)


def nearest(value: Any, names: Iterable[str]) -> str:
    """`` did you mean 'X'?`` when something is close, else nothing."""
    close = difflib.get_close_matches(str(value), list(names), n=1, cutoff=0.5)
    return f" did you mean {close[0]!r}?" if close else ""


def vector(name: str, value: Any, n: int, low: float, high: float) -> np.ndarray:
    """``value`` as float64 ``[n]`` (a scalar is repeated) with entries in [low, high]."""
    x = _floats(name, value)
    if x.ndim == 0:
        x = np.full(n, float(x))
    if x.shape != (n,):
        raise ValueError(f"{name} has shape {x.shape}; give one number for each of the {n} agents")
    return _bounded(name, x, low, high)


def shares(value: Any, n: int) -> np.ndarray:
    """Bargaining shares ``[n]``: non-negative, summing to one within 1e-6."""
    x = vector("shares", value, n, 0.0, 1.0)
    if abs(x.sum() - 1.0) > 1e-6:
        raise ValueError(f"shares={x.tolist()} sum to {x.sum():.6g}; they must sum to 1: divide by their sum")
    return x


def square(name: str, value: Any, n: int, diagonal: float = 0.0) -> np.ndarray:
    """``value`` as float64 ``[n, n]`` with entries in [0, 1]; the diagonal is set to ``diagonal``."""
    x = _floats(name, value)
    if x.ndim == 0:
        x = np.full((n, n), float(x))
    if x.shape != (n, n):
        raise ValueError(f"{name} has shape {x.shape}; it must be square, ({n}, {n}), one row for each agent")
    x = x.copy()
    np.fill_diagonal(x, diagonal)
    return _bounded(name, x, 0.0, 1.0)


def _floats(name: str, value: Any) -> np.ndarray:
    try:
        return np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"{name}={value!r} is not an array of numbers; give nested lists or an array") from None


def _bounded(name: str, x: np.ndarray, low: float, high: float) -> np.ndarray:
    bad = ~(np.isfinite(x) & (x >= low) & (x <= high))
    if bad.any():
        where = tuple(int(i) for i in np.argwhere(bad)[0])
        raise ValueError(f"{name}{list(where)}={x[where]!r} is out of range; every entry must lie in [{low}, {high}]")
    return x
