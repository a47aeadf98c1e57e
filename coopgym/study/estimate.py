"""How long a cell will take: from cells that are finished, or else from a small table that was measured on one core."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Any

from coopgym.envs.catalogue import game as make_game
from coopgym.study.cells import Cell, of_game
from coopgym.study.records import Row

SLOPE = -1.2  # of log speed over log agents beyond what was measured: each has networks of its own, and sees all others
SETUP = 1.0  # seconds of a cell besides training: its references, its records
REFERENCE = 0.1  # seconds of a policy that is only played


class Estimates:
    """Seconds of cells. ``rows``: records of finished ones, on the machine and device at hand."""

    def __init__(self, rows: Iterable[Row] = ()) -> None:
        found: dict[tuple[str, int], list[float]] = {}
        for row in rows:
            if row["env_steps_per_second"]:
                found.setdefault((row["algorithm"], row["agents"]), []).append(row["env_steps_per_second"])
        self.measured = {key: statistics.median(values) for key, values in found.items()}
        self.pace = self._pace()

    def seconds(self, cell: Cell) -> float:
        """Of a whole cell, on one worker."""
        if not cell.learns:
            return REFERENCE * cell.replicas
        agents = make_game(cell.game, **of_game(cell.game, cell.options)).n
        return SETUP + cell.steps * cell.replicas / self.speed(cell.algorithm, agents)

    def speed(self, algorithm: str, agents: int) -> float:
        """Environment steps a second over all replicas."""
        known = self.measured.get((algorithm, agents))
        return known or self.pace * _interpolated(table().get(algorithm) or _usual(), agents)

    def _pace(self) -> float:
        """How much faster than the table this machine is, by the cells that are finished: median of log ratios."""
        logs = [
            math.log(speed / _interpolated(table()[name], agents))
            for (name, agents), speed in self.measured.items()
            if name in table()
        ]
        return math.exp(statistics.median(logs)) if logs else 1.0


@cache
def table() -> dict[str, dict[int, float]]:
    """{learner: {agents: environment steps a second}} on one core; ``benchmarks/speeds.py`` makes it."""
    content: dict[str, dict[str, Any]] = json.loads(files("coopgym.study").joinpath("speeds.json").read_text())
    return {name: {int(n): float(v) for n, v in speeds.items()} for name, speeds in content.items()}


def _usual() -> dict[int, float]:
    """The median learner with two agents: for one that was never measured."""
    return {2: statistics.median(speeds[2] for speeds in table().values() if 2 in speeds)}


def _interpolated(speeds: dict[int, float], agents: int) -> float:
    """Between the nearest sizes on log axes; outside of them with a fixed slope."""
    sizes = sorted(speeds)
    low = max((n for n in sizes if n <= agents), default=None)
    high = min((n for n in sizes if n >= agents), default=None)
    if low is None or high is None:
        nearest = sizes[0] if low is None else sizes[-1]
        return speeds[nearest] * math.pow(agents / nearest, SLOPE)
    if low == high:
        return speeds[low]
    share = math.log(agents / low) / math.log(high / low)
    return math.pow(speeds[low], 1.0 - share) * math.pow(speeds[high], share)
