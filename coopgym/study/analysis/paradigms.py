"""Independent learners against those that train together: the contrast, and where it changes sign."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

import numpy as np

from coopgym.statistics import Interval, adjust, stratified_mean, welch_p
from coopgym.study.analysis.rankings import Field, at

FIRST, SECOND = "independent", "CTDE"
OWN, TEAM = "own", "team"  # rewards that learners are trained on: each agent's, or the sum of all agents'
RANDOM = 5  # algorithms of each paradigm from which on algorithms are the sample
STEPS = 101  # mutualities between two that were played at which a crossing is looked for
ALPHA = 0.05


@dataclass(frozen=True)
class Sides:
    """Scores of one game in one mode, by algorithm: the sample is of runs, or where there are enough of them of
    algorithms, so that the contrast speaks of the paradigms and not of those that happened to be tried."""

    first: list[np.ndarray]
    second: list[np.ndarray]

    @property
    def unit(self) -> str:
        """What the sample is of: "algorithm" or "run"."""
        return "algorithm" if min(len(self.first), len(self.second)) >= RANDOM else "run"

    @property
    def samples(self) -> list[np.ndarray]:
        """Strata: two of means of algorithms, or one of runs for each algorithm."""
        if self.unit == "algorithm":
            return [np.array([x.mean() for x in side]) for side in (self.first, self.second)]
        return [*self.first, *self.second]

    @property
    def weights(self) -> np.ndarray:
        """Of the strata's means in the contrast."""
        sizes = (1, 1) if self.unit == "algorithm" else (len(self.first), len(self.second))
        return np.concatenate([np.full(n, sign / n) for n, sign in zip(sizes, (1.0, -1.0), strict=True)])


def sides(
    field: Field, families: Mapping[str, str], game: str, team: Mapping[str, bool], objectives: tuple[str, str]
) -> Sides | None:
    """Of a game in one mode; None unless both paradigms are there.

    families, team: of the players, and whether they are trained on the sum of rewards; objectives: which of these two
    kinds of learner stands on the first side, and on the second.
    """
    g = field.games.index(game) if game in field.games else -1
    found = [
        [
            own[g]
            for a, own in enumerate(field.samples)
            if families[field.players[a]] == family and not field.missing[a, g]
            and team.get(field.players[a], False) == (objective == TEAM)
        ]
        for family, objective in zip((FIRST, SECOND), objectives, strict=True)
    ]  # fmt: skip
    return Sides(*found) if g >= 0 and all(found) else None


def contrast(one: Sides) -> Interval:
    """Mean over independent algorithms minus mean over the others, with its t interval; floats."""
    found = stratified_mean([x[:, None] for x in one.samples], one.weights)
    return Interval(*(float(part[0]) for part in found))


def one_sided(one: Sides) -> tuple[float, float]:
    """p of the nulls that the contrast is not positive, and not negative: Welch's test on what the sample is of."""
    split = int((one.weights > 0.0).sum())
    return welch_p(np.concatenate(one.samples[:split]), np.concatenate(one.samples[split:]))


def crossovers(
    fields: Mapping[str, Field],
    families: Mapping[str, str],
    mutuality: Mapping[str, float],
    repeated: Set[tuple[str, str]] = frozenset(),
    team: Mapping[str, bool] | None = None,
) -> dict[str, Any]:
    """Contrasts of every game in every mode, and each pair of modes in which they have opposite signs.

    fields: scores by mode, families: of players, mutuality: of modes. repeated: (game, mode) that are another mode's
    runs under a second name; they have a contrast, and are compared with no other mode. team: whether a player is
    trained on the sum of all agents' rewards; such learners want the same under every mode, so they are contrasted with
    each other, or (``beside_team``) with the others apart from the rest.

    Modes between private rewards and a full kind are not tested: they say where a crossover lies (see ``crossing``),
    and would only cost the tests of the ends their power. A crossover is declared where both intervals lie on opposite
    sides of 0 and the p of both (the larger of the two one-sided ones, of the direction that fits better, doubled for
    having chosen it) stays below 5 % after Holm's correction for all games and pairs.
    """
    games = list(dict.fromkeys(game for field in fields.values() for game in field.games))
    of_team = team or {}

    def found_sides(*objectives: str) -> dict[tuple[str, str], Sides]:
        two = (objectives[0], objectives[-1])
        each = {(g, m): sides(field, families, g, of_team, two) for g in games for m, field in fields.items()}
        return {key: one for key, one in each.items() if one is not None}

    there, objective = found_sides(OWN), OWN
    if not there:
        there, objective = found_sides(TEAM), TEAM
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
        "first": FIRST, "second": SECOND, "objective": objective, "tests": len(pairs),
        "contrasts": _told(there, contrasts),
        "beside_team": _told(mixed := found_sides(OWN, TEAM), {key: contrast(one) for key, one in mixed.items()}),
        "crossovers": found,
        "mutualities": [
            {**x, "declared": any(_joins(each, x) for each in found)}
            for game in games for x in _mutualities(fresh, game, mutuality)
        ],
    }  # fmt: skip


def _told(
    there: Mapping[tuple[str, str], Sides], contrasts: Mapping[tuple[str, str], Interval]
) -> list[dict[str, Any]]:
    return [
        {"game": game, "mode": mode, "unit": there[game, mode].unit, **at(each)}
        for (game, mode), each in contrasts.items()
    ]


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


def _apart(a: Interval, b: Interval) -> bool:
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
    """The mutuality at which the contrast first changes sign, linear between points, and where it may.

    The interval reaches from the least to the largest mutuality at which the 95% interval of the contrast contains 0
    (Fieller's set): a true change of sign lies in it at least 95% of the time.
    """
    where = np.array([m for m, _ in points])
    means = np.array([contrast(one).mean for _, one in points])
    samples = [x[:, None] for _, one in points for x in one.samples]
    ends = np.cumsum([0, *(len(one.samples) for _, one in points)])
    grid, weights = [], []
    for i in range(len(points) - 1):
        share = np.linspace(0.0, 1.0, STEPS)
        weight = np.zeros((len(samples), STEPS))
        for k, part in ((i, 1.0 - share), (i + 1, share)):
            weight[ends[k] : ends[k + 1]] = points[k][1].weights[:, None] * part
        grid.append(where[i] + share * (where[i + 1] - where[i]))
        weights.append(weight)
    along = stratified_mean(samples, np.concatenate(weights, axis=1))
    possible = np.concatenate(grid)[(along.low <= 0.0) & (along.high >= 0.0)]
    value = _zero(where, means)
    known = np.isfinite(value) and len(possible)
    ends_of = {"low": float(possible.min()), "high": float(possible.max())} if known else {"low": None, "high": None}
    return {"mutuality": {"value": float(value) if np.isfinite(value) else None, **ends_of}, "unit": points[0][1].unit}


def _zero(x: np.ndarray, y: np.ndarray) -> float:
    """First zero of lines through ``y [points]`` at ``x [points]``; NaN where there is none."""
    changes = np.flatnonzero((np.sign(y[:-1]) * np.sign(y[1:]) <= 0.0) & (y[:-1] != y[1:]))
    if not len(changes):
        return float("nan")
    i = changes[0]
    return float(x[i] + (x[i + 1] - x[i]) * y[i] / (y[i] - y[i + 1]))
