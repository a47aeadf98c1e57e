"""From run records to a table: mean over seeds with a t interval, one line per algorithm and reward mode."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from coopgym.algorithms.record import NO_MODE
from coopgym.envs.reward import KINDS
from coopgym.statistics import mean_interval
from coopgym.study.identity import labels, repeats
from coopgym.study.identity import mode_label as mode_label

SHARE = (0.0, 1.0)  # what a mean of rates, or of trust, cannot leave


@dataclass(frozen=True)
class Estimate:
    """A mean over runs and its 95% interval [low, high]; both bounds are None when there are fewer than two runs."""

    mean: float
    low: float | None
    high: float | None

    def __mul__(self, factor: float) -> Estimate:
        return Estimate(*(None if x is None else factor * x for x in (self.mean, self.low, self.high)))  # type: ignore

    def within(self, low: float, high: float) -> Estimate:
        """The same with its interval cut at what the true mean cannot leave."""
        ends = (None if x is None else min(max(x, low), high) for x in (self.low, self.high))
        return Estimate(self.mean, *ends)


@dataclass(frozen=True)
class Line:
    """One line of the table: repeats of one configuration, which ``game`` and ``algorithm`` name.

    All quantities are of the deterministic policy and averaged over ``runs`` seeds.

    welfare [payoff units, sum over agents and steps]; reward [reward units of the mode trained on, sum over agents and
    steps]; cooperation [mean share of the endowment contributed]; trust [mean over pairs at the end]; length [steps];
    best_constant [payoff units]: welfare of the best of the constant policies, and share_of_best = welfare / it;
    reward_share_of_best: reward / that of the best constant policy in the mode trained on.
    diverged runs are counted and left out of every mean. team: trained on the sum of all agents' rewards, whatever the
    mode: another objective than the others'.
    """

    game: str
    algorithm: str
    reward_mode: str
    runs: int
    diverged: int
    welfare: Estimate
    reward: Estimate
    cooperation: Estimate
    trust: Estimate
    length: Estimate
    best_constant: float | None
    share_of_best: Estimate | None
    reward_share_of_best: Estimate | None
    team: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, for JSON."""
        return asdict(self)


def estimate(values: Sequence[float]) -> Estimate:
    """Mean and 95% t interval over runs; the interval is None when there is one run only.

    Raises:
        ValueError: there is no run.
    """
    return _estimate(*mean_interval(np.asarray(values, dtype=np.float64)))


def estimates(samples: Sequence[Sequence[float]]) -> list[Estimate | None]:
    """``estimate`` of each sample, all of one size at once; None of an empty one."""
    found: list[Estimate | None] = [None] * len(samples)
    sizes: dict[int, list[int]] = {}
    for place, sample in enumerate(samples):
        sizes.setdefault(len(sample), []).append(place)
    for size, places in sizes.items():
        if size:
            columns = mean_interval(np.array([samples[place] for place in places], dtype=np.float64).T)
            for place, *each in zip(places, *(column.tolist() for column in columns), strict=True):
                found[place] = _estimate(*each)
    return found


def _estimate(mean: float, low: float, high: float) -> Estimate:
    known = math.isfinite(low) and math.isfinite(high)
    return Estimate(float(mean), float(low), float(high)) if known else Estimate(float(mean), None, None)


def own_reward(row: Mapping[str, Any]) -> float:
    """Return in the mode that a run was trained on, summed over agents [reward units].

    Every mode is private + mutuality (kind - private), since W is linear in mutuality. Of a record that stands for all
    modes it is the private one.
    """
    kind, mutuality = row["reward_mode"], row["mutuality"]
    kind = "private" if kind == NO_MODE else kind
    private = float(np.sum(row["reward_private"]))
    full = float(np.sum(row[f"reward_{kind}"]))
    return private + (1.0 if mutuality is None else mutuality) * (full - private)


def cooperation_rate(row: Mapping[str, Any]) -> float:
    """Mean over agents of the share of its endowment that an agent contributed."""
    return float(np.mean(row["rate"]))


def summarise(rows: Iterable[Mapping[str, Any]]) -> list[Line]:
    """A line for each configuration, in the order of first appearance of game and algorithm, and of mutuality.

    What is no repeat has a line of its own: see ``coopgym.study.identity``, which names them.
    """
    known = sorted(rows, key=_mode_order)
    named = labels(known)
    groups = {named.cell(own[0]): own for own in repeats(known).values()}
    lines = [_line(*key, group) for key, group in groups.items() if any(r["status"] == "ok" for r in group)]
    return sorted(lines, key=lambda line: (line.game, line.algorithm))


def _mode_order(row: Mapping[str, Any]) -> tuple[int, float]:
    mutuality = row["mutuality"]
    kind = row["reward_mode"]
    return KINDS.index(kind) if kind in KINDS else -1, 1.0 if mutuality is None else mutuality


def _line(game: str, algorithm: str, mode: str, rows: list[Mapping[str, Any]]) -> Line:
    good = [row for row in rows if row["status"] == "ok"]
    welfare, reward = estimate([row["welfare"] for row in good]), estimate([own_reward(row) for row in good])
    best = good[0]["best_constant_welfare"]
    return Line(
        game=game,
        algorithm=algorithm,
        reward_mode=mode,
        runs=len(good),
        diverged=len(rows) - len(good),
        welfare=welfare,
        reward=reward,
        cooperation=estimate([cooperation_rate(row) for row in good]).within(*SHARE),
        trust=estimate([row["final_trust"] for row in good]).within(*SHARE),
        length=estimate([row["length"] for row in good]),
        best_constant=best,
        share_of_best=_share(welfare, best),
        reward_share_of_best=_share(reward, good[0]["best_constant_reward"]),
        team=bool(good[0].get("team_reward")),
    )


def _share(x: Estimate, of: float | None) -> Estimate | None:
    """``x`` as a share of a positive yardstick."""
    return x * (1.0 / of) if of is not None and of > 0 else None
