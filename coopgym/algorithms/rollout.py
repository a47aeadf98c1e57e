"""Many games of many replicas played side by side, restarting by themselves: what every learner collects from."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from coopgym.algorithms.features import Encoder
from coopgym.algorithms.seating import Players
from coopgym.envs import observation
from coopgym.envs.game import Game
from coopgym.envs.reward import RewardMode, Weights
from coopgym.mechanisms.base import State, select

Choose = Callable[[Tensor, int], tuple[Tensor, ...]]  # features [R, N, E, F], step -> rates [R, N, E], things to keep


class Step(NamedTuple):
    """One step of all lanes: rates ``[R, N, E]`` as played; payoffs, rewards ``[R, E, N]``; ends ``[R, E]``; the state
    before any restart."""

    rates: Tensor
    payoffs: Tensor
    rewards: Tensor
    terminated: Tensor
    truncated: Tensor
    after: State


class Rollout(NamedTuple):
    """H steps of all lanes, time before lane.

    features ``[R, N, H + 1, E, F]``: what was acted on, and last what would be acted on next. times
    ``[R, 1, H + 1, E]``: completed steps at each of them. kept: whatever the policy
    returned beside the rates, each ``[R, N, H, E]``. rates, payoffs, rewards ``[R, N, H, E]``; terminated, truncated
    ``[R, 1, H, E]``. states: with batch axes ``[R, H + 1, E]``, or None. final: the states before restarts, with batch
    axes ``[R, H, E]``, or None. ending: the state after the last step, before restarts. draws ``[R, H, E, k]``: the
    random numbers of the steps, where the game has any.
    """

    features: Tensor
    times: Tensor
    rates: Tensor
    kept: tuple[Tensor, ...]
    payoffs: Tensor
    rewards: Tensor
    terminated: Tensor
    truncated: Tensor
    states: State | None
    final: State | None
    ending: State
    draws: Tensor | None = None


class Games:
    """R replicas times E lanes of one game; a replica has its own reward mode and its own random stream."""

    def __init__(
        self,
        game: Game,
        modes: Sequence[RewardMode],
        lanes: int,
        generators: Sequence[torch.Generator],
        setting: str,
        device: torch.device,
        players: Players | None = None,
    ) -> None:
        self.source = game
        self.game = game.to("torch", device=device)
        self.generators, self.setting, self.players = generators, setting, players
        self.batch = (len(modes), lanes)
        columns = zip(*(mode.weights for mode in modes), strict=True)
        self.weights = Weights(*(torch.tensor(c, device=device).reshape(-1, 1, 1) for c in columns))
        self.encoder = Encoder.of(game, setting, device)
        self.endowment = self.game.endowment
        self.start = None if self.game.reset_draws or self.game.carried else self.game.reset(self.batch)
        self.state = self._fresh(None)
        self.clock = 0

    def _fresh(self, previous: State | None) -> State:
        if self.start is not None:  # every episode starts alike
            return self.start
        k = self.game.reset_draws
        draws = uniforms(self.generators, self.batch[1], k) if k else None
        return self.game.reset(self.batch, draws, previous if self.game.carried else None)

    def restart(self) -> None:
        """Abandon what is being played and begin an episode in every lane."""
        self.state, self.clock = self._fresh(self.state), 0
        if self.players is not None:
            self.players.begin()

    def features(self, state: State | None = None) -> Tensor:
        """What agents see of a state (None: the present one), ``[R, N, E, F]``; of states ``[R, H, E]``, H before E."""
        state = self.state if state is None else state
        return self.encoder(observation.observe(self.game, state, self.setting)).movedim(-2, 1)

    def step(self, rates: Tensor, draws: Tensor | None = None) -> Step:
        """Play rates ``[R, N, E]`` and restart the lanes whose episode is over."""
        rates = self.as_seated(rates)
        actions = rates.transpose(1, 2) * self.endowment
        before = self.state
        after, payoffs, terminated = self.game.step(before, actions, draws)
        rewards = self.game.rewards(self.weights, before, after, payoffs)
        truncated = self.game.truncated(after) & ~terminated
        self.clock += 1
        if self.players is not None and self.players.remember:
            self.players.begin(terminated | truncated)
        self.state = self._following(terminated | truncated, after)
        return Step(rates, payoffs, rewards, terminated, truncated, after)

    def as_seated(self, rates: Tensor, state: State | None = None) -> Tensor:
        """Rates ``[R, N, ..., E]`` with those of seats that others play replaced by what these do in a state ``[R, ...,
        E]`` (None: the present one); as they are where all agents learn."""
        if self.players is None:
            return rates
        state = self.state if state is None else state
        look = functools.partial(observation.observe, self.game, state)
        played: Tensor = self.players.fill(rates.movedim(1, -1) * self.endowment, look) / self.endowment
        return played.clamp(0.0, 1.0).movedim(-1, 1)

    def _following(self, ended: Tensor, after: State) -> State:
        """What is played next: ``after``, or a new episode where one has ended."""
        if self.game.exit is not None:
            return self._restarted(ended, after)
        # without a rule that ends early all lanes restart together
        return self._fresh(after) if self.clock % self.game.horizon == 0 else after

    def _restarted(self, ended: Tensor, after: State) -> State:
        """``after``, with fresh states in the lanes that have ended. In host memory a look at the flags is free."""
        if self.start is not None and ended.device.type == "cpu" and not bool(ended.any()):
            return after
        return select(ended, self._fresh(after), after)

    def rollout(self, choose: Choose, steps: int, *, states: bool = False, final: bool = False) -> Rollout:
        """Play ``steps`` steps with ``choose``; keep the states, and those before restarts, when asked to."""
        with torch.inference_mode():
            return self._play(choose, steps, self._draws(steps), states, final)

    def _draws(self, steps: int) -> Tensor | None:
        """Random numbers of so many steps ``[R, H, E, k]``."""
        k = self.game.step_draws
        return normals(self.generators, steps, self.batch[1], k) if k else None

    def _play(self, choose: Choose, steps: int, noise: Tensor | None, states: bool, final: bool) -> Rollout:
        seen, noted, played, visited = [self.features()], [], [], [self.state]
        for t in range(steps):
            rates, *kept = choose(seen[-1], t)
            played.append(self.step(rates, None if noise is None else noise[:, t]))
            noted.append(kept)
            seen.append(self.features())
            visited.append(self.state)
        return Rollout(
            features=torch.stack(seen, 2),
            times=torch.stack([s.time for s in visited], 1).unsqueeze(1),
            rates=torch.stack([s.rates for s in played], 2),
            kept=tuple(torch.stack(x, 2) for x in zip(*noted, strict=True)),
            payoffs=torch.stack([s.payoffs for s in played], 1).movedim(-1, 1),
            rewards=torch.stack([s.rewards for s in played], 1).movedim(-1, 1),
            terminated=torch.stack([s.terminated for s in played], 1).unsqueeze(1),
            truncated=torch.stack([s.truncated for s in played], 1).unsqueeze(1),
            states=stack(visited) if states else None,
            final=stack([s.after for s in played]) if final else None,
            ending=played[-1].after,
            draws=noise,
        )


class Rerun(Games):
    """Games that play a rollout once more with other rates, through which gradients flow.

    Replica b of a rerun is replica ``rows[b]`` of the games that were played. It begins where the rollout began, meets
    the same random numbers, and its episodes end when those did: an end is an event that has no slope.
    """

    def __init__(self, games: Games, rollout: Rollout, rows: Tensor) -> None:
        assert rollout.states is not None  # kept by the rollout for this
        self.game, self.setting = games.game, games.setting
        self.encoder, self.endowment = games.encoder, games.endowment
        self.players = None
        self.weights = Weights(*(torch.as_tensor(weight)[rows] for weight in games.weights))
        self.batch = (len(rows), games.batch[1])
        self.recorded, self.rows, self.length = rollout.states, rows, rollout.rates.shape[2]
        self.ended = (rollout.terminated | rollout.truncated)[rows, 0]
        self.draws = None if rollout.draws is None else rollout.draws[rows]
        self.begun = games.clock - self.length
        self.clock, self.state = self.begun, self._visited(0)

    def _visited(self, t: int) -> State:
        """The state at step t of the rollout; indexing copies it out of inference mode."""
        return transformed(self.recorded, lambda x: x[self.rows, t])

    def _following(self, ended: Tensor, after: State) -> State:
        t = self.clock - self.begun
        if self.game.exit is not None:
            return select(self.ended[:, t - 1], self._visited(t), after)
        return self._visited(t) if self.clock % self.game.horizon == 0 else after

    def again(self, choose: Choose) -> Rollout:
        """The rollout under ``choose``, with gradients."""
        return self._play(choose, self.length, self.draws, states=False, final=False)


def transformed(state: State, change: Callable[[Tensor], Tensor]) -> State:
    """A state with every entry changed by the same function."""
    time, actions, trust, damage = (change(x) for x in state[:4])
    return State(time, actions, trust, damage, {name: change(x) for name, x in state.extra.items()})


def stack(states: Sequence[State]) -> State:
    """States ``[R, E]`` of several times as one with batch axes ``[R, times, E]``."""
    extra = {name: torch.stack([s.extra[name] for s in states], 1) for name in states[0].extra}
    names = ("time", "actions", "trust", "damage")
    return State(**{name: torch.stack([getattr(s, name) for s in states], 1) for name in names}, extra=extra)


def normals(generators: Sequence[torch.Generator], *shape: int) -> Tensor:
    """Standard normal numbers ``[R, *shape]``: each replica's from its own generator."""
    return torch.stack([torch.randn(shape, generator=g, device=g.device) for g in generators])


def persistent(noise: Tensor, correlation: float) -> Tensor:
    """Standard normal noise ``[R, N, H, E]`` that lasts: neighbours along H have this correlation."""
    if correlation == 0.0:
        return noise
    steps = list(noise.unbind(2))
    fresh = math.sqrt(1.0 - correlation**2)
    for t in range(1, len(steps)):
        steps[t] = correlation * steps[t - 1] + fresh * steps[t]
    return torch.stack(steps, 2)


def uniforms(generators: Sequence[torch.Generator], *shape: int) -> Tensor:
    """Uniform numbers in [0, 1) ``[R, *shape]``: each replica's from its own generator."""
    return torch.stack([torch.rand(shape, generator=g, device=g.device) for g in generators])
