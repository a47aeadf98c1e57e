"""FCP, fictitious co-play: Strouse et al. 2021 (NeurIPS, arXiv 2110.08176)."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

from coopgym import seeding
from coopgym.algorithms.learner import Problem
from coopgym.algorithms.network_policy import NetworkPolicy
from coopgym.algorithms.population import PopulationPPO, Seating, uniform_index
from coopgym.algorithms.ppo import PPO, PPOSettings
from coopgym.algorithms.registry import register
from coopgym.algorithms.rollout import Rollout
from coopgym.envs.game import Game
from coopgym.mechanisms import checks

CANDIDATES = 16  # moments of the first stage among which the half-way checkpoint is sought


@dataclass(frozen=True)
class FCPSettings(PPOSettings):
    """Hyperparameters of FCP; those of PPO hold for both stages."""

    lanes: int = 12
    share: str = "roles"
    pool: int = 4  # teams; the paper has 32
    pool_share: float = 0.4  # of the environment steps, for training the pool

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.whole("pool", self.pool, 1, 1000)
        checks.whole("lanes", self.lanes, max(2, self.pool), 1_000_000)
        checks.number("pool_share", self.pool_share, 0.01, 0.99)

    def seating(self, agents: int) -> tuple[int, int]:
        """(groups of agents that take turns, blocks of as many lanes)."""
        groups = min(agents, self.lanes)
        return groups, self.lanes // groups

    def samples(self, game: Game) -> int:
        """Those of the stage in which an agent has fewer: its seats among the pool, or a team's own lanes."""
        groups, blocks = self.seating(game.n)
        return self.steps_to_play(game) * min(blocks, blocks * groups // self.pool)

    def check_game(self, game: Game) -> None:
        """Each team of the pool needs a lane."""
        groups, blocks = self.seating(game.n)
        if groups * blocks < self.pool:
            raise ValueError(
                f"lanes={self.lanes} seat the {game.n} agents of {game.id} in {groups * blocks} lanes, too few "
                f"for pool={self.pool}; give a multiple of {groups} lanes, or fewer teams"
            )
        super().check_game(game)


@register(
    "FCP",
    kind="learner",
    paradigm="self_play",
    paper="Strouse et al. 2021, arXiv 2110.08176",
    settings=FCPSettings,
    seated=False,
)
class FCP(PopulationPPO):
    """First a pool of self-play teams of other seeds, then one best response of each role to the pool's checkpoints.

    Stage 1 trains ``pool`` teams for each replica, as further replicas of one PPO learner, on the replica's own reward.
    Of each team three checkpoints are kept: the initial, the final, and the first whose return is half way between. In
    stage 2 an agent has a seat and one checkpoint, drawn uniformly from all of them, has the others; checkpoints do not
    learn. An iteration costs the same number of environment steps in both stages, all of which are counted.

    ``policy`` is that of stage 2 in all seats; until then it is untrained. ``checkpoints`` is the pool.
    """

    settings: FCPSettings

    def __init__(self, problem: Problem, settings: FCPSettings) -> None:
        settings.check_game(problem.game)
        groups, blocks = settings.seating(problem.game.n)
        seating = Seating.of(problem.game.n, groups, 0, blocks, problem.device)
        super().__init__(problem, replace(settings, lanes=seating.lanes), seating)
        self.pool: Pool | None = Pool(
            pool_problem(problem, settings.pool), alone(settings, seating.lanes // settings.pool)
        )
        self.credit = 0  # environment steps of a replica that the pool may still play
        self.frozen = self.parameters["actor"].new_zeros(0)  # [R, 3 pool, G, P]

    def iterate(self, progress: float) -> dict[str, Tensor]:
        """One iteration of the stage that ``progress`` lies in; schedules are those of the stage."""
        share = self.settings.pool_share
        if self.pool is not None and progress < share:
            return self._train_pool(self.pool, progress / share)
        if self.pool is not None:
            self._freeze(self.pool)
        return super().iterate((progress - share) / (1.0 - share))

    def _train_pool(self, pool: Pool, progress: float) -> dict[str, Tensor]:
        """As many iterations of the pool as an iteration of this learner pays for; metrics are means over teams."""
        cost = pool.steps_per_iteration * self.settings.pool
        self.credit += self.steps_per_iteration
        metrics: dict[str, Tensor] = {}
        while self.credit >= cost:
            self.credit -= cost
            before = pool.updates
            metrics = pool.iterate(progress)
            self.updates += pool.updates - before
        return {name: self._by_replica(x).mean(1) for name, x in metrics.items()}

    def _by_replica(self, x: Tensor) -> Tensor:
        """``[R, pool, ...]`` from the pool's ``[R pool, ...]``."""
        return x.reshape(self.problem.replicas, self.settings.pool, *x.shape[1:])

    def _freeze(self, pool: Pool) -> None:
        """End stage 1: take the checkpoints of each team. A replica that has lost a team is lost."""
        self.frozen = self._by_replica(pool.checkpoints()).flatten(1, 2)
        self._flag(slice(None), self._by_replica(pool.alive).all(1))
        self.pool = None

    def draw(self) -> Tensor:
        """Checkpoints of the pool, all equally likely."""
        index = uniform_index(self.generators, self.frozen.shape[1], self.seating.blocks)
        return self.frozen[torch.arange(len(index), device=index.device).unsqueeze(-1), index]

    def checkpoints(self, replica: int) -> NetworkPolicy:
        """The pool of a replica in stage 2, a stack of 3 ``pool`` teams: initial, half way and final of each."""
        problem = self.problem
        return NetworkPolicy.of(problem.game, problem.setting, self.actor, self.actors(self.frozen[replica]))


def pool_problem(problem: Problem, teams: int) -> Problem:
    """``teams`` replicas for each replica of ``problem``, with seeds that follow from its own but are not its own."""
    modes = tuple(mode for mode in problem.modes for _ in range(teams))
    seeds = tuple(seeding.integer(seed, "pools", team) for seed in problem.seeds for team in range(teams))
    return replace(problem, modes=modes, seeds=seeds)


def alone(settings: PPOSettings, lanes: int) -> PPOSettings:
    """What of the settings is PPO's, with so many lanes."""
    return PPOSettings(**{**{f.name: getattr(settings, f.name) for f in fields(PPOSettings)}, "lanes": lanes})


class Pool(PPO):
    """Teams in self-play, which remember how they came to be: parameters and returns at a few moments."""

    def __init__(self, problem: Problem, settings: PPOSettings) -> None:
        super().__init__(problem, settings)
        actor = self.parameters["actor"]
        self.seen = actor.new_zeros(CANDIDATES, *actor.shape)
        self.returns = torch.zeros(CANDIDATES, actor.shape[0], device=actor.device, dtype=torch.float64)
        self.newest = self.returns[0]
        self.moments = 0
        self.due = True

    def iterate(self, progress: float) -> dict[str, Tensor]:
        """As PPO; ``progress`` decides which iterations are remembered, beginning with the first."""
        self.due = self.moments < CANDIDATES and progress * CANDIDATES >= self.moments
        return super().iterate(progress)

    def play(self, progress: float = 0.0) -> Rollout:
        """Remember who plays, and what it brings."""
        rollout = super().play(progress)
        self.newest = self.per_episode(rollout, rollout.rewards)
        if self.due:
            self.seen[self.moments] = self.parameters["actor"]
            self.returns[self.moments] = self.newest
            self.moments += 1
        return rollout

    def checkpoints(self) -> Tensor:
        """Actors ``[R, 3, G, P]``: the initial, the first that is half way from its return to the final, the final."""
        known = torch.cat([self.seen[: self.moments], self.parameters["actor"].unsqueeze(0)])
        half = self.first_half_way()
        return torch.stack([known[0], known[half, torch.arange(len(half), device=half.device)], known[-1]], 1)

    def first_half_way(self) -> Tensor:
        """Moment ``[R]``; the one after the last remembered is the present.

        Where an untrained team earns nothing this is the first that reaches half of the final return, as in the paper.
        Here it may earn more than that half from the start, or more than it does once it has learned to defect.
        """
        way = torch.cat([self.returns[: self.moments], self.newest.unsqueeze(0)]) - self.returns[0]
        return (way * way[-1].sign() >= 0.5 * way[-1].abs()).int().argmax(0)
