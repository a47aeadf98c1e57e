"""The planner's problem: the best sequence of everybody's actions, with a bound that says how far it may be off.

Games are deterministic from a fixed start, so that no policy with feedback can beat the best open-loop sequence.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import product

import numpy as np

from coopgym.envs.catalogue import game as make_game
from coopgym.envs.game import Game
from coopgym.envs.released import ReleasedGame
from coopgym.envs.reward import RewardMode
from coopgym.envs.symmetry import roles
from coopgym.oracles.bounds import Bound, upper_bound
from coopgym.oracles.common_play import quickest
from coopgym.oracles.objective import Objective
from coopgym.oracles.result import Certificate, Solution
from coopgym.oracles.scale import size
from coopgym.oracles.search import Effort, climb, pattern_search, trade
from coopgym.oracles.sequences import Sequences
from coopgym.oracles.shapes import MULTIPLES, late_changes, two_levels

PARTS, PROMISING = 41, 2e-3  # levels of each part of a role; how far below the best a start may lie, relative
LEVELS = 6  # rates of sequences that change once, tried at every step
METHOD = (
    "constants by role, ramps, two levels at every switch point, late rises and falls; from the best of each L-BFGS-B "
    "on finite differences, then pattern search, and trades between blocks where rules have thresholds"
)
EQUAL = 1e-9  # relative: a value this close to the bound is the optimum


def open_loop_optimum(
    game: Game | str,
    mode: str | RewardMode = "private",
    weights: np.ndarray | None = None,
    effort: Effort | None = None,
) -> Solution:
    """The best action sequence ``[T, N]`` found for sum_i weights_i r_i of an episode (weights ``[N]`` >= 0: ones).

    Its value is that of playing it, never below the best constant profile, and ``bound`` is a certified upper bound.
    A hidden parameter takes the middle of its range, and is known to the planner. Raises ValueError for weights of the
    wrong shape or sign.
    """
    began = time.perf_counter()
    game, mode = make_game(game).to("numpy"), RewardMode.of(mode)
    chosen = np.ones(game.n) if weights is None else np.asarray(weights, dtype=np.float64)
    if chosen.shape != (game.n,) or not np.isfinite(chosen).all() or (chosen < 0).any() or not chosen.any():
        raise ValueError(f"weights={weights!r} must be {game.n} numbers of at least 0, not all of them 0")
    problem = Problem.of(game, mode, chosen, effort or Effort())
    actions, bound, method, starts = solve(problem)
    return _solution(game, mode, chosen, actions, bound, method, starts, time.perf_counter() - began)


@dataclass(frozen=True)
class Problem:
    """What a search depends on; modes that add up to the same sum share one. Compared by what it says of the game."""

    game: Game = field(compare=False)
    game_hash: str
    mode: RewardMode
    weights: tuple[float, ...]
    effort: Effort

    @classmethod
    def of(cls, game: Game, mode: RewardMode, weights: np.ndarray, effort: Effort) -> Problem:
        """Sharing payoffs leaves their plain sum as it is; released games share integrated utilities instead."""
        plain = mode.weights.coupled == 0.0 and len(set(weights)) == 1 and not isinstance(game, ReleasedGame)
        return cls(game, game.hash, RewardMode("private") if plain else mode, tuple(weights), effort)

    @property
    def sequences(self) -> Sequences:
        """The episodes."""
        return Sequences(self.game, self.mode)


@lru_cache(maxsize=128)
def solve(problem: Problem) -> tuple[np.ndarray, Bound | None, str, int]:
    """(actions ``[T, N]``, bound, method, starts): starts first; search if none of them reaches the bound."""
    weights = np.array(problem.weights)
    bound = upper_bound(problem.game, problem.mode, weights)
    objective = by_roles(problem.sequences, weights)
    candidates = starts_of(objective, bound)
    values = objective(candidates)
    order = np.argsort(-values)
    x, value = candidates[order[0]], float(values[order[0]])
    if bound is not None and value >= bound.value * (1.0 - EQUAL):
        return objective.profile(x), bound, "start that attains the bound", len(candidates)
    shaped, count = shaped_starts(objective)
    starts = _distinct(candidates[order], problem.effort.starts) + shaped
    x, value = climb(objective, starts, problem.effort)
    if not problem.game.smooth:
        x, value = trade(objective, x, value)
    objective, x, value = divided(objective, x, value, problem.effort)
    actions = apart(objective, x, value, problem.effort.rounds)
    return actions, bound, METHOD, len(candidates) + count


def shaped_starts(objective: Objective) -> tuple[list[np.ndarray], int]:
    """(the best ``[T, G]`` of each family of simple shapes, how many were tried).

    Families: one common rate and then a higher, or a lower one, at every switch point; and a common rate, or a multiple
    of what is expected, with a rise or a fall in the last 1 to 25 steps. What keeps trust where it is lies next to what
    is expected, which a grid of rates may miss.
    """
    horizon, limit = objective.horizon, objective.limit
    expected = np.asarray(objective.sequences.game.baseline)[objective.leaders]
    rates = np.linspace(0.0, 1.0, 4 * LEVELS - 3)[:, None] * limit
    bases = np.minimum(np.concatenate([rates, MULTIPLES[:, None] * expected]), limit)
    part = late_changes(np.zeros((1, horizon)), np.ones(1))[..., None]  # how far along the change each step is
    ends = np.linspace(0.0, 1.0, LEVELS)[:, None] * limit
    late = [np.concatenate([(1.0 - part) * base + part * end for end in ends]) for base in bases] if len(part) else []
    switched = two_levels(horizon, np.linspace(0.0, 1.0, LEVELS))[..., None] * limit
    tried = np.concatenate([*late, switched])
    values, change = objective(tried), (tried[:, -1] - tried[:, 0]).sum(-1)
    leaders, count = list[np.ndarray](), len(tried)
    for family in (np.arange(count) < count - len(switched), np.arange(count) >= count - len(switched)):
        for side in (change > 0.0, change < 0.0):
            if not (family & side).any():
                continue
            best = tried[int(np.where(family & side, values, -np.inf).argmax())]
            leaders.append(best)
    return leaders, count


def by_roles(sequences: Sequences, weights: np.ndarray) -> Objective:
    """One free sequence for agents that neither the game nor the weights tell apart."""
    game = sequences.game
    kinds = np.stack([roles(game), np.unique(weights, return_inverse=True)[1]], axis=-1)
    _, first, group = np.unique(kinds, axis=0, return_index=True, return_inverse=True)
    place = np.argsort(np.argsort(first))
    return quickest(Objective(sequences, weights, np.zeros((game.horizon, game.n)), place[group.ravel()]))


def starts_of(objective: Objective, bound: Bound | None) -> np.ndarray:
    """Candidates ``[K, T, G]``: constants of one rate or one level, constants by role, the path of the bound, and two
    levels one after the other where rules have thresholds."""
    game, horizon, limit = objective.sequences.game, objective.horizon, objective.limit
    rates = np.linspace(0.0, 1.0, 101)[:, None]
    groups = len(limit)
    profiles = [rates * limit, np.minimum(rates * game.endowment.max(), limit)]
    if 1 < groups <= 3:
        grid = np.array(list(product(np.linspace(0.0, 1.0, 26 if groups == 2 else 13), repeat=groups)))
        profiles.append(grid * limit)
    constant = np.repeat(np.concatenate(profiles)[:, None, :], horizon, axis=1)
    paths = [] if bound is None else _of_bound(objective, bound.path)
    shapes = [] if game.smooth else [_two_levels(objective)]
    return np.concatenate([constant, *paths, _ramps(objective), *shapes])


def _of_bound(objective: Objective, path: np.ndarray) -> list[np.ndarray]:
    path = path[:, objective.leaders]
    kept = np.maximum(path, np.asarray(objective.sequences.game.baseline)[objective.leaders])
    kept[-1] = path[-1]
    return [np.stack([path, kept])]


def _ramps(objective: Objective) -> np.ndarray:
    """Straight lines between two rates, once or over and over: what answers to changes may pay for."""
    horizon = objective.horizon
    levels = np.linspace(0.1, 0.6, 11)
    rows = [
        a + (b - a) * (np.arange(horizon) % period) / max(1, period - 1)
        for period in {min(horizon, 8), min(horizon, 25), horizon} for a in levels for b in levels if a != b
    ]  # fmt: skip
    return np.asarray(np.stack(rows)[..., None] * objective.limit)


def _two_levels(objective: Objective) -> np.ndarray:
    """One rate for the first steps and another after them."""
    game, horizon = objective.sequences.game, objective.horizon
    changes = [k for k in (1, 3, 6, 10, 20, horizon // 2, horizon - 10, horizon - 1) if 0 < k < horizon]
    fine = game.n <= 10
    rates = np.linspace(0.0, 1.0, 21 if fine else 11) + 1e-7
    firsts = rates[:: 2 if fine else 5]
    steps = np.arange(horizon)
    rows = [np.where(steps < k, a, b) for k in changes for a in firsts for b in rates if a != b]
    return np.asarray(np.minimum(np.stack(rows)[..., None], 1.0) * objective.limit)


def _distinct(candidates: np.ndarray, count: int) -> list[np.ndarray]:
    """The first few that differ by more than two units somewhere."""
    chosen: list[np.ndarray] = []
    for x in candidates:
        if all(np.abs(x - y).max() > 2.0 for y in chosen):
            chosen.append(x)
        if len(chosen) == count:
            break
    return chosen


def apart(objective: Objective, x: np.ndarray, value: float, rounds: int) -> np.ndarray:
    """Actions ``[T, N]`` once agents of a role have been tried apart from each other; as they were if nothing gains."""
    together = objective.profile(x)
    n = together.shape[-1]
    if n == len(objective.leaders):
        return together
    free = Objective(objective.sequences, objective.weights, objective.base, np.arange(n))
    trials = []
    for move in (4.0, 0.5):
        for agent in objective.leaders:
            rows = np.eye(n)[agent] - np.eye(n)[_mate(objective, agent)]
            for length in (3, 10, objective.horizon):
                for start in range(0, objective.horizon, length):
                    mask = np.zeros((objective.horizon, 1))
                    mask[start : start + length] = 1.0
                    trials += [np.clip(together + s * move * mask * rows, 0.0, free.limit) for s in (1.0, -1.0)]
    values = free(np.stack(trials))
    best = int(values.argmax())
    if values[best] <= value * (1.0 + 1e-7):
        return together
    return pattern_search(free, trials[best], rounds)[0]


def divided(objective: Objective, x: np.ndarray, value: float, effort: Effort) -> tuple[Objective, np.ndarray, float]:
    """(objective, x ``[T, G]``, value) once roles have been tried in two parts, each at a level of its own.

    Only where rules have thresholds: what all must have built together, a part of them may build alone.
    """
    if objective.sequences.game.smooth:
        return objective, x, value
    starts = []
    for group in range(len(objective.leaders)):
        members = np.flatnonzero(objective.group == group)
        for part in sorted({1, len(members) // 2} - {0, len(members)}):
            split = objective.group.copy()
            split[members[-part:]] = split.max() + 1
            free = quickest(Objective(objective.sequences, objective.weights, objective.base, split))
            tried = _two_parts(x, group, float(free.limit[group]))
            values = free(tried)
            starts.append((float(values.max()), free, tried[int(values.argmax())]))
    top, free, start = max(starts, key=lambda one: one[0], default=(-np.inf, objective, x))
    if top > value - PROMISING * abs(value):
        found, reached = climb(free, [start], replace(effort, starts=1))
        if reached > value * (1.0 + 1e-7):
            return free, found, reached
    return objective, x, value


def _two_parts(x: np.ndarray, group: int, limit: float) -> np.ndarray:
    """Candidates ``[K, T, G + 1]``: each part of a group at any of some levels until the last step, the others as in
    ``x [T, G]``."""
    pairs = np.array([(a, b) for a, b in product(np.linspace(0.0, limit, PARTS), repeat=2) if a != b])
    start = np.repeat(np.concatenate([x, x[:, [group]]], axis=1)[None], len(pairs), axis=0)
    start[:, :-1, group], start[:, :-1, -1] = pairs[:, :1], pairs[:, 1:]
    return start


def _mate(objective: Objective, agent: int) -> int:
    """Another agent of the same free sequence, or the agent itself."""
    mates = np.flatnonzero(objective.group == objective.group[agent])
    return int(mates[-1])


def _solution(
    game: Game, mode: RewardMode, weights: np.ndarray, actions: np.ndarray, bound: Bound | None, method: str,
    starts: int, seconds: float,
) -> Solution:  # fmt: skip
    sequences = Sequences(game, mode)
    played = sequences.play(actions)
    value = float(played.rewards @ weights)
    gap = np.inf if bound is None else max(0.0, bound.value - value)
    relaxed = "no bound is known" if bound is None else f"upper bound: {bound.method}"
    certificate = Certificate(
        gap, gap / float(size(value, sequences.unit)), relaxed, exhaustive=bound is not None, starts=starts
    )  # fmt: skip
    notes = (
        ("the hidden parameter is at the middle of its range, and known to the planner",) if game.reset_draws else ()
    )
    return Solution(
        game.id, game.hash, "open_loop_optimum", "open-loop optimum", str(mode), actions, played.payoffs,
        played.rewards, method, certificate, bound=None if bound is None else bound.value, notes=notes, seconds=seconds,
    )  # fmt: skip
