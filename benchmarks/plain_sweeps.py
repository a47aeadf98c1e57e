"""The sweeps of the technical reports as plain loops, one configuration after another, in Python numbers.

They are what the batched programs of ``coopgym.validation`` are timed beside, and a second opinion on their results.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence

import numpy as np
from scipy.optimize import minimize_scalar

Levels = Mapping[str, Sequence[float]]


def tr1(trials: np.ndarray, form: str, curvature: float, synergy: float) -> np.ndarray:
    """Cooperation increase [%] of each trial; rows of shares and dependence alpha_0, alpha_1, D_01, D_10."""
    base = curvature - 1.0 if form == "log" else curvature ** (1.0 / (1.0 - curvature))
    return np.array([_venture(form, curvature, synergy, base, *map(float, row)) for row in trials])


def _venture(form: str, theta: float, gamma: float, base: float, a0: float, a1: float, d01: float, d10: float) -> float:
    k = (0.5 * gamma * (a0 + d01 * a1), 0.5 * gamma * (a1 + d10 * a0))

    def best(pull: float, rho: float) -> float:
        slope = 1.0 - pull * rho
        least = theta / 101.0 if form == "log" else theta * 100.0 ** (theta - 1.0)
        if slope <= least:
            return 100.0
        inside = theta / slope - 1.0 if form == "log" else (theta / slope) ** (1.0 / (1.0 - theta))
        return min(max(inside, 0.01), 100.0)

    low, high = -0.5 * math.log(1e4), 0.5 * math.log(1e4)
    for _ in range(70):
        middle = 0.5 * (low + high)
        x, y = best(k[0], math.exp(middle)), best(k[1], math.exp(-middle))
        if math.log(y / x) > 2.0 * middle:
            low = middle
        else:
            high = middle
    return 100.0 * ((x + y) / (2.0 * base) - 1.0)


def tr2(levels: Levels) -> dict[str, float]:
    """Medians of three statistics over all rows that the suite enumerates, the product form."""
    rows = [_observer(*row[:5]) for row in itertools.product(*levels.values())]
    names = ("hysteresis_recovery_35", "cumulative_amplification", "time_to_50pct_recovery")
    return {name: float(np.median(x)) for name, x in zip(names, zip(*rows, strict=True), strict=True)}


def _observer(up: float, down: float, harm: float, fade: float, xi: float) -> tuple[float, float, float]:
    """All eighteen statistics are simulated, as in the suite; three are given back."""

    def follow(trust: float, signals: Sequence[float], dependence: float = 0.5) -> list[float]:
        damage, path = 0.0, [trust]
        for s in signals:
            change = up * s * (1.0 - trust) * (1.0 - damage) if s > 0 else down * s * trust * (1.0 + xi * dependence)
            damage += -harm * s * (1.0 - damage) if s < 0 else -fade * damage
            trust, damage = min(max(trust + change, 0.0), 1.0), min(max(damage, 0.0), 1.0)
            path.append(trust)
        return path

    good, bad = math.tanh(2.0), math.tanh(-3.0)
    scar = follow(0.85, [bad, *[good] * 100])[1:]
    many, one = follow(0.8, [math.tanh(-1.0)] * 4), follow(0.8, [math.tanh(-4.0)])
    for dependence in (0.2, 0.8):
        follow(0.8, [math.tanh(-2.0)], dependence)
    follow(0.5, [good] * 50)
    follow(0.8, [math.tanh(-2.0)] * 2)
    follow(0.7, [math.tanh(1.0), math.tanh(-0.5)] * 15)
    after = follow(0.8, [bad, *[good] * 100])[1:]
    half = after[0] + 0.5 * (0.8 - after[0])
    steps = next((float(t) for t, x in enumerate(after) if t and x >= half), 100.0)
    return max(scar[:36]) / 0.85, (0.8 - many[-1]) / (0.8 - one[-1]), steps


def tr3(levels: Levels) -> np.ndarray:
    """Mean effort of each row in closed form; members count the mean of their teammates' payoffs."""
    return np.array([_team(*row) for row in itertools.product(*levels.values())])


def _team(omega: float, beta: float, c: float, n: int, theta: float) -> float:
    total = (omega * beta * (1.0 + 0.8 * theta) / (n * c * (1.0 - 0.3 * theta))) ** (1.0 / (1.0 - beta))
    return min(max(total / n, 0.01), 50.0)


def tr3_searched(levels: Levels) -> np.ndarray:
    """The same by the suite's method: best replies in turn, each by a bounded line search, until they rest."""
    return np.array([_searched(*row) for row in itertools.product(*levels.values())])


def _searched(omega: float, beta: float, c: float, n: int, theta: float, sweeps: int = 1000) -> float:
    efforts = [25.0] * n

    def loss(effort: float, others: float) -> float:
        share = omega * (effort + others) ** beta / n
        mates = share - c * others / (n - 1)
        return -(share - c * effort + theta * (0.8 * mates + 0.3 * c * effort))

    for _ in range(sweeps):
        moved = 0.0
        for i in range(n):
            others = sum(efforts) - efforts[i]
            found = minimize_scalar(
                loss, bounds=(0.01, 50.0), args=(others,), method="bounded", options={"xatol": 1e-5}
            )
            moved, efforts[i] = max(moved, abs(float(found.x) - efforts[i])), float(found.x)
        if moved < 1e-6:
            break
    return sum(efforts) / n


def tr4(levels: Levels) -> dict[str, float]:
    """Shares [%] of two targets over all rows that the suite enumerates."""
    rows = [_pair(*row) for row in itertools.product(*levels.values())]
    emerged, forgiven = (100.0 * float(np.mean(x)) for x in zip(*rows, strict=True))
    return {"emergence_pct": emerged, "forgiveness_pct": forgiven}


def _pair(rho: float, eta: float, kappa: float, k: float, strength: float, trust: float) -> tuple[bool, bool]:
    """All four runs of a row, as in the suite; two targets are given back."""
    D = (0.8, 0.4)
    weight = [strength * (1.0 + 0.6 * d) * rho * d**eta for d in D]

    def run(steps: int, start: float, shock: bool = False) -> list[tuple[float, float]]:
        a, t, r, path = [0.5, 0.5], [start, start], [0.0, 0.0], []
        for now in range(steps + 1):
            if shock and now == 10:
                a[1] = 0.10
            path.append((a[0], a[1]))
            signal = (a[1] - 0.3, a[0] - 0.3)  # what each sees of the other
            for i in (0, 1):
                s, own = signal[i], a[i] - 0.3
                pull = weight[i] * t[i] * math.tanh(kappa * s)
                ceiling = max(0.0, min(0.9, 1.0 - 0.6 * r[i]))
                change = 0.1 * s * max(0.0, ceiling - t[i]) if s > 0 else 0.3 * s * t[i] * (1.0 + 0.5 * D[i])
                t[i] = min(max(t[i] + change, 0.0), ceiling)
                r[i] = min(max(r[i] + 0.6 * abs(s) * (1.0 - r[i]), 0.0), 1.0) if s < 0 else r[i] - 0.03 * r[i]
                a[i] = min(max(a[i] + 0.15 * pull - 0.01 * own, 0.0), 1.0)
        return path

    together, defected = run(30, trust), run(100, trust, shock=True)
    run(20, 0.9), run(20, 0.3)
    h = int(min(20 + 2 * k, 90))
    now, earlier = defected[h][0], defected[max(h - 10, 15)][0]
    lowest = min(defected[t][0] for t in range(11, min(40, h)))
    routes = (now > 0.5 * together[min(h, 30)][0], now - earlier > 0.001 and now > 0.35, now > 0.02 + lowest)
    return sum(together[30]) / 2.0 > 0.53, any(routes)
