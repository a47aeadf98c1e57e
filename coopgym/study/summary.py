"""From run records to a table: mean over seeds with a bootstrap interval, one line per algorithm and reward mode."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.stats import bootstrap

from coopgym import seeding
from coopgym.algorithms.record import NO_MODE
from coopgym.envs.reward import KINDS
from coopgym.study.identity import labels, repeats
from coopgym.study.identity import mode_label as mode_label

RESAMPLES = 9_999


@dataclass(frozen=True)
class Estimate:
    """A mean over runs and its 95% interval [low, high]; both bounds are None when there are fewer than two runs."""

    mean: float
    low: float | None
    high: float | None

    def __mul__(self, factor: float) -> Estimate:
        return Estimate(*(None if x is None else factor * x for x in (self.mean, self.low, self.high)))  # type: ignore


@dataclass(frozen=True)
class Line:
    """One line of the table: repeats of one configuration, which ``game`` and ``algorithm`` name.

    All quantities are of the deterministic policy and averaged over ``runs`` seeds.

    welfare [payoff units, sum over agents and steps]; reward [reward units of the mode trained on, sum over agents and
    steps]; cooperation [mean share of the endowment contributed]; trust [mean over pairs at the end]; length [steps];
    best_constant [payoff units]: welfare of the best of the constant policies, and share_of_best = welfare / it;
    reward_share_of_best: reward / that of the best constant policy in the mode trained on.
    diverged runs are counted and left out of every mean.
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

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, for JSON."""
        return asdict(self)


def estimate(values: Sequence[float]) -> Estimate:
    """Mean and 95% interval over runs, as ``band`` gives it; the interval is None when there is one run only."""
    mean, low, high = (float(x) for x in band(np.asarray(values, dtype=np.float64)))
    return Estimate(mean, low, high) if len(values) > 1 else Estimate(mean, None, None)


def estimates(samples: Sequence[Sequence[float]]) -> list[Estimate | None]:
    """``estimate`` of each sample, all of one size at once; None of an empty one."""
    found: list[Estimate | None] = [None] * len(samples)
    sizes: dict[int, list[int]] = {}
    for place, sample in enumerate(samples):
        sizes.setdefault(len(sample), []).append(place)
    for size, places in sizes.items():
        if size:
            columns = band(np.array([samples[place] for place in places], dtype=np.float64).T)
            for place, mean, low, high in zip(places, *(column.tolist() for column in columns), strict=True):
                found[place] = Estimate(mean, low, high) if size > 1 else Estimate(mean, None, None)
    return found


def band(values: np.ndarray, seed: int = 0, resamples: int = RESAMPLES) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(mean, low, high), each ``[...]``, over the first axis of ``values [runs, ...]``.

    low and high bound the 95% percentile bootstrap interval of the mean (Agarwal et al. 2021 say why intervals, not
    deviations). Resampling is seeded, so a table can be printed twice. Where all runs agree, and where there is only
    one, both equal the mean. Raises ValueError without a run.
    """
    x = np.asarray(values, dtype=np.float64)
    if not x.size:
        raise ValueError("values=[]: there is nothing to average; give at least one run")
    mean = x.mean(axis=0)
    same = np.ptp(x, axis=0) == 0.0  # resampled means of equal numbers differ in the last digit
    if same.all():
        return mean, mean, mean
    rng = seeding.generator(seed, "resampling")
    found = bootstrap(
        (x,), np.mean, n_resamples=resamples, batch=500, axis=0, method="percentile", rng=rng
    ).confidence_interval
    return mean, np.where(same, mean, found.low), np.where(same, mean, found.high)


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
        cooperation=estimate([cooperation_rate(row) for row in good]),
        trust=estimate([row["final_trust"] for row in good]),
        length=estimate([row["length"] for row in good]),
        best_constant=best,
        share_of_best=_share(welfare, best),
        reward_share_of_best=_share(reward, good[0]["best_constant_reward"]),
    )


def _share(x: Estimate, of: float | None) -> Estimate | None:
    """``x`` as a share of a positive yardstick."""
    return x * (1.0 / of) if of is not None and of > 0 else None
