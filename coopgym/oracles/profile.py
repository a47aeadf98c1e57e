"""Who plays which seat, and what one agent earns by a sequence of its own while all others go on as they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from coopgym import seeding
from coopgym.algorithms.evaluation import quasi_random
from coopgym.algorithms.policy import CallablePolicy, Policy, SchedulePolicy, keeps_memory, policy
from coopgym.algorithms.seating import one_by_one
from coopgym.envs import observation
from coopgym.envs.game import Game
from coopgym.envs.moments import Act, moments
from coopgym.envs.reward import RewardMode
from coopgym.mechanisms.base import State, spread

CHUNK = 400_000  # numbers [games x N x N] that are played side by side
DRAWS = 16  # games that stand for what is random or hidden


class CommonNoise(np.random.Generator):
    """Normal numbers that are the same along the first ``axes`` axes: differences there are due to actions."""

    def __init__(self, bits: np.random.BitGenerator, axes: int = 1) -> None:
        super().__init__(bits)
        self.axes = axes

    def standard_normal(self, size: Any = None, *args: Any, **named: Any) -> Any:
        """One lane's numbers, repeated."""
        return np.broadcast_to(super().standard_normal(size[self.axes :]), size)


@dataclass(frozen=True, eq=False)
class Profile:
    """Policies with the seats ``[columns]`` they play, and the fixed draws with which what is random is played."""

    game: Game
    players: tuple[tuple[Policy, tuple[int, ...]], ...]
    draws: int = DRAWS
    seed: int = 0
    _copies: dict[int, list[list[Policy]]] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, spec: Any, game: Game, draws: int = DRAWS, seed: int = 0) -> Profile:
        """From what ``coopgym.policy`` takes, actions ``[T, N]``, or a dict of such by agent (index or id)."""
        if not isinstance(spec, Mapping):
            return cls(game, ((player(spec, game), tuple(range(game.n))),), draws, seed)
        seats = {game.agent_index(agent): player(who, game) for agent, who in spec.items()}
        if len(seats) != game.n:
            raise ValueError(f"policies for agents {sorted(seats)}; {game.id} has {game.n}, and each needs one")
        columns: dict[int, list[int]] = {}  # one policy in several seats is asked once a step
        for seat, who in seats.items():
            columns.setdefault(id(who), []).append(seat)
        return cls(game, tuple((seats[own[0]], tuple(own)) for own in columns.values()), draws, seed)

    @property
    def name(self) -> str:
        """What plays, in words."""
        return ", ".join(dict.fromkeys(who.name for who, _ in self.players))

    @cached_property
    def random(self) -> bool:
        """True if a player draws random numbers; a function draws if it does not repeat itself."""
        return any(self._draws(who) for who, _ in self.players)

    def _draws(self, who: Policy) -> bool:
        if not isinstance(who, CallablePolicy):
            return who.random
        seen = observation.observe(self.game, self.game.reset((4,)), who.observability)
        answers = []
        for _ in range(2):
            who.reset()
            answers.append(np.asarray(who.act(seen)))
        found = np.stack(answers)
        return bool((found != found[:1, :1]).any())

    @cached_property
    def games(self) -> int:
        """Games D over which returns are averaged: one where nothing is random or hidden."""
        return self.draws if self.random or self.game.reset_draws or self.game.step_draws else 1

    @cached_property
    def hidden(self) -> np.ndarray | None:
        """The draws ``[D, k]`` with which games are reset: evenly spread."""
        return quasi_random(self.games, self.game.reset_draws) if self.game.reset_draws else None

    def actor(self, lanes: int) -> Callable[[State], np.ndarray]:
        """Everybody's actions ``[L, D, N]``; what is drawn is the same in all L lanes."""
        if lanes not in self._copies:
            self._copies[lanes] = [_copies(who, lanes) for who, _ in self.players]
        copies = self._copies[lanes]
        for position, group in enumerate(copies):
            for lane in group:
                lane.reset()
                lane.reseed(seeding.integer(self.seed, "players", position))
        return lambda state: self._act(state, copies)

    def _act(self, state: State, copies: list[list[Policy]]) -> np.ndarray:
        actions = np.empty(state.actions.shape)
        seen: dict[str, Any] = {}
        for (who, columns), own in zip(self.players, copies, strict=True):
            setting = who.observability
            if setting not in seen:
                seen[setting] = observation.observe(self.game, state, setting)
            if who.random and not isinstance(who, CallablePolicy):
                answer = one_by_one(own, seen[setting])
            else:
                answer = (own[0] if own else who).act(seen[setting])
            actions[..., columns] = np.asarray(answer)[..., columns]
        return actions

    def play(self, mode: RewardMode, act: Act, lanes: int = 1) -> Play:
        """Episodes of D games in each of L lanes with actions ``act(state) [L, D, N]``."""
        batch, path = (lanes, self.games), []
        rewards, lengths = np.zeros((*batch, self.game.n)), np.zeros(batch)
        draws = None if self.hidden is None else np.broadcast_to(self.hidden, (lanes, *self.hidden.shape))
        noise = CommonNoise(seeding.bits(self.seed, "evaluation"))
        for before, after, paid, alive, _ in moments(self.game, act, batch, reset_draws=draws, noise=noise):
            rewards += np.where(alive[..., None], self.game.rewards(mode.weights, before, after, paid), 0.0)
            lengths += alive
            path.append(after.actions)
        return Play(rewards.mean(1), lengths.mean(1), np.stack(path, 2).mean(1))


@dataclass(frozen=True, eq=False)
class Play:
    """rewards, lengths and path: ``[L, N]``, ``[L]`` and actions ``[L, T, N]``; means over draws."""

    rewards: np.ndarray
    lengths: np.ndarray
    path: np.ndarray


@dataclass(frozen=True, eq=False)
class Response:
    """The return of one agent as a function of its own actions, with all others' policies as they are."""

    profile: Profile
    agent: int
    mode: RewardMode

    @property
    def horizon(self) -> int:
        """Steps T."""
        return self.profile.game.horizon

    @property
    def limit(self) -> float:
        """The agent's endowment."""
        return float(self.profile.game.endowment[self.agent])

    def __call__(self, own: np.ndarray) -> np.ndarray:
        """Returns ``[K]`` of K sequences ``[K, T]`` in endowment units."""
        size = max(1, CHUNK // (self.profile.games * self.profile.game.n**2))
        parts = [self._chunk(own[k : k + size]) for k in range(0, len(own), size)]
        return np.concatenate(parts)

    def _chunk(self, own: np.ndarray) -> np.ndarray:
        others, t = self.profile.actor(len(own)), 0

        def act(state: State) -> np.ndarray:
            nonlocal t
            actions = others(state)
            actions[..., self.agent] = own[:, t, None]
            t += 1
            return actions

        return np.asarray(self.profile.play(self.mode, act, len(own)).rewards[:, self.agent])

    def replies(self) -> np.ndarray:
        """Own actions ``[1, T]`` that are best at each step for that step alone, against what the others then do."""
        others, chosen = self.profile.actor(1), np.zeros(self.horizon)
        t = 0

        def act(state: State) -> np.ndarray:
            nonlocal t
            actions = others(state)
            actions[..., self.agent] = chosen[t:] = self._reply(state, actions[0])
            t += 1
            return actions

        self.profile.play(self.mode, act)
        return chosen[None]

    def _reply(self, state: State, actions: np.ndarray) -> float:
        """The best own action of one step, for the mean over games of a state ``[1, D]`` and actions ``[D, N]``."""
        game, weights = self.profile.game, self.mode.weights
        width, best = 0.5 * self.limit, 0.5 * self.limit
        extra = {name: x[0] for name, x in state.extra.items()}
        single = State(state.time[0], state.actions[0], state.trust[0], state.damage[0], extra)
        for points in (65, 17, 17, 17):  # each round narrows the bracket eightfold or more
            own = np.clip(best + width * np.linspace(-1.0, 1.0, points), 0.0, self.limit)
            joint = np.repeat(actions[None], points, axis=0)
            joint[..., self.agent] = own[:, None]
            before = spread(single, (points,))
            after, paid, _ = game.step(before, joint)
            reward = game.rewards(weights, before, after, paid)[..., self.agent].mean(-1)
            best, width = float(own[reward.argmax()]), 2.0 * width / (points - 1)
        return best


def _copies(who: Policy, lanes: int) -> list[Policy]:
    """A copy for each lane of a policy that draws and can be started anew, one of a policy that remembers."""
    if who.random and not isinstance(who, CallablePolicy):
        return [who.clone() for _ in range(lanes)]
    return [who.clone()] if keeps_memory(who) else []


def player(spec: Any, game: Game) -> Policy:
    """One policy from what ``coopgym.policy`` takes or from actions ``[T, N]``; ValueError for a stack of policies."""
    if isinstance(spec, np.ndarray) and spec.ndim == 2:
        return SchedulePolicy(game, spec / game.endowment if spec.shape[1] == game.n else spec)
    made = policy(spec, game)
    if made.stacked:
        raise ValueError(f"{made!r} is a stack of policies; look at one of them, with policy[i]")
    return made
