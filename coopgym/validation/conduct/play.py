"""What policies contribute in each documented phase of one episode."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from coopgym.algorithms.evaluation import enough_episodes, groups, stage
from coopgym.algorithms.policy import Policy
from coopgym.envs.game import Game
from coopgym.envs.moments import moments
from coopgym.validation.conduct.record import Record


class Played(NamedTuple):
    """Of P policies: mean rates ``[P, K, A]`` by phase and actor, and ``[P, N]`` of each agent over all steps.

    Means over episodes and over the agents of an actor. After an episode has ended nobody contributes.
    """

    levels: np.ndarray
    agents: np.ndarray


def play_phases(policies: list[Policy], game: Game, record: Record, seed: int = 0) -> Played:
    """Play policies, those that fit each other side by side, through the one loop that plays games."""
    steps = np.diff(record.bounds)
    totals = np.concatenate([_totals(group, game, record, seed) for group in groups(policies)])
    return Played(record.by_actor(totals / steps[:, None]), totals.sum(1) / steps.sum())


def _totals(group: list[Policy], game: Game, record: Record, seed: int) -> np.ndarray:
    """Rates summed over the steps of each phase, means over episodes, ``[P, K, N]``."""
    ready = stage(group, game, max(enough_episodes(game, player) for player in group), seed)
    totals = np.zeros((len(record.phases), *ready.batch, game.n))
    played = moments(game, ready.act, ready.batch, reset_draws=ready.reset_draws, noise=ready.noise)
    for phase, moment in zip(record.phase_of, played, strict=False):
        totals[phase] += np.where(moment.alive[..., None], moment.after.actions / game.endowment, 0.0)
    return np.moveaxis(totals.mean(2), 0, 1)
