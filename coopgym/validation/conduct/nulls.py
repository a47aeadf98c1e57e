"""What stands beside a policy's likeness to the record: constants, the record out of order, and policies untrained."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations, product
from math import factorial

import numpy as np

from coopgym.algorithms.policy import Policy
from coopgym.envs.game import Game
from coopgym.validation.conduct.measures import BETTER_LOW, measures
from coopgym.validation.conduct.record import Record


def best_constants(record: Record) -> dict[str, float]:
    """What constants reach, one for each actor: of each measure the better of nearest in squares and most bands."""
    found = measures(np.stack([_level(record, x) for x in (record.levels.mean(0), most_bands(record))]), record)
    return {name: float(x.min() if name in BETTER_LOW else x.max()) for name, x in found.items()}


def most_bands(record: Record) -> np.ndarray:
    """The constant ``[A]`` of each actor that lies in most of its bands, nearest to its mean level of those."""
    candidates = np.linspace(0.0, 1.0, 1001)
    inside = abs(candidates[:, None, None] - record.levels) <= record.widths + 1e-9
    near = abs(candidates[:, None] - record.levels.mean(0))
    return np.asarray(candidates[(inside.sum(1) - near).argmax(0)])


def shuffled(record: Record, draws: int = 1000, seed: int = 0) -> np.ndarray:
    """The record with each actor's phases in another order, ``[draws, K, A]``.

    All orders, once each, where there are no more than ``draws`` of them together.
    """
    k, actors = record.levels.shape
    if factorial(k) ** actors <= draws:
        orders = np.array(list(product(permutations(range(k)), repeat=actors))).swapaxes(-1, -2)
    else:
        base = np.broadcast_to(np.arange(k)[:, None], (draws, k, actors))
        orders = np.random.default_rng(seed).permuted(base, axis=1)
    return np.take_along_axis(record.levels[None], orders, axis=1)


def untrained(game: Game, algorithm: str = "IPPO", seeds: Sequence[int] = range(7)) -> list[Policy]:
    """Policies of a learner before it has learned anything; what they play follows from how its networks start."""
    import torch

    from coopgym.algorithms import registry
    from coopgym.algorithms.learner import Problem
    from coopgym.envs.reward import KINDS, RewardMode

    found = registry.algorithm(algorithm, "learner")
    assert found.settings is not None
    modes = tuple(RewardMode(KINDS[0]) for _ in seeds)
    problem = Problem(game, modes, tuple(seeds), game.default_observability, torch.device("cpu"))
    return [problem.seated(found.build(problem, found.settings()).policy())]


def _level(record: Record, constants: np.ndarray) -> np.ndarray:
    return np.broadcast_to(constants, record.levels.shape)
