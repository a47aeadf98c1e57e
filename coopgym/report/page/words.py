"""Numbers and lists in words: one way to write them in every sentence and table."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from coopgym.study.summary import Estimate

DASH = "\N{EN DASH}"


def number(x: Any, digits: int = 4) -> str:
    """Four digits that count, thousands with commas; a dash for what is no finite number."""
    if x is None or isinstance(x, str):
        return x or DASH
    if isinstance(x, bool):
        return "yes" if x else "no"
    try:
        if not math.isfinite(x):
            return DASH
        if isinstance(x, int):
            return f"{x:,}" if abs(x) < 10**15 else f"{float(x):.{digits}g}"
        if 1e3 <= abs(x) < 1e15:
            return f"{x:,.0f}"
    except OverflowError:
        return "beyond 1e308"
    return f"{x:.{digits}g}"


def around(found: Estimate | Mapping[str, Any] | None, digits: int = 4) -> str:
    """``0.981 [0.97, 0.99]``; the value alone where there is no interval."""
    if found is None:
        return DASH
    if isinstance(found, Estimate):
        value, low, high = found.mean, found.low, found.high
    else:
        value, low, high = found["value"], found["low"], found["high"]
    if low is None or high is None:
        return number(value, digits)
    return f"{number(value, digits)} [{number(low, digits)}, {number(high, digits)}]"


def listed(names: Sequence[str], most: int = 6) -> str:
    """``a, b and c``; of many the first few and how many more."""
    shown = list(names) if len(names) <= most else [*names[: most - 1], f"{len(names) - most + 1} more"]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}" if shown else "none"


def counted(count: int, one: str, many: str = "") -> str:
    """``1 run``, ``24 runs``."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
