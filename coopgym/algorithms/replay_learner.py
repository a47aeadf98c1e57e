"""Learning from replay, for many replicas and agents at once: play a few steps, remember them, improve on samples.

What values are of, and what is improved, an algorithm or its family says: actors with critics in ``offpolicy``, values
of bins in ``vdn``. Values are of a remaining step, normalised by PopArt.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from coopgym.algorithms.advantage import OBJECTIVES, annuity, continues
from coopgym.algorithms.features import CROWD, Encoder, mean_of_others
from coopgym.algorithms.learner import MOST_UPDATES, Problem, check_play, whole_episodes
from coopgym.algorithms.network_policy import NetworkPolicy
from coopgym.algorithms.networks import ACTIVATIONS
from coopgym.algorithms.optim import Adam, clip
from coopgym.algorithms.policy import keeps_memory
from coopgym.algorithms.recall import recall
from coopgym.algorithms.replay import Replay
from coopgym.algorithms.rollout import Rollout, uniforms
from coopgym.algorithms.scaling import PopArt, RewardScale
from coopgym.envs.game import Game
from coopgym.mechanisms import checks
from coopgym.mechanisms.trust import mean_over_pairs
from coopgym.numerics import exponential

MOST_HELD = 100_000_000  # steps of a replica in replay


@dataclass(frozen=True)
class ReplaySettings:
    """Hyperparameters of learning from replay, per replica."""

    lanes: int = 32  # E, games played side by side
    hidden: tuple[int, ...] = (64, 64)  # widths of networks
    activation: str = "silu"
    learning_rate: float = 3e-3  # of what predicts values; falls linearly to 0
    batch: int = 256  # steps in one update
    replay_steps: int = 1000  # vector steps that are remembered: others change, so old ones mislead
    warmup: int = 200  # vector steps of uniform play before learning starts
    play_steps: int = 4  # vector steps played at a time
    updates_per_step: int = 1  # updates for each vector step
    polyak: float = 0.02  # rate at which targets follow
    rewards_ahead: int = 1  # n of the n-step targets; what others and exploration did in between is taken as it was
    discount: float = 0.9  # within a CPU's budgets what is further away is lost in the errors of a critic
    max_gradient: float = 1.0  # norm, per replica and agent
    popart_rate: float = 0.01  # per update
    objective: str = "finite"  # or "continuing"
    team_reward: bool = False  # True: every agent is trained on the sum of all agents' rewards

    def __post_init__(self) -> None:
        object.__setattr__(self, "hidden", checks.widths("hidden", self.hidden))
        checks.choice("activation", self.activation, ACTIVATIONS)
        for name in ("lanes", "batch", "replay_steps", "play_steps"):
            checks.whole(name, getattr(self, name), 1, 1_000_000)
        checks.whole("updates_per_step", self.updates_per_step, 1, MOST_UPDATES)
        checks.whole("rewards_ahead", self.rewards_ahead, 1, min(100, self.replay_steps))
        checks.whole("warmup", self.warmup, 0, 1_000_000)
        for name in ("learning_rate", "max_gradient"):
            checks.number(name, getattr(self, name), 0.0, 1e6, open_low=True)
        for name in ("polyak", "popart_rate"):
            checks.number(name, getattr(self, name), 0.0, 1.0, open_low=True)
        checks.number("discount", self.discount, 0.0, 1.0)
        checks.flag("team_reward", self.team_reward)
        checks.choice("objective", self.objective, OBJECTIVES)

    def check_game(self, game: Game) -> None:
        """ValueError for a batch of more than replay holds, and for iterations that would be endless."""
        check_play(self.lanes, whole_episodes(game.horizon, 64))
        held = self.replay_steps * self.lanes
        if held > MOST_HELD:
            raise ValueError(
                f"replay_steps={self.replay_steps} of lanes={self.lanes} are {held} steps, and replay holds "
                f"{MOST_HELD} at most; give at most {max(1, MOST_HELD // self.lanes)} replay_steps, or fewer lanes"
            )
        if self.batch > held:
            raise ValueError(
                f"batch={self.batch} is more than the {held} steps that replay holds (replay_steps={self.replay_steps} "
                f"of lanes={self.lanes}); give at most {held}, or more replay_steps"
            )


class Sample(NamedTuple):
    """Steps from replay: features, next_features ``[R, N, B, F]``; the critics' states ``[R, N, B, S]``; rates, rewards
    (raw, discounted sums of n steps) ``[R, N, B]``; alive (c), worth and next_worth (annuities), discount (of what is
    next) ``[R, 1, B]``. "next" is n steps ahead, or where the episode ends, before any restart.
    next_rates ``[R, N, B]``: of seats that do not learn, what their players do next; None where all learn."""

    features: Tensor
    state: Tensor
    rates: Tensor
    rewards: Tensor
    next_features: Tensor
    next_state: Tensor
    alive: Tensor
    worth: Tensor
    next_worth: Tensor
    discount: Tensor
    next_rates: Tensor | None = None


class ReplayLearner:
    """The loop: play a few steps, remember them, improve. Subclasses say how."""

    central = True  # False: what predicts values sees only what its own agent sees and does

    def __init__(self, problem: Problem, settings: ReplaySettings) -> None:
        if problem.seat is not None and any(keeps_memory(player) for player, _ in problem.seat.players):
            raise ValueError(
                f"{type(self).__name__} asks partners what they do in stored states, which one that remembers its "
                "episode cannot say; choose partners without a memory, or a learner such as IPPO"
            )
        self.problem, self.settings = problem, settings
        self.generators = problem.generators()
        self.games = problem.games(settings.lanes)
        self.rollout_steps = whole_episodes(problem.game.horizon, 64)
        self.steps_per_iteration = self.rollout_steps * settings.lanes
        self.listed = self.central and problem.game.n <= CROWD
        self.state_encoder = Encoder.of(problem.game, "joint", problem.device) if self.listed else None
        self.parameters = self._networks()
        self.targets = {name: theta.clone() for name, theta in self.parameters.items()}
        self.optimisers = {name: Adam(theta, epsilon=1e-8) for name, theta in self.parameters.items()}
        shape, device = (problem.replicas, problem.game.n), problem.device
        self.recall = recall(self.games, self.state_encoder)
        self.replay = Replay(shape[0], settings.replay_steps, settings.lanes, self._fields(), device)
        self.reward_scale = RewardScale(shape, settings.lanes, settings.discount, device)
        self.popart = PopArt(shape, settings.popart_rate, device)
        self.alive = torch.ones(shape[0], dtype=torch.bool, device=device)
        self.diverged_at = torch.full(shape[:1], -1, device=device)
        self.updates = self.clock = 0

    def _fields(self) -> dict[str, tuple[int, ...]]:
        n = self.problem.game.n
        fields = self.recall.fields | {"rates": (n,), "rewards": (n,), "terminated": (), "truncated": (), "time": ()}
        return fields if self.problem.seat is None else fields | {"next_rates": (n,)}

    # --- what the algorithms of this family say for themselves ---------------------------------------------------

    def explore(self, features: Tensor, noise: Tensor) -> Tensor:
        """Rates ``[R, N, E]`` to play at features ``[R, N, E, F]`` with the noise of this step ``[R, N, E]``."""
        raise NotImplementedError

    def at_random(self, noise: Tensor) -> Tensor:
        """Rates of the warm-up from uniform numbers: these themselves."""
        return noise

    def draw_noise(self, steps: int, progress: float) -> Tensor:
        """Noise ``[R, N, steps, E]`` of exploration, each replica's from its own generator."""
        raise NotImplementedError

    def _networks(self) -> dict[str, Tensor]:
        """The parameters of all networks by name."""
        raise NotImplementedError

    def improve(self, progress: float) -> dict[str, Tensor]:
        """One update on a sample; metrics ``[R, N]``."""
        raise NotImplementedError

    def _normalise(self, goals: Tensor) -> None:
        """Move PopArt toward these targets ``[R, N, B]``, so that all networks go on saying what they said."""
        raise NotImplementedError

    def policy(self) -> NetworkPolicy:
        """The present policy of all replicas."""
        raise NotImplementedError

    def next_values(self, sample: Sample) -> Tensor:
        """What the targets' future is worth per remaining step, in scaled rewards ``[R, N, B]``."""
        raise NotImplementedError

    # --- one iteration -------------------------------------------------------------------------------------------

    def iterate(self, progress: float) -> dict[str, Tensor]:
        """Play whole episodes in all lanes, updating every few steps; see Learner."""
        done, played = 0, []
        metrics: dict[str, Tensor] = {}
        while done < self.rollout_steps:
            steps = min(self.settings.play_steps, self.rollout_steps - done)
            played.append(self.play(steps, progress))
            metrics |= self.learn(played[-1], progress)
            done += steps
        return {**self._watch(played), **metrics}

    def learn(self, rollout: Rollout, progress: float) -> dict[str, Tensor]:
        """Remember a rollout and, once there is enough to draw from, improve on samples; metrics of the last."""
        self.remember(rollout)
        metrics: dict[str, Tensor] = {}
        if self.clock >= self.settings.warmup:
            for _ in range(rollout.rates.shape[2] * self.settings.updates_per_step):
                metrics |= self.improve(progress)
        return metrics

    def play(self, steps: int, progress: float) -> Rollout:
        """A rollout of exploring policies; of uniform rates as long as the warm-up lasts."""
        warming = self.clock < self.settings.warmup
        if warming:
            noise = uniforms(self.generators, self.problem.game.n, steps, self.settings.lanes)
        else:
            noise = self.draw_noise(steps, progress)
        self.clock += steps

        def choose(features: Tensor, t: int) -> tuple[Tensor, ...]:
            now = noise[:, :, t]
            return (self.at_random(now) if warming else self.explore(features, now),)

        return self.games.rollout(choose, steps, states=self.recall.states_before, final=True)

    @torch.no_grad()
    def remember(self, rollout: Rollout) -> None:
        """Put a rollout into replay, with raw rewards, and move the reward scale."""
        assert rollout.final is not None
        rewards = self.rewards(rollout)
        steps = self.recall.kept(rollout) | {
            "rates": rollout.rates.movedim(1, 3), "rewards": rewards.movedim(1, 3),
            "terminated": rollout.terminated[:, 0], "truncated": rollout.truncated[:, 0],
            "time": rollout.times[:, 0, :-1],
        }  # fmt: skip
        if self.problem.seat is not None:
            steps["next_rates"] = self.games.as_seated(torch.zeros_like(rewards), rollout.final).movedim(1, 3)
        self.replay.add(**steps)
        self.measure(rewards, rollout.terminated | rollout.truncated)

    def rewards(self, rollout: Rollout) -> Tensor:
        """The rewards ``[R, N, H, E]`` that agents are trained on, raw."""
        rewards = rollout.rewards
        return rewards.sum(1, keepdim=True).expand(rewards.shape) if self.settings.team_reward else rewards

    def measure(self, rewards: Tensor, ended: Tensor) -> None:
        """Move the reward scale, and values with it."""
        sigma, first = self.reward_scale.sigma, self.reward_scale.count == 0
        self.reward_scale.update(rewards, ended)
        if not first:
            self.popart.change_units(sigma / self.reward_scale.sigma)

    def sample(self) -> Sample:
        """A batch from replay, as critics and actors want it."""
        s, count = self.settings, self.settings.rewards_ahead
        drawn = self.replay.draw(self.generators, s.batch, count)
        x = self.replay.fetch(drawn)
        y, rewards, steps = (x, x["rewards"], torch.ones_like(x["time"])) if count == 1 else self._several(drawn, x)
        ends = y["terminated"] > 0.5, y["truncated"] > 0.5
        now, then = (annuity(t, self.problem.game.horizon, s.discount, s.objective) for t in (x["time"], y["time"] + 1))
        present, following = self.recall.seen(x, ""), self.recall.seen(y, "next_")
        return Sample(
            present.features, self.seen(*present), x["rates"].movedim(2, 1), rewards.movedim(2, 1),
            following.features, self.seen(*following), continues(*ends, s.objective).unsqueeze(1),
            now.unsqueeze(1), then.unsqueeze(1), exponential(s.discount, steps).unsqueeze(1),
            y["next_rates"].movedim(2, 1) if "next_rates" in y else None,
        )  # fmt: skip

    def _several(self, drawn: Tensor, first: dict[str, Tensor]) -> tuple[dict[str, Tensor], Tensor, Tensor]:
        """(the last of n steps or the one that ends the episode, discounted sum of rewards to it, number of steps)."""
        rewards, steps = first["rewards"].clone(), torch.ones_like(first["time"])
        going = (first["terminated"] + first["truncated"]) < 0.5
        for m in range(1, self.settings.rewards_ahead):
            y = self.replay.fetch(drawn, ("rewards", "terminated", "truncated"), m)
            rewards += torch.where(going.unsqueeze(-1), self.settings.discount**m * y["rewards"], 0.0)
            steps += going
            going = going & ((y["terminated"] + y["truncated"]) < 0.5)
        before = ("rates", "rewards", *self.recall.fields)
        names = [name for name in self.replay.fields if name.startswith("next_") or name not in before]
        return self.replay.fetch(drawn, names, steps.long() - 1), rewards, steps

    def seen(self, features: Tensor, joint: Tensor | None) -> Tensor:
        """What each critic sees of the state ``[R, N, B, S]``: the joint observation, or above 8 agents the agent's own
        features beside the mean of the others', which does not depend on their order; one that is not centralised: its
        own agent's features."""
        if joint is not None:
            return joint.unsqueeze(1).expand(-1, self.problem.game.n, -1, -1)
        return torch.cat([features, mean_of_others(features)], -1) if self.central else features

    @torch.no_grad()
    def goals(self, sample: Sample) -> Tensor:
        """Normalised value targets per remaining step ``[R, N, B]``; moves the value normalisation."""
        rewards = sample.rewards / self.reward_scale.sigma.unsqueeze(-1)
        self._flag(torch.isfinite(rewards).flatten(1).all(1))
        if self.updates == 0:  # nothing has been learned: a remaining step is worth what a step was worth so far
            self._normalise(rewards)
        future = sample.next_worth * self.next_values(sample)
        # where, not times: what was observed after an end must not leak even if it is not finite
        future = torch.where(sample.alive, future, torch.zeros_like(future))
        goals = (rewards + sample.discount * future) / sample.worth
        self._flag(torch.isfinite(goals).flatten(1).all(1))
        self._normalise(goals)
        return self.popart.normalise(goals)

    def descend(self, leaves: dict[str, Tensor], loss: Tensor, rate: float) -> Tensor:
        """One clipped step of named parameters along the gradient of the summed loss ``[R, N]``; first norm."""
        gradients = torch.autograd.grad(loss.sum(), list(leaves.values()))
        with torch.no_grad():
            clipped = [clip(g, self.settings.max_gradient) for g in gradients]
            self._flag(torch.stack([torch.isfinite(norm).all(-1) for _, norm in clipped]).all(0))
            for name, (gradient, _) in zip(leaves, clipped, strict=True):
                self.optimisers[name].step(gradient, rate, self.alive)
        return clipped[0][1]

    def _flag(self, finite: Tensor) -> None:
        """Freeze the replicas that have just met a number that is not finite."""
        self.diverged_at = torch.where(self.alive & ~finite, self.updates, self.diverged_at)
        self.alive = self.alive & finite

    def _watch(self, played: list[Rollout]) -> dict[str, Tensor]:
        """What these rollouts say about play: welfare of an episode, rates, trust, and the learner's scales."""
        # one after another: a sum over a first axis takes another order where there is one replica
        ends = sum((x.terminated | x.truncated).flatten(1).sum(-1) for x in played)
        exits = sum(x.terminated.flatten(1).sum(-1) for x in played)
        total = sum(x.payoffs.double().flatten(1).sum(-1) for x in played)
        return {
            "welfare_train": total / ends,
            "rate": sum(x.rates.flatten(2).sum(-1) for x in played) / self.steps_per_iteration,
            "trust": mean_over_pairs(played[-1].ending.trust).mean(-1),
            "early_exit_share": exits / ends,
            "reward_scale": self.reward_scale.sigma,
            "value_scale": self.popart.scale,
        }
