"""One network for all agents of a role."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from coopgym import seeding
from coopgym.algorithms.features import Encoder
from coopgym.algorithms.networks import Network
from coopgym.envs import observation
from coopgym.envs.game import Game
from coopgym.envs.symmetry import exchange, reordered, roles
from coopgym.mechanisms.base import State

SHARES = ("none", "roles")  # who shares an actor: nobody, or the agents of one role


@dataclass(frozen=True, eq=False)
class Sharing:
    """Who acts with whose parameters: role ``[N]`` of each agent, of G roles; ``index [N, P]`` or None.

    Agents list what they see in the order of the agents, so one role's network must be turned to each seat: a change of
    seats is a change of the order of features, which is one of the order of the first layer's rows.
    """

    role: Tensor
    groups: int
    index: Tensor | None

    @classmethod
    def none(cls, n: int, device: torch.device) -> Sharing:
        """Every agent has its own."""
        return cls(torch.arange(n, device=device), n, None)

    @classmethod
    def of(cls, share: str, game: Game, setting: str, encoder: Encoder, network: Network) -> Sharing:
        """Parameters ``[G, P]`` of ``network`` for what ``encoder`` makes of observations; ``game`` in NumPy."""
        device = encoder.scale.device
        if share == "none":
            return cls.none(game.n, device)
        role = roles(game)
        rows = np.tile(np.arange(network.size), (game.n, 1))
        width = network.shapes[0][1]
        first = rows[:, : network.inputs * width].reshape(game.n, network.inputs, width)
        for agent in range(game.n):
            leader = int(np.flatnonzero(role == role[agent])[0])
            if leader != agent:
                first[agent] = first[agent, matching_features(game, setting, encoder, agent, leader)]
        rows += role[:, None] * network.size
        return cls(
            torch.tensor(role, device=device), int(role.max()) + 1, torch.as_tensor(rows, device=device)
        )  # fmt: skip

    def spread(self, theta: Tensor) -> Tensor:
        """Parameters ``[..., N, P]`` of agents from those of roles ``[..., G, P]``; gradients of a role add up."""
        if self.index is None:
            return theta
        picked = theta.flatten(-2).index_select(-1, self.index.flatten())
        return picked.reshape(*theta.shape[:-2], *self.index.shape)


def matching_features(game: Game, setting: str, encoder: Encoder, agent: int, leader: int) -> np.ndarray:
    """For each feature of ``agent``, the one of ``leader`` that shows the same once the two have changed places."""
    state = random_state(game, seeding.generator(0, "probes"))
    order = exchange(game.n, agent, leader)
    trust, damage = (reordered(x, order) for x in (state.trust, state.damage))
    extra = {name: reordered(x, order) for name, x in state.extra.items()}
    moved = State(state.time, state.actions[order], trust, damage, extra)
    mine, theirs = (
        encoder(torch.as_tensor(observation.observe(game, s, setting), device=encoder.scale.device))[i].cpu().numpy()
        for s, i in ((state, agent), (moved, leader))
    )
    by_mine, by_theirs = np.argsort(mine, kind="stable"), np.argsort(theirs, kind="stable")
    if not np.allclose(mine[by_mine], theirs[by_theirs], rtol=0.0, atol=1e-9):
        raise RuntimeError(f"agents {agent} and {leader} of {game!r} have one role, but see different things")
    match = np.empty_like(by_mine)
    match[by_mine] = by_theirs
    return match


def random_state(game: Game, rng: np.random.Generator) -> State:
    """A state with numbers that do not repeat, within their bounds; entries that nobody sees are those of a start."""
    n, start = game.n, game.reset()
    extra = dict(start.extra)
    for mechanism in game.mechanisms:
        for name, limits in mechanism.observed.items():
            low, high = (np.maximum(limit, -float(game.horizon)) for limit in limits)
            extra[name] = low + (high - low) * rng.random(extra[name].shape)
    trust, damage = rng.random((2, n, n))
    np.fill_diagonal(trust, 1.0)
    np.fill_diagonal(damage, 0.0)
    return State(np.asarray(rng.random() * game.horizon), game.endowment * rng.random(n), trust, damage, extra)
