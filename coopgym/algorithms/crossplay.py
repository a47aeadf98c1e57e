"""Strangers at one table: how agents fare among partners they did or did not train with."""

from __future__ import annotations

from typing import Any

import numpy as np

from coopgym import seeding
from coopgym.algorithms.evaluation import evaluate
from coopgym.algorithms.policy import Policy
from coopgym.envs.catalogue import game as make_game
from coopgym.envs.game import Game
from coopgym.mechanisms.arrays import Array, namespace


class SeatMix(Policy):
    """One policy in some seats and another in the rest. Either may be a stack; two stacks are taken pair by pair."""

    def __init__(self, first: Policy, second: Policy, seats: Any) -> None:
        """``seats [N]``: true where ``first`` plays."""
        self.game, self.observability = first.game, first.observability
        # each with a memory of its own: one policy may be seated twice, or be at play elsewhere
        self.first, self.second = (p.clone() if p.remembers else p for p in (first, second))
        self.seats = np.asarray(seats, dtype=bool)
        self.stacked = first.stacked or second.stacked
        self.name = f"{first.name} among {second.name}"
        if (second.game.hash, second.observability) != (self.game.hash, self.observability):
            raise ValueError(f"{first!r} and {second!r} must play one game and see the same")
        if self.seats.shape != (self.game.n,):
            raise ValueError(f"seats={seats!r} must have one truth value for each of the {self.game.n} agents")
        if len({len(p) for p in self._stacks}) > 1:
            raise ValueError(f"stacks of {[len(p) for p in self._stacks]} policies cannot be paired; give equal ones")

    @property
    def _stacks(self) -> list[Any]:
        return [p for p in (self.first, self.second) if p.stacked]

    def __len__(self) -> int:
        return len(self._stacks[0])

    @property
    def random(self) -> bool:
        """If either is."""
        return self.first.random or self.second.random

    @property
    def remembers(self) -> bool:
        """If either does."""
        return self.first.remembers or self.second.remembers

    def reset(self) -> None:
        """Both begin anew."""
        self.first.reset()
        self.second.reset()

    def reseed(self, seed: int) -> None:
        """Two streams, so that strangers do not share their noise."""
        self.first.reseed(seeding.integer(seed, "players", 0))
        self.second.reseed(seeding.integer(seed, "players", 1))

    def act(self, observations: Array, deterministic: bool = True) -> Array:
        """Each seat's own."""
        xp = namespace(observations)
        mine, theirs = (p.act(observations, deterministic) for p in (self.first, self.second))
        return xp.where(xp.asarray(self.seats, mine) > 0, mine, theirs)


def crossplay(
    agents: Policy, partners: Policy, game: Game | str, episodes: int = 1, seed: int = 0, *, deterministic: bool = True
) -> np.ndarray:
    """Mean payoff of an episode ``[..., N]`` to agent i of ``agents`` when all other seats are those of ``partners``.

    Either may be a stack of R policies, and ``...`` is then ``[R]``: one of them meets each of a stack in turn. With
    ``agents`` for partners it is plain self-play; with a pool, or with teams of other seeds, a test of generality.
    """
    game = make_game(game)
    seats = np.eye(game.n, dtype=bool)
    payoffs = []
    for i in range(game.n):
        played = evaluate(SeatMix(agents, partners, seats[i]), game, episodes, seed, deterministic=deterministic)
        payoffs.append(played.payoffs.mean(-2)[..., i])
    return np.stack(payoffs, -1)
