"""Who leads in a reward mode: average ranks, interquartile means, chances of improvement, performance profiles."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

import numpy as np

from coopgym.statistics import Interval, aggregate_interval, chance_interval, rank_intervals, share_interval
from coopgym.study.analysis.runs import Runs, coded, strata
from coopgym.study.analysis.scores import AT_STAKE, Ruler

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


def at(found: Interval, *index: int) -> dict[str, float | None]:
    """One of several intervals as plain numbers; None for ends that are not known."""
    parts = {"value": found.mean, "low": found.low, "high": found.high}
    numbers = {name: float(np.asarray(x)[index]) for name, x in parts.items()}
    return {name: x if np.isfinite(x) else None for name, x in numbers.items()}


def ranks(field: Field, groups: Sequence[Sequence[int]] | None = None) -> Interval:
    """Average rank ``[groups, players]`` over the games of each group, all games by default, by mean score in each.

    1 is the best. Nobody lacks a game: see ``Field.ranked``.
    """
    return rank_intervals(field.samples, groups)


def interquartile(field: Field, games: Sequence[int] | None = None) -> Interval:
    """Interquartile mean ``[players]`` of scores over games (all by default) and runs."""
    chosen = range(len(field.games)) if games is None else games
    found = [aggregate_interval([own[g] for g in chosen], "iqm") for own in field.samples]
    return Interval(*(np.array(part) for part in zip(*found, strict=True)))


def improvements(field: Field, leader: int) -> list[dict[str, Any]]:
    """P(a > b): that a random run of a has a larger score than one of b, ties halved, averaged over games.

    Of every pair of players; of the leader against each other where there are many. It is Mann and Whitney's U as a
    share of all pairs.
    """
    count = len(field.players)
    pairs = list(itertools.combinations(range(count), 2))
    if count > PAIRWISE or any(len(x) > MANY for own in field.samples for x in own):
        pairs = [(leader, other) for other in range(count) if other != leader]
    found = []
    for a, b in pairs:
        first, second = ([x[:MANY] for x in field.samples[player]] for player in (a, b))
        chance = chance_interval(first, second)
        found.append({"player": field.players[a], "against": field.players[b], **at(chance)})
    return found


def profiles(field: Field) -> Interval:
    """Share ``[players, TAUS]`` of runs that score more than tau, averaged over games."""
    found = [share_interval([x[:, None] > TAUS for x in own]) for own in field.samples]
    return Interval(*(np.stack(part) for part in zip(*found, strict=True)))


def ranking(field: Field, runs: Runs, by: Mapping[str, Ruler]) -> dict[str, Any]:
    """Everything about one mode: players best first, over all games, where something is at stake, and by class.

    Players who lack some of the games that are ranked over come last, without a rank: a score over other games is no
    answer to the same question. Interquartile means are over the games of one scale: ``iqm`` over those where something
    is at stake (see ``Ruler``), ``iqm_of_share`` of the share of the best constant's welfare over the others.
    """
    report, whole, field = runs.reports, field, field.ranked()
    team = set(runs.player[runs.team].tolist())
    if not field.players:
        others = [_unranked(whole, a, (), team) for a in range(len(whole.players))]
        empty = {"games": [], "at_stake": [], "leaders": [], "taus": TAUS.tolist(), "improvement": []}
        return empty | {"players": others}
    stake = [g for g, name in enumerate(field.games) if by[name].kind == AT_STAKE]
    rest = [g for g in range(len(field.games)) if g not in stake]
    classes = {f"TR-{r}": [g for g, name in enumerate(field.games) if report[name] == r] for r in (1, 2, 3, 4)}
    groups = {"all": list(range(len(field.games))), "at stake": stake} | classes
    groups = {name: games for name, games in groups.items() if games}
    places, curve = ranks(field, list(groups.values())), profiles(field)
    middle = {name: interquartile(field, games) for name, games in (("iqm", stake), ("iqm_of_share", rest)) if games}
    order = np.argsort(places.mean[0], kind="stable").tolist()
    names = list(groups)
    return {
        "games": field.games, "at_stake": [field.games[g] for g in stake],
        "players": [
            {
                "player": field.players[a], "team": field.players[a] in team, "average_rank": at(places, 0, a),
                "rank_at_stake": at(places, names.index("at stake"), a) if stake else None,
                **{name: at(middle[name], a) if name in middle else None for name in ("iqm", "iqm_of_share")},
                "rank_by_class": {name: at(places, names.index(name), a) for name in names if name.startswith("TR-")},
                "mean_by_game": {name: _mean(field, a, g) for g, name in enumerate(field.games)},
                "missing_games": [name for name in whole.games if name not in field.games],
                "profile": [at(curve, a, t) for t in range(len(TAUS))],
            }
            for a in order
        ] + [
            _unranked(whole, a, [name for name in names if name.startswith("TR-")], team)
            for a, x in enumerate(whole.players) if x not in field.players
        ],
        "leaders": [field.players[a] for a in order if places.mean[0][a] - places.mean[0][order[0]] < SAME],
        "taus": TAUS.tolist(),
        "improvement": improvements(field, order[0]),
    }  # fmt: skip


def _unranked(whole: Field, a: int, classes: Iterable[str], team: Set[str]) -> dict[str, Any]:
    """A player that lacks games: means where it has runs, and nothing over games."""
    over_games = dict.fromkeys(("average_rank", "rank_at_stake", "iqm", "iqm_of_share"))
    return {
        "player": whole.players[a], "team": whole.players[a] in team, **over_games,
        "rank_by_class": dict.fromkeys(classes),
        "mean_by_game": {name: _mean(whole, a, g) for g, name in enumerate(whole.games)},
        "missing_games": [name for g, name in enumerate(whole.games) if whole.missing[a, g]], "profile": [],
    }  # fmt: skip


def _mean(field: Field, player: int, game: int) -> float | None:
    return None if field.missing[player, game] else float(field.samples[player][game].mean())
