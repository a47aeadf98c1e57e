"""What learners that learn from what they have just played have in common: actors, play, critics, one careful step.

OnPolicy is a squashed Gaussian policy for each agent, and says how to follow a gradient. ActorCritic adds critics and
what they make of a rollout. An algorithm adds its loss, and what its critic sees.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import huber_loss

from coopgym.algorithms import distributions as gaussian
from coopgym.algorithms.advantage import OBJECTIVES, annuity, continues, generalised_advantage, standardised
from coopgym.algorithms.learner import Problem, check_minibatches, check_play, replica_chunks, take, whole_episodes
from coopgym.algorithms.network_policy import NetworkPolicy
from coopgym.algorithms.networks import ACTIVATIONS, Network
from coopgym.algorithms.optim import Adam, clip
from coopgym.algorithms.roles import SHARES, Sharing
from coopgym.algorithms.rollout import Choose, Rollout, normals, persistent
from coopgym.algorithms.scaling import PopArt, RewardScale
from coopgym.envs.game import Game
from coopgym.mechanisms import checks
from coopgym.mechanisms.base import State
from coopgym.mechanisms.trust import mean_over_pairs


@dataclass(frozen=True)
class RolloutSettings:
    """Hyperparameters of every on-policy learner, per replica."""

    lanes: int = 8  # E, games played side by side
    hidden: tuple[int, ...] = (64, 64)  # widths of actors and critics
    activation: str = "silu"
    learning_rate: float = 3e-3  # falls linearly to 0
    entropy: float = 0.01  # weight of the entropy of the rates; falls linearly to final_entropy
    final_entropy: float = 0.001
    # shorter than the horizon asks for: an action moves a payoff a little and at once, and at 0.995 the noise of a
    # hundred later steps hides it within the budgets of a CPU
    discount: float = 0.97
    max_gradient: float = 0.5  # norm, per replica and agent
    objective: str = "finite"  # or "continuing"
    team_reward: bool = False  # True: every agent is trained on the sum of all agents' rewards

    def __post_init__(self) -> None:
        object.__setattr__(self, "hidden", checks.widths("hidden", self.hidden))
        checks.choice("activation", self.activation, ACTIVATIONS)
        checks.whole("lanes", self.lanes, 1, 1_000_000)
        for name in ("learning_rate", "max_gradient"):
            checks.number(name, getattr(self, name), 0.0, 1e6, open_low=True)
        for name in ("discount", "entropy", "final_entropy"):
            checks.number(name, getattr(self, name), 0.0, 1.0)
        checks.flag("team_reward", self.team_reward)
        checks.choice("objective", self.objective, OBJECTIVES)

    def steps_to_play(self, game: Game) -> int:
        """H, steps of a rollout; by default one episode."""
        return game.horizon

    def samples(self, game: Game) -> int:
        """What an agent learns from in one iteration."""
        return self.steps_to_play(game) * self.lanes

    def check_game(self, game: Game) -> None:
        """ValueError for settings that no iteration on this game could follow, or that none would end with."""
        steps = self.steps_to_play(game)
        check_play(self.lanes, steps)
        check_minibatches(getattr(self, "minibatches", 1), self.samples(game), self.lanes, steps)


@dataclass(frozen=True)
class OnPolicySettings(RolloutSettings):
    """Hyperparameters of a learner whose policies are squashed Gaussians."""

    share: str = "none"  # "roles": agents that the game does not tell apart have one actor
    initial_log_std: float = -1.0  # of z: about 0.2 of the endowment
    # of a step's noise with the last one's; falls linearly to 0. At first it shows what acts slowly, such as trust and
    # reputation, which noise without memory hardly moves; at the end only the effect of single actions counts
    correlation: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.number("initial_log_std", self.initial_log_std, *gaussian.LOG_STD_BOUNDS)
        checks.choice("share", self.share, SHARES)
        checks.number("correlation", self.correlation, 0.0, 0.999)


@dataclass(frozen=True)
class CriticSettings(RolloutSettings):
    """Hyperparameters of a learner with critics."""

    rollout_steps: int | None = None  # H; None: whole episodes, at least 64 steps
    trace: float = 0.95  # lambda of the generalised advantage
    popart_rate: float = 0.3  # per iteration

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.rollout_steps is not None:
            checks.whole("rollout_steps", self.rollout_steps, 1, 1_000_000)
        checks.number("trace", self.trace, 0.0, 1.0)
        checks.number("popart_rate", self.popart_rate, 0.0, 1.0, open_low=True)

    def steps_to_play(self, game: Game) -> int:
        """H of the settings, or whole episodes."""
        return self.rollout_steps or whole_episodes(game.horizon, 64)


@dataclass(frozen=True)
class ActorCriticSettings(CriticSettings, OnPolicySettings):
    """Hyperparameters of squashed Gaussian actors with critics."""


class Batch(NamedTuple):
    """Samples of one iteration, ``[R, N, B, ...]``: B = H E; inputs are those of the critic."""

    features: Tensor
    inputs: Tensor
    z: Tensor
    log_density: Tensor
    advantages: Tensor
    targets: Tensor  # value targets per remaining step, normalised

    def rows(self, rows: slice) -> Batch:
        """The samples of some replicas."""
        return Batch(*(x[rows] for x in self))

    def take(self, index: Tensor) -> Batch:
        """The samples ``index [R, b]`` of each replica, the same for all its agents."""
        return Batch(*take(self, index))


class OnPolicy:
    """Actors of R replicas and N agents. A subclass says how long a rollout is, its parameters and its loss."""

    central = False  # True: critics need the states

    def __init__(self, problem: Problem, settings: RolloutSettings) -> None:
        self.problem, self.settings = problem, settings
        self.generators = problem.generators()
        self.games = problem.games(settings.lanes)
        self.rollout_steps = settings.steps_to_play(problem.game)
        self.steps_per_iteration = self.rollout_steps * settings.lanes
        shape, device = (problem.replicas, problem.game.n), problem.device
        self.sharing = Sharing.none(problem.game.n, device)
        self.parameters = self.make_networks()
        self.optimisers = {name: Adam(theta) for name, theta in self.parameters.items()}
        self.reward_scale = RewardScale(shape, settings.lanes, settings.discount, device)
        self.alive = torch.ones(shape[0], dtype=torch.bool, device=device)
        self.diverged_at = torch.full(shape[:1], -1, device=device)
        self.updates = 0

    def make_networks(self) -> dict[str, Tensor]:
        """Set ``self.actor`` and return the parameters of all networks by name; there is an actor for each role."""
        s, problem = self.settings, self.problem
        assert isinstance(s, OnPolicySettings)
        self.actor = Network(self.games.encoder.size, 1, s.hidden, s.activation, head_gain=0.01, free=1)
        self.sharing = Sharing.of(s.share, problem.game, problem.setting, self.games.encoder, self.actor)
        actor = self.actor.initial(self.sharing.groups, self.generators)
        self.actor.free_parameters(actor).fill_(s.initial_log_std)
        return {"actor": actor}

    def actors(self, theta: Tensor) -> Tensor:
        """Parameters ``[r, N, P]`` of the agents' actors from ``theta [r, G, P]``, which agents of a role share."""
        return self.sharing.spread(theta)

    def loss(self, leaves: dict[str, Tensor], batch: Batch, entropy_weight: float) -> tuple[Tensor, dict[str, Tensor]]:
        """The sum over replicas and agents of each one's mean loss on a batch, and metrics ``[r, N]``."""
        raise NotImplementedError

    def play(self, progress: float = 0.0) -> Rollout:
        """A rollout of the present stochastic policy."""
        continuing = self.settings.objective == "continuing"
        rollout = self.games.rollout(self.chooser(progress), self.rollout_steps, states=self.central, final=continuing)
        if self.settings.team_reward:
            shape = rollout.rewards.shape
            rollout = rollout._replace(rewards=rollout.rewards.sum(1, keepdim=True).expand(shape))
        return rollout

    def chooser(self, progress: float) -> Choose:
        """What plays a rollout: rates of a sample; keeps z and the mean of its density."""
        theta = self.actors(self.parameters["actor"])
        layers = self.actor.layers(theta)
        std = torch.exp(gaussian.bounded_log_std(self.actor.free_parameters(theta)))
        noise = self.draw_noise(self.settings.lanes, progress) * std.unsqueeze(-1)

        def choose(features: Tensor, t: int) -> tuple[Tensor, ...]:
            mean = self.actor.run(layers, features).squeeze(-1)
            z = mean + noise[:, :, t]
            return gaussian.squash(z), z, mean

        return choose

    def draw_noise(self, lanes: int, progress: float) -> Tensor:
        """What a rollout of Gaussian policies explores with, in units of their spread ``[R, N, H, lanes]``."""
        assert isinstance(self.settings, OnPolicySettings)
        noise = normals(self.generators, self.problem.game.n, self.rollout_steps, lanes)
        return persistent(noise, (1.0 - progress) * self.settings.correlation)

    def descend_once(self, batch: Batch, progress: float) -> dict[str, Tensor]:
        """One step of every replica on all its samples, a few replicas at a time; metrics ``[R, N]``."""
        steps = []
        size = batch.z.shape[1] * batch.z.shape[2]
        for rows in replica_chunks(self.problem.replicas, size, self.problem.device):
            part = Batch(*(x[rows].clone() for x in batch))  # a rollout's own tensors take no part in a gradient
            steps.append(self.descend(rows, part, torch.ones_like(self.alive[rows]), progress))
        self.updates += 1
        return {name: torch.cat([x[name] for x in steps]) for name in steps[0]}

    def descend(
        self, rows: slice, batch: Batch, going: Tensor, progress: float, names: Sequence[str] | None = None
    ) -> dict[str, Tensor]:
        """One step of the replicas ``rows`` that are ``going [r]``, with the gradient of the loss, limited in norm.

        ``names``: the parameters that take it; None: all.
        """
        s = self.settings
        leaves = {name: self.parameters[name][rows].detach().requires_grad_() for name in names or self.parameters}
        loss, metrics = self.loss(leaves, batch, s.entropy + progress * (s.final_entropy - s.entropy))
        gradients = torch.autograd.grad(loss, list(leaves.values()))
        norm = self.follow(rows, dict(zip(leaves, gradients, strict=True)), going, progress)
        return {**metrics, "grad_norm": norm[:, self.sharing.role]}

    @torch.no_grad()
    def follow(self, rows: slice, gradients: dict[str, Tensor], going: Tensor, progress: float) -> Tensor:
        """One step down the gradients of named parameters, limited in norm; the norms of the first ``[r, G]``."""
        clipped = {name: clip(g, self.settings.max_gradient) for name, g in gradients.items()}
        finite = torch.stack([torch.isfinite(norm).all(-1) for _, norm in clipped.values()]).all(0)
        self._flag(rows, finite)
        moving = self.alive[rows] & going
        for name, (gradient, _) in clipped.items():
            self.optimisers[name].step(gradient, self.rate(name) * (1.0 - progress), moving, rows)
        return next(iter(clipped.values()))[1]

    def rate(self, name: str) -> float:
        """The learning rate at first of the parameters ``name``."""
        return self.settings.learning_rate

    def _flag(self, rows: slice, finite: Tensor) -> None:
        """Freeze the replicas of ``rows`` that have just met a number that is not finite."""
        lost = self.alive[rows] & ~finite
        self.diverged_at[rows] = torch.where(lost, self.updates, self.diverged_at[rows])
        self.alive[rows] &= finite

    def _watch(self, rollout: Rollout) -> dict[str, Tensor]:
        """What the rollout says about play: welfare of an episode, rates, trust, and the learner's scales."""
        ends = (rollout.terminated | rollout.truncated).flatten(1).sum(-1)
        return {
            "welfare_train": self.per_episode(rollout, rollout.payoffs),
            "rate": rollout.rates.flatten(2).mean(-1),
            "trust": mean_over_pairs(rollout.ending.trust).mean(-1),
            "early_exit_share": rollout.terminated.flatten(1).sum(-1) / ends.clamp_min(1),
            "reward_scale": self.reward_scale.sigma,
        }

    def per_episode(self, rollout: Rollout, x: Tensor) -> Tensor:
        """What an episode brings of ``x [R, N, H, E]``, summed over agents and steps; float64 ``[R]``."""
        horizon = self.problem.game.horizon
        pieces = self.rollout_steps % horizon  # of a piece of an episode: what a whole one would bring at this pace
        ends = (rollout.terminated | rollout.truncated).flatten(1).sum(-1)
        return x.double().flatten(1).sum(-1) / (self.steps_per_iteration / horizon if pieces else ends)

    def policy(self) -> NetworkPolicy:
        """The present policy of all replicas."""
        return NetworkPolicy.of(
            self.problem.game, self.problem.setting, self.actor, self.actors(self.parameters["actor"]).clone()
        )


class ActorCritic(OnPolicy):
    """Actors with critics V_i, which see what their own agent sees unless a subclass gives them more."""

    settings: CriticSettings
    critic: Network

    def __init__(self, problem: Problem, settings: CriticSettings) -> None:
        super().__init__(problem, settings)
        self.popart = PopArt((problem.replicas, problem.game.n), settings.popart_rate, problem.device)

    def make_networks(self) -> dict[str, Tensor]:
        """Actors, then critics."""
        return {**super().make_networks(), **self.make_critic()}

    def make_critic(self) -> dict[str, Tensor]:
        """Set ``self.critic`` and return its parameters by name; ``critic`` is the one with the value head.

        Unless a subclass says otherwise, V_i(o_i): one network for each replica and agent, on what the agent sees.
        """
        s = self.settings
        self.critic = Network(self.games.encoder.size, 1, s.hidden, s.activation, head_gain=0.01)
        return {"critic": self.critic.initial(self.problem.game.n, self.generators)}

    def critic_inputs(self, features: Tensor, states: State | None, rates: Tensor | None = None) -> Tensor:
        """Inputs ``[R, N, ..., S]`` of the critic from features ``[R, N, ..., F]`` and states ``[R, ...]``.

        rates ``[R, N, H, E]``: what was played, of a rollout; there is none at its last features. Unless a subclass
        says otherwise, the agent's own features.
        """
        return features

    def values(self, parameters: dict[str, Tensor], inputs: Tensor) -> Tensor:
        """Normalised values ``[R, N, B]`` of inputs ``[R, N, B, S]``."""
        return self.critic(parameters["critic"], inputs).squeeze(-1)

    @torch.no_grad()
    def estimate(self, rollout: Rollout) -> Batch:
        """Advantages and targets in scaled rewards; moves the reward scale and the value normalisation."""
        s = self.settings
        ended = rollout.terminated | rollout.truncated
        first = self.reward_scale.count == 0
        if first:
            self.reward_scale.update(rollout.rewards, ended)
        sigma = self.reward_scale.sigma
        rewards = rollout.rewards / sigma[..., None, None]
        inputs = self.critic_inputs(rollout.features, rollout.states, rollout.rates)
        worth = annuity(rollout.times, self.problem.game.horizon, s.discount, s.objective)
        alive = continues(rollout.terminated, rollout.truncated, s.objective)
        if first:  # there is no critic to speak of yet: plain returns tell it where values lie
            guess = self.first_targets(rewards, alive, ended, worth[:, :, :-1])
            self._normalise(guess)
        values = self._mean_rewards(inputs) * worth
        following = values[:, :, 1:]
        if rollout.final is not None:  # under "continuing" every remaining step is worth the same
            seen = self.before_restarts(rollout.final)
            following = self._mean_rewards(self.critic_inputs(seen, rollout.final)) * worth[:, :, 1:]
        advantages = generalised_advantage(rewards, values[:, :, :-1], following, alive, ended, s.discount, s.trace)
        targets = advantages + values[:, :, :-1]
        self._flag(slice(None), torch.isfinite(targets).flatten(1).all(1))
        targets = targets / worth[:, :, :-1]
        self._normalise(targets)
        samples = (
            rollout.features[:, :, :-1], inputs[:, :, :-1], *self.drawn(*rollout.kept), self.weights(advantages),
            self.popart.normalise(targets),
        )  # fmt: skip
        batch = Batch(*(x.flatten(2, 3) for x in samples))
        if not first:  # the scale stays fixed during an iteration and moves after it
            self.reward_scale.update(rollout.rewards, ended)
            self.popart.change_units(sigma / self.reward_scale.sigma)
        return batch

    def drawn(self, z: Tensor, mean: Tensor) -> tuple[Tensor, Tensor]:
        """(z, its log density), from what a rollout has kept."""
        theta = self.actors(self.parameters["actor"])
        log_std = gaussian.bounded_log_std(self.actor.free_parameters(theta)).unsqueeze(-1)
        return z, gaussian.log_density(z, mean, log_std)

    def _normalise(self, targets: Tensor) -> None:
        """Move PopArt toward these targets; the critics go on saying what they said."""
        self.popart.update(targets, self.critic, self.parameters["critic"], self.alive)

    def judges(self) -> dict[str, Tensor]:
        """The parameters whose values make advantages and targets: the present ones."""
        return self.parameters

    def before_restarts(self, final: State) -> Tensor:
        """Features ``[R, N, H, E, F]`` of the states in which the steps of a rollout ended."""
        return self.games.features(final)

    def first_targets(self, rewards: Tensor, alive: Tensor, ended: Tensor, worth: Tensor) -> Tensor:
        """What values per remaining step are taken to be before there is a critic: those of plain returns."""
        nothing = torch.zeros_like(rewards)
        returns = generalised_advantage(rewards, nothing, nothing, alive, ended, self.settings.discount, 1.0)
        return returns / worth

    def weights(self, advantages: Tensor) -> Tensor:
        """Advantages ``[R, N, H, E]`` as the loss takes them."""
        return standardised(advantages)

    def _mean_rewards(self, inputs: Tensor) -> Tensor:
        """Values per remaining step ``[R, N, T, E]`` in scaled rewards, for inputs ``[R, N, T, E, S]``."""
        values = []
        chunks = replica_chunks(inputs.shape[0], inputs[0, ..., 0].numel(), inputs.device)
        for rows in chunks:
            parameters = {name: theta[rows] for name, theta in self.judges().items()}
            values.append(self.values(parameters, inputs[rows].flatten(2, 3)))
        return self.popart.restore(torch.cat(values)).reshape(inputs.shape[:4])

    def value_loss(self, leaves: dict[str, Tensor], batch: Batch) -> Tensor:
        """Mean Huber loss ``[r, N]`` of normalised values."""
        return huber_loss(self.values(leaves, batch.inputs), batch.targets, reduction="none", delta=10.0).mean(-1)

    def _watch(self, rollout: Rollout) -> dict[str, Tensor]:
        return {**super()._watch(rollout), "value_scale": self.popart.scale}
