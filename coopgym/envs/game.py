"""The game: data plus pure functions on arrays with leading batch axes. Every face is a view of this one kernel."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from coopgym.envs.reward import RewardMode, Weights, mix
from coopgym.extras import explains
from coopgym.mechanisms import checks
from coopgym.mechanisms.arrays import Array, is_torch, namespace, to_numpy
from coopgym.mechanisms.base import Mechanism, State, Transition, bind
from coopgym.mechanisms.trust import TrustDynamics, TrustExit, effective_trust, mean_over_pairs


@dataclass(frozen=True, eq=False)
class Game:
    """A game of N agents; read it like the table of its report.

    Arrays are float64 NumPy until ``to`` moves them. endowment, baseline, shares ``[N]``; interdependence,
    initial_trust, initial_damage ``[N, N]``. ``mechanisms`` build the payoff in order, each adding to or changing what
    the ones before it gave. ``trust_weighted``: the integrated reward weighs D by effective trust (TR-2, TR-4).
    """

    name: str
    version: str
    report: int
    agents: tuple[str, ...]
    horizon: int
    endowment: Array
    baseline: Array
    shares: Array
    interdependence: Array
    mechanisms: tuple[Mechanism, ...]
    trust: TrustDynamics | None
    initial_trust: Array
    initial_damage: Array
    exit: TrustExit | None = None
    trust_weighted: bool = False
    carried: tuple[str, ...] = ()  # entries of State.extra that survive a reset, when asked for
    default_observability: str = "asymmetric"
    summary: str = ""
    options: dict[str, Any] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)  # constant info, e.g. the phase of a case study
    own_first: Array = field(init=False, repr=False)  # [N, N] indices: row i is i, then the others in order

    def __post_init__(self) -> None:
        n = len(self.agents)
        checks.whole("max_steps", self.horizon, 1, 1_000_000)
        set_ = object.__setattr__
        set_(self, "endowment", checks.vector("endowment", self.endowment, n, 1e-9, 1e12))
        set_(self, "baseline", checks.vector("baseline", self.baseline, n, 0.0, float(self.endowment.max())))
        set_(self, "shares", checks.shares(self.shares, n))
        set_(self, "interdependence", checks.square("interdependence", self.interdependence, n))
        set_(self, "initial_trust", checks.square("initial_trust", self.initial_trust, n, 1.0))
        set_(self, "initial_damage", checks.square("initial_damage", self.initial_damage, n))
        if len(set(self.agents)) != n or n < 2:
            raise ValueError(f"agents={self.agents} must be at least two different names")
        set_(self, "own_first", np.array([[i, *(j for j in range(n) if j != i)] for i in range(n)]))

    # --- identity

    @property
    def id(self) -> str:
        """For example ``TrustDilemma-v1``."""
        return f"{self.name}-{self.version}"

    @property
    def n(self) -> int:
        """Number of agents N."""
        return len(self.agents)

    @functools.cached_property
    def hash(self) -> str:
        """Twelve hex digits that change with the id, any parameter, or the kind of any mechanism."""
        text = json.dumps([self.id, _content(self)], sort_keys=True)
        return hashlib.blake2b(text.encode(), digest_size=6).hexdigest()

    def __repr__(self) -> str:
        options = "".join(f", {k}={v!r}" for k, v in sorted(self.options.items()))
        return f"<coopgym game {self.id}: {self.n} agents, {self.horizon} steps{options}>"

    def agent_index(self, agent: int | str) -> int:
        """Position of an agent given by number or id; ValueError naming the nearest id otherwise."""
        if isinstance(agent, str):
            return self.agents.index(checks.choice("agent", agent, self.agents))
        return checks.whole("agent", agent, 0, self.n - 1)

    @explains("Game.to")
    def to(self, backend: str = "torch", *, dtype: Any = None, device: Any = None) -> Game:
        """The same game with its arrays in NumPy or torch (float64 and float32 by default)."""
        if checks.choice("backend", backend, ("numpy", "torch")) == "numpy":
            return bind(self, np.empty((), dtype=dtype or np.float64))
        import torch

        return bind(self, torch.empty((), dtype=dtype or torch.float32, device=device))

    @property
    def smooth(self) -> bool:
        """Whether rewards of an episode are continuous in the actions, with a slope almost everywhere.

        A rule that ends the game early makes an event of its end. One small step is passed over: where a signal reaches
        zero, damage begins to be forgotten, at most 3 % of it a step.
        """
        return self.exit is None and all(m.smooth for m in self.mechanisms)

    # --- random numbers: how many a game consumes; they always come in as an argument

    @property
    def reset_draws(self) -> int:
        """Uniform numbers in [0, 1) that a reset consumes per game."""
        return sum(m.reset_draws for m in self.mechanisms)

    @property
    def step_draws(self) -> int:
        """Standard normal numbers that a step consumes per game."""
        return sum(m.step_draws for m in self.mechanisms)

    # --- dynamics

    def reset(self, batch: tuple[int, ...] = (), draws: Array | None = None, previous: State | None = None) -> State:
        """State at the start of an episode, with leading axes ``batch``.

        draws ``[*batch, reset_draws]`` (None: the hidden parameter takes the middle of its range); ``previous`` hands
        over what the game was asked to carry from one episode to the next.
        """
        xp = namespace(self.endowment)

        def spread(x: Array) -> Array:
            return xp.copy(xp.broadcast(x, (*batch, *x.shape)))

        extra = {}
        for mechanism in self.mechanisms:
            drawn = draws is not None and mechanism.reset_draws > 0
            entries = mechanism.initial(draws if drawn else None)
            extra.update({k: xp.copy(v) if drawn else spread(v) for k, v in entries.items()})
        if previous is not None:
            extra.update({name: previous.extra[name] for name in self.carried})
        zero = self.endowment[0] * 0.0
        time = spread(zero) if is_torch(zero) else np.zeros(batch, dtype=zero.dtype)
        return State(time, spread(self.baseline), spread(self.initial_trust), spread(self.initial_damage), extra)

    def clip(self, actions: Array) -> Array:
        """Actions ``[..., N]`` inside [0, endowment]."""
        xp = namespace(actions)
        return xp.minimum(xp.maximum(actions, 0.0), self.endowment)

    def payoffs(self, state: State, actions: Array) -> Array:
        """Payoffs ``[..., N]`` of clipped actions in a state, in payoff units; they never depend on a reward mode."""
        payoffs = 0.0 * actions
        for mechanism in self.mechanisms:
            payoffs = mechanism.payoffs(state, actions, payoffs)
        return payoffs

    def step(self, state: State, actions: Array, draws: Array | None = None) -> tuple[State, Array, Array]:
        """(next state, payoffs ``[..., N]``, ended ``[...]``) for actions ``[..., N]`` in endowment units.

        Actions are clipped to [0, endowment]. Payoffs come from the start-of-step state, then the state moves on.
        ``ended`` is true where a rule of the game ends the episode; the time limit is ``truncated``.
        """
        actions = self.clip(actions)
        payoffs = self.payoffs(state, actions)
        after = self.advance(state, actions, actions, draws)
        return after, payoffs, self.terminated(after)

    def advance(self, state: State, actions: Array, raw: Array, draws: Array | None) -> State:
        """The state after clipped ``actions``; ``raw`` are the actions as submitted."""
        trust, damage = state.trust, state.damage
        if self.trust is not None:
            baseline = self.baseline
            for mechanism in self.mechanisms:
                baseline = mechanism.baseline(state, actions, baseline)
            trust, damage = self.trust.update(trust, damage, self.trust.signal(actions, baseline))
        move = Transition(state, actions, raw, trust, damage, draws)
        extra = state.extra
        if extra:
            extra = dict(extra)
            for mechanism in self.mechanisms:
                extra.update(mechanism.update(move))
        return State(state.time + 1.0, actions, trust, damage, extra)

    def terminated(self, state: State) -> Array:
        """Bool ``[...]``: a rule of the game has ended the episode."""
        if self.exit is None:
            return state.time < 0.0
        return self.exit.reached(state.trust)

    def truncated(self, state: State) -> Array:
        """Bool ``[...]``: the time limit is reached."""
        return state.time >= self.horizon

    # --- rewards

    def coupling(self, state: State) -> Array:
        """C ``[..., N, N]``, zero diagonal: how much of another's payoff enters the integrated reward."""
        if not self.trust_weighted:
            return self.interdependence
        return effective_trust(state.trust, state.damage) * self.interdependence

    def rewards(self, weights: Weights, before: State, after: State, payoffs: Array) -> Array:
        """Rewards ``[..., N]`` of one step under the weights of a reward mode."""
        return mix(payoffs, self.coupling(before), weights)

    def stage_rewards(self, weights: Weights, state: State, actions: Array) -> Array:
        """Rewards ``[..., N]`` of clipped actions in one state without batch axes, as if the game ended there."""
        return mix(self.payoffs(state, actions), self.coupling(state), weights)

    def reward_matrix(self, mode: str | RewardMode, state: State) -> Array:
        """W ``[..., N, N]`` with which a step from ``state`` is rewarded."""
        coupling = self.coupling(state)
        return RewardMode.of(mode).matrix(namespace(coupling).broadcast(coupling, state.trust.shape))

    # --- reporting

    def info(self, before: State, after: State, actions: Array) -> dict[str, Array]:
        """Quantities worth reporting after a step with clipped ``actions``; none is needed to go on."""
        xp = namespace(actions)
        result = {
            "step": after.time,
            "mean_trust": mean_over_pairs(after.trust),
            "mean_reputation_damage": mean_over_pairs(after.damage),
            "mean_cooperation": xp.sum(actions) / self.n,
            "cooperation_rate": xp.sum(actions / self.endowment) / self.n,
            **self.facts,
        }
        for mechanism in self.mechanisms:
            result.update(mechanism.info(before, after, actions))
        return result


def _content(value: Any) -> Any:
    """A dataclass as nested names and numbers, for the hash; twelve digits, so that it is the same on every machine."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        skipped = ("options", "summary", "facts", "own_first")
        fields = (f.name for f in dataclasses.fields(value) if f.name not in skipped)
        return [type(value).__name__, {name: _content(getattr(value, name)) for name in fields}]
    if isinstance(value, (tuple, list)):
        return [_content(v) for v in value]
    if is_torch(value) or isinstance(value, np.ndarray):
        return _digits(to_numpy(value).tolist() if value.ndim else float(value))
    return _digits(value)


def _digits(value: Any) -> Any:
    """Numbers, or lists of them, with twelve digits."""
    if isinstance(value, list):
        return [_digits(v) for v in value]
    return f"{value:.12g}" if isinstance(value, float) else value
