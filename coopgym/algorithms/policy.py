"""Policies: observations in, actions in endowment units out; saved as data, so that loading runs no code."""

from __future__ import annotations

import abc
import copy
import importlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from coopgym.envs import observation
from coopgym.envs.catalogue import game as make_game
from coopgym.envs.foreign import is_foreign
from coopgym.envs.game import Game
from coopgym.extras import explains
from coopgym.mechanisms import checks
from coopgym.mechanisms.arrays import Array, namespace, to_numpy


class Policy(abc.ABC):
    """All agents' play in one game. ``game`` is in NumPy; ``observability`` is the setting whose rows ``act`` takes."""

    name: str
    game: Game
    observability: str
    stacked = False  # True: several policies in one, whose arrays have a first axis for them

    @abc.abstractmethod
    def act(self, observations: Array, deterministic: bool = True) -> Array:
        """Actions ``[..., N]`` in endowment units for observations ``[..., N, d]``; NumPy in and out, or torch."""

    @property
    def random(self) -> bool:
        """True if even the deterministic form draws random numbers."""
        return False

    @property
    def remembers(self) -> bool:
        """True if what it plays may depend on what it saw earlier in the episode, and not on this observation alone.

        By default that of a class which has a ``reset`` of its own.
        """
        return type(self).reset is not Policy.reset

    def reset(self) -> None:  # noqa: B027 - most policies remember nothing
        """Begin a new episode: forget what was observed before; nothing for policies without a memory.

        Whatever plays a policy calls this before the first ``act`` of each episode. Between two calls the observations
        have the same leading axes, and each ``act`` is one step of all games of the batch, which began together.
        """

    def clone(self) -> Policy:
        """Return a policy that plays like this one, with a memory and a random stream of its own.

        Raises:
            TypeError: The policy holds something that cannot be copied.
        """
        try:
            twin = copy.deepcopy(self, {id(self.game): self.game})
        except Exception as error:
            raise TypeError(
                f"{self!r} cannot be copied ({error}), so it cannot play in two places at once; define clone() for it"
            ) from error
        twin.reset()
        return twin

    def reseed(self, seed: int) -> None:  # noqa: B027 - most policies draw nothing
        """Start the policy's own random stream anew; nothing for policies that draw none."""

    def to(self, device: Any) -> Policy:
        """This policy with its tensors on a torch device; itself where it has none."""
        return self

    def fits(self, other: Policy) -> bool:
        """True if ``other`` can play beside this one in a stack."""
        return False

    @classmethod
    def stack(cls, policies: Sequence[Any]) -> Policy:
        """Policies that fit each other as one, for observations ``[policies, ..., N, d]``."""
        raise TypeError(f"{cls.__name__} cannot be stacked; play one at a time")

    @explains("saving a policy")
    def save(self, path: Any) -> None:
        """Write ``path`` + .json (and .safetensors); see ``load_policy``."""
        from coopgym.algorithms.storage import save

        save(self, path)

    def check(self, observations: Array) -> Array:
        """``observations`` if they have this policy's trailing shape; ValueError otherwise."""
        expected = _observation_shape(self.game, self.observability)
        shape = tuple(getattr(observations, "shape", ()))
        if shape[-len(expected) :] != expected:
            raise ValueError(
                f"observations have shape {shape}; {self.name} needs [..., {', '.join(map(str, expected))}], the "
                f"{self.observability!r} observations of {self.game.id}"
                f"{', one row for each agent' if len(expected) > 1 else ''}"
            )
        return observations

    def __repr__(self) -> str:
        return f"<coopgym policy {self.name} for {self.game.id}, sees {self.observability!r} observations>"


class FixedPolicy(Policy):
    """Each agent plays the same share of its endowment for ever. rates ``[N]``, or ``[policies, N]`` in a stack."""

    def __init__(self, game: Game, rates: Any, name: str = "Constant", observability: str = "minimal") -> None:
        self.game, self.name, self.observability = game, name, observability
        self.rates = checks.vector("rate", rates, game.n, 0.0, 1.0)

    def fits(self, other: Policy) -> bool:
        """Constants of one game fit each other."""
        return isinstance(other, FixedPolicy) and other.game is self.game and not (self.stacked or other.stacked)

    @classmethod
    def stack(cls, policies: Sequence[FixedPolicy]) -> FixedPolicy:
        """Several constants as one."""
        first = policies[0]
        stack = cls(first.game, first.rates, "constants", first.observability)
        stack.rates, stack.stacked = np.stack([p.rates for p in policies]), True
        return stack

    def __len__(self) -> int:
        return len(self.rates)

    def act(self, observations: Array, deterministic: bool = True) -> Array:
        """rate times endowment, whatever is seen."""
        seen = observations[..., 0]
        xp = namespace(seen)
        actions = self.rates * self.game.endowment
        if self.stacked:
            actions = actions.reshape(len(actions), *(1,) * (seen.ndim - 2), -1)
        return xp.asarray(actions, seen) + xp.zeros(seen.shape, seen)


class SchedulePolicy(Policy):
    """Each agent plays a given share of its endowment at each step, whatever the others do. rates ``[T, N]``."""

    observability = "asymmetric"  # its observations carry the time

    def __init__(self, game: Game, rates: Any, name: str = "Schedule") -> None:
        self.game, self.name = game, name
        self.rates = np.asarray(rates, dtype=np.float64)
        if self.rates.shape != (game.horizon, game.n):
            raise ValueError(f"rates have shape {self.rates.shape}; give {(game.horizon, game.n)}, steps by agents")
        if not ((self.rates >= 0.0) & (self.rates <= 1.0)).all():
            raise ValueError("rates have an entry outside [0, 1]; give shares of each agent's endowment")

    def act(self, observations: Array, deterministic: bool = True) -> Array:
        """The rates of the present step times endowment."""
        self.check(observations)
        xp, horizon = namespace(observations), self.game.horizon
        time = to_numpy(observations[..., 0, 5 * self.game.n - 1])
        step = np.clip(np.rint(time * horizon), 0, horizon - 1).astype(np.int64)
        return xp.asarray(self.rates[step] * self.game.endowment, observations)


class CallablePolicy(Policy):
    """A user's function from observations ``[..., N, d]`` to actions ``[..., N]`` in endowment units."""

    def __init__(self, game: Game, function: Callable[[Array], Array], observability: str) -> None:
        self.game, self.function, self.observability = game, function, observability
        self.name = getattr(function, "__name__", type(function).__name__)

    @property
    def random(self) -> bool:
        """Unknown, so assumed."""
        return True

    @property
    def remembers(self) -> bool:
        """Unknown, so assumed."""
        return True

    def reset(self) -> None:
        """Call the function's own ``reset``, where it has one."""
        if hasattr(self.function, "reset"):
            self.function.reset()

    def clone(self) -> Policy:
        """A copy with a copy of the function; one that cannot be copied is shared, unless it has a ``reset``."""
        try:
            return super().clone()
        except TypeError:
            if hasattr(self.function, "reset"):
                raise
            return copy.copy(self)

    def act(self, observations: Array, deterministic: bool = True) -> Array:
        """Whatever the function says, if it has the shape of actions."""
        actions = self.function(self.check(observations))
        xp = namespace(observations)
        actions = xp.asarray(actions, observations)
        if tuple(actions.shape) != tuple(observations.shape[:-1]):
            raise ValueError(
                f"{self.name} returned shape {tuple(actions.shape)} for observations {tuple(observations.shape)}; "
                f"return one action an agent, shape {tuple(observations.shape[:-1])}"
            )
        return actions


def keeps_memory(player: Policy) -> bool:
    """True if a policy has a memory that is begun anew by ``reset``: a function without one counts as having none."""
    return player.remembers and not (isinstance(player, CallablePolicy) and not hasattr(player.function, "reset"))


@explains("coopgym.policy")
def policy(spec: Any, game: Game | str, *, trust: bool = False) -> Policy:
    """A policy for ``game`` from what a user has at hand.

    A name of ``list_algorithms`` that needs no training ("TitForTat", "Constant_35", "SocialOptimum"), a rate in [0, 1]
    that all agents play, a list of N rates, a function from observations to actions, or a policy. An oracle solves the
    game first. Also a model of Stable-Baselines3, RLlib or TorchRL, and a path: of a policy saved by this package, of a
    model's .zip, or of an RLlib checkpoint.

    Args:
        spec: One of the above.
        game: An id or a Game.
        trust: Load files of Stable-Baselines3 and RLlib. They are pickles: loading one runs whatever code it holds, so
            say True only for files from somebody you trust. Policies saved by this package need no trust.

    Raises:
        ValueError: For an unknown name, a rate out of range, a game that an oracle has no answer for, or a pickle
            without ``trust``.
        TypeError: For anything else.
    """
    game = make_game(game)
    if isinstance(spec, Policy):
        if (spec.game.agents, spec.game.id) != (game.agents, game.id):
            raise ValueError(f"{spec!r} does not play {game!r}; train or make one for this game")
        return spec
    if is_foreign(spec):
        from coopgym.algorithms import foreign

        return foreign.load(spec, game, trust)
    if isinstance(spec, str):
        return named(spec, game)
    if callable(spec):
        setting = getattr(spec, "observability", game.default_observability)
        return CallablePolicy(game, spec, observation.check_setting(setting))
    if isinstance(spec, (bool, dict)) or not isinstance(spec, (int, float, list, tuple, np.ndarray, np.number)):
        raise TypeError(f"no policy can be made from {spec!r}; give a name, a rate, a list of rates or a function")
    return FixedPolicy(game, spec)


def named(name: str, game: Game) -> Policy:
    """The policy that is registered under ``name``; a path is not a name, so nothing is read.

    Raises:
        ValueError: For a name that is not registered, or is that of a learner.
    """
    from coopgym.algorithms import registry

    found = registry.algorithm(name)
    if found.kind == "learner":
        raise ValueError(f"{name!r} is a {found.kind}: train it first, with coopgym.train({name!r}, {game.id!r})")
    found.check(game)
    made: Policy = found.policy(game)
    return made


def _from_rllib(trained: Any, game: Game | str, **options: Any) -> Policy:
    """``coopgym.rllib.from_rllib``: the policy of a checkpoint, an algorithm or networks of RLlib."""
    found: Policy = importlib.import_module("coopgym.rllib").from_rllib(trained, game, **options)
    return found


vars(policy)["from_rllib"] = _from_rllib  # asked for as coopgym.policy.from_rllib(checkpoint, game)


@explains("coopgym.load_policy")
def load_policy(path: Any, game: Game | str | None = None) -> Policy:
    """The policy saved under ``path`` (with or without suffix); no code runs.

    Raises FileNotFoundError for a missing file and ValueError for a damaged one, or one that does not belong to
    ``game`` where that is given.
    """
    from coopgym.algorithms.storage import load

    return load(path, None if game is None else make_game(game))


def _observation_shape(game: Game, setting: str) -> tuple[int, ...]:
    if setting == "minimal":
        return game.n, game.n + 1
    return tuple(observation.observe(game, game.reset(), setting).shape)
