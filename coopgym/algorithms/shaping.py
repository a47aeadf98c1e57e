"""Opponent shaping: the gradient of one's own value after the others have taken a step that one's parameters sway.

It knows nothing of games or networks, only of values as functions of everybody's parameters. A *world* is the point of
view of one agent of one replica: its own copy of everybody's parameters, so that the gradients of all points of view
come from one program.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from coopgym.algorithms.rollout import uniforms

# parameters [B, C, M, P] of C copies of B worlds with M agents -> values [B, C, M]; copies of a world may differ
Values = Callable[[Tensor], Tensor]


def shaped_gradient(
    theta: Tensor,
    own: Tensor,
    others: Tensor,
    look_ahead: float,
    inner: Values,
    outer: Values | None = None,
    *,
    ahead: bool = True,
) -> tuple[Tensor, Tensor]:
    """The gradient by theta_i of V_i(theta_i, theta_j + look_ahead grad_j V_j(theta) for the others j).

    Returned in two parts to be added, each ``[B, P]``: through theta_i itself, and the correction, through the steps of
    the others.

    theta ``[B, M, P]``; own ``[B]``: i of each world; others ``[B, K]``: those that take a step (all at once), K may be
    less than M - 1. ``inner`` gives the V_j whose gradients they follow, ``outer`` the V_i that i wants (None: the
    same). Without ``ahead`` V_i is looked at where everybody is now, and only the slope of the others' steps counts:
    the first order in ``look_ahead``, for values that are estimated from what has been played here. A look-ahead of 0
    leaves the gradient of V_i alone.
    """
    here, swayed = (theta.detach().requires_grad_() for _ in range(2))
    moved, leaves = here, [here]
    if look_ahead > 0.0 and others.shape[1] > 0:
        steps = look_ahead * naive_gradients(swayed, others, inner)
        index = others.unsqueeze(-1).expand_as(steps)
        moved = here.scatter_add(1, index, steps if ahead else steps - steps.detach())
        leaves = [here, swayed]
    values = (outer or inner)(moved.unsqueeze(1))[:, 0]
    gradients = torch.autograd.grad(values.gather(1, own.unsqueeze(1)).sum(), leaves)
    rows = [x[torch.arange(len(own), device=own.device), own] for x in gradients]
    return (rows[0], rows[1]) if len(rows) > 1 else (rows[0], torch.zeros_like(rows[0]))


def naive_gradients(theta: Tensor, others: Tensor, values: Values) -> Tensor:
    """grad_j V_j ``[B, K, P]`` of the agents ``others [B, K]``, differentiable by all of theta ``[B, M, P]``.

    Every j has a copy of the world to itself: the sum over copies of one value each has all K gradients as its own.
    """
    copies = theta.unsqueeze(1).expand(-1, others.shape[1], -1, -1)
    wanted = values(copies).gather(2, others.unsqueeze(-1)).sum()
    (slopes,) = torch.autograd.grad(wanted, copies, create_graph=True)
    index = others[..., None, None].expand(-1, -1, 1, theta.shape[-1])
    return slopes.gather(2, index).squeeze(2)


def draw_others(agents: int, at_most: int, generators: Sequence[torch.Generator]) -> Tensor:
    """For each replica and agent, whom it shapes: ``[R, N, K]``, K = min(at_most, N - 1) different others.

    Everybody else, in order and without drawing, where there are no more than ``at_most``.
    """
    device = generators[0].device
    keys = torch.arange(agents, device=device, dtype=torch.float32).expand(len(generators), agents, agents)
    if agents - 1 > at_most:
        keys = uniforms(generators, agents, agents)
    keys = keys.masked_fill(torch.eye(agents, dtype=torch.bool, device=device), torch.inf)  # oneself comes last
    return keys.argsort(dim=-1, stable=True)[..., : min(at_most, agents - 1)]
