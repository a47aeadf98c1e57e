"""Actors and critics that learn from replay: what MADDPG, MATD3, M3DDPG, ISAC and MASAC share.

A critic of agent i sees rates u in [0, 1], never actions in endowment units, so that played actions, those of targets
and those of an actor's loss have one scale.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import huber_loss

from coopgym.algorithms.learner import Problem
from coopgym.algorithms.network_policy import NetworkPolicy
from coopgym.algorithms.networks import Network
from coopgym.algorithms.replay_learner import ReplayLearner, ReplaySettings, Sample
from coopgym.mechanisms import checks


@dataclass(frozen=True)
class OffPolicySettings(ReplaySettings):
    """Hyperparameters of actors and critics, per replica; ``learning_rate`` is that of the critics."""

    actor_rate: float = 3e-4  # of the actors; falls linearly to 0
    policy_delay: int = 1  # critic updates for each update of actors and targets

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.whole("policy_delay", self.policy_delay, 1, 1_000_000)
        checks.number("actor_rate", self.actor_rate, 0.0, 1e6, open_low=True)


class OffPolicy(ReplayLearner):
    """Each agent's actor, and its critics of everybody's rates or of its own. Subclasses say how they are improved."""

    settings: OffPolicySettings
    actor_outputs = 1
    critics: tuple[str, ...] = ("critic",)

    def __init__(self, problem: Problem, settings: OffPolicySettings) -> None:
        super().__init__(problem, settings)
        n = problem.game.n
        self.own = torch.eye(n, dtype=torch.bool, device=problem.device).reshape(1, n, 1, n)

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

    def actor_loss(self, theta: Tensor, sample: Sample) -> Tensor:
        """Mean loss ``[R, N]`` of each actor with parameters ``theta``."""
        raise NotImplementedError

    def adapt(self, progress: float) -> None:
        """Adjust whatever else there is after an update of the actors: nothing."""

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

    def _normalise(self, goals: Tensor) -> None:
        """Move PopArt toward these targets; all critics go on saying what they said."""
        thetas = [x[name] for x in (self.parameters, self.targets) for name in self.critics]
        self.popart.update(goals, self.critic, thetas, self.alive)

    def policy(self) -> NetworkPolicy:
        """The present policy of all replicas."""
        return NetworkPolicy.of(self.problem.game, self.problem.setting, self.actor, self.parameters["actor"].clone())
