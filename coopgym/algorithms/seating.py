"""One agent's seat among partners that do not learn: the counterpart of ``coopgym.make_seat`` for training and play."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from coopgym import seeding
from coopgym.algorithms.policy import CallablePolicy, FixedPolicy, Policy, keeps_memory, policy
from coopgym.envs import observation
from coopgym.envs.game import Game
from coopgym.envs.seat import other_seats
from coopgym.mechanisms.arrays import Array, namespace, to_numpy

Look = Callable[[str], Array]  # setting -> observations [R, ..., N, d]


@dataclass(frozen=True, eq=False)
class Seat:
    """The seat of ``agent`` (index); ``players`` are the policies of the others, each with the seats it plays."""

    game: Game
    agent: int
    players: tuple[tuple[Policy, tuple[int, ...]], ...]

    def __post_init__(self) -> None:
        taken = sorted([self.agent, *(i for _, columns in self.players for i in columns)])
        if taken != list(range(self.game.n)):
            raise ValueError(f"seats {taken} are taken; each of the {self.game.n} must be, by one player")
        for player, _ in self.players:
            check_sight(player)
            if player.stacked:
                raise ValueError(f"{player!r} is a stack of policies; seat one of them as partner, with policy[i]")

    @classmethod
    def of(cls, game: Game, agent: int | str, partners: Any) -> Seat:
        """The seat of an agent (index or id); partners: what ``coopgym.policy`` takes, or a dict of it by agent."""
        seat = game.agent_index(agent)
        others = other_seats(game, seat, partners)
        return cls(game, seat, tuple((policy(who, game), tuple(columns)) for who, columns in others))

    def to(self, device: Any) -> Seat:
        """The same seat with its players' tensors on a torch device."""
        return Seat(self.game, self.agent, tuple((player.to(device), columns) for player, columns in self.players))

    def around(self, own: Policy) -> SeatPolicy:
        """``own`` in this seat, the players in the others."""
        return SeatPolicy(self, own)

    def described(self) -> dict[str, Any]:
        """What tells this seat from another, as plain data: the agent, and who plays which other."""
        agents = self.game.agents
        partners = [{"seats": [agents[i] for i in c], "plays": _described(p, c)} for p, c in self.players]
        return {"agent": agents[self.agent], "partners": partners}


def check_sight(player: Any) -> None:
    """ValueError for a joint controller, which sees what nobody in a seat does."""
    if player.observability not in observation.SETTINGS:
        raise ValueError(f"{player!r} plays all seats at once; seat one that sees what an agent sees")


class Players:
    """The players of the other seats beside R replicas, each with the memory and the random streams that it needs.

    A player that draws has a copy with its own stream for each replica. One that remembers has its memory here, apart
    from that of the same policy at play elsewhere. apart: games of the batch begin anew one by one, where a rule can
    end them early; a player that remembers then has a copy for each game. Otherwise all games begin together.
    """

    def __init__(self, seat: Seat, seeds: Sequence[int], *, apart: bool = False) -> None:
        self.seat = seat
        self.apart = apart and seat.game.exit is not None
        self.copies = [_copies(player, len(seeds)) for player, _ in seat.players]
        self.lanes: list[list[list[Policy]]] = [[] for _ in seat.players]  # [players][replicas][games]
        self.reseed(seeds)

    @property
    def remember(self) -> bool:
        """True if one of them does."""
        return any(keeps_memory(player) for player, _ in self.seat.players)

    def reseed(self, seeds: Sequence[int]) -> None:
        """Start the streams anew, one for each replica."""
        self.seeds = tuple(seeds)
        for position, copies in enumerate(self.copies):
            for player, seed in zip(copies, seeds, strict=False):
                player.reseed(seeding.integer(seed, "players", position))
            for lanes, seed in zip(self.lanes[position], seeds, strict=False):
                for lane, player in enumerate(lanes):
                    player.reseed(seeding.integer(seed, "players", position, lane))

    def begin(self, ended: Array | None = None) -> None:
        """Begin a new episode in the games ``ended [R, E]`` of the batch, by default in all."""
        if ended is not None and not bool(ended.any()):
            return
        for copies, lanes in zip(self.copies, self.lanes, strict=True):
            for player in copies:
                player.reset()
            for r, row in enumerate(lanes):
                for e, player in enumerate(row):
                    if ended is None or ended[r, e]:
                        player.reset()

    def fill(self, actions: Array, look: Look) -> Array:
        """Actions ``[R, ..., N]`` in endowment units, with the other seats' in their places."""
        filled = namespace(actions).copy(actions)
        for position, (player, columns) in enumerate(self.seat.players):
            answer = self._answer(position, player, look(player.observability))
            filled[..., list(columns)] = answer[..., list(columns)]
        return filled

    def _answer(self, position: int, player: Policy, seen: Array) -> Array:
        copies = self.copies[position]
        if self.apart and keeps_memory(player):
            return self._each(position, player, seen)
        if not copies:
            return player.act(seen)
        return one_by_one(copies, seen) if player.random else copies[0].act(seen)

    def _each(self, position: int, player: Policy, seen: Array) -> Array:
        """Answers to ``seen [R, E, N, d]``, of a copy for each game."""
        if not self.lanes[position]:
            self.lanes[position] = [[player.clone() for _ in range(seen.shape[1])] for _ in self.seeds]
            self.reseed(self.seeds)
        rows = zip(self.lanes[position], seen, strict=True)
        answers = [to_numpy(one_by_one(lanes, of_replica)) for lanes, of_replica in rows]
        return namespace(seen).asarray(np.stack(answers), seen)


def _copies(player: Policy, replicas: int) -> list[Policy]:
    """One for each replica of a player that draws; one for all of a player that remembers; none of another."""
    if player.random:
        return [player.clone() for _ in range(replicas)]
    return [player.clone()] if player.remembers else []


class SeatPolicy(Policy):
    """``own`` plays its seat, the seat's players all others; a stack of R if ``own`` is one.

    The players play in their deterministic form, as they did in training, whatever ``own`` does.
    """

    def __init__(self, seat: Seat, own: Any) -> None:
        check_sight(own)
        self.seat, self.own, self.game = seat, own, seat.game
        self.name, self.stacked, self.about = own.name, own.stacked, getattr(own, "about", {})
        settings = {own.observability, *(player.observability for player, _ in seat.players)}
        self.observability = next(s for s in observation.SETTINGS if s in settings)  # the one that shows most
        self.players = Players(seat, [0] * (len(own) if own.stacked else 1))

    @classmethod
    def stack(cls, policies: Sequence[SeatPolicy]) -> SeatPolicy:
        """Several policies for one seat, with the same players."""
        first = policies[0]
        return cls(first.seat, type(first.own).stack([p.own for p in policies]))

    def __len__(self) -> int:
        return len(self.own)

    def __getitem__(self, index: int) -> SeatPolicy:
        """The policy of one replica of a stack."""
        return SeatPolicy(self.seat, self.own[index])

    def replica(self, index: int, **about: Any) -> SeatPolicy:
        """The policy of one replica, with more said ``about`` it."""
        return SeatPolicy(self.seat, self.own.replica(index, **about))

    @property
    def random(self) -> bool:
        """True if any of those that play is."""
        return self.own.random or any(player.random for player, _ in self.seat.players)

    @property
    def remembers(self) -> bool:
        """True if any of those that play does."""
        return self.own.remembers or any(player.remembers for player, _ in self.seat.players)

    def reset(self) -> None:
        """All of them begin anew."""
        self.own.reset()
        self.players.begin()

    def reseed(self, seed: int) -> None:
        """Start all streams anew; those of a stack's replicas are the same, as their noise is."""
        self.own.reseed(seed)
        self.players.reseed([seed] * (len(self) if self.stacked else 1))

    def to(self, device: Any) -> SeatPolicy:
        """The same policy on another device."""
        return SeatPolicy(self.seat.to(device), self.own.to(device))

    def fits(self, other: Policy) -> bool:
        """Policies for one seat among the same players fit if what plays the seat does."""
        return isinstance(other, SeatPolicy) and other.seat is self.seat and self.own.fits(other.own)

    def act(self, observations: Array, deterministic: bool = True) -> Array:
        """Everybody's actions, each from what it may see."""
        self.check(observations)

        def look(setting: str) -> Array:
            return observation.narrowed(self.game, observations, self.observability, setting)

        own = self.own.act(look(self.own.observability), deterministic)
        if self.stacked:
            return self.players.fill(own, look)
        return self.players.fill(own[None], lambda setting: look(setting)[None])[0]


def one_by_one(copies: Sequence[Policy], seen: Array) -> Array:
    """Actions of R players, each of its own observations ``[..., N, d]`` in NumPy: they may know nothing else."""
    answers = [player.act(to_numpy(rows)) for player, rows in zip(copies, seen, strict=True)]
    return namespace(seen).asarray(np.stack(answers), seen)


def _described(player: Policy, columns: Sequence[int]) -> Any:
    """A constant by its rates, a heuristic and a function by their names, a trained policy by its parameters too."""
    if isinstance(player, FixedPolicy):
        return player.rates[list(columns)].tolist()
    if isinstance(player, CallablePolicy):
        function = player.function
        return f"function {getattr(function, '__module__', '')}.{getattr(function, '__qualname__', player.name)}"
    from coopgym.algorithms.storage import fingerprint

    return fingerprint(player)
