"""The one way in which audits play: frozen policies, with some agents' rates forced at some steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from coopgym import seeding
from coopgym.algorithms.evaluation import quasi_random
from coopgym.algorithms.policy import Policy, keeps_memory, policy
from coopgym.envs import observation
from coopgym.envs.game import Game
from coopgym.envs.moments import moments
from coopgym.envs.reward import KINDS, RewardMode, Weights
from coopgym.mechanisms.base import State
from coopgym.mechanisms.trust import effective_trust
from coopgym.oracles.profile import CommonNoise, Profile

CHUNK = 400_000  # numbers that are played side by side; bounds the memory of large games
REMEMBERED = 50_000_000  # numbers of trust over an episode that are kept
OF_NETWORK = 16  # numbers that an agent's policy needs beside its row of trust


@dataclass(frozen=True, eq=False)
class Traces:
    """What happened in X ways of playing, each by R replicas in E episodes; zero after an episode's end.

    rates ``[R, X, E, T, N]`` a / e; payoffs and rewards, of the mode each replica was trained on, of the same shape;
    trust of the same shape: mean effective trust of the others in an agent after the step, and at the end its last
    value again; wanted of the same shape: rates that policies would have played where others were forced; alive
    ``[R, X, E, T]``.
    """

    rates: np.ndarray
    payoffs: np.ndarray
    rewards: np.ndarray
    trust: np.ndarray
    wanted: np.ndarray
    alive: np.ndarray

    @property
    def lengths(self) -> np.ndarray:
        """Steps played ``[R, X, E]``."""
        return np.asarray(self.alive.sum(-1))

    def only(self, x: int) -> Traces:
        """One of the ways, without its axis."""
        return Traces(*(a[:, x] for a in _fields(self)))

    def part(self, rows: slice) -> Traces:
        """Some of the ways."""
        return Traces(*(a[:, rows] for a in _fields(self)))


class Totals(NamedTuple):
    """Payoffs and rewards of whole episodes, each ``[R, X, E, N]``."""

    payoffs: np.ndarray
    rewards: np.ndarray


class Company(NamedTuple):
    """A policy that plays ``seats [X, N]`` instead of the audited one; ``turn`` as in ``Subject.answers``."""

    player: Policy | None
    seats: np.ndarray
    turn: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class Plan:
    """X ways to play.

    forced ``[X, R or 1, E or 1, T, N]``: rates that agents play whatever they want; NaN where they are free. replayed
    ``[R, E, T, N]``: rates that the free ones play instead of what their policies say; NaN where these say. shown
    ``[R, E, T + 1, N, N]``, twice: trust and damage that policies see instead of what is. company: strangers in some
    seats. steps: where to stop; None is the end.
    """

    forced: np.ndarray
    replayed: np.ndarray | None = None
    shown: tuple[np.ndarray, np.ndarray] | None = None
    company: tuple[Company, ...] = ()
    steps: int | None = None

    def __len__(self) -> int:
        return len(self.forced)

    @cached_property
    def starts(self) -> np.ndarray:
        """The first step ``[X]`` at which each differs from free play; 0 where strangers play."""
        if self.company:
            return np.zeros(len(self), dtype=np.int64)
        touched = ~np.isnan(self.forced).all((1, 2, 4))
        return np.asarray(np.where(touched.any(-1), touched.argmax(-1), self.forced.shape[-2] - 1))

    def take(self, rows: np.ndarray) -> Plan:
        """Some of the ways."""
        company = tuple(c._replace(seats=c.seats[rows]) for c in self.company)
        return Plan(self.forced[rows], self.replayed, self.shown, company, self.steps)


def free(game: Game, count: int = 1) -> np.ndarray:
    """Nothing forced, ``[X, 1, 1, T, N]``: what interventions are written into."""
    return np.full((count, 1, 1, game.horizon, game.n), np.nan)


class Step(NamedTuple):
    """One step of the first L ways: rates, wanted, payoffs, rewards ``[L, R, E, N]``, alive ``[L, R, E]``, states."""

    t: int
    rates: np.ndarray
    wanted: np.ndarray
    payoffs: np.ndarray
    rewards: np.ndarray
    alive: np.ndarray
    before: State
    after: State


class Undisturbed(NamedTuple):
    """Free play ``[R, E, T, N]``; returns ``[R, E, N]`` by pure reward mode; trust and damage ``[R, E, T + 1, N, N]``
    at the start of each step, None where there are too many numbers."""

    traces: Traces
    returns: dict[str, np.ndarray]
    shown: tuple[np.ndarray, np.ndarray] | None


class Role:
    """A policy in one part of an audit. One that remembers has a memory of its own there, begun with the episode."""

    def __init__(self, player: Policy) -> None:
        self.remembers = keeps_memory(player)
        self.player = player.clone() if self.remembers else player
        self._lanes: list[Policy] = []

    def of(self, lane: int) -> Policy:
        """The policy in one way to play, where each way is asked for itself."""
        if not self.remembers:
            return self.player
        while len(self._lanes) <= lane:
            self._lanes.append(self.player.clone())
        return self._lanes[lane]


@dataclass(frozen=True, eq=False)
class Subject:
    """Who is audited: a policy or a stack of R, the reward mode each replica was trained on, and what is random.

    ``player`` plays its deterministic form unless told otherwise. Ways to play share all random numbers, and so do
    replicas: what differs is due to actions.
    """

    game: Game
    player: Policy
    modes: tuple[RewardMode, ...]
    deterministic: bool = True
    episodes: int = 1
    seed: int = 0

    @classmethod
    def of(
        cls,
        spec: Any,
        game: Game,
        reward_mode: str | RewardMode | Sequence[str | RewardMode] = "private",
        *,
        deterministic: bool = True,
        episodes: int = 64,
        seed: int = 0,
    ) -> Subject:
        """From what ``coopgym.policy`` takes, a list of policies that can be stacked, or a TrainResult.

        ``episodes`` are averaged over where something is drawn or hidden; elsewhere one is enough.
        """
        player = _player(spec, game)
        count = len(player) if player.stacked else 1  # type: ignore[arg-type]
        given = [reward_mode] if isinstance(reward_mode, (str, RewardMode)) else list(reward_mode)
        modes = [RewardMode.of(mode) for mode in given]
        modes = modes * count if len(modes) == 1 else modes
        if len(modes) != count:
            raise ValueError(f"{len(modes)} reward modes for {count} replicas; give one, or one for each")
        draws = not deterministic or Profile(game, ((player, tuple(range(game.n))),)).random
        needed = episodes if draws or game.reset_draws or game.step_draws else 1
        return cls(game, player, tuple(modes), deterministic and not draws, needed, seed)

    @property
    def replicas(self) -> int:
        """R."""
        return len(self.modes)

    @cached_property
    def weights(self) -> Weights:
        """Of the reward modes, each ``[R, 1, 1]``."""
        return Weights(*(np.reshape(w, (-1, 1, 1)) for w in zip(*(m.weights for m in self.modes), strict=True)))

    @cached_property
    def undisturbed(self) -> Undisturbed:
        """Nobody is forced to anything."""
        game, kinds = self.game, [RewardMode(kind) for kind in KINDS]
        returns = np.zeros((len(kinds), self.replicas, self.episodes, game.n))
        states = [game.reset((self.replicas, self.episodes))]
        remembered = returns[0].size * game.n * game.horizon <= REMEMBERED

        def watch(step: Step) -> None:
            for k, kind in enumerate(kinds):
                rewards = game.rewards(kind.weights, step.before, step.after, step.payoffs)[0]
                returns[k] += np.where(step.alive[0, ..., None], rewards, 0.0)
            if remembered:
                states.append(step.after._replace(trust=step.after.trust[0], damage=step.after.damage[0]))

        traces = self._trace(Plan(free(game)), game, watch).only(0)
        states += states[-1:] * (game.horizon + 1 - len(states))
        shown = (np.stack([s.trust for s in states], 2), np.stack([s.damage for s in states], 2))
        named = {mode.kind: x for mode, x in zip(kinds, returns, strict=True)}
        return Undisturbed(traces, named, shown if remembered else None)

    @property
    def base(self) -> Traces:
        """Undisturbed play, ``[R, E, T, N]``."""
        return self.undisturbed.traces

    def trace(self, plan: Plan, game: Game | None = None) -> Traces:
        """Everything that happens in each way. ``game``: a counterfactual one in which the same policies play."""
        parts = [self._trace(chunk, game or self.game) for chunk in self._chunks(plan)]
        return Traces(*(np.concatenate(x, axis=1) for x in zip(*map(_fields, parts), strict=True)))

    def totals(self, plan: Plan, game: Game | None = None) -> Totals:
        """Sums over the episode only, for plans whose traces would not fit in memory."""
        parts = [self._totals(chunk, game or self.game) for chunk in self._chunks(plan)]
        return Totals(*(np.concatenate(x, axis=1) for x in zip(*parts, strict=True)))

    def _chunks(self, plan: Plan) -> Iterator[Plan]:
        n = self.game.n
        size = max(1, CHUNK // (self.replicas * self.episodes * n * (n + OF_NETWORK)))
        for k in range(0, len(plan), size):
            yield plan.take(np.arange(k, min(k + size, len(plan))))

    def _trace(self, plan: Plan, game: Game, watch: Callable[[Step], None] | None = None) -> Traces:
        shape = (len(plan), self.replicas, self.episodes, game.n)
        horizon = plan.steps or game.horizon
        rates, payoffs, rewards, trust, wanted = (np.zeros((horizon, *shape)) for _ in range(5))
        alive, order = np.zeros((horizon, *shape[:-1]), dtype=bool), _order(plan)
        for step in self.steps(plan, game, order):
            on = step.alive[..., None]
            _fill(rates[step.t], np.where(on, step.rates, 0.0), order)
            _fill(wanted[step.t], np.where(on, step.wanted, 0.0), order)
            _fill(payoffs[step.t], step.payoffs, order)
            _fill(rewards[step.t], step.rewards, order)
            _fill(alive[step.t], step.alive, order)
            _fill(trust[step.t], trusted(step.after), order)
            if watch is not None:
                watch(step)
        trust[step.t + 1 :] = trust[step.t]
        turned = [np.moveaxis(x, 0, 3).swapaxes(0, 1) for x in (rates, payoffs, rewards, trust, wanted, alive)]
        return Traces(*turned)

    def _totals(self, plan: Plan, game: Game) -> Totals:
        payoffs, rewards = (np.zeros((len(plan), self.replicas, self.episodes, game.n)) for _ in range(2))
        order = _order(plan)
        for step in self.steps(plan, game, order):
            _fill(payoffs, step.payoffs, order, add=True)
            _fill(rewards, step.rewards, order, add=True)
        return Totals(payoffs.swapaxes(0, 1), rewards.swapaxes(0, 1))

    def steps(self, plan: Plan, game: Game, order: np.ndarray) -> Iterator[Step]:
        """Play the ways in ``order``, of which -1, undisturbed play, is the first and the one that others leave."""
        forced = np.concatenate([np.full_like(plan.forced[:1], np.nan), plan.forced])[order + 1]
        starts = np.concatenate([[0], plan.starts])[order + 1]
        company = tuple(c._replace(seats=np.concatenate([0 * c.seats[:1], c.seats])[order + 1]) for c in plan.company)
        together = _together(self.player, starts, game.horizon)
        cast = [Role(self.player), *(Role(c.player or self.player) for c in company)]
        batch, t, wanted = (together[0], self.replicas, self.episodes), 0, np.zeros(0)

        def act(state: State) -> np.ndarray:
            nonlocal wanted
            wanted, here = self._wanted(plan, company, cast, state, t), forced[: len(state.time), :, :, t]
            return np.asarray(np.where(np.isnan(here), wanted, here) * game.endowment)

        for before, after, paid, alive, _ in moments(
            game, act, batch, reset_draws=self._hidden(batch), noise=CommonNoise(seeding.bits(self.seed, "audits"), 2),
            lanes=together,
        ):  # fmt: skip
            on = alive[..., None]
            rewards = np.where(on, game.rewards(self.weights, before, after, paid), 0.0)
            yield Step(
                t, after.actions / game.endowment, wanted, np.where(on, paid, 0.0), rewards, alive, before, after
            )
            t += 1
            if t == plan.steps:
                return

    def _wanted(self, plan: Plan, company: Sequence[Company], cast: Sequence[Role], state: State, t: int) -> np.ndarray:
        """Rates ``[L, R, E, N]`` of those who are free."""
        if plan.replayed is None:
            return self._free(plan, company, cast, state, t)
        replayed = np.broadcast_to(plan.replayed[None, :, :, t], state.actions.shape)
        later = plan.replayed if cast[0].remembers else replayed  # what remembers has to see the steps before
        if not np.isnan(later).any():
            return replayed
        return np.asarray(np.where(np.isnan(replayed), self._free(plan, company, cast, state, t), replayed))

    def _free(self, plan: Plan, company: Sequence[Company], cast: Sequence[Role], state: State, t: int) -> np.ndarray:
        """Rates ``[L, R, E, N]`` that policies play."""
        seen = state
        if plan.shown is not None:
            trust, damage = (np.broadcast_to(x[None, :, :, t], state.trust.shape) for x in plan.shown)
            seen = state._replace(trust=trust, damage=damage)
        wanted = self.answers(cast[0], seen, t)
        for stranger, role in zip(company, cast[1:], strict=True):
            wanted = self._joined(stranger, role, seen, wanted, t)
        return wanted

    def _joined(self, stranger: Company, role: Role, state: State, wanted: np.ndarray, t: int) -> np.ndarray:
        rows = np.asarray(stranger.seats.any(-1))
        seats = stranger.seats[rows][:, None, None, :] > 0
        theirs = self.answers(role, _rows(state, rows), t, stranger.turn)
        wanted = np.array(wanted)
        wanted[rows] = np.where(seats, theirs, wanted[rows])
        return wanted

    def answers(self, role: Role, state: State, t: int, turn: np.ndarray | None = None) -> np.ndarray:
        """Rates ``[L, R, E, N]`` that a policy plays in a state.

        turn ``[R]``: replica r is answered by replica turn[r] of a stack.
        """
        seen = observation.observe(self.game, state, role.player.observability)
        if not role.player.stacked:
            return np.asarray(self._ask(role, seen, t) / self.game.endowment)
        rows = seen.swapaxes(0, 1)
        answered = self._ask(role, rows if turn is None else rows[np.argsort(turn)], t, axis=1)
        answered = answered if turn is None else answered[turn]
        return np.asarray(answered.swapaxes(0, 1) / self.game.endowment)

    def _ask(self, role: Role, seen: np.ndarray, t: int, axis: int = 0) -> np.ndarray:
        """Actions; one way at a time where the policy draws, each time with the same numbers."""
        if self.deterministic and not role.player.random:
            return np.asarray(role.player.act(seen))
        answers = []
        for lane in range(seen.shape[axis]):
            who = role.of(lane)
            who.reseed(seeding.integer(self.seed, "audits", t + 1))
            answers.append(who.act(seen.take([lane], axis), self.deterministic))
        return np.concatenate(answers, axis)

    def _hidden(self, batch: tuple[int, ...]) -> np.ndarray | None:
        if not self.game.reset_draws:
            return None
        rows = quasi_random(self.episodes, self.game.reset_draws)
        return np.broadcast_to(rows, (*batch, self.game.reset_draws)).copy()


def trusted(state: State) -> np.ndarray:
    """Mean effective trust ``[..., N]`` of the others in each agent."""
    n = state.trust.shape[-1]
    felt = effective_trust(state.trust, state.damage)
    return np.asarray((felt.sum(-2) - np.diagonal(felt, 0, -2, -1)) / (n - 1))


def _player(spec: Any, game: Game) -> Policy:
    """One policy, or a stack of several."""
    spec = getattr(spec, "policies", spec)  # of a TrainResult
    several = isinstance(spec, (list, tuple)) and any(isinstance(p, Policy) for p in spec)
    if not several:
        return policy(spec, game)
    made = [policy(p, game) for p in spec]
    if not all(made[0].fits(p) for p in made):
        raise ValueError("these policies cannot be played as one batch; audit them one at a time")
    return type(made[0]).stack(made)


def _order(plan: Plan) -> np.ndarray:
    """Undisturbed play (-1) first, then the ways by where they part from it."""
    return np.concatenate([[-1], np.argsort(plan.starts, kind="stable")])


def _together(player: Policy, starts: np.ndarray, horizon: int) -> list[int]:
    """How many ways are under way at each step ``[T]``; all from the start where a policy remembers."""
    if player.remembers:
        return [len(starts)] * horizon
    return [int(k) for k in np.searchsorted(starts, np.arange(horizon), side="right")]


def _fill(target: np.ndarray, x: np.ndarray, order: np.ndarray, *, add: bool = False) -> None:
    """Write ``x``, of the first ways of ``order``, to their places; those still to come go the way of the first."""
    there, later = order[1 : len(x)], order[len(x) :]
    if add:
        target[there] += x[1:]
        target[later] += x[:1]
    else:
        target[there], target[later] = x[1:], x[:1]


def _rows(state: State, rows: np.ndarray) -> State:
    time, actions, trust, damage = (x[rows] for x in state[:4])
    return State(time, actions, trust, damage, {name: x[rows] for name, x in state.extra.items()})


def _fields(traces: Traces) -> tuple[np.ndarray, ...]:
    return traces.rates, traces.payoffs, traces.rewards, traces.trust, traces.wanted, traces.alive
