"""Actors who answer each other's deviations from a baseline, in one loop for any number of worlds (TR-4, section 4).

The published suite simulates behaviour, not a game: an action moves by what the actor feels, and nobody optimises. The
response, the trust and the damage are the mechanisms of the games; the baseline is fixed or follows the last actions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from coopgym.mechanisms.arrays import Array
from coopgym.mechanisms.reciprocity import reciprocal_pull, reciprocity_weight
from coopgym.mechanisms.trust import TrustDynamics, trust_dynamics
from coopgym.validation.shapes import matrices, vectors


@dataclass(frozen=True)
class Shock:
    """What befalls one actor at one step: its action moves by ``shift``, or becomes ``value``."""

    step: int
    actor: int
    shift: float = 0.0
    value: float | None = None

    def apply(self, actions: Array) -> None:
        """Overwrite ``[..., N]`` in place, inside [0, 1]."""
        struck = actions[..., self.actor] + self.shift if self.value is None else self.value
        actions[..., self.actor] = np.clip(struck, 0.0, 1.0)


@dataclass(frozen=True, eq=False)
class ReciprocalWorld:
    """Parameters; each number of the response may be an array ``[...]``, one entry a world.

    interdependence ``[..., N, N]`` D with a zero diagonal; sensitivity rho_0, elasticity eta, response kappa,
    strength lambda_R, step alpha, decay, adaptation g of the baselines. ``gated`` multiplies by trust.
    """

    interdependence: np.ndarray
    sensitivity: Array | float = 1.0
    elasticity: Array | float = 1.0
    response: Array | float = 1.0
    strength: Array | float = 1.0
    step: Array | float = 0.15
    decay: Array | float = 0.01
    adaptation: Array | float = 0.0
    amplification: Array | float = 0.6
    gated: bool = True
    rates: dict[str, Any] = field(
        default_factory=lambda: {"building": 0.1, "erosion": 0.3, "amplification": 0.5, "harm": 0.6, "forgetting": 0.03}
    )
    trust_cap: float = 0.9
    damage_slope: float = 0.6

    @property
    def weight(self) -> np.ndarray:
        """lambda_R (1 + omega D) rho_0 D^eta, ``[..., N, N]``."""
        return reciprocity_weight(
            self.interdependence,
            matrices(self.strength),
            matrices(self.sensitivity),
            matrices(self.elasticity),
            matrices(self.amplification),
        )

    @property
    def trust(self) -> TrustDynamics:
        """How trust follows the raw signal a - b, below the ceiling min(cap, 1 - slope R)."""
        return trust_dynamics(self.interdependence, cap=self.trust_cap, slope=self.damage_slope, **self.rates)

    def answer(self, signal: Array) -> np.ndarray:
        """phi_ij = rho_0 D_ij^eta tanh(kappa s_j), ``[..., N, N]`` of signals ``[..., N]``."""
        weight = reciprocity_weight(
            self.interdependence, 1.0, matrices(self.sensitivity), matrices(self.elasticity), 0.0
        )
        return np.asarray(weight * np.tanh(vectors(self.response) * signal)[..., None, :])


@dataclass(frozen=True, eq=False)
class Course:
    """What happened: actions and baselines ``[T + 1, ..., N]``, trust ``[T + 1, ..., N, N]``; entry 0 is the start."""

    actions: np.ndarray
    baselines: np.ndarray
    trust: np.ndarray

    @property
    def signals(self) -> Array:
        """a - b, ``[T + 1, ..., N]``."""
        return self.actions - self.baselines


def simulate(
    world: ReciprocalWorld,
    steps: int,
    *,
    actions: Array,
    baselines: Array,
    trust: Array,
    shocks: Sequence[Shock] = (),
    noise: Array | None = None,
    window: int | None = None,
) -> Course:
    """``steps`` moves from actions and baselines ``[..., N]`` and trust ``[..., N, N]``; noise ``[steps, ..., N]``.

    A shock strikes before its step is recorded, so that the recorded action is the shocked one. With ``window`` k the
    baseline of each step is the mean of the k actions before it, as the report defines it and its suite does not use
    it; baselines then only serve the first step.
    """
    weight, dynamics = world.weight, world.trust
    batch = np.broadcast_shapes(
        weight.shape[:-2],
        np.shape(trust)[:-2],
        *(np.shape(x)[:-1] for x in (actions, baselines)),
        *(np.shape(x) for x in (world.step, world.decay, world.adaptation, world.response)),
        () if noise is None else noise.shape[1:-1],
    )
    n = world.interdependence.shape[-1]
    a, b = (np.array(np.broadcast_to(x, (*batch, n)), dtype=float) for x in (actions, baselines))
    t = np.array(np.broadcast_to(trust, (*batch, n, n)), dtype=float)
    damage = np.zeros_like(t)
    step, decay, adaptation, response = (
        vectors(x) for x in (world.step, world.decay, world.adaptation, world.response)
    )
    course = Course(*(np.empty((steps + 1, *x.shape)) for x in (a, b, t)))
    for now in range(steps + 1):
        for shock in shocks:
            if shock.step == now:
                shock.apply(a)
        course.actions[now], course.baselines[now], course.trust[now] = a, b, t
        if now == steps:
            break
        signal = a - b
        pull = reciprocal_pull(weight, t if world.gated else np.ones_like(t), response, signal)
        drift = step * pull - decay * signal + (0.0 if noise is None else noise[now])
        t, damage = dynamics.update(t, damage, signal)
        b = b + adaptation * (a - b) if window is None else course.actions[max(0, now + 1 - window) : now + 1].mean(0)
        a = np.clip(a + drift, 0.0, 1.0)
    return course


def equal_trust(level: Array, n: int) -> np.ndarray:
    """``[..., n, n]``: everybody trusts everybody else by ``level`` ``[...]``, and itself fully."""
    return np.where(np.eye(n) > 0, 1.0, np.asarray(level, dtype=float)[..., None, None])
