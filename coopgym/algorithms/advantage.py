"""Advantages and value targets, cut at every end of an episode."""

from __future__ import annotations

import torch
from torch import Tensor

from coopgym.numerics import exponential

OBJECTIVES = ("finite", "continuing")


def continues(terminated: Tensor, truncated: Tensor, objective: str) -> Tensor:
    """c, of the inputs' shape: 0 where the value after a step is 0 by definition, else 1.

    A rule that ends the game ends its value. The time limit is the end of the problem under ``finite`` (time is seen),
    and only an interruption under ``continuing``.
    """
    ends = terminated | truncated if objective == "finite" else terminated
    return ~ends


def generalised_advantage(
    rewards: Tensor,
    values: Tensor,
    next_values: Tensor,
    alive: Tensor,
    ended: Tensor,
    discount: float,
    trace: float,
) -> Tensor:
    """Generalised advantages ``[..., H, E]`` (Schulman et al. 2016), with discount g and trace l:

    delta_t = r_t + g c_t V_{t+1} - V_t, A_t = delta_t + g l (1 - end_t) A_{t+1}.

    ``next_values`` are those of the observation before any restart, ``alive`` is c, ``ended`` any end; all broadcast to
    ``rewards``.
    """
    # where, not times: what was observed after an end must not leak even if it is not finite
    following = torch.where(alive, next_values, torch.zeros_like(next_values))
    delta = rewards + discount * following - values
    advantages = torch.empty_like(delta)
    decay, nothing = discount * trace, torch.zeros_like(delta[..., 0, :])
    running = nothing
    for t in range(rewards.shape[-2] - 1, -1, -1):
        carried = torch.where(ended[..., t, :], nothing, decay * running)
        running = delta[..., t, :] + carried
        advantages[..., t, :] = running
    return advantages


def annuity(times: Tensor, horizon: int, discount: float, objective: str) -> Tensor:
    """What one unit of reward a step is worth from ``times`` on: sum of discount^k over the steps that remain.

    A critic that predicts value / annuity, the mean reward of a remaining step, need not spend its precision on the
    time that is left: the range of a value over an episode is a hundred times what one action can change.
    """
    if objective == "continuing":
        return torch.full_like(times, 1.0 / max(1.0 - discount, 1.0 / horizon))
    left = (horizon - times).clamp_min(1.0)
    return left if discount == 1.0 else (1.0 - exponential(discount, left)) / (1.0 - discount)


def standardised(advantages: Tensor) -> Tensor:
    """Zero mean and unit deviation for each replica and agent of ``[R, N, ...]``."""
    flat = advantages.flatten(2)
    flat = flat - flat.mean(-1, keepdim=True)
    deviation = flat.square().mean(-1, keepdim=True).sqrt()
    return (flat / (deviation + 1e-8)).reshape(advantages.shape)
