"""COMA, counterfactual multi-agent policy gradients: Foerster et al. 2018 (AAAI, arXiv 1705.08926)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import huber_loss

from coopgym.algorithms import bins
from coopgym.algorithms.features import CROWD, Encoder, mean_of_others
from coopgym.algorithms.learner import Problem, replica_chunks, shuffled
from coopgym.algorithms.network_policy import NetworkPolicy
from coopgym.algorithms.networks import Network
from coopgym.algorithms.onpolicy import ActorCritic, Batch, CriticSettings
from coopgym.algorithms.registry import register
from coopgym.algorithms.rollout import Choose, uniforms
from coopgym.envs import observation
from coopgym.mechanisms import checks
from coopgym.mechanisms.base import State
from coopgym.numerics import logaddexp, product


@dataclass(frozen=True)
class COMASettings(CriticSettings):
    """Hyperparameters of COMA; ``learning_rate`` is that of the actors, ``trace`` the lambda of TD(lambda)."""

    lanes: int = 32
    rollout_steps: int | None = 8
    bins: int = 21  # K, levels of each agent's own endowment
    smoothing: float = 0.05  # width, as a rate, within which bins share what they learn; 0: each for itself
    learning_rate: float = 4e-3
    critic_rate: float = 3e-3  # learning rate of the critics; falls linearly to 0
    minibatches: int = 4  # steps of the critics for each one of the actors
    polyak: float = 0.1  # rate at which target critics follow, per iteration
    final_entropy: float = 0.0
    epsilon: float = 0.1  # share of uniform play at first; falls linearly to final_epsilon
    final_epsilon: float = 0.0
    discount: float = 0.95
    trace: float = 0.8
    popart_rate: float = 0.03

    def __post_init__(self) -> None:
        super().__post_init__()
        bins.check(self.bins)
        checks.whole("minibatches", self.minibatches, 1, 1_000_000)
        checks.number("critic_rate", self.critic_rate, 0.0, 1e6, open_low=True)
        checks.number("polyak", self.polyak, 0.0, 1.0, open_low=True)
        for name in ("smoothing", "epsilon", "final_epsilon"):
            checks.number(name, getattr(self, name), 0.0, 1.0)


@register(
    "COMA",
    kind="learner",
    paradigm="centralised_critic",
    paper="Foerster et al. 2018, arXiv 1705.08926",
    actions="bins",
    settings=COMASettings,
)
class COMA(ActorCritic):
    """Actors pi_i(k | o_i) over bins, moved by how much better the bin played was than what pi_i would have played.

    Critic Q_i(s, u_-i, .) sees the central state and the others' rates and gives the value of each of i's own bins, all
    at once. A_i = Q_i(s, u) - sum_k pi_i(k | o_i) Q_i(s, (u_-i, k)), and actors follow E[A_i log pi_i] + c H. Values
    are of the agent's own reward, or with ``team_reward`` of the paper's one. Critics are fitted to TD(lambda) returns
    of slowly following target critics. pi_i is the mixture that is really played: softmax with a share of uniform bins.
    """

    settings: COMASettings

    def __init__(self, problem: Problem, settings: COMASettings) -> None:
        self.spread = bins.dueling(settings.bins, settings.smoothing, problem.device)
        self.epsilon = settings.epsilon
        n = problem.game.n
        self.others = torch.tensor([[j for j in range(n) if j != i] for i in range(n)], device=problem.device)
        super().__init__(problem, settings)
        self.targets = self.parameters["critic"].clone()

    @property
    def central(self) -> bool:  # type: ignore[override]
        """The joint observation needs the states."""
        return self.problem.game.n <= CROWD

    def make_networks(self) -> dict[str, Tensor]:
        """Actors with one number for each bin, and the critics."""
        s = self.settings
        self.actor = Network(self.games.encoder.size, s.bins + 1, s.hidden, s.activation, head_gain=0.01)
        return {"actor": self.actor.initial(self.problem.game.n, self.generators), **self.make_critic()}

    def make_critic(self) -> dict[str, Tensor]:
        """Q_i(s, u_-i, .) with one number for each bin of agent i."""
        s, n, own = self.settings, self.problem.game.n, self.games.encoder.size
        size = 2 * own + 1
        if self.central:
            self.state_encoder = Encoder.of(self.problem.game, "joint", self.problem.device)
            size = own + self.state_encoder.size + n - 1
        self.critic = Network(size, s.bins + 1, s.hidden, s.activation, head_gain=0.01)
        return {"critic": self.critic.initial(n, self.generators)}

    # --- policies --------------------------------------------------------------------------------------------------

    def preferences(self, theta: Tensor, features: Tensor) -> Tensor:
        """log softmax ``[R, N, ..., K]`` of features ``[R, N, ..., F]``."""
        return torch.log_softmax(product(self.actor(theta, features), self.spread), -1)

    def mixture(self, preferences: Tensor) -> Tensor:
        """pi: probabilities of what is played, of log softmax."""
        return (1.0 - self.epsilon) * preferences.exp() + self.epsilon / self.settings.bins

    def log_mixture(self, preferences: Tensor) -> Tensor:
        """log pi, finite wherever log softmax is."""
        if self.epsilon == 0.0:
            return preferences
        own, uniform = max(1.0 - self.epsilon, 1e-12), self.epsilon / self.settings.bins
        return logaddexp(preferences + math.log(own), torch.full_like(preferences, math.log(uniform)))

    def draw(self, features: Tensor, uniform: Tensor) -> Tensor:
        """Bins ``[R, N, ...]`` played at features ``[R, N, ..., F]``."""
        return bins.draw(self.mixture(self.preferences(self.parameters["actor"], features)), uniform)

    def chooser(self, progress: float) -> Choose:
        """Rates of bins drawn from pi; keeps the bins."""
        noise = uniforms(self.generators, self.problem.game.n, self.rollout_steps, self.settings.lanes)

        def choose(features: Tensor, t: int) -> tuple[Tensor, ...]:
            chosen = self.draw(features, noise[:, :, t])
            return bins.rate(chosen, self.settings.bins), chosen.to(features.dtype)

        return choose

    def drawn(self, *kept: Tensor) -> tuple[Tensor, Tensor]:
        """The bins. What their probabilities were plays no part: data are used once."""
        return kept[0], torch.zeros_like(kept[0])

    # --- critics ---------------------------------------------------------------------------------------------------

    def critic_inputs(self, features: Tensor, states: State | None, rates: Tensor | None = None) -> Tensor:
        """Own features, the state, and the others' rates: those played, elsewhere (after them) drawn from pi.

        A crowd's state is the mean of the others' features, and their rates are a mean too.
        """
        unknown = features if rates is None else features[:, :, rates.shape[2] :]
        uniform = uniforms(self.generators, *unknown.shape[1:-1])
        more = bins.rate(self.draw(unknown, uniform), self.settings.bins)
        rates = more if rates is None else torch.cat([rates, more], 2)
        if states is None or not self.central:
            return torch.cat([features, mean_of_others(features), 2.0 * mean_of_others(rates).unsqueeze(-1) - 1.0], -1)
        state = self.state_encoder(observation.observe(self.games.game, states, "joint"))
        state = state.movedim(-2, 1).expand(-1, self.problem.game.n, *state.shape[1:-2], -1)
        others = rates[:, self.others].movedim(2, -1)
        return torch.cat([features, state, 2.0 * others - 1.0], -1)

    def alternatives(self, theta: Tensor, inputs: Tensor) -> Tensor:
        """Q_i ``[R, N, B, K]`` of all bins of the agent, normalised, for inputs ``[R, N, B, S]``."""
        return product(self.critic(theta, inputs), self.spread)

    def values(self, parameters: dict[str, Tensor], inputs: Tensor) -> Tensor:
        """sum_k pi_i(k | o_i) Q_i(s, (u_-i, k)) ``[R, N, B]``, normalised."""
        policy = self.mixture(self.preferences(parameters["actor"], inputs[..., : self.actor.inputs]))
        return (policy * self.alternatives(parameters["critic"], inputs)).sum(-1)

    def judges(self) -> dict[str, Tensor]:
        """The target critics."""
        return {**self.parameters, "critic": self.targets}

    def _normalise(self, targets: Tensor) -> None:
        self.popart.update(targets, self.critic, [self.parameters["critic"], self.targets], self.alive)

    # --- learning --------------------------------------------------------------------------------------------------

    def iterate(self, progress: float) -> dict[str, Tensor]:
        """Play, improve the critics, then the actors with what these say; see Learner."""
        s = self.settings
        self.epsilon = s.epsilon + progress * (s.final_epsilon - s.epsilon)
        rollout = self.play(progress)
        batch = self.estimate(rollout)
        orders = shuffled(self.generators, 1, batch.z.shape[-1])[:, 0]
        steps = []
        for rows in replica_chunks(self.problem.replicas, batch.z[0].numel(), self.problem.device):
            part = Batch(*(x[rows].clone() for x in batch))  # a rollout's own tensors take no part in a gradient
            steps.append(self.improve(rows, part, orders[rows], progress))
        self.updates += 1
        self.targets.lerp_(self.parameters["critic"], s.polyak)
        return {**self._watch(rollout), **{name: torch.cat([x[name] for x in steps]) for name in steps[0]}}

    def improve(self, rows: slice, batch: Batch, order: Tensor, progress: float) -> dict[str, Tensor]:
        """Steps of the critics, one of the actors, of the replicas ``rows``; metrics ``[r, N]``."""
        going = torch.ones_like(self.alive[rows])
        metrics: dict[str, Tensor] = {}
        for index in order.tensor_split(self.settings.minibatches, dim=-1):
            metrics |= self.descend(rows, batch.take(index), going, progress, ["critic"])
        batch = batch._replace(advantages=in_units_of_spread(self.advantages(rows, batch)))
        return {**metrics, **self.descend(rows, batch, going, progress, ["actor"])}

    @torch.no_grad()
    def advantages(self, rows: slice, batch: Batch) -> Tensor:
        """A_i ``[r, N, B]`` of the bins played, in normalised values."""
        parameters = {name: theta[rows] for name, theta in self.parameters.items()}
        values = self.alternatives(parameters["critic"], batch.inputs)
        return bins.taken(values, batch.z.long()) - self.values(parameters, batch.inputs)

    def loss(self, leaves: dict[str, Tensor], batch: Batch, entropy_weight: float) -> tuple[Tensor, dict[str, Tensor]]:
        """The error of the critics; or -A log pi - c H of the actors."""
        if "critic" in leaves:
            values = bins.taken(self.alternatives(leaves["critic"], batch.inputs), batch.z.long())
            value_loss = huber_loss(values, batch.targets, reduction="none", delta=10.0).mean(-1)
            return value_loss.sum(), {"value_loss": value_loss.detach()}
        preferences = self.preferences(leaves["actor"], batch.features)
        log_chosen = self.log_mixture(bins.taken(preferences, batch.z.long()))
        policy_loss = -(batch.advantages * log_chosen).mean(-1)
        entropy = -(preferences.exp() * preferences).sum(-1).mean(-1)
        loss = (policy_loss - entropy_weight * entropy).sum()
        return loss, {"policy_loss": policy_loss.detach(), "entropy": entropy.detach()}

    def rate(self, name: str) -> float:
        """Critics have their own."""
        return self.settings.critic_rate if name == "critic" else self.settings.learning_rate

    def first_targets(self, rewards: Tensor, alive: Tensor, ended: Tensor, worth: Tensor) -> Tensor:
        """Rewards of single steps: returns of a piece of an episode would lack what comes after it."""
        return rewards

    def policy(self) -> NetworkPolicy:
        """The present softmax policies of all replicas, without the uniform share."""
        network, theta = bins.folded(self.actor, self.parameters["actor"], self.spread)
        return NetworkPolicy.of(self.problem.game, self.problem.setting, network, theta, head="categorical")


def in_units_of_spread(advantages: Tensor) -> Tensor:
    """Advantages ``[r, N, B]`` over their root mean square; their mean is left alone, because 0 has a meaning."""
    return advantages / (advantages.square().mean(-1, keepdim=True).sqrt() + 1e-8)
