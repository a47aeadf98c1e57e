"""Learning from replay, for many replicas and agents at once: what MADDPG, MATD3, M3DDPG, ISAC and MASAC share.

A critic of agent i sees rates u in [0, 1], never actions in endowment units, so that played actions, those of targets
and those of an actor's loss have one scale. It predicts the value per remaining step, normalised by PopArt.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import huber_loss

from coopgym.algorithms.advantage import OBJECTIVES, annuity, continues
from coopgym.algorithms.features import Encoder
from coopgym.algorithms.learner import Problem, whole_episodes
from coopgym.algorithms.network_policy import NetworkPolicy
from coopgym.algorithms.networks import Network
from coopgym.algorithms.optim import Adam, clip
from coopgym.algorithms.replay import Replay
from coopgym.algorithms.rollout import Rollout, uniforms
from coopgym.algorithms.scaling import PopArt, RewardScale
from coopgym.envs import observation
from coopgym.mechanisms import checks
from coopgym.mechanisms.base import State
from coopgym.mechanisms.trust import mean_over_pairs

CROWD = 8  # more agents than this are summarised by a mean instead of being listed


@dataclass(frozen=True)
class OffPolicySettings:
    """Hyperparameters of learning from replay, per replica."""

    lanes: int = 32  # E, games played side by side
    hidden: tuple[int, ...] = (64, 64)  # widths of actors and critics
    activation: str = "silu"
    learning_rate: float = 3e-3  # of the critics; falls linearly to 0
    actor_rate: float = 3e-4  # of the actors; falls linearly to 0
    batch: int = 256  # steps in one update
    replay_steps: int = 1000  # vector steps that are remembered: others change, so old ones mislead
    warmup: int = 200  # vector steps of uniform play before learning starts
    play_steps: int = 4  # vector steps played at a time
    updates_per_step: int = 1  # critic updates for each vector step
    policy_delay: int = 1  # critic updates for each update of actors and targets
    polyak: float = 0.02  # rate at which targets follow
    discount: float = 0.9  # within a CPU's budgets what is further away is lost in the errors of a critic
    max_gradient: float = 1.0  # norm, per replica and agent
    popart_rate: float = 0.01  # per critic update
    objective: str = "finite"  # or "continuing"
    team_reward: bool = False  # True: every agent is trained on the sum of all agents' rewards

    def __post_init__(self) -> None:
        object.__setattr__(self, "hidden", tuple(self.hidden))
        for name in ("lanes", "batch", "replay_steps", "play_steps", "updates_per_step", "policy_delay"):
            checks.whole(name, getattr(self, name), 1, 1_000_000)
        checks.whole("warmup", self.warmup, 0, 1_000_000)
        for name in ("learning_rate", "actor_rate", "max_gradient"):
            checks.number(name, getattr(self, name), 0.0, 1e6, open_low=True)
        for name in ("polyak", "popart_rate"):
            checks.number(name, getattr(self, name), 0.0, 1.0, open_low=True)
        checks.number("discount", self.discount, 0.0, 1.0)
        checks.flag("team_reward", self.team_reward)
        checks.choice("objective", self.objective, OBJECTIVES)


class Sample(NamedTuple):
    """Steps from replay: features, next_features ``[R, N, B, F]``; the critics' states ``[R, N, B, S]``; rates, rewards
    (raw) ``[R, N, B]``; alive (c), worth and next_worth (annuities) ``[R, 1, B]``. "next" is before any restart.
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
    next_rates: Tensor | None = None


class OffPolicy:
    """The loop: play a few steps, remember them, update critics, actors and targets. Subclasses say how."""

    central = True  # False: a critic sees only what its own agent sees and does
    actor_outputs = 1
    critics: tuple[str, ...] = ("critic",)

    def __init__(self, problem: Problem, settings: OffPolicySettings) -> None:
        self.problem, self.settings = problem, settings
        self.generators = problem.generators()
        self.games = problem.games(settings.lanes, self.generators)
        self.rollout_steps = whole_episodes(problem.game.horizon, 64)
        self.steps_per_iteration = self.rollout_steps * settings.lanes
        self.listed = self.central and problem.game.n <= CROWD
        self.state_encoder = Encoder.of(problem.game, "joint", problem.device) if self.listed else None
        self.parameters = self._networks()
        self.targets = {name: theta.clone() for name, theta in self.parameters.items()}
        self.optimisers = {name: Adam(theta, epsilon=1e-8) for name, theta in self.parameters.items()}
        shape, device = (problem.replicas, problem.game.n), problem.device
        self.replay = Replay(shape[0], settings.replay_steps, settings.lanes, self._fields(), device)
        self.reward_scale = RewardScale(shape, settings.lanes, settings.discount, device)
        self.popart = PopArt(shape, settings.popart_rate, device)
        self.own = torch.eye(shape[1], dtype=torch.bool, device=device).reshape(1, shape[1], 1, shape[1])
        self.alive = torch.ones(shape[0], dtype=torch.bool, device=device)
        self.diverged_at = torch.full(shape[:1], -1, device=device)
        self.updates = self.clock = 0

    def _networks(self) -> dict[str, Tensor]:
        """Actors pi_i(o_i) and critics Q_i: one network for each replica and agent."""
        s, n, own = self.settings, self.problem.game.n, self.games.encoder.size
        state, acts = (own, 1) if not self.central else (2 * own, 2)
        if self.state_encoder is not None:
            state, acts = self.state_encoder.size, n
        self.actor = Network(own, self.actor_outputs, s.hidden, s.activation, head_gain=0.01)
        self.critic = Network(state + acts, 1, s.hidden, s.activation, head_gain=0.01)
        networks = {"actor": self.actor, **dict.fromkeys(self.critics, self.critic)}
        return {name: network.initial(n, self.generators) for name, network in networks.items()}

    def _fields(self) -> dict[str, tuple[int, ...]]:
        n, f = self.problem.game.n, self.games.encoder.size
        fields: dict[str, tuple[int, ...]] = {
            "features": (n, f), "next_features": (n, f), "rates": (n,), "rewards": (n,), "terminated": (),
            "truncated": (), "time": (),
        }  # fmt: skip
        if self.state_encoder is not None:
            fields |= {"state": (self.state_encoder.size,), "next_state": (self.state_encoder.size,)}
        if self.problem.seat is not None:
            fields["next_rates"] = (n,)
        return fields

    # --- what the algorithms of this family say for themselves ---------------------------------------------------

    def explore(self, features: Tensor, noise: Tensor) -> Tensor:
        """Rates ``[R, N, E]`` to play at features ``[R, N, E, F]`` with the noise of this step ``[R, N, E]``."""
        raise NotImplementedError

    def draw_noise(self, steps: int, progress: float) -> Tensor:
        """Noise ``[R, N, steps, E]`` of exploration, each replica's from its own generator."""
        raise NotImplementedError

    def next_values(self, sample: Sample) -> Tensor:
        """What the targets' future is worth per remaining step, in scaled rewards ``[R, N, B]``."""
        raise NotImplementedError

    def actor_loss(self, theta: Tensor, sample: Sample) -> Tensor:
        """Mean loss ``[R, N]`` of each actor with parameters ``theta``."""
        raise NotImplementedError

    def adapt(self, progress: float) -> None:
        """Adjust whatever else there is after an update of the actors: nothing."""

    # --- one iteration -------------------------------------------------------------------------------------------

    def iterate(self, progress: float) -> dict[str, Tensor]:
        """Play whole episodes in all lanes, updating every few steps; see Learner."""
        done, played = 0, []
        metrics: dict[str, Tensor] = {}
        while done < self.rollout_steps:
            steps = min(self.settings.play_steps, self.rollout_steps - done)
            played.append(self.play(steps, progress))
            self.remember(played[-1])
            done += steps
            if self.clock >= self.settings.warmup:
                for _ in range(steps * self.settings.updates_per_step):
                    metrics |= self.improve(progress)
        return {**self._watch(played), **metrics}

    def play(self, steps: int, progress: float) -> Rollout:
        """A rollout of exploring policies; of uniform rates as long as the warm-up lasts."""
        warming = self.clock < self.settings.warmup
        if warming:
            noise = uniforms(self.generators, self.problem.game.n, steps, self.settings.lanes)
        else:
            noise = self.draw_noise(steps, progress)
        self.clock += steps

        def choose(features: Tensor, t: int) -> tuple[Tensor, ...]:
            return (noise[:, :, t] if warming else self.explore(features, noise[:, :, t]),)

        return self.games.rollout(choose, steps, states=self.listed, final=True)

    @torch.no_grad()
    def remember(self, rollout: Rollout) -> None:
        """Put a rollout into replay, with raw rewards, and move the reward scale."""
        assert rollout.final is not None
        rewards = rollout.rewards
        if self.settings.team_reward:
            rewards = rewards.sum(1, keepdim=True).expand(rewards.shape)
        steps = {
            "features": rollout.features[:, :, :-1].movedim(1, 3),
            "next_features": self.games.features(rollout.final).movedim(1, 3),
            "rates": rollout.rates.movedim(1, 3), "rewards": rewards.movedim(1, 3),
            "terminated": rollout.terminated[:, 0], "truncated": rollout.truncated[:, 0],
            "time": rollout.times[:, 0, :-1],
        }  # fmt: skip
        if rollout.states is not None:
            steps |= {"state": self._joint(rollout.states)[:, :-1], "next_state": self._joint(rollout.final)}
        if self.problem.seat is not None:
            steps["next_rates"] = self.games.as_seated(torch.zeros_like(rewards), rollout.final).movedim(1, 3)
        self.replay.add(**steps)
        sigma, first = self.reward_scale.sigma, self.reward_scale.count == 0
        self.reward_scale.update(rewards, rollout.terminated | rollout.truncated)
        if not first:
            self.popart.change_units(sigma / self.reward_scale.sigma)

    def _joint(self, states: State) -> Tensor:
        """The joint observation ``[R, H, E, S]``, scaled."""
        assert self.state_encoder is not None
        return self.state_encoder(observation.observe(self.games.game, states, "joint")).squeeze(-2)

    def sample(self) -> Sample:
        """A batch from replay, as critics and actors want it."""
        x, s = self.replay.sample(self.generators, self.settings.batch), self.settings
        for name in {"features", "next_features", "rates", "rewards", "next_rates"} & set(x):
            x[name] = x[name].movedim(2, 1)
        terminated, truncated = x["terminated"] > 0.5, x["truncated"] > 0.5
        now, then = (annuity(x["time"] + k, self.problem.game.horizon, s.discount, s.objective) for k in (0, 1))
        return Sample(
            x["features"], self.seen(x["features"], x.get("state")), x["rates"], x["rewards"],
            x["next_features"], self.seen(x["next_features"], x.get("next_state")),
            continues(terminated, truncated, s.objective).unsqueeze(1), now.unsqueeze(1), then.unsqueeze(1),
            x.get("next_rates"),
        )  # fmt: skip

    def seen(self, features: Tensor, joint: Tensor | None) -> Tensor:
        """What each critic sees of the state ``[R, N, B, S]``: the joint observation, or above 8 agents the agent's own
        features beside the mean of the others', which does not depend on their order; one that is not centralised: its
        own agent's features."""
        if joint is not None:
            return joint.unsqueeze(1).expand(-1, self.problem.game.n, -1, -1)
        return torch.cat([features, _mean_of_others(features)], -1) if self.central else features

    def q(self, theta: Tensor, state: Tensor, joint: Tensor) -> Tensor:
        """Normalised values ``[R, N, B]`` of states ``[R, N, B, S]`` and joint rates ``[R, N or 1, B, N]``.

        The first N is whose critic it is, the last whose rate; a critic may be shown rates of its own.
        """
        n = self.problem.game.n
        acts = joint.expand(-1, n, -1, -1)
        if not self.listed:
            own = acts.diagonal(dim1=1, dim2=3).movedim(-1, 1).unsqueeze(-1)
            acts = torch.cat([own, (acts.sum(-1, keepdim=True) - own) / (n - 1)], -1) if self.central else own
        return self.critic(theta, torch.cat([state, acts], -1)).squeeze(-1)

    def least_q(self, thetas: dict[str, Tensor], state: Tensor, joint: Tensor) -> Tensor:
        """The smallest of the critics' normalised values ``[R, N, B]``: one critic, or twins against optimism."""
        values = [self.q(thetas[name], state, joint) for name in self.critics]
        return values[0] if len(values) == 1 else torch.minimum(*values)

    def with_own(self, rates: Tensor, others: Tensor) -> Tensor:
        """Joint rates ``[R, N, B, N]``: agent i's own from ``rates [R, N, B]``, beside ``others [R, N or 1, B, N]``."""
        return torch.where(self.own, rates.unsqueeze(-1), others)

    def as_seated(self, rates: Tensor, played: Tensor | None) -> Tensor:
        """Rates ``[R, N, B]`` of the policies, with those of seats that do not learn as they are ``played``."""
        if self.problem.seat is None or played is None:
            return rates
        return torch.where(self.own[:, self.problem.seat.agent].mT, rates, played)

    # --- one update ----------------------------------------------------------------------------------------------

    def improve(self, progress: float) -> dict[str, Tensor]:
        """One update of the critics and, every ``policy_delay``, of actors and targets; metrics ``[R, N]``."""
        s = self.settings
        sample = self.sample()
        goals = self.goals(sample)
        joint = sample.rates.mT.unsqueeze(1)
        leaves = {name: self.parameters[name].detach().requires_grad_() for name in self.critics}
        losses = [
            huber_loss(self.q(theta, sample.state, joint), goals, reduction="none", delta=10.0).mean(-1)
            for theta in leaves.values()
        ]
        loss = torch.stack(losses).sum(0)
        norm = self.descend(leaves, loss, s.learning_rate * (1.0 - progress))
        metrics = {"value_loss": loss.detach(), "grad_norm": norm}
        self.updates += 1
        if self.updates % s.policy_delay == 0:
            theta = self.parameters["actor"].detach().requires_grad_()
            loss = self.actor_loss(theta, sample)
            self.descend({"actor": theta}, loss, s.actor_rate * (1.0 - progress))
            self.adapt(progress)
            for name, target in self.targets.items():
                target.lerp_(self.parameters[name], s.polyak)
            metrics["policy_loss"] = loss.detach()
        return metrics

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
        goals = (rewards + self.settings.discount * future) / sample.worth
        self._flag(torch.isfinite(goals).flatten(1).all(1))
        self._normalise(goals)
        return self.popart.normalise(goals)

    def _normalise(self, goals: Tensor) -> None:
        """Move PopArt toward these targets; all critics go on saying what they said."""
        thetas = [x[name] for x in (self.parameters, self.targets) for name in self.critics]
        self.popart.update(goals, self.critic, thetas, self.alive)

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
        ends = torch.stack([(x.terminated | x.truncated).flatten(1).sum(-1) for x in played]).sum(0)
        exits = torch.stack([x.terminated.flatten(1).sum(-1) for x in played]).sum(0)
        total = torch.stack([x.payoffs.double().flatten(1).sum(-1) for x in played]).sum(0)
        return {
            "welfare_train": total / ends,
            "rate": torch.stack([x.rates.sum((2, 3)) for x in played]).sum(0) / self.steps_per_iteration,
            "trust": mean_over_pairs(played[-1].ending.trust).mean(-1),
            "early_exit_share": exits / ends,
            "reward_scale": self.reward_scale.sigma,
            "value_scale": self.popart.scale,
        }

    def policy(self) -> NetworkPolicy:
        """The present policy of all replicas."""
        return NetworkPolicy.of(self.problem.game, self.problem.setting, self.actor, self.parameters["actor"].clone())


def _mean_of_others(x: Tensor) -> Tensor:
    """The mean over the other agents of ``[R, N, ...]``, of its shape."""
    return (x.sum(1, keepdim=True) - x) / (x.shape[1] - 1)
