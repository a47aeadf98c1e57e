"""What the learners leave behind: a network for each agent, alone or in a stack of replicas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from coopgym import seeding
from coopgym.algorithms import bins
from coopgym.algorithms import distributions as gaussian
from coopgym.algorithms.features import Encoder
from coopgym.algorithms.networks import Network
from coopgym.algorithms.policy import Policy
from coopgym.envs.game import Game
from coopgym.mechanisms.arrays import Array, is_torch

# by the network's outputs and free parameters
HEADS = {(1, 1): "squashed_gaussian", (2, 0): "squashed_gaussian_of_state", (1, 0): "squashed"}
OF_BINS = ("bins", "categorical")  # a number for each bin: these must be named, because their shapes are alike


def has_head(network: Network, head: str) -> bool:
    """True if the outputs of ``network`` can be those of ``head``."""
    if head in OF_BINS:
        return network.outputs >= 2 and network.free == 0
    return HEADS.get((network.outputs, network.free)) == head


class NetworkPolicy(Policy):
    """Policies of R replicas, or of one. theta ``[R, N, P]``.

    Unless ``head`` is given the network says which it has: the mean of z and a free log standard deviation
    (``squashed_gaussian``), both as outputs (``squashed_gaussian_of_state``), or z alone (``squashed``): a
    deterministic policy, whose stochastic form is the same, because the noise it explored with was its teacher's and
    not its own. Two heads choose among K even levels of the endowment: the one with the largest output (``bins``,
    deterministic too), or one drawn with the softmax of the outputs (``categorical``; its deterministic form is the
    likeliest).

    A policy of one replica takes observations ``[..., N, d]``; a stack of R takes ``[R, ..., N, d]``. All replicas of a
    stack draw the same noise, so that the play of one does not depend on the others.
    """

    def __init__(
        self,
        game: Game,
        setting: str,
        network: Network,
        theta: Tensor,
        *,
        stacked: bool,
        about: dict[str, Any],
        head: str | None = None,
    ) -> None:
        self.game, self.observability, self.network, self.theta = game, setting, network, theta
        self.stacked, self.about = stacked, about
        self.head = HEADS.get((network.outputs, network.free), "unknown") if head is None else head
        if not has_head(network, self.head):
            raise ValueError(f"its network does not have the head {self.head!r} that it names")
        self.name = str(about.get("algorithm", "network"))
        self.encoder = Encoder.of(game, setting, theta.device)
        self.endowment = torch.as_tensor(game.endowment, device=theta.device)
        self.reseed(0)
        if theta.shape[1:] != (game.n, network.size) or network.inputs != self.encoder.size:
            raise ValueError(
                f"parameters of shape {tuple(theta.shape)} for {network.inputs} features do not fit {game.id} under "
                f"{setting!r}, which needs [R, {game.n}, {network.size}] and {self.encoder.size} features"
            )

    @classmethod
    def of(
        cls, game: Game, setting: str, network: Network, theta: Tensor, *, head: str | None = None, **about: Any
    ) -> NetworkPolicy:
        """A stack of R policies."""
        return cls(game, setting, network, theta.detach(), stacked=True, about=about, head=head)

    @classmethod
    def stack(cls, policies: Sequence[NetworkPolicy]) -> NetworkPolicy:
        """Several policies of one replica each as one stack; they must share game, setting and network."""
        first = policies[0]
        theta = torch.cat([p.theta for p in policies])
        return first._with(theta, stacked=True, about=first.about)

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
        return self._with(theta, stacked=False, about=about)

    def fits(self, other: Policy) -> bool:
        """True if ``other`` can share a stack with this one."""
        return (
            isinstance(other, NetworkPolicy)
            and not (self.stacked or other.stacked)
            and (other.game.id, other.game.hash) == (self.game.id, self.game.hash)
            and (other.observability, other.network, other.head) == (self.observability, self.network, self.head)
        )

    def to(self, device: Any) -> NetworkPolicy:
        """The same policy on another device; itself if it is there already."""
        if self.theta.device == torch.device(device):
            return self
        return self._with(self.theta.to(device), stacked=self.stacked, about=self.about)

    def _with(self, theta: Tensor, *, stacked: bool, about: dict[str, Any]) -> NetworkPolicy:
        """The same kind of policy with other parameters."""
        return NetworkPolicy(
            self.game, self.observability, self.network, theta, stacked=stacked, about=about, head=self.head
        )

    def reseed(self, seed: int) -> None:
        """Start the noise of the stochastic form anew."""
        self.generator = seeding.torch_generator(seed, "policies", device=self.theta.device)

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
        outputs = self.network(self.theta, x.movedim(-2, 1))
        rates = self._level(outputs, deterministic) if self.head in OF_BINS else self._squashed(outputs, deterministic)
        rates = rates.movedim(1, -1).reshape(observations.shape[:-1])
        return rates.to(observations.dtype) * self.endowment.to(observations.dtype)

    def _squashed(self, outputs: Tensor, deterministic: bool) -> Tensor:
        """Rates ``[R, N, ...]`` of outputs ``[R, N, ..., 1 or 2]``."""
        z = outputs[..., 0]
        if not deterministic and self.head != "squashed":
            noise = torch.randn(z.shape[1:], generator=self.generator, device=z.device)
            free = self.network.free_parameters(self.theta)
            log_std = free.reshape(*free.shape[:2], *(1,) * (z.ndim - 2)) if self.network.free else outputs[..., 1]
            z = z + noise * torch.exp(gaussian.bounded_log_std(log_std))
        return gaussian.squash(z)

    def _level(self, outputs: Tensor, deterministic: bool) -> Tensor:
        """Rates ``[R, N, ...]`` of one number for each bin ``[R, N, ..., K]``."""
        if not deterministic and self.head == "categorical":
            uniform = torch.rand(outputs.shape[1:-1], generator=self.generator, device=outputs.device)
            return bins.rate(bins.draw(torch.softmax(outputs, -1), uniform), self.network.outputs)
        return bins.rate(outputs.argmax(-1), self.network.outputs)
