"""Who leads in a reward mode: average ranks, interquartile means, chances of improvement, performance profiles."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import rankdata

from coopgym.study.analysis.resampling import Estimates, intervals, iqm, pooled
from coopgym.study.analysis.runs import Runs, coded, strata

TAUS = np.round(np.linspace(0.0, 1.0, 21), 2)
MANY = 100  # runs of a stratum; a chance of improvement looks at no more than so many
SAME = 1e-9  # ranks that are no further apart are a tie
PAIRWISE = 20  # players; above, everybody is compared with the leader alone
Strata = list[list[np.ndarray]]


@dataclass(frozen=True)
class Field:
    """Scores of players in games: ``samples[player][game] [n]``, empty where a player has no run, as ``missing`` says.

    What has no run has no score. Averages over games are of players that have runs in all of them: see ``ranked``."""

    players: list[str]
    games: list[str]
    samples: Strata
    missing: np.ndarray

    @classmethod
    def of(cls, runs: Runs, scores: np.ndarray) -> Field:
        """The players among some runs, in the games that they play."""
        players, games = coded(runs.player)[0], runs.games
        samples = strata(runs, scores, players, games)
        missing = np.array([[not len(x) for x in own] for own in samples]).reshape(len(players), len(games))
        return cls(players, games, samples, missing)

    def part(self, players: Sequence[int], games: Sequence[int]) -> Field:
        """Some of the players in some of the games."""
        samples = [[self.samples[a][g] for g in games] for a in players]
        names = [self.players[a] for a in players], [self.games[g] for g in games]
        return Field(*names, samples, self.missing[np.ix_(players, games)])

    def ranked(self) -> Field:
        """Players and games such that every player has runs in every game: an average over other games would be another
        question. All games and those who played all of them; where these are not two, everybody over common games."""
        whole = np.flatnonzero(~self.missing.any(1)).tolist()
        if len(whole) > 1 or len(self.players) == 1:
            return self.part(whole, range(len(self.games)))
        common = np.flatnonzero(~self.missing.any(0)).tolist()
        return self.part(range(len(self.players)) if common else (), common)

    def flat(self) -> list[np.ndarray]:
        """Samples in one list, player by player."""
        return [x for own in self.samples for x in own]


def ranks(field: Field, groups: Sequence[Sequence[int]] | None = None) -> Estimates:
    """Average rank ``[groups, players]`` over the games of each group, all games by default, by mean score in each.

    1 is the best. Nobody lacks a game: see ``Field.ranked``.
    """
    chosen = [list(range(len(field.games)))] if groups is None else groups
    shape = (len(field.players), len(field.games))

    def statistic(samples: Sequence[np.ndarray]) -> np.ndarray:
        means = np.stack([x.mean(-1) for x in samples])
        means = means.reshape(*shape, *means.shape[1:])
        order = rankdata(-means, axis=0)
        return np.stack([order[:, list(games)].mean(1) for games in chosen])

    return intervals(field.flat(), statistic)


def interquartile(field: Field) -> Estimates:
    """Interquartile mean ``[players]`` of scores over games and runs."""
    wide = len(field.games)

    def statistic(samples: Sequence[np.ndarray]) -> np.ndarray:
        return np.stack([iqm(pooled(samples[i : i + wide])) for i in range(0, len(samples), wide)])

    return intervals(field.flat(), statistic, weight=3.0)


def improvements(field: Field, leader: int) -> list[dict[str, Any]]:
    """P(a > b): that a random run of a has a larger score than one of b, ties halved, averaged over games.

    Of every pair of players; of the leader against each other where there are many. It is Mann and Whitney's U as a
    share of all pairs.
    """
    count = len(field.players)
    pairs = list(itertools.combinations(range(count), 2))
    if count > PAIRWISE or any(len(x) > MANY for x in field.flat()):
        pairs = [(leader, other) for other in range(count) if other != leader]
    found = []
    for a, b in pairs:
        samples = [x[:MANY] for x in (*field.samples[a], *field.samples[b])]
        chance = intervals(samples, _chance, weight=100.0)
        found.append({"player": field.players[a], "against": field.players[b], **chance.at()})
    return found


def _chance(samples: Sequence[np.ndarray]) -> np.ndarray:
    half = len(samples) // 2
    return np.asarray(np.mean([_larger(x, y) for x, y in zip(samples[:half], samples[half:], strict=True)], axis=0))


def _larger(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    n, m = x.shape[-1], y.shape[-1]
    ranks = rankdata(np.concatenate([x, y], axis=-1), axis=-1)[..., :n].sum(-1)
    return np.asarray((ranks - n * (n + 1) / 2) / (n * m))


def profiles(field: Field) -> Estimates:
    """Share ``[players, TAUS]`` of runs that score more than tau, averaged over games."""
    wide = len(field.games)

    def statistic(samples: Sequence[np.ndarray]) -> np.ndarray:
        above = np.stack([_above(x) for x in samples])
        return np.asarray(above.reshape(-1, wide, *above.shape[1:]).mean(1))

    return intervals([np.searchsorted(TAUS, x) for x in field.flat()], statistic, weight=10.0)


def _above(passed: np.ndarray) -> np.ndarray:
    """Share ``[TAUS, ...]`` of runs above each tau, from how many of these each has passed ``[..., n]``: one count."""
    *batch, n = passed.shape
    kinds, rows = len(TAUS) + 1, math.prod(batch)
    places = passed.reshape(rows, n).astype(np.intp) + kinds * np.arange(rows)[:, None]
    counts = np.bincount(places.reshape(-1), minlength=rows * kinds).reshape(*batch, kinds)
    return np.moveaxis(np.cumsum(counts[..., :0:-1], -1)[..., ::-1] / n, -1, 0)


def ranking(field: Field, runs: Runs) -> dict[str, Any]:
    """Everything about one mode: players best first, by game and by class of games.

    Players who lack some of the games that are ranked over come last, without a rank: a score over other games is no
    answer to the same question.
    """
    report, whole, field = runs.reports, field, field.ranked()
    if not field.players:
        others = [_unranked(whole, a, ()) for a in range(len(whole.players))]
        return {"games": [], "players": others, "leaders": [], "taus": TAUS.tolist(), "improvement": []}
    classes = {f"TR-{r}": [g for g, name in enumerate(field.games) if report[name] == r] for r in (1, 2, 3, 4)}
    classes = {"all": list(range(len(field.games)))} | {name: games for name, games in classes.items() if games}
    places, middle, curve = ranks(field, list(classes.values())), interquartile(field), profiles(field)
    order = np.argsort(places.value[0], kind="stable").tolist()
    return {
        "games": field.games,
        "players": [
            {
                "player": field.players[a], "average_rank": places.at(0, a), "iqm": middle.at(a),
                "rank_by_class": {name: places.at(c, a) for c, name in enumerate(classes) if c},
                "mean_by_game": {name: _mean(field, a, g) for g, name in enumerate(field.games)},
                "missing_games": [name for name in whole.games if name not in field.games],
                "profile": [curve.at(a, t) for t in range(len(TAUS))],
            }
            for a in order
        ] + [_unranked(whole, a, list(classes)[1:]) for a, x in enumerate(whole.players) if x not in field.players],
        "leaders": [field.players[a] for a in order if places.value[0][a] - places.value[0][order[0]] < SAME],
        "taus": TAUS.tolist(),
        "improvement": improvements(field, order[0]),
    }  # fmt: skip


def _unranked(whole: Field, a: int, classes: Iterable[str]) -> dict[str, Any]:
    """A player that lacks games: means where it has runs, and nothing over games."""
    return {
        "player": whole.players[a], "average_rank": None, "iqm": None, "rank_by_class": dict.fromkeys(classes),
        "mean_by_game": {name: _mean(whole, a, g) for g, name in enumerate(whole.games)},
        "missing_games": [name for g, name in enumerate(whole.games) if whole.missing[a, g]], "profile": [],
    }  # fmt: skip


def _mean(field: Field, player: int, game: int) -> float | None:
    return None if field.missing[player, game] else float(field.samples[player][game].mean())
