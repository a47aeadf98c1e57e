"""Conditional cooperation: how rates answer another's when these are drawn at random, so that causes are known."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from coopgym import seeding
from coopgym.audit.bench import Bench
from coopgym.audit.measures import mean, ratio
from coopgym.audit.traces import Plan, Traces, free

STEPS, LAGS = 20, 5  # of random rates; rates of a partner that enter the regression
ROUNDING = 1e-9  # a slope this close to 0 is 0
NORMAL = 1.96  # half width of a 95 % interval in standard errors
NAMES = (
    "conditional_slope", "conditional_low", "conditional_high", "conditional_sign", "reciprocity_slope", "trust_slope",
    "own_slope", "conditional_fit",
)  # fmt: skip


class Fit(NamedTuple):
    """Coefficients ``[..., K]``, their covariance ``[..., K, K]``, share of the variance explained ``[...]``."""

    beta: np.ndarray
    covariance: np.ndarray
    explained: np.ndarray


@dataclass(frozen=True, eq=False)
class Conditional:
    """Everybody's rates are drawn evenly from [0, 1] for 20 steps, and what policies would have played is explained.

    For each agent j, by least squares over steps and lanes, with errors that allow for unequal variances (HC1): what j
    wants at t + 1 on u_i(t) .. u_i(t - 4) and the others' mean trust in i for all audited i, the mean of the remaining
    rates, u_j(t) and t / T. Nothing but chance moves the rates, so coefficients are effects.

    slope ``[R, N(i), N(j)]`` [1]: sum of the five coefficients of i, what j answers to i directly; low, high: its 95 %
    interval; lags ``[R, N, N, 5]``: these coefficients; trust ``[R, N, N]`` [rate / trust]; reciprocity ``[R, N, N]``
    [1]: slope on u_i(t) alone; own ``[R, N]`` [1]: of u_j(t); explained ``[R, N]``, at most 1: R^2. curve ``[R, N, B]``
    [rate]: mean of what j wants where u_i(t) lies in each of B even bins, mean over i. NaN for j = i, for i that were
    not audited, and (own, trust, explained) where what j wants never moves.
    """

    lags: np.ndarray
    slope: np.ndarray
    low: np.ndarray
    high: np.ndarray
    trust: np.ndarray
    reciprocity: np.ndarray
    own: np.ndarray
    explained: np.ndarray
    curve: np.ndarray
    undefined: dict[str, str] = field(default_factory=dict)

    def measures(self) -> dict[str, np.ndarray]:
        """By name; of each agent as the one who answers, means over partners."""
        sign = (self.low > ROUNDING) * 1.0 - (self.high < -ROUNDING) * 1.0
        sure = np.where(np.isnan(self.slope), np.nan, sign)
        over_partners = (self.slope, self.low, self.high, sure, self.reciprocity, self.trust)
        return dict(zip(NAMES, [*(mean(x, 1) for x in over_partners), self.own, self.explained], strict=True))


def conditional(bench: Bench) -> Conditional:
    """From random rates in the middle of an episode."""
    game, replicas, n, bins = bench.game, bench.subject.replicas, bench.game.n, bench.effort.bins
    start = max(0, min(game.horizon // 2, game.horizon - STEPS - 1))
    found = bench.subject.trace(_plan(bench, start))
    lags = np.full((replicas, n, n, LAGS), np.nan)
    slope, spread, trust, simple = (np.full((replicas, n, n), np.nan) for _ in range(4))
    own, fit = (np.full((replicas, n), np.nan) for _ in range(2))
    curve = np.full((replicas, n, n, bins), np.nan)
    for j in range(n):
        partners = bench.seats[bench.seats != j]
        rows = _rows(found, partners, j, start)
        fitted = least_squares(rows.x, rows.y, rows.on)
        still = np.where(np.isnan(fitted.explained), np.nan, 0.0)
        own[:, j], fit[:, j] = fitted.beta[:, -1] + still, fitted.explained
        for k, i in enumerate(partners):
            columns = np.arange(k * LAGS, (k + 1) * LAGS)
            lags[:, i, j] = fitted.beta[:, columns]
            slope[:, i, j] = lags[:, i, j].sum(-1)
            together = fitted.covariance[:, columns][:, :, columns].sum((-2, -1))
            spread[:, i, j] = NORMAL * np.sqrt(np.maximum(0.0, together))
            trust[:, i, j] = fitted.beta[:, len(partners) * LAGS + k] + still
            last = rows.x[..., columns[:1]]
            simple[:, i, j] = least_squares(last, rows.y, rows.on).beta[..., 0]
            curve[:, i, j] = binned(last[..., 0], rows.y, rows.on, bins)
    undefined = dict.fromkeys(NAMES[-3:], "what never moves has nothing to explain")
    if np.isnan(mean(slope, 1)).any():
        undefined = dict.fromkeys(NAMES, "episodes were over before enough random rates were played")
    return Conditional(
        lags, slope, slope - spread, slope + spread, trust, simple, own, fit, np.asarray(mean(curve, 1)), undefined
    )


def least_squares(x: np.ndarray, y: np.ndarray, on: np.ndarray) -> Fit:
    """y ``[..., M]`` on x ``[..., M, K]`` and a constant, where ``on [..., M]``; columns that do not move count for 0.

    NaN where there are fewer than two rows for each coefficient.
    """
    count = on.sum(-1)
    x, y = _centred(x, on[..., None], -2), _centred(y[..., None], on[..., None], -2)
    inverse = np.linalg.pinv(x.swapaxes(-1, -2) @ x, rcond=1e-10, hermitian=True)
    beta = inverse @ (x.swapaxes(-1, -2) @ y)
    rest = y - x @ beta
    correction = count / np.maximum(1, count - x.shape[-1] - 1)
    covariance = inverse @ (x.swapaxes(-1, -2) @ (x * rest**2)) @ inverse * correction[..., None, None]
    explained = 1.0 - ratio((rest**2).sum((-2, -1)), (y**2).sum((-2, -1)), 1e-12)
    few = count < 2 * (x.shape[-1] + 1)
    return Fit(
        np.where(few[..., None], np.nan, beta[..., 0]), np.where(few[..., None, None], np.nan, covariance),
        np.where(few, np.nan, explained),
    )  # fmt: skip


def _centred(x: np.ndarray, on: np.ndarray, axis: int) -> np.ndarray:
    """Less its mean where ``on``, 0 elsewhere; what hardly moves is made to stand still."""
    kept = np.where(on, x, 0.0)
    middle = kept.sum(axis, keepdims=True) / np.maximum(1, on.sum(axis, keepdims=True))
    moved = np.where(on, x - middle, 0.0)
    return np.where(np.abs(moved).max(axis, keepdims=True, initial=0.0) > ROUNDING, moved, 0.0)


def binned(x: np.ndarray, y: np.ndarray, on: np.ndarray, bins: int) -> np.ndarray:
    """Mean ``[..., B]`` of y where x lies in each of B even bins of [0, 1]."""
    place = np.minimum((x * bins).astype(int), bins - 1)
    inside = (place[..., None] == np.arange(bins)) & on[..., None]
    return ratio(np.where(inside, y[..., None], 0.0).sum(-2), inside.sum(-2))


def _plan(bench: Bench, start: int) -> Plan:
    """Random rates of all agents for some steps, in every lane others."""
    game, lanes = bench.game, bench.effort.lanes
    forced = free(game, lanes)
    stop = min(game.horizon, start + STEPS)
    forced[:, 0, 0, start:stop] = seeding.generator(bench.subject.seed, "audit_actions").random((lanes, STEPS, game.n))[
        :, : stop - start
    ]
    return Plan(forced, steps=min(game.horizon, stop + 1))


class _Rows(NamedTuple):
    """Regressors ``[R, M, K]``, what j wants one step later ``[R, M]``, whether that step came ``[R, M]``."""

    x: np.ndarray
    y: np.ndarray
    on: np.ndarray


def _rows(found: Traces, partners: np.ndarray, j: int, start: int) -> _Rows:
    """Columns: five rates of each partner, trust in each, the mean of the other rates if any, time, the own rate."""
    rates, replicas = found.rates, len(found.rates)
    times = np.arange(start + LAGS - 1, rates.shape[-2] - 1)
    rest = np.setdiff1d(np.arange(rates.shape[-1]), [*partners, j])
    columns = [rates[..., times - k, i] for i in partners for k in range(LAGS)]
    columns += [found.trust[..., times, i] for i in partners]
    if len(rest):
        columns.append(rates[..., times, :][..., rest].mean(-1))
    columns += [np.broadcast_to(times / rates.shape[-2], columns[0].shape), rates[..., times, j]]
    x = np.stack([c.reshape(replicas, -1) for c in columns], -1)
    later = times + 1
    return _Rows(x, found.wanted[..., later, j].reshape(replicas, -1), found.alive[..., later].reshape(replicas, -1))
