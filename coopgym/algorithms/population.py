"""Learning with partners from a pool of frozen policies: who sits where, and whose experience trains.

A lane is a game played over and over. In live lanes all agents are the learners of the day. In the others a few seats
are live, and a frozen policy has the rest; what it does there trains nobody.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from coopgym.algorithms import distributions as gaussian
from coopgym.algorithms.learner import Problem
from coopgym.algorithms.onpolicy import Batch
from coopgym.algorithms.ppo import PPO, PPOSettings
from coopgym.algorithms.rollout import Choose, Rollout
from coopgym.algorithms.scaling import RewardScale
from coopgym.mechanisms.base import State


@dataclass(frozen=True)
class Seating:
    """L live lanes, then h blocks of K lanes. All lanes of a block face one frozen policy; group k is live in lane k.

    With K = N groups each agent is a group. ``group [N]``; ``live [N, E]``: where an agent is live; ``trains
    [N, L + h]``: the lanes in which it is, as many for each agent, so that batches stay dense.
    """

    live_lanes: int
    blocks: int
    groups: int
    group: Tensor
    live: Tensor
    trains: Tensor

    @classmethod
    def of(cls, agents: int, groups: int, live_lanes: int, blocks: int, device: torch.device) -> Seating:
        """Agents in even groups, in their order."""
        group = torch.arange(agents, device=device) * groups // agents
        lanes = torch.arange(blocks * groups, device=device)
        played = group.unsqueeze(-1) == lanes % groups
        live = torch.cat([torch.ones(agents, live_lanes, dtype=torch.bool, device=device), played], -1)
        own = live_lanes + torch.arange(blocks, device=device) * groups + group.unsqueeze(-1)
        everywhere = torch.arange(live_lanes, device=device).expand(agents, -1)
        return cls(live_lanes, blocks, groups, group, live, torch.cat([everywhere, own], -1))

    @property
    def lanes(self) -> int:
        """E = L + h K."""
        return self.live_lanes + self.blocks * self.groups

    def select(self, x: Tensor) -> Tensor:
        """From ``[R, N or 1, T, E, ...]`` what the agents live through, ``[R, N, T, L + h, ...]``."""
        n, count = self.trains.shape
        x = x.expand(-1, n, *x.shape[2:])
        index = self.trains.reshape(1, n, 1, count, *(1,) * (x.ndim - 4)).expand(*x.shape[:3], count, *x.shape[4:])
        return x.gather(3, index)

    def lived(self, rollout: Rollout) -> Rollout:
        """A rollout of the live seats alone, with lanes that differ from agent to agent."""
        pick = self.select
        return rollout._replace(
            features=pick(rollout.features), times=pick(rollout.times), rates=pick(rollout.rates),
            kept=tuple(pick(x) for x in rollout.kept), payoffs=pick(rollout.payoffs), rewards=pick(rollout.rewards),
            terminated=pick(rollout.terminated), truncated=pick(rollout.truncated),
        )  # fmt: skip


class PopulationPPO(PPO):
    """PPO whose agents meet frozen policies. A subclass says how lanes are seated, and who is met.

    Whom a block meets is drawn for each replica from its own generator when all lanes begin an episode anew: with each
    rollout, or, if rollouts are shorter than an episode, with the first one of every few. An episode that ends early is
    followed by others with the same partners.
    """

    def __init__(self, problem: Problem, settings: PPOSettings, seating: Seating) -> None:
        super().__init__(problem, settings)
        self.seating = seating
        shape = (problem.replicas, problem.game.n)
        self.reward_scale = RewardScale(shape, seating.trains.shape[1], settings.discount, problem.device)
        self.period = -(-problem.game.horizon // self.rollout_steps)
        self.rollouts = 0
        self.partners = self.parameters["actor"].new_zeros(0)

    def draw(self) -> Tensor:
        """Actors' parameters ``[R, h, G, P]`` of those who are met next, drawn from the replicas' generators."""
        raise NotImplementedError

    def play(self, progress: float = 0.0) -> Rollout:
        """A rollout of all lanes; partners change when due, and every lane then begins anew."""
        if self.rollouts % self.period == 0:
            self.games.restart()
            self.reward_scale.running = torch.zeros_like(self.reward_scale.running)
            self.partners = self.actors(self.draw()).transpose(1, 2).flatten(1, 2)  # [R, N h, P]
        self.rollouts += 1
        return super().play(progress)

    def chooser(self, progress: float) -> Choose:
        """The present policy in live seats, partners in the others; what is kept of the latter is never looked at."""
        seats, own = self.seating, self.actors(self.parameters["actor"])
        n, e, first = self.problem.game.n, seats.lanes, seats.live_lanes
        layers, others = self.actor.layers(own), self.actor.layers(self.partners)
        log_stds = (self.actor.free_parameters(theta) for theta in (own, self.partners))
        std, their_std = (torch.exp(gaussian.bounded_log_std(x)) for x in log_stds)
        spread = self._seated(std.expand(-1, -1, e), their_std)
        noise = self.draw_noise(e, progress) * spread.unsqueeze(2)

        def choose(features: Tensor, t: int) -> tuple[Tensor, ...]:
            faced = features[:, :, first:].reshape(-1, n * seats.blocks, seats.groups, features.shape[-1])
            mean = self._seated(self.actor.run(layers, features).squeeze(-1), self.actor.run(others, faced).squeeze(-1))
            z = mean + noise[:, :, t]
            return gaussian.squash(z), z, mean

        return choose

    def _seated(self, own: Tensor, theirs: Tensor) -> Tensor:
        """``[R, N, E]``: ``own [R, N, E]`` in live seats, elsewhere ``theirs [R, N h, K or 1]``."""
        r, n, first = own.shape[0], own.shape[1], self.seating.live_lanes
        theirs = theirs.expand(-1, -1, self.seating.groups).reshape(r, n, -1)
        faced = torch.where(self.seating.live[:, first:], own[..., first:], theirs)
        return torch.cat([own[..., :first], faced], -1)

    def estimate(self, rollout: Rollout) -> Batch:
        """Of what live seats have lived through."""
        return super().estimate(self.seating.lived(rollout))

    def before_restarts(self, final: State) -> Tensor:
        """Those of the live seats."""
        return self.seating.select(super().before_restarts(final))


def uniform_index(generators: list[torch.Generator], count: int, draws: int) -> Tensor:
    """Numbers ``[R, draws]`` below ``count``, each replica's from its own generator."""
    return torch.stack([torch.randint(count, (draws,), generator=g, device=g.device) for g in generators])
