"""Reward modes that give one training problem: runs under them are one run under two names.

For a learner that is trained on the sum of all rewards, private and cooperative ones add up to the same in a -v1 game,
integrated and cooperative ones in a -v0 game; where nobody depends on anybody, integrated rewards are private ones.
None of this is written down here: the rewards of a play are compared.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from coopgym import seeding
from coopgym.algorithms.record import canonical
from coopgym.envs.catalogue import game as make_game
from coopgym.envs.moments import moments
from coopgym.envs.reward import KINDS, RewardMode
from coopgym.mechanisms.base import State
from coopgym.statistics import TEAM
from coopgym.study.cells import Cell, of_game
from coopgym.study.identity import configuration, game_of, labels, object_in

POWERS = np.array([0.2, 0.5, 1.0, 3.0])  # lanes of the play, from generous to stingy
R = TypeVar("R", bound=Mapping[str, Any])
MOST = 6  # names in a sentence
CLOSE = 1e-9  # of the largest reward: less is rounding


def original(game: str, options: str, mode: RewardMode, team: bool = False) -> RewardMode | None:
    """The first pure mode whose rewards are those of ``mode`` all along; None where that is ``mode`` itself, or none.

    options: of the game [JSON]; team: whether it is their sum over agents that is trained on.
    """
    own = _under(game, options, mode, team)
    for kind in KINDS:
        other = RewardMode(kind)
        if other == mode:
            return None
        if np.allclose(own, _under(game, options, other, team), rtol=0.0, atol=CLOSE * float(np.abs(own).max())):
            return other
    return None


def distinct(rows: Iterable[R]) -> list[R]:
    """Rows of runs, or of audits, without those that repeat another one among them under a second mode.

    A repeat has the training problem, the configuration and the seed of a row of an earlier mode (see ``original``).
    Its difference from that row is known, and a comparison of modes would count it twice.
    """
    return [row for row, first in _with_first(rows) if first is None]


def pairs(rows: Iterable[R]) -> list[tuple[R, R]]:
    """(row, the row of an earlier mode among them that it repeats): see ``distinct``."""
    return [(row, first) for row, first in _with_first(rows) if first is not None]


def of_the_sum(row: Mapping[str, Any]) -> bool:
    """Whether a row of ``runs`` or of ``audits`` is of a learner that is trained on the sum of all agents' rewards."""
    team = row.get("team_reward")
    if team is None and row.get("kind", "learner") == "learner":
        team = object_in(configuration(row).settings).get("team_reward", False)
    return bool(team)


def notes(found: Iterable[tuple[str, str, str, str]]) -> list[str]:
    """Sentences on which rows of a table repeat which, from (player, game, mode, the mode that is repeated) of each."""
    games: dict[tuple[str, str, str], dict[str, None]] = {}
    for player, game, mode, first in found:
        games.setdefault((mode, first, player), {})[game] = None
    players: dict[tuple[str, str, tuple[str, ...]], list[str]] = {}
    for (mode, first, player), where in games.items():
        players.setdefault((mode, first, tuple(where)), []).append(player)
    return [
        f"{_listed(who)} in {_listed(where)}: the rows under {mode} rewards repeat those under {first} rewards. Both "
        "are one training problem, so a run of one seed stands there under two names."
        for (mode, first, where), who in players.items()
    ]


def notes_on(rows: Iterable[R]) -> list[str]:
    """The same from rows of runs, by the names that tell them apart."""
    known = list(rows)
    named = labels(known)
    found = ((*named.cell(row), named.cell(first)[-1], of_the_sum(row)) for row, first in pairs(known))
    return notes((f"{name}{TEAM if team else ''}", game, mode, other) for game, name, mode, other, team in found)


def _listed(names: Sequence[str]) -> str:
    more = [f"{len(names) - MOST + 1} more"] if len(names) > MOST else []
    return ", ".join([*(names[: MOST - 1] if more else names), *more])


def _with_first(rows: Iterable[R]) -> list[tuple[R, R | None]]:
    """Each row, and the one among them that it repeats. Games are played only where there may be one."""
    known = list(rows)
    keys = [(configuration(row), row.get("seed")) for row in known]
    there = dict(zip(keys, known, strict=True))
    problems = [(own._replace(reward_mode=None, mutuality=None), seed) for own, seed in keys]
    modes: dict[Any, set[Any]] = {}
    for problem, (own, _) in zip(problems, keys, strict=True):
        modes.setdefault(problem, set()).add((own.reward_mode, own.mutuality))
    firsts = [_first(row) if len(modes[problem]) > 1 else None for row, problem in zip(known, problems, strict=True)]
    return [
        (row, None if first is None else there.get((own._replace(reward_mode=first.kind, mutuality=None), seed)))
        for row, (own, seed), first in zip(known, keys, firsts, strict=True)
    ]


def _first(row: Mapping[str, Any]) -> RewardMode | None:
    """The pure mode that a row's mode repeats; None of a game that is not of the catalogue, or what was not trained."""
    if row.get("reward_mode") not in KINDS or row.get("kind", "learner") != "learner":
        return None
    mutuality = row.get("mutuality")
    try:
        mode = RewardMode(row["reward_mode"], 1.0 if mutuality is None else mutuality)
        return original(row.get("game_id") or row["game"], row.get("game_options") or "{}", mode, of_the_sum(row))
    except (ValueError, TypeError):
        return None


def twin(cell: Cell, mode: RewardMode | None, seed: int | None, team: bool) -> str | None:
    """run_id of the run that has this one's problem, with the same seed, under an earlier mode."""
    if mode is None:
        return None
    made = make_game(cell.game, **of_game(cell.game, cell.options))
    first = original(made.id, canonical(made.options), mode, team)
    return None if first is None else next(iter(replace(cell, modes=(first,), seeds=(seed,)).plan()))


def _under(game: str, options: str, mode: RewardMode, team: bool) -> np.ndarray:
    """Rewards ``[T, lanes, N]`` under a mode, or ``[T, lanes]``: linear in mutuality, from the private ones."""
    kinds = _played(game, options)
    rewards = (1.0 - mode.mutuality) * kinds["private"] + mode.mutuality * kinds[mode.kind]
    return np.asarray(rewards.sum(-1) if team else rewards)


@functools.lru_cache(maxsize=256)
def _played(game: str, options: str) -> dict[str, np.ndarray]:
    """Rewards ``[T, lanes, N]`` under each pure mode while everybody acts at random; 0 after the end."""
    made, draw = game_of(game, options), seeding.generator(0, "probes")

    def act(state: State) -> np.ndarray:
        return np.asarray(made.endowment * draw.random((len(POWERS), made.n)) ** POWERS[:, None])

    steps = [
        [
            np.where(m.alive[:, None], made.rewards(RewardMode(kind).weights, m.before, m.after, m.payoffs), 0.0)
            for kind in KINDS
        ]
        for m in moments(made, act, (len(POWERS),))
    ]
    return dict(zip(KINDS, np.stack(steps, axis=1), strict=True))
