"""Checks of user input: every message names the value, the rule and the cure."""

from __future__ import annotations

import difflib
import math
import reprlib
from collections.abc import Iterable
from typing import Any

import numpy as np


def shown(value: Any) -> str:
    """``repr`` of a value for an error message: one line of at most about 200 characters, whatever the value is."""
    short = reprlib.Repr()
    short.maxstring = short.maxother = short.maxlong = 100
    try:
        text = short.repr(value)
    except ValueError:  # Python refuses to print integers of more than 4300 digits
        return "an integer of thousands of digits"
    text = " ".join(text.split())
    return text if len(text) <= 200 else f"{text[:197]}..."


def number(name: str, value: Any, low: float, high: float, *, open_low: bool = False) -> float:
    """``value`` as a float inside [low, high] (or (low, high]); ValueError otherwise, for text too."""
    bracket = "(" if open_low else "["
    if isinstance(value, (str, bytes)):
        cure = "write it without quotes" if _is_number(value) else f"give a number in {bracket}{low}, {high}]"
        raise ValueError(f"{name}={shown(value)} is text, not a number; {cure}")
    try:
        x = float(value)
    except (TypeError, ValueError):
        raise ValueError(f"{name}={shown(value)} is not a number; give a value in {bracket}{low}, {high}]") from None
    except OverflowError:
        x = math.inf
    if isinstance(value, (bool, np.bool_)) or not math.isfinite(x) or x < low or x > high or (open_low and x == low):
        raise ValueError(f"{name}={shown(value)} is out of range; give a finite number in {bracket}{low}, {high}]")
    return x


def _is_number(text: str | bytes) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def whole(name: str, value: Any, low: int, high: int) -> int:
    """``value`` as an int inside [low, high]; ValueError otherwise."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or not low <= value <= high:
        raise ValueError(f"{name}={shown(value)} is out of range; give a whole number in [{low}, {high}]")
    return int(value)


def choice(name: str, value: Any, allowed: Iterable[str]) -> str:
    """``value`` if it is one of ``allowed``; ValueError naming the nearest one otherwise."""
    names = list(allowed)
    if isinstance(value, str) and value in names:
        return value
    raise ValueError(f"{name}={shown(value)} is not known;{nearest(value, names)} choose one of {', '.join(names)}")


def flag(name: str, value: Any) -> bool:
    """``value`` if it is a bool; ValueError otherwise."""
    if not isinstance(value, (bool, np.bool_)):
        raise ValueError(f"{name}={shown(value)} is not a truth value; give True or False")
    return bool(value)


def seeds(value: Any) -> list[int]:
    """Seeds from how many there are (3: 0, 1 and 2), or from those themselves; ValueError for one that stands twice."""
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool):
        return list(range(whole("seeds", value, 1, 10_000)))
    found = [whole("seed", seed, 0, 2**63 - 1) for seed in items("seeds", value, "3, or a list such as [0, 1, 2]")]
    return once("seeds", found)


def widths(name: str, value: Any) -> tuple[int, ...]:
    """Widths of the hidden layers of a network; one number is one layer. ValueError for anything else."""
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool):
        return (whole(name, value, 1, 65_536),)
    return tuple(whole(name, width, 1, 65_536) for width in items(name, value, "a list of widths such as [64, 64]"))


def items(name: str, value: Any, cure: str) -> list[Any]:
    """What a list, tuple, range, set or array holds; ValueError for text, tables and single values."""
    if isinstance(value, (str, bytes, dict)):
        raise ValueError(f"{name}={shown(value)} is not a list; give {cure}")
    try:
        return list(value)
    except TypeError:
        raise ValueError(f"{name}={shown(value)} is not a list; give {cure}") from None


def once(name: str, values: list[Any]) -> list[Any]:
    """``values`` if none stands twice and there is any; ValueError otherwise."""
    if not values:
        raise ValueError(f"{name}=[] is empty; give at least one")
    seen: set[Any] = set()
    for value in values:
        if value in seen:
            raise ValueError(f"{name}: {value} stands twice, which would count one run twice; give each once")
        seen.add(value)
    return values


def nearest(value: Any, names: Iterable[str]) -> str:
    """`` did you mean 'X'?`` when something is close, else nothing."""
    text = value if isinstance(value, str) else shown(value)
    close = difflib.get_close_matches(text[:200], list(names), n=1, cutoff=0.5)
    return f" did you mean {close[0]!r}?" if close else ""


def vector(name: str, value: Any, n: int, low: float, high: float) -> np.ndarray:
    """``value`` as float64 ``[n]`` (a scalar is repeated) with entries in [low, high]."""
    x = floats(name, value)
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
    x = floats(name, value)
    if x.ndim == 0:
        x = np.full((n, n), float(x))
    if x.shape != (n, n):
        raise ValueError(f"{name} has shape {x.shape}; it must be square, ({n}, {n}), one row for each agent")
    x = x.copy()
    np.fill_diagonal(x, diagonal)
    return _bounded(name, x, 0.0, 1.0)


def floats(name: str, value: Any) -> np.ndarray:
    """``value`` as an array of double precision; ValueError where it holds what is no such number."""
    try:
        return np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"{name}={shown(value)} is not an array of numbers; give nested lists or an array") from None


def _bounded(name: str, x: np.ndarray, low: float, high: float) -> np.ndarray:
    bad = ~(np.isfinite(x) & (x >= low) & (x <= high))
    if bad.any():
        where = tuple(int(i) for i in np.argwhere(bad)[0])
        raise ValueError(f"{name}{list(where)}={x[where]!r} is out of range; every entry must lie in [{low}, {high}]")
    return x
