"""Independent learners against those that train together: the contrast, and where it changes sign."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import ttest_ind

from coopgym.audit.comparison import adjust
from coopgym.study.analysis.rankings import Field
from coopgym.study.analysis.resampling import Estimates, finite_share, intervals

FIRST, SECOND = "independent", "CTDE"
RANDOM = 5  # algorithms of each paradigm from which on algorithms are what is resampled
ALPHA = 0.05


@dataclass(frozen=True)
class Sides:
    """Scores of one game in one mode, by algorithm: what is resampled is a run, or where there are enough of them an
    algorithm, so that the contrast speaks of the paradigms and not of those that happened to be tried."""

    first: list[np.ndarray]
    second: list[np.ndarray]

    @property
    def unit(self) -> str:
        """What is resampled: "algorithm" or "run"."""
        return "algorithm" if min(len(self.first), len(self.second)) >= RANDOM else "run"

    @property
    def samples(self) -> list[np.ndarray]:
        """Strata: two of means of algorithms, or one of runs for each algorithm."""
        if self.unit == "algorithm":
            return [np.array([x.mean() for x in side]) for side in (self.first, self.second)]
        return [*self.first, *self.second]

    def split(self) -> int:
        """How many of the strata are of the first side."""
        return 1 if self.unit == "algorithm" else len(self.first)


def sides(field: Field, families: Mapping[str, str], game: str) -> Sides | None:
    """Of a game in one mode; None unless both paradigms are there. families: of the players."""
    g = field.games.index(game) if game in field.games else -1
    found = [
        [
            own[g]
            for a, own in enumerate(field.samples)
            if families[field.players[a]] == family and not field.missing[a, g]
        ]
        for family in (FIRST, SECOND)
    ]
    return Sides(*found) if g >= 0 and all(found) else None


def contrast(one: Sides) -> Estimates:
    """Mean over independent algorithms minus mean over the others, ``[]``."""
    return intervals(one.samples, lambda samples: _difference(samples, one.split()))


def _difference(samples: Sequence[np.ndarray], split: int) -> np.ndarray:
    means = [x.mean(-1) for x in samples]
    return np.asarray(np.mean(means[:split], axis=0) - np.mean(means[split:], axis=0))


def one_sided(one: Sides) -> tuple[float, float]:
    """p of the nulls that the contrast is not positive, and not negative: Welch's test on what is resampled."""
    split = one.split()
    x, y = (np.concatenate(part) for part in (one.samples[:split], one.samples[split:]))
    if len(x) < 2 or len(y) < 2:
        return 1.0, 1.0
    if np.ptp(x) == 0.0 and np.ptp(y) == 0.0:
        return (0.0, 1.0) if x[0] > y[0] else (1.0, 0.0) if x[0] < y[0] else (1.0, 1.0)
    upward, downward = (
        float(ttest_ind(x, y, equal_var=False, alternative=side).pvalue) for side in ("greater", "less")
    )
    return upward, downward


def crossovers(
    fields: Mapping[str, Field],
    families: Mapping[str, str],
    mutuality: Mapping[str, float],
    repeated: Set[tuple[str, str]] = frozenset(),
) -> dict[str, Any]:
    """Contrasts of every game in every mode, and each pair of modes in which they have opposite signs.

    fields: scores by mode, families: of players, mutuality: of modes. repeated: (game, mode) that are another mode's
    runs under a second name; they have a contrast, and are compared with no other mode.

    Modes between private rewards and a full kind are not tested: they say where a crossover lies (see ``crossing``),
    and would only cost the tests of the ends their power. A crossover is declared where both intervals lie on opposite
    sides of 0 and the p of both (the larger of the two one-sided ones, of the direction that fits better, doubled for
    having chosen it) stays below 5 % after Holm's correction for all games and pairs.
    """
    games = list(dict.fromkeys(game for field in fields.values() for game in field.games))
    there = {(g, m): s for g in games for m, field in fields.items() if (s := sides(field, families, g))}
    fresh = {key: one for key, one in there.items() if key not in repeated}
    contrasts = {key: contrast(one) for key, one in there.items()}
    ps = {key: one_sided(one) for key, one in there.items()}
    pairs = [
        (game, a, b) for game in games for a, b in itertools.combinations(_ends(fields, mutuality), 2)
        if (game, a) in fresh and (game, b) in fresh
    ]  # fmt: skip
    raw = [min(1.0, 2.0 * _opposite(ps[game, a], ps[game, b])) for game, a, b in pairs]
    adjusted = adjust(np.array(raw), "holm")
    found = [
        {
            "game": game, "from": a, "to": b, "p": p, "adjusted": float(q),
            "declared": bool(q <= ALPHA) and _apart(contrasts[game, a], contrasts[game, b]),
        }
        for (game, a, b), p, q in zip(pairs, raw, adjusted, strict=True)
    ]  # fmt: skip
    return {
        "first": FIRST, "second": SECOND, "tests": len(pairs),
        "contrasts": [
            {"game": game, "mode": mode, "unit": there[game, mode].unit, **each.at()}
            for (game, mode), each in contrasts.items()
        ],
        "crossovers": found,
        "mutualities": [
            {**x, "declared": any(_joins(each, x) for each in found)}
            for game in games for x in _mutualities(fresh, game, mutuality)
        ],
    }  # fmt: skip


def _ends(fields: Mapping[str, Field], mutuality: Mapping[str, float]) -> list[str]:
    """Modes of no mutuality or a whole one; all modes where there are not two of these."""
    ends = [mode for mode in fields if mutuality[mode] in (0.0, 1.0)]
    return ends if len(ends) > 1 else list(fields)


def _joins(crossover: Mapping[str, Any], sweep: Mapping[str, Any]) -> bool:
    """Whether a declared crossover is one from private rewards to the full kind of a sweep."""
    ends = (sweep["game"], "private", sweep["kind"])
    return bool(crossover["declared"]) and (crossover["game"], crossover["from"], crossover["to"]) == ends


def _opposite(a: tuple[float, float], b: tuple[float, float]) -> float:
    return min(max(a[0], b[1]), max(a[1], b[0]))


def _apart(a: Estimates, b: Estimates) -> bool:
    return bool((a.low > 0.0 and b.high < 0.0) or (a.high < 0.0 and b.low > 0.0))


def _mutualities(
    there: Mapping[tuple[str, str], Sides], game: str, mutuality: Mapping[str, float]
) -> list[dict[str, Any]]:
    """Where along each kind of reward the contrast crosses 0, of games whose modes have three mutualities or more."""
    found = []
    for kind in ("integrated", "cooperative"):
        own = sorted((m, mode) for mode, m in mutuality.items() if mode.split("(")[0] in (kind, "private"))
        points = [(m, there[game, mode]) for m, mode in own if (game, mode) in there]
        if len(points) >= 3:
            found.append({"game": game, "kind": kind, **crossing(points)})
    return found


def crossing(points: Sequence[tuple[float, Sides]]) -> dict[str, Any]:
    """The mutuality at which the contrast first changes sign, linear between points, with an interval over resamples.

    share: of the resamples in which it changes sign at all; the interval is over those.
    """
    where = np.array([m for m, _ in points])
    sizes = [len(one.samples) for _, one in points]
    bounds = np.concatenate([[0], np.cumsum(sizes)])

    def statistic(samples: Sequence[np.ndarray]) -> np.ndarray:
        parts = [samples[bounds[i] : bounds[i + 1]] for i in range(len(points))]
        each = [_difference(part, one.split()) for part, (_, one) in zip(parts, points, strict=True)]
        return _zero(where, np.stack(each))

    found = intervals([x for _, one in points for x in one.samples], statistic)
    numbers = {name: None if np.isnan(x) else x for name, x in found.at().items()}
    return {"mutuality": numbers, "share": finite_share(found.draws), "unit": points[0][1].unit}


def _zero(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """First zero ``[...]`` of lines through ``y [points, ...]`` at ``x [points]``; NaN where there is none."""
    changes = np.sign(y[:-1]) * np.sign(y[1:]) <= 0.0
    changes &= y[:-1] != y[1:]
    i = changes.argmax(0)
    low, high = (np.take_along_axis(y, (i + k)[None], 0)[0] for k in (0, 1))
    with np.errstate(invalid="ignore", divide="ignore"):
        place = x[i] + (x[i + 1] - x[i]) * low / (low - high)
    return np.where(changes.any(0), place, np.nan)
