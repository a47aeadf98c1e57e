"""What every family of measures works with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from coopgym.audit.effort import Effort
from coopgym.audit.traces import Subject
from coopgym.audit.yardsticks import Yardsticks
from coopgym.envs.game import Game
from coopgym.oracles.stage import StageGame

LEVELS = 101  # rates among which a selfish reply is looked for
EXACT = 1e-6  # of a payoff: what counts as an effect where nothing is drawn
ERRORS = 2.0  # standard errors that count as an effect where something is


@dataclass(frozen=True, eq=False)
class Bench:
    """An audit under way. groups ``[R]``: replicas with one label may be partners of each other."""

    subject: Subject
    effort: Effort
    groups: tuple[str, ...] = ()
    _made: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def game(self) -> Game:
        """Of the subject."""
        return self.subject.game

    @cached_property
    def known(self) -> Yardsticks:
        """About the game."""
        return Yardsticks.of(self.game)

    @cached_property
    def seats(self) -> np.ndarray:
        """Agents that are audited one by one: all, or as many as the effort allows, evenly spread."""
        n, most = self.game.n, self.effort.seats
        return np.arange(n) if n <= most else np.unique(np.round(np.linspace(0, n - 1, most)).astype(np.int64))

    @property
    def left_out(self) -> str | None:
        """Why some agents have no value; None where all have."""
        if len(self.seats) == self.game.n:
            return None
        return f"{len(self.seats)} of {self.game.n} agents were audited one by one"

    def everybody(self, x: np.ndarray) -> np.ndarray:
        """Values ``[R, S, ...]`` of the audited seats in their places ``[R, N, ...]``, others NaN."""
        full: np.ndarray = np.full((x.shape[0], self.game.n, *x.shape[2:]), np.nan)
        full[:, self.seats] = x
        return full

    @cached_property
    def selfish(self) -> np.ndarray:
        """Rates ``[R, N]`` that pay each agent best in a first step in which the others do what they do on average.

        From an even grid of 101 rates, by a parabola through the best and its neighbours; private payoffs.
        """
        base = self.subject.base
        mean = (base.rates.sum(-2) / np.maximum(1, base.lengths)[..., None]).mean(1)
        stage, levels = StageGame.of(self.game, "private"), np.linspace(0.0, 1.0, LEVELS)
        found: np.ndarray = np.empty_like(mean)
        for i in range(self.game.n):
            endowment = float(self.game.endowment[i])
            values = stage.deviations(mean * self.game.endowment, i, levels * endowment)
            found[:, i] = _peak(values, levels)
        return found

    def once(self, name: str, make: Callable[[Bench], Any]) -> Any:
        """What several families need is made once."""
        if name not in self._made:
            self._made[name] = make(self)
        return self._made[name]

    def counts(self, difference: np.ndarray, of: np.ndarray) -> np.ndarray:
        """tau: an effect counts beyond it. difference ``[..., E, N]`` of pairs, of: payoffs of the same shape.

        1e-6 of the payoff where nothing is drawn, else two standard errors of the mean difference; ``[..., N]``.
        """
        exact = EXACT * np.abs(of.mean(-2))
        episodes = difference.shape[-2]
        if episodes == 1 or self.subject.deterministic:
            return np.asarray(np.broadcast_to(exact, difference.shape[:-2] + difference.shape[-1:]))
        error = difference.std(-2, ddof=1) / np.sqrt(episodes)
        return np.asarray(np.maximum(exact, ERRORS * error))


def _peak(values: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Where ``values [R, K]`` over even ``levels [K]`` are highest, between the points where they are smooth there."""
    k = values.argmax(-1)
    inside = np.clip(k, 1, len(levels) - 2)
    left, here, right = (np.take_along_axis(values, (inside + d)[:, None], 1)[:, 0] for d in (-1, 0, 1))
    bend = left - 2.0 * here + right
    shift = np.where(bend < 0.0, 0.5 * (left - right) / np.where(bend < 0.0, bend, 1.0), 0.0)
    step = levels[1] - levels[0]
    refined = levels[inside] + np.clip(shift, -0.5, 0.5) * step
    return np.asarray(np.where((k == inside) & (bend < 0.0), refined, levels[k]))
