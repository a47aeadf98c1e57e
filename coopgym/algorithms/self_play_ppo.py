"""SelfPlay_PPO: self-play against one's own history, in the style of Bansal et al. 2018 (arXiv 1710.03748)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from coopgym.algorithms.learner import Problem
from coopgym.algorithms.population import PopulationPPO, Seating, uniform_index
from coopgym.algorithms.ppo import PPOSettings
from coopgym.algorithms.registry import register
from coopgym.algorithms.rollout import uniforms
from coopgym.envs.game import Game
from coopgym.mechanisms import checks


@dataclass(frozen=True)
class SelfPlayPPOSettings(PPOSettings):
    """Hyperparameters of SelfPlay_PPO. Of 12 lanes an agent trains in about 8 (N = 2) to 4 (N = 6)."""

    lanes: int = 12
    share: str = "roles"
    latest: float = 0.5  # probability with which the others are the present policies, not past ones
    history: int = 20  # M, past policies remembered
    snapshot_every: int = 5  # iterations

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.whole("lanes", self.lanes, 2, 1_000_000)
        checks.number("latest", self.latest, 0.0, 1.0)
        checks.whole("history", self.history, 1, 10_000)
        checks.whole("snapshot_every", self.snapshot_every, 1, 1_000_000)

    def seating(self, agents: int) -> tuple[int, int]:
        """(groups of agents that take turns, blocks of as many lanes); the other lanes train all agents at once."""
        groups = min(agents, max(2, self.lanes // 2))
        return groups, blocks_of_history(self.lanes, groups, self.latest)

    def samples(self, game: Game) -> int:
        """Those of the lanes in which an agent is live."""
        groups, blocks = self.seating(game.n)
        return self.steps_to_play(game) * (self.lanes - groups * blocks + blocks)


@register(
    "SelfPlay_PPO",
    kind="learner",
    paradigm="self_play",
    paper="Bansal et al. 2018, arXiv 1710.03748; Silver et al. 2017, arXiv 1712.01815",
    settings=SelfPlayPPOSettings,
    seated=False,
)
class SelfPlayPPO(PopulationPPO):
    """PPO of each role, with the other seats taken by the latest policies or by ones from its history.

    An agent's partners are the latest with probability ``latest``, otherwise one of the last ``history`` snapshots, all
    equally likely; the first is of the initial parameters. Lanes in which everybody is the latest train all agents at
    once. In the others one agent is live and all other seats are of one snapshot, and so of one time; where there are
    more agents than half of the lanes, a group of agents is live instead of one. A role's policy plays all its seats.
    """

    settings: SelfPlayPPOSettings

    def __init__(self, problem: Problem, settings: SelfPlayPPOSettings) -> None:
        n, lanes = problem.game.n, settings.lanes
        groups, blocks = settings.seating(n)
        super().__init__(problem, settings, Seating.of(n, groups, lanes - groups * blocks, blocks, problem.device))
        self.past = self.parameters["actor"].new_zeros(settings.history, *self.parameters["actor"].shape)
        self.snapshots = self.iterations = 0  # taken so far; the newest ``history`` are in ``past``, cyclically

    def iterate(self, progress: float) -> dict[str, Tensor]:
        """As PPO, remembering the parameters now and then."""
        if self.iterations % self.settings.snapshot_every == 0:
            self.past[self.snapshots % self.settings.history] = self.parameters["actor"]
            self.snapshots += 1
        self.iterations += 1
        return super().iterate(progress)

    @property
    def latest_in_blocks(self) -> float:
        """How likely a block meets the latest policies, so that an agent does with probability ``latest`` in all."""
        live, blocks = self.seating.live_lanes, self.seating.blocks
        return max(0.0, (self.settings.latest * (live + blocks) - live) / blocks)

    def draw(self) -> Tensor:
        """The latest, or a snapshot."""
        blocks, known = self.seating.blocks, min(self.snapshots, self.settings.history)
        index = uniform_index(self.generators, known, blocks)
        now = uniforms(self.generators, blocks) < self.latest_in_blocks
        rows = torch.arange(len(index), device=index.device).unsqueeze(-1)
        newest = self.parameters["actor"].unsqueeze(1)
        return torch.where(now[..., None, None], newest, self.past[index, rows])


def blocks_of_history(lanes: int, groups: int, latest: float) -> int:
    """h, the fewest blocks that leave no agent more live lanes than ``latest`` of those it trains in, if any do."""
    most = lanes // groups
    for blocks in range(1, most):
        live = lanes - groups * blocks
        if live <= latest * (live + blocks):
            return blocks
    return most
