"""DiCE: sampled returns whose derivatives of any order are estimates of those of the expected return.

Foerster et al. 2018 (ICML, arXiv 1802.05098); with a baseline at every order as in Farquhar et al. 2019 (NeurIPS, arXiv
1909.10549).
"""

from __future__ import annotations

import torch
from torch import Tensor

from coopgym.numerics import exponential


def dice_values(log_density: Tensor, advantages: Tensor, ended: Tensor) -> Tensor:
    """V_i ``[..., M]`` up to a constant, for derivatives by what ``log_density [..., M, H, E]`` depends on.

    With box(W) = exp(W - stop(W)) and W_t the sum of the log densities of *all* M agents from the start of an episode
    up to step t, the mean over lanes of sum_t (box(W_t) - box(W_{t-1})) A_t. Its derivatives are those of
    sum_t g^t box(W_t) r_t when A_t is the discounted sum of rewards from t to the end of the episode; a baseline in A_t
    that does not depend on this lane's actions from t on changes no expectation.

    advantages ``[..., M, H, E]``; ended ``[..., H, E]``: last steps of episodes.
    """
    joint = (log_density - log_density.detach()).sum(-3)  # [..., H, E]
    total = torch.cat([torch.zeros_like(joint[..., :1, :]), joint.cumsum(-2)], -2)  # before each step, and at last
    before = total.gather(-2, episode_starts(ended).expand_as(joint))
    weight = torch.exp(total[..., 1:, :] - before) - torch.exp(total[..., :-1, :] - before)
    return (weight.unsqueeze(-3) * advantages).sum(-2).mean(-1)


def episode_starts(ended: Tensor) -> Tensor:
    """For each step of ``[..., H, E]`` the first step of its episode, or 0 where that lies before them."""
    after = torch.arange(1, ended.shape[-2] + 1, device=ended.device).unsqueeze(-1) * ended
    earlier = torch.cat([torch.zeros_like(after[..., :1, :]), after[..., :-1, :]], -2)
    return torch.cummax(earlier, -2).values


def less_others_mean(returns: Tensor) -> Tensor:
    """Returns ``[..., E]`` minus the mean over the other lanes at the same step: a baseline that is not one's own."""
    lanes = returns.shape[-1]
    return (returns - returns.mean(-1, keepdim=True)) * (lanes / (lanes - 1))


def decay(ended: Tensor, discount: float) -> Tensor:
    """discount^k ``[..., H, E]``, k the steps since the first of the same episode, or since the first of all."""
    steps = torch.arange(ended.shape[-2], device=ended.device).unsqueeze(-1)
    return exponential(discount, (steps - episode_starts(ended)).float())
