"""What becomes of trust, and what it is worth."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field

import numpy as np

from coopgym.audit.bench import Bench
from coopgym.audit.measures import ratio
from coopgym.audit.traces import Plan, Traces, free
from coopgym.envs.game import Game

BREACH, BACK = 5, 0.9  # steps at rate 0; share of the earlier trust
MOVED = 1e-3  # least change of mean trust whose worth can be told


@dataclass(frozen=True, eq=False)
class TrustUse:
    """Effective trust min(T, 1 - R), in [0, 1], means over episodes.

    level ``[R, N]``: mean over time of the others' trust in i; final ``[R]``: mean over agents at the end; efficiency
    ``[R]`` [payoff]: welfare less that of the same policies in a game where trust stands still, for each unit by which
    mean trust differs from there; recovery ``[R, N]`` [steps]: after a breach of 5 steps at rate 0 in the middle of the
    episode, until the others' trust in i is back at 90 % of what it was, inf: not by the last step, NaN where a rule
    ends the game before; hysteresis ``[R, N]`` [rate]:
    the area between the two branches of trust in i while i's rate slowly rises from 0 to 1 and falls back,
    positive where trust is lower on the way up; by_step ``[R, T]``: mean over agents after each step, in the episodes
    that are under way, NaN where none is.
    """

    level: np.ndarray
    final: np.ndarray
    efficiency: np.ndarray
    recovery: np.ndarray
    hysteresis: np.ndarray
    by_step: np.ndarray
    undefined: dict[str, str] = field(default_factory=dict)

    def measures(self) -> dict[str, np.ndarray]:
        """By name."""
        return {
            "trust": self.level, "final_trust": self.final, "trust_efficiency": self.efficiency,
            "trust_recovery": self.recovery, "hysteresis": self.hysteresis,
        }  # fmt: skip


def trust(bench: Bench, found: Traces) -> TrustUse:
    """Of undisturbed play, of a game in which trust stands, and of what was found of ``breach_and_sweep``."""
    base, undefined = bench.subject.base, dict[str, str]()
    level = np.where(base.alive[..., None], base.trust, 0.0).sum(-2) / np.maximum(1, base.lengths)[..., None]
    efficiency = _efficiency(bench, level.mean((1, 2)))
    if np.isnan(efficiency).any():
        undefined["trust_efficiency"] = "trust hardly moves"
    recovery, hysteresis = _of_breach_and_sweep(bench, found)
    undefined |= {
        name: "the episode was over before it or during it, or is too short for it"
        for name, x in (("trust_recovery", recovery), ("hysteresis", hysteresis)) if np.isnan(x[:, bench.seats]).any()
    }  # fmt: skip
    by_step = ratio(np.where(base.alive, base.trust.mean(-1), 0.0).mean(1), base.alive.mean(1))
    final = base.trust[..., -1, :].mean((1, 2))
    return TrustUse(level.mean(1), final, efficiency, recovery, hysteresis, by_step, undefined)


def _efficiency(bench: Bench, level: np.ndarray) -> np.ndarray:
    still = dataclasses.replace(bench.game, trust=None)
    frozen = bench.subject.trace(Plan(free(still)), still).only(0)
    gained = (bench.subject.base.payoffs - frozen.payoffs).sum((-2, -1)).mean(1)
    moved = level - frozen.trust[..., 0, :].mean((1, 2))
    return np.where(np.abs(moved) < MOVED, np.nan, gained / np.where(np.abs(moved) < MOVED, 1.0, moved))


def breach_and_sweep(bench: Bench) -> np.ndarray:
    """A breach in the middle by every audited seat, then a slow sweep by each: forced rates ``[2 S, 1, 1, T, N]``."""
    game, seats = bench.game, bench.seats
    start, last = _breach(game)
    forced = free(game, 2 * len(seats))
    for s, i in enumerate(seats):
        forced[s, ..., start : last + 1, i] = 0.0
        forced[len(seats) + s, ..., i] = _sweep(game)
    return forced


def _breach(game: Game) -> tuple[int, int]:
    """(first, last) step of a breach in the middle; a game of no more steps than a breach is all breach."""
    start = max(0, min(game.horizon // 2, game.horizon - BREACH))
    return start, min(start + BREACH, game.horizon) - 1


def _sweep(game: Game) -> np.ndarray:
    """Rates ``[T]`` that rise from 0 to 1 and fall back."""
    return np.asarray(1.0 - np.abs(np.linspace(-1.0, 1.0, game.horizon)))


def _of_breach_and_sweep(bench: Bench, found: Traces) -> tuple[np.ndarray, np.ndarray]:
    """(recovery, hysteresis), each ``[R, N]``."""
    seats, (start, last), sweep = bench.seats, _breach(bench.game), _sweep(bench.game)
    felt = np.stack([found.trust[:, x, ..., i] for x, i in enumerate(np.tile(seats, 2))], 1)  # [R, X, E, T]
    alive, count = np.asarray(found.alive.all(2)), len(seats)
    before = np.stack([bench.subject.base.trust[..., start - 1, i] for i in seats], 1).mean(2)[..., None]
    felt = ratio(np.where(found.alive, felt, 0.0).sum(2), found.alive.sum(2))  # of the episodes that go on, [R, X, T]
    back = felt[:, :count, last:] >= BACK * before
    never = np.where(np.isnan(felt[:, :count, -1]), np.nan, np.inf)  # a game that is over does not tell
    steps = np.where(back.any(-1), back.argmax(-1), never)
    there = np.asarray(bench.subject.base.alive.all(1))[:, None, last] & (start > 0)  # trust before it is known
    branch = felt[:, count:]
    area = -(0.5 * (branch[..., 1:] + branch[..., :-1]) * np.diff(sweep)).sum(-1)
    whole = alive[:, count:, -1]
    return bench.everybody(np.where(there, steps, np.nan)), bench.everybody(np.where(whole, area, np.nan))
