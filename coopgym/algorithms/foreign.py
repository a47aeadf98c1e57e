"""Policies that another library has trained and keeps: what they are to the rest of the package."""

from __future__ import annotations

import abc
import hashlib
import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from coopgym.algorithms.policy import Policy
from coopgym.envs.game import Game
from coopgym.mechanisms.arrays import Array, namespace, to_numpy

LOADERS = "coopgym.integrations.load"  # a floor above: looked up only when somebody hands in such a policy


def load(spec: Any, game: Game) -> Policy:
    """The policy of a model or a path; ValueError for what no library knows, ImportError for one that is missing."""
    found: Policy = importlib.import_module(LOADERS).load(spec, game)
    return found


class ForeignPolicy(Policy):
    """All agents' play, by a model of another library. It draws, when it does, from a random stream of its own.

    library: whose; module: all its parameters, for checksums. Saved by that library's own means, not by ours.
    """

    library: str
    module: nn.Module

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
        self._stream = torch.Generator().manual_seed(seed).get_state()

    def digest(self) -> str:
        """SHA-256 of all parameters, by name."""
        total = hashlib.sha256()
        for name, tensor in sorted(self.module.state_dict().items()):
            total.update(name.encode())
            total.update(tensor.detach().cpu().contiguous().numpy().tobytes())
        return total.hexdigest()

    @contextmanager
    def _own_stream(self) -> Iterator[None]:
        """Torch's global stream, which these libraries draw from, replaced for a while by this policy's."""
        if not hasattr(self, "_stream"):
            self.reseed(0)
        with torch.random.fork_rng(devices=[]):
            torch.set_rng_state(self._stream)
            yield
            self._stream = torch.get_rng_state()
