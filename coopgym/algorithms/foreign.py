"""Policies that another library has trained and keeps: what they are to the rest of the package."""

from __future__ import annotations

import abc
import copy
import hashlib
import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from coopgym import seeding
from coopgym.algorithms.policy import Policy
from coopgym.envs.game import Game
from coopgym.mechanisms.arrays import Array, namespace, to_numpy

LOADERS = "coopgym.integrations.load"  # a floor above: looked up only when somebody hands in such a policy


def load(spec: Any, game: Game, trust: bool = False) -> Policy:
    """The policy of a model or a path; ValueError for what no library knows, ImportError for one that is missing.

    trust: load pickles, which may run code.
    """
    found: Policy = importlib.import_module(LOADERS).load(spec, game, trust)
    return found


def rebuilt(library: str, game: Game, recipe: dict[str, Any], tensors: dict[str, Tensor]) -> Policy:
    """The policy of a recipe and its parameters; ImportError where the library is missing."""
    found: Policy = importlib.import_module(LOADERS).rebuilt(library, game, recipe, tensors)
    return found


class ForeignPolicy(Policy):
    """All agents' play, by a model of another library. It draws, when it does, from a random stream of its own.

    library: whose; module: all its parameters, for checksums; recipe: plain data from which that library builds its
    networks again, or None where only its own means can save them.
    """

    library: str
    module: nn.Module
    recipe: dict[str, Any] | None = None
    recurrent = False  # True: ``memory`` is handed to the model at each step
    memory: Any = None  # the recurrent state of all rows that are played; None at the start of an episode

    @abc.abstractmethod
    def answer(self, observations: Any, deterministic: bool) -> Any:
        """Actions ``[..., N]`` in endowment units for float32 NumPy observations of this policy's setting."""

    def act(self, observations: Array, deterministic: bool = True) -> Array:
        """Actions of the library's model, in double precision."""
        seen = to_numpy(self.check(observations)).astype("float32")
        if deterministic:
            return namespace(observations).asarray(self.answer(seen, True), observations)
        with self._own_stream():
            return namespace(observations).asarray(self.answer(seen, False), observations)

    def reseed(self, seed: int) -> None:
        """Start the stream of the stochastic form anew."""
        self._stream = seeding.torch_generator(seed, "policies").get_state()

    @property
    def remembers(self) -> bool:
        """True if the model is recurrent."""
        return self.recurrent

    def reset(self) -> None:
        """Forget the recurrent state."""
        self.memory = None

    def clone(self) -> ForeignPolicy:
        """The same model with a recurrent state and a random stream of its own; parameters are shared."""
        twin = copy.copy(self)
        twin.reset()
        return twin

    def digest(self) -> str:
        """SHA-256 of all parameters, by name."""
        total = hashlib.sha256()
        for name, tensor in sorted(self.tensors().items()):
            total.update(name.encode())
            total.update(tensor.numpy().tobytes())
        return total.hexdigest()

    def tensors(self) -> dict[str, Tensor]:
        """All parameters by name, each in memory of its own."""
        return {name: x.detach().cpu().clone().contiguous() for name, x in self.module.state_dict().items()}

    @contextmanager
    def _own_stream(self) -> Iterator[None]:
        """Torch's global stream, which these libraries draw from, replaced for a while by this policy's."""
        if not hasattr(self, "_stream"):
            self.reseed(0)
        with torch.random.fork_rng(devices=[]):
            torch.set_rng_state(self._stream)
            yield
            self._stream = torch.get_rng_state()
