"""Random numbers of many games at once: each game has a generator of its own, as it would have alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np

from coopgym import seeding
from coopgym.mechanisms import checks


class Streams:
    """``n`` generators, made when a game first draws; most games never do, and pay nothing."""

    def __init__(self, n: int) -> None:
        self.n = n
        self._seeds: list[int | None] = [None] * n
        self._generators: list[np.random.Generator | None] = [None] * n

    def seed(self, seeds: Sequence[int | None], mask: np.ndarray) -> None:
        """Start game i afresh from its seed where ``mask`` ``[n]`` is true and the seed is not None."""
        for i in np.flatnonzero(mask).tolist():
            if seeds[i] is not None:
                self._seeds[i], self._generators[i] = seeds[i], None

    def uniform(self, k: int, mask: np.ndarray) -> np.ndarray:
        """Uniform numbers in [0, 1), ``[n, k]``; only games in ``mask`` draw, the others get zeros."""
        draws = np.zeros((self.n, k))
        for i in np.flatnonzero(mask).tolist():
            draws[i] = self._generator(i).random(k)
        return draws

    def normal(self, k: int, mask: np.ndarray) -> np.ndarray:
        """Standard normal numbers, ``[n, k]``; only games in ``mask`` draw, the others get zeros."""
        draws = np.zeros((self.n, k))
        for i in np.flatnonzero(mask).tolist():
            draws[i] = self._generator(i).standard_normal(k)
        return draws

    def _generator(self, i: int) -> np.random.Generator:
        found = self._generators[i]
        if found is None:
            found = seeding.generator(self._seeds[i], "game")
            self._generators[i] = found
        return found


def seed_game(env: gymnasium.Env[Any, Any], seed: int | None) -> None:
    """Give an environment the generator of its game as ``np_random``, after Gymnasium has looked at ``seed``.

    None: the present generator goes on; the first is from fresh entropy, which ``np_random_seed`` tells.
    """
    if seed is None:
        if env._np_random is not None:
            return
        seed = seeding.entropy()
    env._np_random, env._np_random_seed = seeding.generator(seed, "game"), seed


def seed_list(seed: int | Sequence[int | None] | None, n: int) -> list[int | None]:
    """One seed a game: s, s + 1, ... from an int, a list as it is; ValueError for anything else."""
    if seed is None:
        return [None] * n
    if isinstance(seed, (int, np.integer)) and _is_seed(seed):
        return [int(seed) + i for i in range(n)]
    seeds = list(seed) if isinstance(seed, (list, tuple, np.ndarray)) else []
    if len(seeds) != n or not all(s is None or _is_seed(s) for s in seeds):
        raise ValueError(
            f"seed={checks.shown(seed)} is not valid; give a whole number from 0, or a list of {n} of them or None"
        )
    return [None if s is None else int(s) for s in seeds]


def _is_seed(seed: Any) -> bool:
    whole = isinstance(seed, (int, np.integer)) and not isinstance(seed, bool)
    return whole and 0 <= int(seed) < seeding.SEED_LIMIT // 2
