"""What an agent gains, and the others lose, when it leaves its policy while they go on with theirs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from coopgym.audit.bench import Bench
from coopgym.audit.effort import step_of
from coopgym.audit.measures import ratio
from coopgym.audit.traces import Plan, Traces
from coopgym.envs.reward import RewardMode
from coopgym.oracles.exploitability import exploitability
from coopgym.oracles.scale import size, unit

ROOM = 20_000_000  # numbers that the interventions of some seats may fill


@dataclass(frozen=True, eq=False)
class Gains:
    """Of deviations (t0, level, span) of each agent, ``[R, N, K, L, D]``, NaN for agents that were not audited and for
    deviations from a step on that is not played, because a rule ends the game before.

    gain: P_i(deviation) - P_i; loss: mean over j != i of P_j(deviation) - P_j, negative where the others are harmed;
    counted: gain > tau and loss < -tau; size ``[R, N]``: |P_i|, what a relative gain is divided by (where it is next to
    nothing, a millionth of what a step can pay). Payoffs, or rewards of the mode trained on.
    """

    gain: np.ndarray
    loss: np.ndarray
    counted: np.ndarray
    size: np.ndarray
    profitable: np.ndarray

    @property
    def where(self) -> np.ndarray:
        """Position of the best deviation in the flattened grid, ``[R, N]``."""
        return np.asarray(np.nan_to_num(self._flat(self.gain), nan=-np.inf).argmax(-1))

    @property
    def best(self) -> np.ndarray:
        """Largest gain ``[R, N]``; negative where all that was tried costs the deviator."""
        gains = self._flat(self.gain)
        return np.asarray(np.where(np.isnan(gains).all(-1), np.nan, np.nan_to_num(gains, nan=-np.inf).max(-1)))

    @property
    def relative(self) -> np.ndarray:
        """``best`` as a share of ``size``."""
        return np.asarray(self.best / self.size)

    def at_best(self, x: np.ndarray) -> np.ndarray:
        """An array of the grid at each agent's best deviation, ``[R, N]``."""
        return np.take_along_axis(self._flat(x), self.where[..., None], -1)[..., 0]

    @property
    def exploitable(self) -> np.ndarray:
        """Share of the grid that counts, of what could be tried ``[R, N]``."""
        possible = ~np.isnan(self._flat(self.gain))
        return ratio((self._flat(self.counted) & possible).sum(-1), possible.sum(-1))

    @property
    def harm(self) -> np.ndarray:
        """What all others lose for each unit gained, at the best deviation; NaN where none is profitable."""
        n, gained = self.gain.shape[1], np.where(self.at_best(self.profitable) > 0, self.best, np.nan)
        return ratio(-(n - 1) * self.at_best(self.loss), gained)

    @staticmethod
    def _flat(x: np.ndarray) -> np.ndarray:
        return np.asarray(x.reshape(*x.shape[:2], -1))


@dataclass(frozen=True, eq=False)
class Deviations:
    """Gains against partners that react, in payoffs and in rewards, and against partners that play as if nothing had
    happened (replayed).

    starts ``[K]``, spans ``[D]`` [steps]; levels ``[L - 1]`` rates, of which the last is followed by each agent's
    selfish reply ``[R, N]``. sustained ``[R, N, N]``: payoffs of all where agent i plays its selfish reply throughout.
    Best gains are payoffs over an episode; relative: over |P_i|; onset, in [0, 1] or inf: the earliest t0 / T
    at which the level of the best deviation exploits; deterrence: best gain against a replay less that against partners
    who react: what their reactions are worth as protection. exploit, exploit_reward ``[R, N]``: gain of the best reply
    found to the profile, NaN unless asked for.
    """

    paid: Gains
    rewarded: Gains
    replayed: Gains
    starts: tuple[int, ...]
    levels: np.ndarray
    selfish: np.ndarray
    spans: tuple[int, ...]
    sustained: np.ndarray
    exploit: np.ndarray
    exploit_reward: np.ndarray
    undefined: dict[str, str] = field(default_factory=dict)

    @property
    def deterrence(self) -> np.ndarray:
        """``[R, N]`` [payoff]."""
        return np.asarray(self.replayed.best - self.paid.best)

    @property
    def onset(self) -> np.ndarray:
        """``[R, N]`` share of the horizon."""
        grid = self.paid.counted.any(-1)  # [R, N, K, L]
        level = np.unravel_index(self.paid.where, self.paid.gain.shape[2:])[1]
        flagged = np.take_along_axis(grid, level[..., None, None], -1)[..., 0]
        times = np.array(self.starts) / self._horizon
        first = np.where(flagged, times, np.inf).min(-1)
        return np.where(np.isnan(self.paid.best), np.nan, first)

    @property
    def _horizon(self) -> int:
        return self.spans[-1]  # the last goes to the end

    def best_deviation(self) -> dict[str, np.ndarray]:
        """start [step], rate and span [steps] of each agent's best deviation in payoffs, each ``[R, N]``."""
        k, level, d = np.unravel_index(self.paid.where, self.paid.gain.shape[2:])
        chosen = np.where(level < len(self.levels), np.append(self.levels, np.nan)[level], self.selfish)
        return {"start": np.array(self.starts)[k], "rate": chosen, "span": np.array(self.spans)[d]}

    def measures(self) -> dict[str, np.ndarray]:
        """By name."""
        paid, rewarded = self.paid, self.rewarded
        one_step, lasting = (np.nan_to_num(paid.gain[..., d], nan=-np.inf).max((2, 3)) for d in (0, -1))
        one_step, lasting = (np.where(np.isinf(x), np.nan, x) for x in (one_step, lasting))
        return {
            "best_gain": paid.best, "best_gain_relative": paid.relative, "best_gain_one_step": one_step,
            "best_gain_sustained": lasting, "harm_at_best": paid.at_best(paid.loss), "harm_ratio": paid.harm,
            "exploitable": paid.exploitable, "onset": self.onset, "best_gain_replayed": self.replayed.best,
            "deterrence": self.deterrence, "best_gain_reward": rewarded.best,
            "best_gain_relative_reward": rewarded.relative, "exploitable_reward": rewarded.exploitable,
            "exploitability": self.exploit, "exploitability_reward": self.exploit_reward,
        }  # fmt: skip


def deviations(bench: Bench) -> Deviations:
    """Try the grid for every audited seat."""
    subject, game, fine = bench.subject, bench.game, bench.effort
    starts = tuple(sorted({step_of(start, game.horizon) for start in fine.starts}))
    spans = tuple(game.horizon if span is None else min(span, game.horizon) for span in fine.spans)
    grid = _Grid(bench, starts, np.linspace(0.0, 1.0, fine.levels), spans)
    reacting, replayed = grid.play(), grid.play(_while_played(subject.base))
    undefined = {}
    played = np.asarray(subject.base.alive[..., list(starts)].any(1))  # [R, K]
    step = np.full((subject.replicas, 1), unit(game, RewardMode("private")))
    step_rewards = np.array([[unit(game, mode)] for mode in subject.modes])
    paid = _gains(bench, reacting.payoffs, subject.base.payoffs.sum(-2), played, step)
    if np.isnan(paid.harm).any():
        undefined["harm_ratio"] = "no deviation that was tried is profitable"
    exploit = [np.full((subject.replicas, game.n), np.nan)] * 2
    if fine.exploit:
        plain = _exploited(bench, own=False)
        private = all(mode.kind == "private" for mode in subject.modes)
        exploit = [plain, plain if private else _exploited(bench, own=True)]
    else:
        why = 'best replies are searched with effort="full" only'
        undefined |= {"exploitability": why, "exploitability_reward": why}
    return Deviations(
        paid=paid, rewarded=_gains(bench, reacting.rewards, subject.base.rewards.sum(-2), played, step_rewards),
        replayed=_gains(bench, replayed.payoffs, subject.base.payoffs.sum(-2), played, step), starts=starts,
        levels=grid.levels, selfish=bench.selfish, spans=spans,
        sustained=bench.everybody(reacting.payoffs[:, :, 0, -1, -1].mean(2)), exploit=exploit[0],
        exploit_reward=exploit[1], undefined=undefined,
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class _Played:
    """payoffs, rewards ``[R, S, K, L, D, E, N]``."""

    payoffs: np.ndarray
    rewards: np.ndarray


@dataclass(frozen=True, eq=False)
class _Grid:
    """All deviations; those that come to the same, because the episode ends, are played once."""

    bench: Bench
    starts: tuple[int, ...]
    levels: np.ndarray
    spans: tuple[int, ...]

    def windows(self) -> tuple[list[tuple[int, int]], np.ndarray]:
        """(distinct (first, end), which of them each (start, span) is ``[K, D]``)."""
        horizon = self.bench.game.horizon
        all_ = [[(a, min(a + d, horizon)) for d in self.spans] for a in self.starts]
        distinct = sorted({window for row in all_ for window in row})
        return distinct, np.array([[distinct.index(window) for window in row] for row in all_])

    def forced(self, seats: np.ndarray) -> np.ndarray:
        """Rates ``[seats x windows x levels, R, 1, T, N]``."""
        bench, (windows, _) = self.bench, self.windows()
        count, replicas = len(self.levels) + 1, bench.subject.replicas
        shape = (len(seats), len(windows), count, replicas, 1, bench.game.horizon, bench.game.n)
        forced = np.full(shape, np.nan)
        for s, i in enumerate(seats):
            rates = np.concatenate([np.repeat(self.levels[:, None], replicas, 1), bench.selfish[None, :, i]])
            for w, (a, b) in enumerate(windows):
                forced[s, w, :, :, 0, a:b, i] = rates[..., None]
        return forced.reshape(-1, *shape[3:])

    def play(self, replayed: np.ndarray | None = None) -> _Played:
        """Totals of all deviations."""
        windows, which = self.windows()
        found: list[list[np.ndarray]] = [[], []]
        for seats in self._groups(len(windows)):
            totals = self.bench.subject.totals(Plan(self.forced(seats), replayed))
            for kept, x in zip(found, totals, strict=True):
                shaped = x.reshape(x.shape[0], len(seats), len(windows), len(self.levels) + 1, *x.shape[2:])
                kept.append(np.moveaxis(shaped[:, :, which], 4, 3))
        return _Played(*(np.concatenate(x, axis=1) for x in found))

    def _groups(self, windows: int) -> Iterator[np.ndarray]:
        """Seats whose interventions fit in memory together."""
        bench = self.bench
        each = windows * (len(self.levels) + 1) * bench.subject.replicas * bench.game.horizon * bench.game.n
        size = max(1, ROOM // each)
        for k in range(0, len(bench.seats), size):
            yield bench.seats[k : k + size]


def _gains(bench: Bench, deviated: np.ndarray, base: np.ndarray, played: np.ndarray, step: np.ndarray) -> Gains:
    """deviated ``[R, S, K, L, D, E, N]``, base ``[R, E, N]``; played ``[R, K]``: starts that an episode reaches;
    step ``[R, 1]``: what a step can pay."""
    n, seats = bench.game.n, bench.seats
    before = base[:, None, None, None, None]
    change = deviated - before
    own = np.stack([change[:, s, ..., i] for s, i in enumerate(seats)], 1)  # [R, S, K, L, D, E]
    others = (change.sum(-1) - own) / (n - 1)
    value = np.stack([base[..., i] for i in seats], 1)[:, :, None, None, None]
    rest = (base.sum(-1)[:, None] - np.stack([base[..., i] for i in seats], 1)) / (n - 1)
    tau = _tau(bench, own, value)
    profitable = own.mean(-1) > tau
    harmful = others.mean(-1) < -_tau(bench, others, rest[:, :, None, None, None])
    possible = played[:, None, :, None, None]
    return Gains(
        gain=bench.everybody(np.where(possible, own.mean(-1), np.nan)),
        loss=bench.everybody(np.where(possible, others.mean(-1), np.nan)),
        counted=bench.everybody(profitable & harmful & possible) > 0, size=size(base.mean(1), step),
        profitable=bench.everybody(profitable & possible) > 0,
    )  # fmt: skip


def _while_played(base: Traces) -> np.ndarray:
    """Rates ``[R, E, T, N]`` of undisturbed play; NaN once it is over: if a deviation prolongs a game, its partners
    are free from there on."""
    return np.where(base.alive[..., None], base.rates, np.nan)


def _tau(bench: Bench, difference: np.ndarray, of: np.ndarray) -> np.ndarray:
    """``[..., E]`` -> ``[...]``."""
    return bench.counts(difference[..., None], np.broadcast_to(of, difference.shape)[..., None])[..., 0]


def _exploited(bench: Bench, own: bool) -> np.ndarray:
    """Gain ``[R, N]`` of best replies found in payoffs, or in rewards of the mode trained on."""
    subject, game = bench.subject, bench.game
    result = np.full((subject.replicas, game.n), np.nan)
    for r, mode in enumerate(subject.modes):
        one = subject.player[r] if subject.player.stacked else subject.player  # type: ignore[index]
        seats = [int(i) for i in bench.seats]
        found = exploitability(one, game, mode if own else "private", agents=seats, draws=subject.episodes)
        result[r, bench.seats] = found.gain
    return result
