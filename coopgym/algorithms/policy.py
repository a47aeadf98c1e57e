"""Policies: observations in, actions in endowment units out; saved as data, so that loading runs no code."""

from __future__ import annotations

import abc
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from coopgym.algorithms import distributions as gaussian
from coopgym.algorithms.features import Encoder
from coopgym.algorithms.networks import Network
from coopgym.envs import observation
from coopgym.envs.catalogue import game as make_game
from coopgym.envs.game import Game
from coopgym.mechanisms import checks
from coopgym.mechanisms.arrays import Array, is_torch, namespace


class Policy(abc.ABC):
    """All agents' play in one game. ``game`` is in NumPy; ``observability`` is the setting whose rows ``act`` takes."""

    name: str
    game: Game
    observability: str

    @abc.abstractmethod
    def act(self, observations: Array, deterministic: bool = True) -> Array:
        """Actions ``[..., N]`` in endowment units for observations ``[..., N, d]``; NumPy in and out, or torch."""

    @property
    def random(self) -> bool:
        """True if even the deterministic form draws random numbers."""
        return False

    def reseed(self, seed: int) -> None:  # noqa: B027 - most policies draw nothing
        """Start the policy's own random stream anew; nothing for policies that draw none."""

    def save(self, path: Any) -> None:
        """Write ``path`` + .json (and .safetensors); see ``load_policy``."""
        from coopgym.algorithms.storage import save

        save(self, path)

    def check(self, observations: Array) -> Array:
        """``observations`` if they have this policy's trailing shape; ValueError otherwise."""
        expected = _observation_shape(self.game, self.observability)
        shape = tuple(getattr(observations, "shape", ()))
        if shape[-2:] != expected:
            raise ValueError(
                f"observations have shape {shape}; {self.name} needs [..., {expected[0]}, {expected[1]}], the "
                f"{self.observability!r} observations of {self.game.id}, one row for each agent"
            )
        return observations

    def __repr__(self) -> str:
        return f"<coopgym policy {self.name} for {self.game.id}, sees {self.observability!r} observations>"


class FixedPolicy(Policy):
    """Each agent plays the same share of its endowment for ever. rates ``[N]``."""

    def __init__(self, game: Game, rates: Any, name: str = "Constant", observability: str = "minimal") -> None:
        self.game, self.name, self.observability = game, name, observability
        self.rates = checks.vector("rate", rates, game.n, 0.0, 1.0)

    def act(self, observations: Array, deterministic: bool = True) -> Array:
        """rate times endowment, whatever is seen."""
        seen = observations[..., 0]
        xp = namespace(seen)
        return xp.asarray(self.rates * self.game.endowment, seen) + xp.zeros(seen.shape, seen)


class CallablePolicy(Policy):
    """A user's function from observations ``[..., N, d]`` to actions ``[..., N]`` in endowment units."""

    def __init__(self, game: Game, function: Callable[[Array], Array], observability: str) -> None:
        self.game, self.function, self.observability = game, function, observability
        self.name = getattr(function, "__name__", type(function).__name__)

    @property
    def random(self) -> bool:
        """Unknown, so assumed."""
        return True

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


class NetworkPolicy(Policy):
    """Squashed Gaussian policies of R replicas, or of one. theta ``[R, N, P]``.

    A policy of one replica takes observations ``[..., N, d]``; a stack of R takes ``[R, ..., N, d]``. All replicas of a
    stack draw the same noise, so that the play of one does not depend on the others.
    """

    def __init__(
        self, game: Game, setting: str, network: Network, theta: Tensor, *, stacked: bool, about: dict[str, Any]
    ) -> None:
        self.game, self.observability, self.network, self.theta = game, setting, network, theta
        self.stacked, self.about = stacked, about
        self.name = str(about.get("algorithm", "network"))
        self.encoder = Encoder.of(game, setting, theta.device)
        self.endowment = torch.as_tensor(game.endowment, device=theta.device)
        self.generator = torch.Generator(theta.device)
        if theta.shape[1:] != (game.n, network.size) or network.inputs != self.encoder.size:
            raise ValueError(
                f"parameters of shape {tuple(theta.shape)} for {network.inputs} features do not fit {game.id} under "
                f"{setting!r}, which needs [R, {game.n}, {network.size}] and {self.encoder.size} features"
            )

    @classmethod
    def of(cls, game: Game, setting: str, network: Network, theta: Tensor, **about: Any) -> NetworkPolicy:
        """A stack of R policies."""
        return cls(game, setting, network, theta.detach(), stacked=True, about=about)

    @classmethod
    def stack(cls, policies: Sequence[NetworkPolicy]) -> NetworkPolicy:
        """Several policies of one replica each as one stack; they must share game, setting and network."""
        first = policies[0]
        theta = torch.cat([p.theta for p in policies])
        return cls(first.game, first.observability, first.network, theta, stacked=True, about=first.about)

    def __len__(self) -> int:
        return int(self.theta.shape[0])

    def __getitem__(self, index: int) -> NetworkPolicy:
        """The policy of one replica of a stack."""
        if not -len(self) <= index < len(self):
            raise IndexError(f"replica {index} of a stack of {len(self)}")
        return self.replica(index % len(self))

    def replica(self, index: int, **about: Any) -> NetworkPolicy:
        """The policy of one replica, with more said ``about`` it."""
        theta = self.theta[index : index + 1].clone()
        about = {**self.about, **about}
        return NetworkPolicy(self.game, self.observability, self.network, theta, stacked=False, about=about)

    def fits(self, other: Policy) -> bool:
        """True if ``other`` can share a stack with this one."""
        return (
            isinstance(other, NetworkPolicy)
            and not other.stacked
            and (other.game.id, other.game.hash) == (self.game.id, self.game.hash)
            and (other.observability, other.network) == (self.observability, self.network)
        )

    def reseed(self, seed: int) -> None:
        """Start the noise of the stochastic form anew."""
        self.generator.manual_seed(seed)

    def act(self, observations: Array, deterministic: bool = True) -> Array:
        """Rates of the mean (deterministic) or of a sample, times endowment."""
        if is_torch(observations):
            return self._act(observations, deterministic)
        seen = torch.tensor(np.asarray(observations), device=self.theta.device)
        return self._act(seen, deterministic).cpu().numpy()

    def _act(self, observations: Tensor, deterministic: bool) -> Tensor:
        self.check(observations)
        if self.stacked and (observations.ndim < 3 or observations.shape[0] != len(self)):
            raise ValueError(
                f"observations have shape {tuple(observations.shape)}; this is a stack of {len(self)} replicas and "
                f"needs [{len(self)}, ..., N, d]; take one of them with policy[i]"
            )
        x = self.encoder(observations.to(self.theta.dtype))
        x = x if self.stacked else x.unsqueeze(0)
        if x.ndim < 4:
            x = x.reshape(x.shape[0], -1, *x.shape[-2:])
        z = self.network(self.theta, x.movedim(-2, 1)).squeeze(-1)
        if not deterministic:
            noise = torch.randn(z.shape[1:], generator=self.generator, device=z.device)
            std = torch.exp(gaussian.bounded_log_std(self.network.free_parameters(self.theta)))
            z = z + noise * std.reshape(*std.shape[:2], *(1,) * (z.ndim - 2))
        rates = gaussian.squash(z).movedim(1, -1).reshape(observations.shape[:-1])
        return rates.to(observations.dtype) * self.endowment.to(observations.dtype)


def policy(spec: Any, game: Game | str) -> Policy:
    """A policy for ``game`` from what a user has at hand.

    A name of ``list_algorithms`` that needs no training ("TitForTat", "Constant_35"), a rate in [0, 1] that all agents
    play, a list of N rates, a function from observations to actions, or a policy. Raises ValueError for an unknown name
    or a rate out of range, TypeError for anything else.
    """
    from coopgym.algorithms import registry

    game = make_game(game)
    if isinstance(spec, Policy):
        if (spec.game.agents, spec.game.id) != (game.agents, game.id):
            raise ValueError(f"{spec!r} does not play {game!r}; train or make one for this game")
        return spec
    if isinstance(spec, str):
        found = registry.algorithm(spec)
        if found.kind not in ("heuristic", "constant"):
            raise ValueError(f"{spec!r} is a {found.kind}: train it first, with coopgym.train({spec!r}, {game.id!r})")
        found.check(game)
        made: Policy = found.build(game)
        return made
    if callable(spec):
        setting = getattr(spec, "observability", game.default_observability)
        return CallablePolicy(game, spec, observation.check_setting(setting))
    if isinstance(spec, (bool, dict)) or not isinstance(spec, (int, float, list, tuple, np.ndarray, np.number)):
        raise TypeError(f"no policy can be made from {spec!r}; give a name, a rate, a list of rates or a function")
    return FixedPolicy(game, spec)


def load_policy(path: Any, game: Game | str | None = None) -> Policy:
    """The policy saved under ``path`` (with or without suffix); no code runs.

    Raises FileNotFoundError for a missing file and ValueError for a damaged one, or one that does not belong to
    ``game`` where that is given.
    """
    from coopgym.algorithms.storage import load

    return load(path, None if game is None else make_game(game))


def _observation_shape(game: Game, setting: str) -> tuple[int, int]:
    if setting == "minimal":
        return game.n, game.n + 1
    shape = observation.observe(game, game.reset(), setting).shape
    return int(shape[0]), int(shape[1])
