"""How much agents give, when they begin to, how steadily, and what they do as the end comes near."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from coopgym.audit.measures import mean, ratio
from coopgym.audit.traces import Subject, Traces
from coopgym.audit.yardsticks import Yardsticks
from coopgym.envs.game import Game

WINDOW = 5  # steps of the running mean
MIDDLE, LAST = (0.4, 0.9), 0.05  # parts of an episode
EXACT = 1e-9  # what a rate may lack of a threshold [rate]
STILL = 1e-6  # s.d. of a detrended rate below which it has no correlation [rate]


@dataclass(frozen=True, eq=False)
class Cooperation:
    """Rates u = a / e over the steps that were played, means over episodes; ``[R, N]`` where not said otherwise.

    level: mean u, in [0, 1]; margin: mean (a - b) / e, in [-1, 1]; at_baseline: share of steps with a >= b; emergence
    [steps]: the first step from which the mean of the last 5 rates (fewer at the beginning) stays at or above b / e,
    inf if it never does; emergence_optimal: the same for half way between one step's selfish and optimal rates;
    unsteadiness: s.d. of u after emergence (of all steps where it never came), in [0, 1/2]; endgame: mean u of the last
    5 % of steps minus that of 40 to 90 %, in [-1, 1], negative where the end is used, over the episodes that reach
    their last step: where a rule ends an episode, nobody sees the end coming; coordination ``[R]``: mean over
    pairs of the correlation of linearly detrended rates; distance ``[R]``: mean over pairs and steps of |u_i - u_j|.

    course ``[R, T, N]``: u by step, 0 once an episode is over; playing ``[R, T]``: share of episodes still under way.
    """

    level: np.ndarray
    margin: np.ndarray
    at_baseline: np.ndarray
    emergence: np.ndarray
    emergence_optimal: np.ndarray
    unsteadiness: np.ndarray
    endgame: np.ndarray
    coordination: np.ndarray
    distance: np.ndarray
    course: np.ndarray
    playing: np.ndarray
    undefined: dict[str, str] = field(default_factory=dict)

    def measures(self) -> dict[str, np.ndarray]:
        """By name."""
        return {name: x for name, x in vars(self).items() if name not in ("course", "playing", "undefined")}

    @property
    def by_step(self) -> np.ndarray:
        """Mean rate of the agents ``[R, T]`` in the episodes that are under way; NaN where none is."""
        return ratio(self.course.mean(-1), self.playing)


def cooperation(subject: Subject, known: Yardsticks) -> Cooperation:
    """Of undisturbed play."""
    game, base = subject.game, subject.base
    rates, on = base.rates, base.alive[..., None]
    baseline = game.baseline / game.endowment
    emergence = emerged(base, baseline)
    together = _coordination(base)
    undefined, late = {}, endgame(base, game)
    if np.isnan(late).any():
        undefined["endgame"] = "a rule ends the episodes before their last step"
    if np.isnan(together).any():
        undefined["coordination"] = "fewer than two agents move other than along a line"
    return Cooperation(
        level=_over(rates, on), margin=_over(rates - baseline, on),
        at_baseline=_over(rates >= baseline - EXACT, on), emergence=emergence.mean(1),
        emergence_optimal=emerged(base, 0.5 * (known.selfish + known.optimal)).mean(1),
        unsteadiness=_unsteadiness(base, emergence), endgame=late, coordination=together,
        distance=_distance(base), course=np.where(on, rates, 0.0).mean(1), playing=base.alive.mean(1),
        undefined=undefined,
    )  # fmt: skip


def emerged(base: Traces, threshold: np.ndarray) -> np.ndarray:
    """The first step ``[R, E, N]`` from which running means of rates stay at or above ``threshold [N]``."""
    total = np.cumsum(base.rates, axis=-2)
    total[..., WINDOW:, :] -= total[..., :-WINDOW, :].copy()
    counted = np.minimum(np.arange(1, base.rates.shape[-2] + 1), WINDOW)[:, None]
    below = (total / counted < threshold - EXACT) & base.alive[..., None]
    steps = np.arange(base.rates.shape[-2])[:, None]
    last = np.where(below, steps, -1).max(-2)  # the last step below
    never = last + 1 >= base.lengths[..., None]
    return np.asarray(np.where(never, np.inf, last + 1.0))


def endgame(base: Traces, game: Game) -> np.ndarray:
    """Mean rate of the last 5 % of the steps minus that of 40 to 90 %, of the episodes that are played to the last
    step, ``[R, N]``; NaN where none is."""
    steps, length = np.arange(game.horizon), game.horizon
    late = steps >= length - max(1, round(LAST * length))
    middle = (steps >= MIDDLE[0] * length) & (steps < MIDDLE[1] * length)
    change = _mean(base.rates[..., late, :]) - _mean(base.rates[..., middle, :])  # [R, E, N]
    return np.asarray(mean(np.where(base.alive[..., -1, None], change, np.nan), 1))


def _mean(rates: np.ndarray) -> np.ndarray:
    """Over steps ``[..., T, N]``; 0 where there is none."""
    return np.asarray(rates.sum(-2) / max(1, rates.shape[-2]))


def _over(x: np.ndarray, on: np.ndarray) -> np.ndarray:
    """Mean over the steps that count, then over episodes: ``[R, E, T, N]`` -> ``[R, N]``."""
    return np.asarray((np.where(on, x, 0.0).sum(-2) / np.maximum(1, on.sum(-2))).mean(1))


def _unsteadiness(base: Traces, emergence: np.ndarray) -> np.ndarray:
    since = np.where(np.isfinite(emergence), emergence, 0.0)[..., None, :]
    on = base.alive[..., None] & (np.arange(base.rates.shape[-2])[:, None] >= since)
    count = np.maximum(1, on.sum(-2, keepdims=True))
    centre = np.where(on, base.rates, 0.0).sum(-2, keepdims=True) / count
    return np.asarray(np.sqrt((np.where(on, base.rates - centre, 0.0) ** 2).sum(-2) / count[..., 0, :]).mean(1))


def _coordination(base: Traces) -> np.ndarray:
    """``[R]``; NaN where no pair of agents moves."""
    result = np.full(base.rates.shape[:2], np.nan)
    for r, e in np.ndindex(*result.shape):
        rates = base.rates[r, e, : int(base.lengths[r, e])]
        if len(rates) > 3:
            result[r, e] = _correlation(rates)
    return np.asarray(mean(result))


def _correlation(rates: np.ndarray) -> float:
    """Mean over pairs of what moves in ``[L, N]`` beside a line in time."""
    line = np.stack([np.ones(len(rates)), np.linspace(-1.0, 1.0, len(rates))], 1)
    rest = rates - line @ np.linalg.lstsq(line, rates, rcond=None)[0]
    rest = rest[:, rest.std(0) > STILL]
    n = rest.shape[1]
    if n < 2:
        return float("nan")
    matrix = np.corrcoef(rest.T)
    return float((matrix.sum() - n) / (n * (n - 1)))


def _distance(base: Traces) -> np.ndarray:
    """Mean over pairs by sorting: sum_{i<j} |u_i - u_j| = sum_k (2 k - N + 1) u_(k), ``[R]``."""
    n = base.rates.shape[-1]
    weights = 2.0 * np.arange(n) - n + 1.0
    pairs = (np.sort(base.rates, axis=-1) * weights).sum(-1) / (n * (n - 1) / 2)
    return np.asarray((pairs.sum(-1) / np.maximum(1, base.lengths)).mean(1))
