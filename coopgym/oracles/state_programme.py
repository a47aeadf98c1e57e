"""A dynamic programme for one agent against fixed sequences, where one number of its own carries over to later steps.

That number is a public reputation that pays by tiers, or a loyalty (with a membership and its timer). It moves by an
amount that is linear in the own action on each of a few branches, and rewards of a step are concave in the own action.

The state is cut into cells of equal width, and so are the actions: crossing one cell of actions moves the state by one
cell. In each cell of the state the value of the future is bounded by a straight line between its two ends; in each cell
of actions the reward of a step is bounded by a straight line above it. Both are too high by amounts of second order in
the width, so that the result is a proven upper bound of what any own sequence earns. Nothing is assumed about the shape
of the value, which jumps at tiers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from math import lcm
from typing import Any, NamedTuple

import numpy as np

from coopgym.mechanisms.base import spread
from coopgym.oracles.deviation import Step
from coopgym.oracles.sequences import Sequences

CELLS, FEW, MOST_CELLS = 1000, 400, 20_000  # of the state: wanted, in several classes, and the most that is tried
PARTS = 64  # of a cell of actions, where rewards are looked at; closer at its lower end
NODES = 17  # states at which lines are laid above the rewards
BENT = 1e-9  # of the largest reward: how far rounding may bend a concave reward
HAIR = 1e-9  # by which an edge is passed, so that rounding does not miss it


class Programme(NamedTuple):
    """sequence ``[T]``: own actions [endowment units] that the programme suggests; bound: no own sequence earns more
    [reward]; method: what was solved."""

    sequence: np.ndarray
    bound: float
    method: str


Bounds = tuple[np.ndarray, np.ndarray]  # of the future, [cells + 1] at the lower and at the upper ends of cells
Lines = tuple[np.ndarray, np.ndarray]  # above rewards: heights at the lower end, rises over the cell, [nodes, D]


class Branch(NamedTuple):
    """Own actions [low, high] that move the state by ``first`` to ``last`` cells, in proportion."""

    low: float
    high: float
    first: int
    last: int

    @property
    def points(self) -> np.ndarray:
        """Own actions ``[D, PARTS + 1]``, by cell of actions."""
        ends = np.linspace(self.low, self.high, self.last - self.first + 1)
        inside = np.linspace(0.0, 1.0, PARTS + 1) ** 3
        return np.asarray(ends[:-1, None] + np.diff(ends)[:, None] * inside)


@dataclass(frozen=True, eq=False)
class Problem:
    """The problem of one agent: its state in cells of equal width from 0 to ``top``, and in one of a few classes.

    way: the steps along the profile; slack: how far above the edges of cells the state is allowed to lie.
    """

    sequences: Sequences
    way: list[Step]
    agent: int
    cells: int
    top: float
    branches: tuple[Branch, ...]
    start: float
    slack: float

    seen: dict[Any, tuple[np.ndarray, np.ndarray] | None] = field(default_factory=dict, repr=False)

    name, entry = "state", ""  # in words; of State.extra

    @property
    def width(self) -> float:
        """Of a cell."""
        return self.top / self.cells

    @cached_property
    def edges(self) -> np.ndarray:
        """Lower edges ``[cells + 1]`` of the cells; the last one is the top itself."""
        return np.linspace(0.0, self.top, self.cells + 1)

    # --- what a kind of problem says of itself

    def kind(self, mode: int) -> np.ndarray:
        """Which rewards ``[cells + 1]`` apply in each cell of a class."""
        raise NotImplementedError

    def entries(self, kind: int, value: float) -> dict[str, float]:
        """The agent's entries of ``State.extra`` for a kind of rewards and a state."""
        raise NotImplementedError

    @property
    def ends(self) -> tuple[float, ...]:
        """States between which rewards are linear; one if they do not depend on it."""
        return (0.0,)

    @property
    def classes(self) -> int:
        """How many classes there are; an episode begins in the first."""
        return 1

    def next_class(self, mode: int) -> np.ndarray:
        """The class ``[cells + 1]`` of the next step, by the cell that is reached."""
        return np.zeros(self.cells + 1, dtype=np.int64)

    def moved(self, value: float, own: np.ndarray) -> np.ndarray:
        """The state after own actions ``[K]``."""
        raise NotImplementedError

    # --- rewards

    def rewards(self, t: int, kind: int, value: float, own: np.ndarray) -> np.ndarray:
        """The agent's rewards of step t at own actions of any shape."""
        game, step, flat = self.sequences.played, self.way[t], own.ravel()
        before = spread(step.before, (len(flat),))
        extra = dict(before.extra)
        for name, entry in self.entries(kind, value).items():
            extra[name] = extra[name].copy()
            extra[name][..., self.agent] = entry
        actions = np.repeat(step.actions[None], len(flat), axis=0)
        actions[:, self.agent] = flat
        mixing = game.reward_matrix(self.sequences.mode, step.before)[self.agent]
        paid = np.asarray(game.payoffs(before._replace(extra=extra), actions) @ mixing)
        return paid.reshape(own.shape)

    def lines(self, t: int, kind: int, branch: Branch, worth: float) -> Lines | None:
        """Lines above the rewards of a step: (heights at the lower end, rises over the cell), each ``[nodes, D]``.

        None if rewards are not concave. A line has the slope of its chord; where the best action lies inside the cell,
        if a cell of the state is worth ``worth``, it has the slope that leaves nothing to gain in it. Rewards are
        linear between nodes, so that a mixture of two lines lies above them.
        """
        points = branch.points
        known = self._looked(t, kind, branch)
        if known is None:
            return None
        values, over = known
        share = (points - points[:, :1]) / (points[:, -1:] - points[:, :1])
        totals, rise = values + worth * share, values[..., -1] - values[..., 0]
        rise = np.where(totals.max(-1) > np.maximum(totals[..., 0], totals[..., -1]), -worth, rise)
        # along the edge of a cell a mixture bends by a quarter of how much the rise changes from one end to the other
        bend = 0.25 * np.abs(np.diff(rise, axis=0)).max(0, initial=0.0) * max(1, len(values) - 1) / self.cells
        return (values - rise[..., None] * share).max(-1) + over + bend, rise

    def _looked(self, t: int, kind: int, branch: Branch) -> tuple[np.ndarray, np.ndarray] | None:
        """Rewards ``[nodes, D, PARTS + 1]`` and how far they may rise above these; steps that are alike share them."""
        step, points = self.way[t], branch.points
        others = np.arange(self.sequences.game.n) != self.agent
        mixing = self.sequences.played.reward_matrix(self.sequences.mode, step.before)[self.agent]
        states = [np.asarray(x)[others] for x in step.before.extra.values() if np.shape(x) == others.shape]
        key = (kind, branch, *(np.asarray(x).tobytes() for x in (step.actions[others], mixing, *states)))
        if key not in self.seen:
            ends = np.stack([self.rewards(t, kind, v, points) for v in self.ends])
            share = np.linspace(0.0, 1.0, NODES)[:, None, None]
            values = ends if len(ends) == 1 else (1.0 - share) * ends[0] + share * ends[1]
            over = _above(points, values, BENT * float(np.abs(values).max()))
            self.seen[key] = None if over is None else (values, over)
        return self.seen[key]

    # --- backward, forward

    def solve(self) -> Programme | None:
        """The bound from the last step backward, and the actions that follow it forward."""
        ahead = [(np.zeros(self.cells + 1), np.zeros(self.cells + 1))] * self.classes
        known = [ahead]
        kinds = np.unique(np.concatenate([self.kind(mode) for mode in range(self.classes)])).tolist()
        for t in reversed(range(len(self.way))):
            low, high = ahead[0]
            cell = self._cell(float(np.asarray(self.way[t].after.extra[self.entry])[self.agent]))
            worths = (float(high[cell] - low[cell]), 0.0)  # where the state moves, and where it is held at an end
            made = {(k, b, w > 0): self.lines(t, k, b, worths[w]) for k in kinds for b in self.branches for w in (0, 1)}
            lines = {key: one for key, one in made.items() if one is not None}
            if len(lines) < len(made):
                return None
            ahead = [self._backward(mode, lines, ahead) for mode in range(self.classes)]
            known.append(ahead)
        bound = float(self._between(ahead, 0, np.array([self.start]))[0])
        method = f"a dynamic programme over the agent's own {self.name} in {self.cells:,} cells, with its error"
        return Programme(self._forward(known[::-1]), bound, method)

    def _backward(self, mode: int, lines: dict[tuple[int, Branch, bool], Lines], ahead: list[Bounds]) -> Bounds:
        """Bounds before a step whose rewards lie below ``lines``, from those after it."""
        low, high = self._reached(mode, ahead)
        kind, n = self.kind(mode), self.cells + 1
        place = self.edges / self.top * (NODES - 1)
        best_low, best_high = np.full(n, -np.inf), np.full(n, -np.inf)
        for branch in self.branches:
            reach = max(abs(branch.first), abs(branch.last)) + 2
            # bounds beyond the ends of the state are those of its ends
            p = np.concatenate([np.full(reach, self._end(low, high, 0)), low[:-1], _top(low, high, self, reach + 1)])
            q = np.concatenate([np.full(reach, self._end(low, high, 0)), high[:-1], _top(low, high, self, reach + 1)])
            d = branch.last - branch.first
            begin = reach + branch.first
            here, limit = _windows(p, begin, n, d), _windows(q, begin, n, d)
            beyond, far = _windows(p, begin + 1, n, d), _windows(q, begin + 1, n, d)
            edge = np.maximum(limit, beyond)
            for k in np.unique(kind).tolist():
                cells = np.flatnonzero(kind == k)
                target = cells[:, None] + np.arange(branch.first, branch.last)
                held = (target < 0) | (target >= self.cells)
                for rows, mask, end in ((~held.all(-1), ~held, False), (held.any(-1), held, True)):
                    heights, rise = lines[k, branch, end]
                    r, out = cells[rows], np.where(mask[rows], 0.0, -np.inf)
                    at_low, at_high = place[r], place[np.minimum(r + 1, self.cells)]
                    lower = np.maximum(here[r], _along(rise, at_low) + edge[r]) + _along(heights, at_low) + out
                    upper = np.maximum(edge[r], _along(rise, at_high) + far[r]) + _along(heights, at_high) + out
                    if len(r):
                        best_low[r] = np.maximum(best_low[r], lower.max(-1))
                        best_high[r] = np.maximum(best_high[r], upper.max(-1))
        return best_low, best_high

    def _reached(self, mode: int, ahead: list[Bounds]) -> Bounds:
        """The bounds of the next step by the cell that is reached."""
        where, cell = self.next_class(mode), np.arange(self.cells + 1)
        low, high = np.stack([a for a, _ in ahead]), np.stack([b for _, b in ahead])
        return low[where, cell], high[where, cell]

    def _end(self, low: np.ndarray, high: np.ndarray, cell: int) -> float:
        """The bound where the state is held at its lowest or its highest."""
        return float(low[cell] + (high[cell] - low[cell]) * self.slack / self.width)

    def _between(self, bounds: list[Bounds], mode: int, value: np.ndarray) -> np.ndarray:
        """The bound at states ``[K]`` of a class."""
        low, high = bounds[mode]
        place = np.clip((value + self.slack) / self.width, 0.0, self.cells)
        cell = np.minimum(place.astype(np.int64), self.cells)
        return np.asarray(low[cell] + (high[cell] - low[cell]) * (place - cell))

    def _forward(self, known: list[list[Bounds]]) -> np.ndarray:
        """Own actions ``[T]``: at each step the best of many, by its reward and the bound of what comes after."""
        value, mode, path = self.start, 0, list[float]()
        for t in range(len(self.way)):
            cell = self._cell(value)
            kind, after = int(self.kind(mode)[cell]), [known[t + 1]]
            reached = self._reached(mode, after[0])
            best, top = 0.0, -np.inf
            for branch in self.branches:
                ends = branch.points[:, [0, -1]].ravel()
                step = (branch.high - branch.low) / (branch.last - branch.first)
                place = (value + self.slack) / self.width
                exact = branch.low + (np.ceil(place) - place + HAIR / self.width) * step + np.arange(len(ends)) * step
                own = np.clip(np.concatenate([ends, exact]), branch.low, branch.high)
                for _ in range(3):
                    totals = self.rewards(t, kind, value, own) + self._between([reached], 0, self.moved(value, own))
                    if totals.max() > top:
                        best, top = float(own[totals.argmax()]), float(totals.max())
                    own = np.clip(own[totals.argmax()] + step * np.linspace(-1.0, 1.0, 41), branch.low, branch.high)
                    step /= 20.0
            path.append(best)
            value = float(self.moved(value, np.array([best]))[0])
            mode = int(self.next_class(mode)[self._cell(value)])
        return np.array(path)

    def _cell(self, value: float) -> int:
        return min(int((value + self.slack) / self.width + 1e-12), self.cells)


def _top(low: np.ndarray, high: np.ndarray, problem: Problem, count: int) -> np.ndarray:
    """The bound at the highest state, ``[count]`` times."""
    return np.full(count, problem._end(low, high, problem.cells))


def _windows(values: np.ndarray, begin: int, rows: int, d: int) -> np.ndarray:
    """``[rows, d]``: row k holds d values from place ``begin + k`` on."""
    return np.lib.stride_tricks.sliding_window_view(values[begin : begin + rows + d - 1], d)


def _along(heights: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Rows ``[R, D]`` of heights ``[nodes, D]`` at places between nodes."""
    if len(heights) == 1:
        return np.repeat(heights, len(place), axis=0)
    below = np.minimum(place.astype(np.int64), len(heights) - 2)
    share = (place - below)[:, None]
    return np.asarray((1.0 - share) * heights[below] + share * heights[below + 1])


def _above(points: np.ndarray, values: np.ndarray, bent: float) -> np.ndarray | None:
    """How far concave rewards ``[nodes, D, K]`` may rise between points ``[D, K]`` above the largest that was seen,
    ``[nodes, D]``: where the slopes of neighbours meet. None if they are not concave."""
    gaps = np.diff(points, axis=-1)
    slopes = np.diff(values, axis=-1) / gaps
    if (np.diff(slopes, axis=-1) * np.minimum(gaps[:, 1:], gaps[:, :-1]) > bent).any():
        return None
    left = np.concatenate([slopes[..., :1], slopes[..., :-1]], -1) - slopes  # of the one before, over the own slope
    right = slopes - np.concatenate([slopes[..., 1:], slopes[..., -1:]], -1)
    left, right = np.maximum(left, 0.0), np.maximum(right, 0.0)
    inside = left * right / np.maximum(left + right, 1e-300)
    inside[..., 0], inside[..., -1] = right[..., 0], left[..., -1]  # nothing lies beyond the ends
    return np.asarray((inside * gaps).max(-1))


def cut(top: float, ends: list[float], wanted: int) -> int | None:
    """The least number of cells of [0, top], at least ``wanted``, of whose width all ``ends`` are multiples."""
    shares = [Fraction(end / top).limit_denominator(MOST_CELLS) for end in ends]
    if any(abs(float(share) * top - end) > 1e-12 for share, end in zip(shares, ends, strict=True)):
        return None
    least = lcm(*(share.denominator for share in shares))
    cells = least * -(-wanted // least)
    return cells if cells <= MOST_CELLS else None
