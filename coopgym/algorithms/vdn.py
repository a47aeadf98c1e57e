"""VDN, value decomposition networks: Sunehag et al. 2018 (AAMAS, arXiv 1706.05296).

With ``pqn=True`` in the form without replay: Gallici et al. 2024 (arXiv 2407.04811).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import huber_loss

from coopgym.algorithms import bins
from coopgym.algorithms.advantage import annuity, continues, generalised_advantage
from coopgym.algorithms.learner import (
    MOST_UPDATES,
    Problem,
    check_minibatches,
    check_play,
    shuffled,
    take,
    whole_episodes,
)
from coopgym.algorithms.network_policy import NetworkPolicy
from coopgym.algorithms.networks import Network
from coopgym.algorithms.registry import register
from coopgym.algorithms.replay_learner import ReplayLearner, ReplaySettings, Sample
from coopgym.algorithms.rollout import Rollout, uniforms
from coopgym.envs.game import Game
from coopgym.mechanisms import checks
from coopgym.numerics import product


@dataclass(frozen=True)
class VDNSettings(ReplaySettings):
    """Hyperparameters of VDN. There is no other reward than the team's."""

    bins: int = 21  # K, levels of each agent's own endowment
    smoothing: float = 0.05  # width, as a rate, within which bins share what they learn; 0: each for itself
    epsilon: float = 1.0  # share of uniform play at first
    final_epsilon: float = 0.05
    exploring: float = 0.2  # share of the budget over which it falls
    team_reward: bool = True
    discount: float = 0.95  # without replay 0.9 did better: the trace already looks ahead
    rewards_ahead: int = 3
    pqn: bool = False  # True: without replay and target network, on layer-normalised networks
    trace: float = 0.65  # lambda of Q(lambda), without replay
    epochs: int = 2  # passes over what has just been played, without replay
    minibatches: int = 4

    def __post_init__(self) -> None:
        super().__post_init__()
        bins.check(self.bins)
        for name in ("smoothing", "epsilon", "final_epsilon", "exploring", "trace"):
            checks.number(name, getattr(self, name), 0.0, 1.0)
        checks.whole("epochs", self.epochs, 1, MOST_UPDATES)
        checks.whole("minibatches", self.minibatches, 1, 1_000_000)
        checks.flag("pqn", self.pqn)
        if not self.team_reward:
            raise ValueError(
                "team_reward=False: the values of all agents add up to the value of one reward, which is the team's; "
                "use team_reward=True"
            )

    def check_game(self, game: Game) -> None:
        """Without replay, minibatches are of what was played last, which may be a shorter piece than the others."""
        if not self.pqn:
            super().check_game(game)
            return
        whole = whole_episodes(game.horizon, 64)
        check_play(self.lanes, whole)
        steps = whole % min(self.play_steps, whole) or min(self.play_steps, whole)
        check_minibatches(self.minibatches, steps * self.lanes, self.lanes, steps)


@register(
    "VDN",
    kind="learner",
    paradigm="value_decomposition",
    paper="Sunehag et al. 2018, arXiv 1706.05296; Gallici et al. 2024, arXiv 2407.04811",
    actions="bins",
    settings=VDNSettings,
    seated=False,
)
class VDN(ReplayLearner):
    """Q_tot = sum_i Q_i(o_i, k_i) of the bins played, fitted to the team's reward; each agent plays its own best bin.

    The target is r + g c Q_tot'(o', k') with k' the bins that the present networks like best and Q' slowly following
    networks (double Q). Exploration: each agent in each lane tosses its own coin and plays a uniform bin. ``pqn``:
    targets are Q(lambda) of what was just played, there is no Q', and hidden layers are standardised instead.

    A network gives N Q_i per remaining step, in units of PopArt: if all say the same, so does their sum.
    """

    settings: VDNSettings
    central = False  # nothing mixes the values

    def __init__(self, problem: Problem, settings: VDNSettings) -> None:
        self.spread = bins.dueling(settings.bins, settings.smoothing, problem.device)
        super().__init__(problem, settings)
        if settings.pqn:
            self.targets = self.parameters

    def _networks(self) -> dict[str, Tensor]:
        """Q_i(o_i, .): one network for each replica and agent."""
        s = self.settings
        self.network = Network(
            self.games.encoder.size, s.bins + 1, s.hidden, s.activation, head_gain=0.01, layer_norm=s.pqn
        )
        return {"values": self.network.initial(self.problem.game.n, self.generators)}

    def values(self, parameters: dict[str, Tensor], features: Tensor) -> Tensor:
        """Q_i ``[R, N, B, K]`` of every bin at features ``[R, N, B, F]``, normalised."""
        return product(self.network(parameters["values"], features), self.spread) / self.problem.game.n

    def mix(self, parameters: dict[str, Tensor], values: Tensor, state: Tensor) -> Tensor:
        """Q_tot ``[R, B]`` of one value for each agent ``[R, N, B]``, all normalised; ``state`` plays no part."""
        return values.sum(1)

    # --- play ----------------------------------------------------------------------------------------------------

    def draw_noise(self, steps: int, progress: float) -> Tensor:
        """A bin to explore, or -1 for the best one: a coin for each agent, lane and step."""
        s = self.settings
        spent = min(1.0, progress / s.exploring) if s.exploring > 0.0 else 1.0
        share = s.epsilon + spent * (s.final_epsilon - s.epsilon)
        coins, levels = uniforms(self.generators, 2, self.problem.game.n, steps, s.lanes).unbind(1)
        return torch.where(coins < share, (levels * s.bins).floor(), -1.0)

    def explore(self, features: Tensor, noise: Tensor) -> Tensor:
        """The best bin, or the one to explore."""
        best = self.values(self.parameters, features).argmax(-1)
        return bins.rate(torch.where(noise >= 0.0, noise, best), self.settings.bins)

    def at_random(self, noise: Tensor) -> Tensor:
        """Uniform bins."""
        return bins.rate((noise * self.settings.bins).floor(), self.settings.bins)

    # --- learning from replay ------------------------------------------------------------------------------------

    def improve(self, progress: float) -> dict[str, Tensor]:
        """One step toward the targets of a sample."""
        sample = self.sample()
        metrics = self.fit(sample.features, sample.state, sample.rates, self.goals(sample), progress)
        for name, target in self.targets.items():
            target.lerp_(self.parameters[name], self.settings.polyak)
        return metrics

    def fit(self, features: Tensor, state: Tensor, rates: Tensor, goals: Tensor, progress: float) -> dict[str, Tensor]:
        """One step of Q_tot at the bins played toward goals ``[R, N, B]``, the same for all agents."""
        leaves = {name: theta.detach().requires_grad_() for name, theta in self.parameters.items()}
        values = bins.taken(self.values(leaves, features), bins.index(rates, self.settings.bins))
        total = self.mix(leaves, values, state)
        loss = huber_loss(total, goals[:, 0], reduction="none", delta=10.0).mean(-1, keepdim=True)
        norm = self.descend(leaves, loss, self.settings.learning_rate * (1.0 - progress))
        self.updates += 1
        return {"value_loss": loss.detach().expand_as(norm), "grad_norm": norm}

    # --- learning without replay ---------------------------------------------------------------------------------

    def learn(self, rollout: Rollout, progress: float) -> dict[str, Tensor]:
        """Remember and improve; or, without replay, improve on what has just been played."""
        if not self.settings.pqn:
            return super().learn(rollout, progress)
        samples = self.estimate(rollout)
        metrics: dict[str, Tensor] = {}
        for order in shuffled(self.generators, self.settings.epochs, samples[-1].shape[-1]).unbind(1):
            for index in order.tensor_split(self.settings.minibatches, dim=-1):
                features, state, rates, goals = take(samples, index)
                metrics = self.fit(features, state, rates, goals, progress)
        return metrics

    @torch.no_grad()
    def estimate(self, rollout: Rollout) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Features, states, rates and normalised Q(lambda) goals ``[R, N, B, ...]``; moves the scales."""
        s, rewards, ended = self.settings, self.rewards(rollout), rollout.terminated | rollout.truncated
        self.measure(rewards, ended)
        rewards = rewards / self.reward_scale.sigma[..., None, None]
        self._flag(torch.isfinite(rewards).flatten(1).all(1))
        if self.updates == 0:
            self._normalise(rewards)
        steps = {name: x.flatten(1, 2) for name, x in self.recall.kept(rollout).items()}
        before, after = self.recall.seen(steps, ""), self.recall.seen(steps, "next_")
        flat, flat_after = before.features, after.features
        state, next_state = self.seen(*before), self.seen(*after)
        times = rollout.times[:, :, :-1]
        now, then = (annuity(times + k, self.problem.game.horizon, s.discount, s.objective) for k in (0, 1))
        values = self.best(flat, state).reshape(rewards.shape) * now
        following = self.best(flat_after, next_state).reshape(rewards.shape) * then
        alive = continues(rollout.terminated, rollout.truncated, s.objective)
        gains = generalised_advantage(rewards, values, following, alive, ended, s.discount, s.trace)
        goals = (gains + values) / now
        self._flag(torch.isfinite(goals).flatten(1).all(1))
        self._normalise(goals)
        return flat, state, rollout.rates.flatten(2, 3), self.popart.normalise(goals).flatten(2, 3)

    def best(self, features: Tensor, state: Tensor) -> Tensor:
        """Q_tot ``[R, N, B]`` of the best bins at features ``[R, N, B, F]``, per remaining step."""
        values = self.values(self.parameters, features).amax(-1)
        return self.popart.restore(self.mix(self.parameters, values, state).unsqueeze(1).expand_as(values))

    # --- what both have in common --------------------------------------------------------------------------------

    def next_values(self, sample: Sample) -> Tensor:
        """Q_tot' of the bins that the present networks like best."""
        best = self.values(self.parameters, sample.next_features).argmax(-1)
        values = bins.taken(self.values(self.targets, sample.next_features), best)
        total = self.mix(self.targets, values, sample.next_state)
        return self.popart.restore(total.unsqueeze(1).expand_as(values))

    def _normalise(self, goals: Tensor) -> None:
        self.popart.update(goals, self.network, self.thetas("values"), self.alive)

    def thetas(self, name: str) -> list[Tensor]:
        """The parameters of a name and, with replay, those of its target."""
        both = [self.parameters[name], self.targets[name]]
        return both[:1] if self.settings.pqn else both

    def policy(self) -> NetworkPolicy:
        """The present best bins of all replicas."""
        network, theta = bins.folded(self.network, self.parameters["values"], self.spread)
        return NetworkPolicy.of(self.problem.game, self.problem.setting, network, theta, head="bins")
