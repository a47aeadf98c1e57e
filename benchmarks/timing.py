"""How things are timed: the best of several rounds, with the machine, the versions and the commit beside the figure."""

from __future__ import annotations

import os
import platform
import subprocess
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Any

PACKAGES = ("coopgym", "numpy", "gymnasium", "pettingzoo", "torch", "stable-baselines3", "ray", "plotly")


def per_second(
    act: Callable[[], int], seconds: float = 0.6, rounds: int = 4, finish: Callable[[], None] = bool
) -> float:
    """Units a second: ``act`` does some work and returns how many units it did. Best of ``rounds``.

    ``finish`` waits for a device that works on its own (torch.cuda.synchronize).
    """
    act()
    finish()
    best = 0.0
    for _ in range(rounds):
        units, start = 0, time.perf_counter()
        while time.perf_counter() - start < seconds:
            units += act()
        finish()
        best = max(best, units / (time.perf_counter() - start))
    return best


def machine() -> dict[str, Any]:
    """Processor, cores, load, versions, commit: what a figure means nothing without."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "load_average": round(os.getloadavg()[0], 2),
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in PACKAGES if _version(name)},
        "commit": _git("rev-parse", "HEAD"),
        "clean": not _git("status", "--porcelain"),
        "date": time.strftime("%Y-%m-%d"),
    }


def _processor() -> str:
    try:
        with open("/proc/cpuinfo") as lines:
            return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor()


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _git(*arguments: str) -> str:
    result = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)
    return result.stdout.strip()
