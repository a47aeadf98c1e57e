"""Which measures change between reward modes, for the same algorithm and game: paired over seeds, with intervals."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np

from coopgym.envs.reward import KINDS
from coopgym.mechanisms import checks
from coopgym.statistics import CORRECTIONS, adjust, mean_interval, sign_flip_p

KEYS = ("algorithm", "game", "reward_mode", "seed")  # of a record; what else is a number is a measure
Record = Mapping[str, Any]


@dataclass(frozen=True)
class Change:
    """A measure of an algorithm in a game, trained on ``before`` and on ``after``; its own unit everywhere.

    seeds: pairs of runs with a finite value in both modes; missing: pairs without; clusters: in how many clusters the
    pairs lie, None where each pair stands for itself; mean_before, mean_after, difference: means over pairs, or over
    clusters of means over their pairs; low, high: 95% t interval of the difference over pairs, or clusters; p: of the
    null that signs of the differences of pairs, or of clusters, are arbitrary, two-sided and exact; adjusted: p after
    the correction over all changes that were compared together; found: adjusted is at most the level. Of fewer than
    two pairs or clusters nothing is said: None, and not found.
    """

    algorithm: str
    game: str
    measure: str
    before: str
    after: str
    seeds: int
    missing: int
    mean_before: float | None
    mean_after: float | None
    difference: float | None
    low: float | None
    high: float | None
    p: float | None
    adjusted: float | None
    found: bool
    clusters: int | None = None


@dataclass(frozen=True)
class Comparison:
    """changes, in the order of the records; correction and level: how those that are found were chosen; tests: how many
    were corrected for; notes: what a reader must know."""

    changes: tuple[Change, ...]
    correction: str
    level: float
    tests: int
    notes: tuple[str, ...] = ()

    @property
    def found(self) -> tuple[Change, ...]:
        """Those that the correction leaves."""
        return tuple(change for change in self.changes if change.found)

    def counts(self) -> dict[str, tuple[int, int, int]]:
        """By measure: how many changes were found upward, found downward, and tested."""
        counts = {}
        for measure in dict.fromkeys(change.measure for change in self.changes):
            own = [change for change in self.changes if change.measure == measure and change.p is not None]
            finds = [change.difference or 0.0 for change in own if change.found]
            counts[measure] = (sum(x > 0.0 for x in finds), sum(x < 0.0 for x in finds), len(own))
        return counts

    def rows(self) -> list[dict[str, Any]]:
        """One record a change."""
        return [asdict(change) for change in self.changes]

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and names, for JSON."""
        return asdict(self)


def compare_modes(
    records: Iterable[Record],
    measures: Sequence[str] | None = None,
    *,
    modes: Sequence[str] | None = None,
    correction: str = "holm",
    level: float = 0.05,
    seed: int = 0,
    cluster: str | None = None,
) -> Comparison:
    """Every measure, for every algorithm and game, between every two reward modes that its records have.

    Runs are paired by seed; a value that is missing or not finite makes its pair missing, and is counted.

    Args:
        records: one a run, with KEYS and numbers.
        measures: by default whatever is a number in some record.
        modes: by default all, in the order private, integrated, cooperative, then others; a change is the later minus
            the earlier.
        correction: "holm" bounds the chance of any false find by ``level``, "bh" (Benjamini and Hochberg) the expected
            share of false ones among the finds, "none" corrects nothing.
        level: of the tests after the correction.
        seed: has no effect, since no sign is drawn; kept for those who pass it.
        cluster: the key of a record that names what is sampled, such as the game where a pair is a learner in a game:
            differences are averaged inside each cluster, and intervals and tests are over clusters.

    Returns:
        The changes, each with its interval and p.

    Raises:
        ValueError: there are two records of one run, or a record lacks its keys.
    """
    checks.choice("correction", correction, CORRECTIONS)
    checks.number("level", level, 0.0, 1.0, open_low=True)
    runs = _by_run(records, KEYS if cluster is None else (*KEYS, cluster))
    names = list(measures) if measures is not None else _measures(runs.values())
    order = _ordered({key[2] for key in runs}) if modes is None else list(modes)
    cells = _pairs(runs, names, order, cluster)
    intervals, ps = _tested([cell.sampled(cell.after - cell.before) for cell in cells])
    known = [k for k, p in enumerate(ps) if p is not None]
    corrected = adjust(np.array([ps[k] for k in known], dtype=np.float64), correction).tolist()
    adjusted = dict(zip(known, corrected, strict=True))
    changes = tuple(_change(cell, intervals[k], ps[k], adjusted.get(k), level) for k, cell in enumerate(cells))
    notes = _notes(changes, len(known), correction, level, cluster)
    return Comparison(changes, correction, level, len(known), notes)


def _by_run(records: Iterable[Record], needed: Sequence[str]) -> dict[tuple[Any, ...], Record]:
    runs: dict[tuple[Any, ...], Record] = {}
    for record in records:
        lacking = [key for key in needed if key not in record]
        if lacking:
            raise ValueError(f"a record lacks {', '.join(lacking)}; it must name its {', '.join(needed)}")
        key = tuple(record[name] for name in KEYS)
        if key in runs:
            raise ValueError(f"there are two records of {key}; give one for each run")
        runs[key] = record
    return runs


def _measures(records: Iterable[Record]) -> list[str]:
    """Names of what is a number in some record, in the order of appearance."""
    return list(dict.fromkeys(name for record in records for name, x in record.items() if name not in KEYS and _is(x)))


def _is(x: Any) -> bool:
    return isinstance(x, (int, float, np.number)) and not isinstance(x, (bool, np.bool_))


def _ordered(modes: set[str]) -> list[str]:
    return sorted(modes, key=lambda mode: (KINDS.index(mode) if mode in KINDS else len(KINDS), mode))


class Cell(NamedTuple):
    """What is to be compared: values ``[pairs]`` of a measure in both modes; missing: pairs without.

    clusters: the cluster of each pair ``[pairs]``, None where pairs stand for themselves.
    """

    algorithm: str
    game: str
    measure: str
    modes: tuple[str, str]
    before: np.ndarray
    after: np.ndarray
    missing: int
    clusters: np.ndarray | None

    def sampled(self, x: np.ndarray) -> np.ndarray:
        """``x [pairs]``, or its mean in each cluster."""
        if self.clusters is None or not len(x):
            return x
        _, place = np.unique(self.clusters, return_inverse=True)
        return np.asarray(np.bincount(place, weights=x) / np.bincount(place))


def _pairs(
    runs: Mapping[tuple[Any, ...], Record], measures: Sequence[str], modes: Sequence[str], cluster: str | None
) -> list[Cell]:
    """Every measure of every algorithm and game, between every two of the modes that it has records of."""
    seeds: dict[tuple[str, str], dict[str, set[Any]]] = {}
    for algorithm, game, mode, seed in runs:
        seeds.setdefault((algorithm, game), {}).setdefault(mode, set()).add(seed)
    cells = []
    for (algorithm, game), by_mode in seeds.items():
        for two in itertools.combinations([mode for mode in modes if mode in by_mode], 2):
            asked = sorted(by_mode[two[0]] | by_mode[two[1]], key=str)
            for measure in measures:
                pairs = [[_value(runs.get((algorithm, game, mode, s)), measure) for mode in two] for s in asked]
                values = np.array(pairs, dtype=np.float64)
                there = np.isfinite(values).all(-1)
                before, after = values[there].T
                names = [_cluster([runs.get((algorithm, game, m, s)) for m in two], cluster) for s in asked]
                own = None if cluster is None else np.array(names, dtype=object)[there].astype(str)
                cells.append(Cell(algorithm, game, measure, two, before, after, int((~there).sum()), own))
    return cells


def _cluster(pair: Sequence[Record | None], cluster: str | None) -> str:
    return "" if cluster is None else next(str(record[cluster]) for record in pair if record is not None)


def _value(record: Record | None, measure: str) -> float:
    value = None if record is None else record.get(measure)
    return float(value) if value is not None and (_is(value) or isinstance(value, (bool, np.bool_))) else float("nan")


def _tested(columns: Sequence[np.ndarray]) -> tuple[list[tuple[float, float] | None], list[float | None]]:
    """(interval, p) of each column of differences; None where there are fewer than two."""
    intervals: list[tuple[float, float] | None] = [None] * len(columns)
    ps: list[float | None] = [None] * len(columns)
    for n in {len(column) for column in columns if len(column) > 1}:
        chosen = [k for k, column in enumerate(columns) if len(column) == n]
        x = np.stack([columns[k] for k in chosen], -1)
        found = mean_interval(x)
        for k, low, high, p in zip(chosen, found.low, found.high, sign_flip_p(x), strict=True):
            intervals[k], ps[k] = (float(low), float(high)), float(p)
    return intervals, ps


def _change(
    cell: Cell, around: tuple[float, float] | None, p: float | None, adjusted: float | None, level: float
) -> Change:
    count = len(cell.before)
    low, high = around or (None, None)
    before, after = (float(cell.sampled(x).mean()) if count else None for x in (cell.before, cell.after))
    difference = float(cell.sampled(cell.after - cell.before).mean()) if count else None
    return Change(
        algorithm=cell.algorithm, game=cell.game, measure=cell.measure, before=cell.modes[0], after=cell.modes[1],
        seeds=count, missing=cell.missing, mean_before=before, mean_after=after, difference=difference, low=low,
        high=high, p=p, adjusted=adjusted, found=adjusted is not None and adjusted <= level,
        clusters=None if cell.clusters is None else len(set(cell.clusters.tolist())),
    )  # fmt: skip


def _notes(
    changes: Sequence[Change], tests: int, correction: str, level: float, cluster: str | None
) -> tuple[str, ...]:
    """What could not be tested, and where the correction leaves no chance of a find."""
    notes = []
    missing = sum(change.missing for change in changes)
    if missing:
        notes.append(f"{missing} pairs of runs lack a finite value and are left out")
    sizes = [x.seeds if x.clusters is None else x.clusters for x in changes if x.p is not None]
    fewest, unit = min(sizes, default=0), "pair" if cluster is None else cluster
    smallest = 2.0 ** (1 - fewest)
    if tests and correction != "none" and smallest * (tests if correction == "holm" else 1) > level:
        notes.append(
            f"p of {fewest} {unit}s is never below {smallest:.3g}: among {tests} tests those with so few are never "
            "found; more seeds or fewer measures would change that"
        )
    return tuple(notes)
