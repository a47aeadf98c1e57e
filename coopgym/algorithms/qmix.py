"""QMIX, monotonic value function factorisation: Rashid et al. 2018 (ICML, arXiv 1803.11485; JMLR 2020)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from coopgym.algorithms.networks import Network
from coopgym.algorithms.registry import register
from coopgym.algorithms.vdn import VDN, VDNSettings
from coopgym.mechanisms import checks
from coopgym.numerics import elu


@dataclass(frozen=True)
class QMIXSettings(VDNSettings):
    """Hyperparameters of QMIX."""

    embedding: int = 32  # units of the mixing network's hidden layer
    hypernetwork: tuple[int, ...] = (64,)  # hidden widths of the network that makes its weights

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "hypernetwork", checks.widths("hypernetwork", self.hypernetwork))
        checks.whole("embedding", self.embedding, 1, 65536)


@register(
    "QMIX",
    kind="learner",
    paradigm="value_decomposition",
    paper="Rashid et al. 2018, arXiv 1803.11485",
    actions="bins",
    settings=QMIXSettings,
    seated=False,
)
class QMIX(VDN):
    """VDN whose Q_tot is not the sum but a monotonic function of the agents' values, which depends on the state.

    Q_tot = elu(Q |W1(s)| + b1(s)) |w2(s)| + v(s), where Q are normalised values and W1, b1, w2, v outputs of one
    network of the central state s; dQ_tot / dQ_i >= 0, so each agent's own best bin is the team's. The state is the
    joint observation, or above 8 agents the mean of the agents' features. It maximises the sum of rewards: credit that
    is not monotonic, and rewards of one agent alone, it cannot express. Training begins near the plain sum.
    """

    settings: QMIXSettings
    central = True

    def _networks(self) -> dict[str, Tensor]:
        """VDN's, and for each replica one network that makes the mixer's weights."""
        s, n, m = self.settings, self.problem.game.n, self.settings.embedding
        state = self.games.encoder.size if self.state_encoder is None else self.state_encoder.size
        self.widths = [n * m, m, m, 1]
        self.mixer = Network(state, sum(self.widths), s.hypernetwork, s.activation, head_gain=0.01)
        theta = self.mixer.initial(1, self.generators)
        # offsets keep a sum of normalised values where elu is nearly straight; they differ, so that units do
        offsets = torch.linspace(0.0, 3.0, m)
        first = [torch.ones(n * m), offsets, torch.full((m,), 1.0 / m), -offsets.mean().reshape(1)]
        self.mixer.layers(theta)[-1][1].copy_(torch.cat(first))
        return {**super()._networks(), "mixer": theta}

    def mix(self, parameters: dict[str, Tensor], values: Tensor, state: Tensor) -> Tensor:
        """Q_tot ``[R, B]`` of one value for each agent ``[R, N, B]`` in states ``[R, N, B, S]``, all normalised."""
        weights = self.mixer(parameters["mixer"], self.central_state(state)).squeeze(1)
        w1, b1, w2, v = torch.split(weights, self.widths, -1)
        w1 = w1.abs().reshape(*w1.shape[:-1], -1, self.settings.embedding)
        hidden = elu((values.movedim(1, -1).unsqueeze(-1) * w1).sum(-2) + b1)
        return (hidden * w2.abs()).sum(-1) + v.squeeze(-1)

    def central_state(self, state: Tensor) -> Tensor:
        """``[R, 1, B, S]`` of what ``seen`` gives for each agent: the same for all, or in a crowd its own features."""
        return state[:, :1] if self.listed else state.mean(1, keepdim=True)

    def seen(self, features: Tensor, joint: Tensor | None) -> Tensor:
        """The joint observation for every agent, or in a crowd the features of all."""
        return features if joint is None else super().seen(features, joint)

    def _normalise(self, goals: Tensor) -> None:
        """Q_tot stays the same if w2 and v change with the scale of the goals, and v with their mean."""
        ratio, shift = self.popart.move(goals, self.alive)
        ratio, shift = ratio[:, :1, None, None], shift[:, :1, None, None]
        start = self.widths[0] + self.widths[1]
        for theta in self.thetas("mixer"):
            for x in self.mixer.layers(theta)[-1]:
                x[..., start:].mul_(ratio)
            self.mixer.layers(theta)[-1][1][..., -1:].add_(shift)
