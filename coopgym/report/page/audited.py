"""Audits of a folder, ready to be drawn: those of one effort, with their curves by run, gathered into cells."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from coopgym.report.page.cells import player
from coopgym.report.page.material import Material
from coopgym.report.page.strata import numbers
from coopgym.study.records import Row
from coopgym.study.summary import mode_label

MOST = 8  # learners that are drawn beside each other
Name = Callable[[Row], str]


@dataclass(frozen=True, eq=False)
class Audited:
    """rows: audits of one effort, one a run; curves: by metric and run; other: how many audits had another effort."""

    effort: str
    rows: list[Row]
    curves: Mapping[str, Mapping[str, Row]]
    other: int

    def has(self, *metrics: str) -> bool:
        """Whether any run has one of these curves."""
        return any(self.curves.get(metric) for metric in metrics)

    def curve(self, row: Row, metric: str, x: Sequence[float]) -> np.ndarray | None:
        """Values of a run's curve, where it stands at these places; NaN where a number is missing."""
        own = self.curves.get(metric, {}).get(row["run_id"])
        return numbers(own["value"]) if own and _whole(own) and list(own["x"]) == list(x) else None

    def values(self, rows: Iterable[Row], metric: str, x: Sequence[float]) -> np.ndarray:
        """The same ``[runs, K]`` of those runs that have it."""
        known = [own for row in rows if (own := self.curve(row, metric, x)) is not None]
        return np.array(known) if known else np.zeros((0, len(x)))

    def places(self, rows: Iterable[Row], metric: str) -> tuple[list[float], list[float]]:
        """x and y of most of the curves of these rows; both empty where there is none."""
        there = self.curves.get(metric, {})
        own = [there[r["run_id"]] for r in rows if r["run_id"] in there]
        most = Counter((tuple(c["x"] or ()), tuple(c["y"] or ())) for c in own if _whole(c)).most_common(1)
        return (list(most[0][0][0]), list(most[0][0][1])) if most else ([], [])


@lru_cache(maxsize=4)
def audited(material: Material) -> Audited | None:
    """Those of the effort that most runs were audited with, the fuller of two that are as common; None without one."""
    rows = [row for row in material.audits if row.get("run_id") and row.get("game") and row.get("algorithm")]
    if not rows:
        return None
    counts = Counter(str(row.get("effort")) for row in rows)
    effort = min(counts, key=lambda name: (-counts[name], name != "full", name))
    own = {r["run_id"]: r for r in rows if str(r.get("effort")) == effort}
    curves: dict[str, dict[str, Row]] = {}
    for curve in material.audit_curves:
        if str(curve.get("effort")) == effort and curve["run_id"] in own:
            curves.setdefault(curve["metric"], {})[curve["run_id"]] = curve
    return Audited(effort, list(own.values()), curves, len(rows) - len(own))


def gathered(rows: Iterable[Row], *names: Name) -> dict[tuple[str, ...], list[Row]]:
    """Rows by what each name says of them, in the order of first appearance."""
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(name(row) for name in names), []).append(row)
    return groups


def game(row: Row) -> str:
    """Its name."""
    return str(row["game"])


def learners(found: Audited) -> list[str]:
    """Who was audited, the highest mean efficiency first."""
    by = {key[0]: numbers([row.get("efficiency") for row in own]) for key, own in gathered(found.rows, player).items()}
    worth = {name: float(x[np.isfinite(x)].mean()) if np.isfinite(x).any() else -np.inf for name, x in by.items()}
    return sorted(by, key=lambda name: (-worth[name], name))


def modes(material: Material, rows: Iterable[Row]) -> list[str]:
    """Labels of the reward modes of these rows, in the order of the material."""
    there = dict.fromkeys(mode_label(row) for row in rows)
    first = [mode for mode in material.modes() if mode in there]
    return [*first, *(mode for mode in there if mode not in first)]


def _whole(curve: Row) -> bool:
    return bool(curve.get("x")) and curve.get("value") is not None and len(curve["x"]) == len(curve["value"])
