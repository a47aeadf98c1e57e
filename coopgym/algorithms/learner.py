"""What every learner is given and what it must offer: the contract between an algorithm's file and ``training``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import Tensor

from coopgym import seeding
from coopgym.algorithms.rollout import Games
from coopgym.algorithms.seating import Players, Seat, SeatPolicy
from coopgym.envs.game import Game
from coopgym.envs.reward import RewardMode

if TYPE_CHECKING:
    from coopgym.algorithms.network_policy import NetworkPolicy

MOST_PLAYED = 10_000_000  # steps of a replica in one iteration
MOST_UPDATES = 1000  # epochs over the same samples, or updates for each step: a slip of the pen beyond it


@dataclass(frozen=True, eq=False)
class Problem:
    """R replicas of one game: replica r has reward mode ``modes[r]`` and seed ``seeds[r]``; ``game`` is in NumPy.

    seat: the only agent that learns, and who plays the others; None: all agents learn. The networks of the others still
    exist and are updated, but nobody plays them, and what is returned and written down leaves them out.
    """

    game: Game
    modes: tuple[RewardMode, ...]
    seeds: tuple[int, ...]
    setting: str
    device: torch.device
    seat: Seat | None = None

    @property
    def replicas(self) -> int:
        """R."""
        return len(self.seeds)

    def generators(self) -> list[torch.Generator]:
        """What the learner draws from: one generator for each replica, from its own seed alone."""
        return [seeding.torch_generator(seed, "learners", device=self.device) for seed in self.seeds]

    def games(self, lanes: int) -> Games:
        """The replicas' games, ``lanes`` side by side for each."""
        generators = [seeding.torch_generator(seed, "training", device=self.device) for seed in self.seeds]
        players = None if self.seat is None else Players(self.seat, self.seeds, apart=True)
        return Games(self.game, self.modes, lanes, generators, self.setting, self.device, players)

    def seated(self, policy: NetworkPolicy) -> NetworkPolicy | SeatPolicy:
        """Who plays when a learner's policy does: itself, or in a seat itself and its partners."""
        return policy if self.seat is None else self.seat.around(policy)

    def counts(self, theta: Tensor) -> int:
        """Parameters of one replica in ``theta [R, G, P]``, those of networks that nobody plays left out."""
        own_network = self.seat is not None and theta.shape[1] == self.game.n
        return theta[0, 0].numel() if own_network else theta[0].numel()


class Learner(Protocol):
    """A learner of R replicas. ``alive [R]``: not diverged; ``diverged_at [R]``: update of divergence, or -1."""

    games: Games
    alive: Tensor
    diverged_at: Tensor
    updates: int
    steps_per_iteration: int  # environment steps of a replica in one iteration
    parameters: dict[str, Tensor]  # each [R, G, P]

    def __init__(self, problem: Problem, settings: Any) -> None: ...

    def iterate(self, progress: float) -> dict[str, Tensor]:
        """Collect and update once; ``progress`` is the share of the budget spent. Metrics ``[R]`` or ``[R, N]``."""

    def policy(self) -> NetworkPolicy:
        """The present policy of all replicas."""


def whole_episodes(horizon: int, at_least: int) -> int:
    """The smallest multiple of ``horizon`` that is ``at_least`` so many steps."""
    return horizon * math.ceil(at_least / horizon)


def check_play(lanes: int, steps: int) -> None:
    """ValueError where an iteration of ``steps`` in each of ``lanes`` would be endless: a budget is whole iterations.

    Its text begins with the name of a setting, from which a study's file finds the table that it stands in.
    """
    if lanes * steps > MOST_PLAYED:
        raise ValueError(
            f"lanes={lanes} of {steps} steps are {lanes * steps} steps in one iteration, and {MOST_PLAYED} are the "
            f"most; give at most {max(1, MOST_PLAYED // steps)} lanes, or fewer steps"
        )


def check_minibatches(minibatches: int, samples: int, lanes: int, steps: int) -> None:
    """ValueError where there are more minibatches than samples to share out; see ``check_play`` for its text."""
    if minibatches > samples:
        raise ValueError(
            f"minibatches={minibatches} are more than the {samples} samples that an agent has to learn from at a time "
            f"(lanes={lanes}, {steps} steps each); give at most {samples}"
        )


def replica_chunks(replicas: int, rows_each: int, device: torch.device, rows: int = 9000) -> list[slice]:
    """Slices of replicas to update one after another: on a CPU small enough for its cache, elsewhere all at once."""
    count = -(-replicas * rows_each // rows) if device.type == "cpu" else 1
    size = -(-replicas // max(1, count))
    return [slice(start, min(start + size, replicas)) for start in range(0, replicas, size)]


def shuffled(generators: Sequence[torch.Generator], epochs: int, samples: int) -> Tensor:
    """Random orders ``[R, epochs, samples]``, each replica's from its own generator."""
    return torch.stack([
        torch.stack([torch.randperm(samples, generator=g, device=g.device) for _ in range(epochs)]) for g in generators
    ])  # fmt: skip


def take(tensors: Sequence[Tensor], index: Tensor) -> list[Tensor]:
    """The samples ``index [R, b]`` of tensors ``[R, N, B, ...]``, the same for all agents of a replica."""
    r, n, b = tensors[0].shape[:3]
    start = torch.arange(r * n, device=index.device).reshape(r, n, 1) * b
    flat = (start + index.unsqueeze(1)).flatten()
    return [x.flatten(0, 2).index_select(0, flat).reshape(r, n, -1, *x.shape[3:]) for x in tensors]
