"""Which measures change between reward modes, for the same algorithm and game: paired over seeds, with intervals."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
from scipy.stats import bootstrap, false_discovery_control, norm, permutation_test, t

from coopgym import seeding
from coopgym.envs.reward import KINDS
from coopgym.mechanisms import checks

KEYS = ("algorithm", "game", "reward_mode", "seed")  # of a record; what else is a number is a measure
CORRECTIONS = ("holm", "bh", "none")
RESAMPLES = 9_999
CHUNK, BATCH = 200, 500  # columns and resamples at a time; fixed, so that a change does not depend on its company
Record = Mapping[str, Any]


@dataclass(frozen=True)
class Change:
    """A measure of an algorithm in a game, trained on ``before`` and on ``after``; its own unit everywhere.

    seeds: pairs of runs with a finite value in both modes; missing: pairs without; mean_before, mean_after,
    difference: means over those seeds; low, high: 95 % interval of the difference; p: of the null that signs of the
    paired differences are arbitrary, two-sided; adjusted: p after the correction over all changes that were compared
    together; found: adjusted is at most the level. Of fewer than two pairs nothing is said: None, and not found.
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
) -> Comparison:
    """Every measure, for every algorithm and game, between every two reward modes that its records have.

    records: one a run, with KEYS and numbers. measures: by default whatever is a number in some record. modes: by
    default all, in the order private, integrated, cooperative, then others; a change is the later minus the earlier.
    Runs are paired by seed; a value that is missing or not finite makes its pair missing, and is counted. correction:
    "holm" bounds the chance of any false find by ``level``, "bh" (Benjamini and Hochberg) the expected share of false
    ones among the finds, "none" corrects nothing. Raises ValueError for two records of one run, or a record without
    its keys.
    """
    checks.choice("correction", correction, CORRECTIONS)
    checks.number("level", level, 0.0, 1.0, open_low=True)
    runs = _by_run(records)
    names = list(measures) if measures is not None else _measures(runs.values())
    order = _ordered({key[2] for key in runs}) if modes is None else list(modes)
    cells = _pairs(runs, names, order)
    intervals, ps = _tested([cell.after - cell.before for cell in cells], seed)
    known = [k for k, p in enumerate(ps) if p is not None]
    corrected = adjust(np.array([ps[k] for k in known], dtype=np.float64), correction).tolist()
    adjusted = dict(zip(known, corrected, strict=True))
    changes = tuple(_change(cell, intervals[k], ps[k], adjusted.get(k), level) for k, cell in enumerate(cells))
    return Comparison(changes, correction, level, len(known), _notes(changes, len(known), correction, level))


def interval(differences: np.ndarray, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """95 % interval (low, high), each ``[K]``, of the mean of each column of ``differences [n, K]``, n at least 2.

    A bootstrap percentile interval at a level that makes it as wide as Student's for normal data (Hesterberg 2015):
    plain percentiles are too narrow for a handful of seeds. It cannot leave the range of the data, so with fewer than
    six seeds it covers less than 95 %: at most 1 - 2^(1 - n) where differences are symmetric. Of normal differences it
    covers about 75, 93, 94 and 95 % with 3, 5, 7 and 20 seeds, of very skewed (exponential) ones 72, 88, 90 and 94 %.
    """
    n = len(differences)
    outside = float(norm.cdf(-np.sqrt(n / (n - 1)) * t.ppf(0.975, n - 1)))
    mean, same = differences.mean(0), np.ptp(differences, axis=0) == 0.0
    low, high = mean.copy(), mean.copy()
    if not same.all():
        found = bootstrap(
            (differences[:, ~same],), np.mean, n_resamples=RESAMPLES, batch=BATCH, axis=0, method="percentile",
            confidence_level=1.0 - 2.0 * outside, rng=seeding.generator(seed, "resampling"),
        ).confidence_interval  # fmt: skip
        low[~same], high[~same] = found.low, found.high
    return low, high


def p_values(differences: np.ndarray, seed: int = 0) -> np.ndarray:
    """Two-sided p ``[K]`` of each column of ``differences [n, K]``: all 2^n choices of signs, or 9,999 random ones."""
    result = permutation_test(
        (differences,), _mean, permutation_type="samples", n_resamples=RESAMPLES, batch=BATCH, vectorized=True, axis=0,
        rng=seeding.generator(seed, "resampling"),
    )  # fmt: skip
    return np.atleast_1d(result.pvalue)


def adjust(p: np.ndarray, correction: str) -> np.ndarray:
    """p ``[M]`` after a correction for M tests, by its name."""
    if correction == "none" or not len(p):
        return p
    if correction == "bh":
        return np.asarray(false_discovery_control(p, method="bh"))
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))  # Holm: the smallest is multiplied by M
    result = np.empty(len(p))
    result[order] = np.minimum(stepped, 1.0)
    return result


def _mean(x: np.ndarray, axis: int = 0) -> np.ndarray:
    return np.asarray(np.mean(x, axis=axis))


def _by_run(records: Iterable[Record]) -> dict[tuple[Any, ...], Record]:
    runs: dict[tuple[Any, ...], Record] = {}
    for record in records:
        lacking = [key for key in KEYS if key not in record]
        if lacking:
            raise ValueError(f"a record lacks {', '.join(lacking)}; it must name its {', '.join(KEYS)}")
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
    """What is to be compared: values ``[pairs]`` of a measure in both modes; missing: pairs without."""

    algorithm: str
    game: str
    measure: str
    modes: tuple[str, str]
    before: np.ndarray
    after: np.ndarray
    missing: int


def _pairs(runs: Mapping[tuple[Any, ...], Record], measures: Sequence[str], modes: Sequence[str]) -> list[Cell]:
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
                cells.append(Cell(algorithm, game, measure, two, before, after, int((~there).sum())))
    return cells


def _value(record: Record | None, measure: str) -> float:
    value = None if record is None else record.get(measure)
    return float(value) if value is not None and (_is(value) or isinstance(value, (bool, np.bool_))) else float("nan")


def _tested(columns: Sequence[np.ndarray], seed: int) -> tuple[list[tuple[float, float] | None], list[float | None]]:
    """(interval, p) of each column of differences; None where there are fewer than two."""
    intervals: list[tuple[float, float] | None] = [None] * len(columns)
    ps: list[float | None] = [None] * len(columns)
    for n in {len(column) for column in columns if len(column) > 1}:
        chosen = [k for k, column in enumerate(columns) if len(column) == n]
        for start in range(0, len(chosen), CHUNK):
            part = chosen[start : start + CHUNK]
            x = np.stack([columns[k] for k in part], -1)
            low, high = interval(x, seed)
            for k, a, b, p in zip(part, low, high, p_values(x, seed), strict=True):
                intervals[k], ps[k] = (float(a), float(b)), float(p)
    return intervals, ps


def _change(
    cell: Cell, around: tuple[float, float] | None, p: float | None, adjusted: float | None, level: float
) -> Change:
    count, there = len(cell.before), len(cell.before) > 0
    low, high = around or (None, None)
    return Change(
        algorithm=cell.algorithm, game=cell.game, measure=cell.measure, before=cell.modes[0], after=cell.modes[1],
        seeds=count, missing=cell.missing, mean_before=float(cell.before.mean()) if there else None,
        mean_after=float(cell.after.mean()) if there else None,
        difference=float((cell.after - cell.before).mean()) if there else None, low=low, high=high, p=p,
        adjusted=adjusted, found=adjusted is not None and adjusted <= level,
    )  # fmt: skip


def _notes(changes: Sequence[Change], tests: int, correction: str, level: float) -> tuple[str, ...]:
    """What could not be tested, and where the correction leaves no chance of a find."""
    notes = []
    missing = sum(change.missing for change in changes)
    if missing:
        notes.append(f"{missing} pairs of runs lack a finite value and are left out")
    fewest = min((change.seeds for change in changes if change.p is not None), default=0)
    smallest = max(2.0 ** (1 - fewest), 2.0 / (RESAMPLES + 1))
    if tests and correction != "none" and smallest * (tests if correction == "holm" else 1) > level:
        notes.append(
            f"p of {fewest} pairs is never below {smallest:.3g}: among {tests} tests those with so few are never "
            "found; more seeds or fewer measures would change that"
        )
    return tuple(notes)
