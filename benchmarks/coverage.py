"""How often each interval of coopgym.statistics contains the true value: simulated worlds, a table, JSON.

    python benchmarks/coverage.py [--worlds 4000] [--only mean,aggregate,rank,chance,power] [--out FILE]

A world is a set of runs drawn from distributions whose true value is known. A minute or two.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats
from timing import machine

from coopgym.statistics import (
    aggregate_interval,
    chance_interval,
    mean_interval,
    rank_intervals,
    seeds_needed,
    share_interval,
    stratified_mean,
)

PARTS = ("mean", "aggregate", "rank", "chance", "power")
SEEDS, GAMES = (3, 5, 7, 20), (1, 5, 20)
PLAYERS = 5
SHAPES = {  # scores of a run: mean 0 and deviation 1
    "normal": stats.norm(),
    "skewed": stats.expon(loc=-1.0),  # a long tail: skewness 2
    "bounded": stats.beta(2.0, 0.5, loc=-0.8 / 0.21380899, scale=1.0 / 0.21380899),  # most runs near the upper end
}
Row = dict[str, Any]


def covered(low: Any, high: Any, truth: Any) -> float:
    """Share of intervals with the true value; what differs in the ninth digit is rounding."""
    slack = 1e-9
    return round(float(np.mean((np.asarray(low) <= truth + slack) & (np.asarray(high) >= truth - slack))), 4)


def setting(shape: str, games: int) -> tuple[np.ndarray, np.ndarray]:
    """Levels of the games, evenly apart from 0 to 1, and deviations of their runs, which differ tenfold."""
    draw = np.random.default_rng(games)
    return np.linspace(0.0, 1.0, games) if games > 1 else np.full(1, 0.5), 0.1 * np.exp(draw.normal(0.0, 0.7, games))


def truth(shape: str, statistic: str, level: np.ndarray, deviation: np.ndarray) -> float:
    """Of an aggregate of the true distributions."""
    if statistic != "iqm":
        return float(np.median(level) if statistic == "median" else level.mean())
    inside = np.linspace(0.0, 1.0, 200_001)[1:-1]
    points = np.sort(np.concatenate([x + d * SHAPES[shape].ppf(inside) for x, d in zip(level, deviation, strict=True)]))
    return float(stats.trim_mean(points, 0.25))


def means(worlds: int) -> list[Row]:
    """Of the mean over runs, and of the mean paired difference of two such samples."""
    rows = []
    for name, shape in SHAPES.items():
        for seeds in SEEDS:
            draw = np.random.default_rng([seeds, len(name)])
            x, y = (shape.rvs((seeds, worlds), random_state=draw) for _ in range(2))
            for what, values in (("mean", x), ("paired difference", x - y)):
                found = mean_interval(values)
                width = round(float(np.median(found.high - found.low)), 3)
                rows.append({"what": what, "scores": name, "games": 1, "seeds": seeds,
                             "coverage": covered(found.low, found.high, 0.0), "width": width})  # fmt: skip
    return rows


def aggregates(worlds: int) -> list[Row]:
    """Of each aggregate over games."""
    rows = []
    for name, shape in SHAPES.items():
        for games in GAMES:
            level, deviation = setting(name, games)
            for seeds in SEEDS:
                draw = np.random.default_rng([seeds, games, len(name)])
                scores = level[:, None] + deviation[:, None] * shape.rvs((worlds, games, seeds), random_state=draw)
                worlds_last = list(scores.transpose(1, 2, 0))
                middle = np.argsort(scores.mean(-1), axis=-1)[:, (games - 1) // 2 : games // 2 + 1, None]
                each = {
                    "mean": aggregate_interval(worlds_last, "mean"),
                    "median": stratified_mean(list(np.take_along_axis(scores, middle, 1).transpose(1, 2, 0))),
                    "iqm": aggregate_interval(worlds_last, "iqm"),
                }
                for statistic, (_, low, high) in each.items():
                    rows.append({"what": f"{statistic} over games", "scores": name, "games": games, "seeds": seeds,
                                 "coverage": covered(low, high, truth(name, statistic, level, deviation)),
                                 "width": round(float(np.median(high - low)), 3)})  # fmt: skip
    return rows


def ranks(worlds: int) -> list[Row]:
    """Of average ranks of five players: true means that are a billionth apart, or a standard deviation."""
    rows = []
    for name, shape in SHAPES.items():
        for games in GAMES:
            for gap_name, gap in (("alike", 1e-9), ("near", 1.0)):
                level = gap * np.stack([np.random.default_rng(g).permutation(PLAYERS) for g in range(games)], -1)
                true = stats.rankdata(-level, axis=0).mean(1)
                for seeds in SEEDS:
                    draw = np.random.default_rng([seeds, games, len(name)])
                    noise = shape.rvs((PLAYERS, games, seeds, worlds), random_state=draw)
                    _, low, high = (part[:, 0] for part in rank_intervals(level[..., None, None] + noise))
                    each = [covered(low[:, a], high[:, a], true[a]) for a in range(PLAYERS)]
                    rows.append({"what": f"average rank, players {gap_name}", "scores": name, "games": games,
                                 "seeds": seeds, "coverage": round(float(np.mean(each)), 4), "least": min(each),
                                 "width": round(float(np.mean(high - low)), 3)})  # fmt: skip
    return rows


def chances(worlds: int) -> list[Row]:
    """Of the chance that one player's run scores more than another's, and of the share of runs above a level.

    Games are alike, or differ from no chance of improvement to nearly a certain one.
    """
    rows = []
    for gap_name, low, high in (("none", 0.0, 0.0), ("large", 3.0, 3.0), ("by game", -4.0, 4.0)):
        for games in GAMES:
            gap = np.linspace(low, high, games) if games > 1 else np.full(1, high)
            for seeds in SEEDS:
                draw = np.random.default_rng([seeds, games])
                x = gap[:, None, None] + draw.standard_normal((games, seeds, worlds))
                each = {
                    "chance of improvement": (chance_interval(x, draw.standard_normal(x.shape)), 2.0**0.5),
                    "share above a level": (share_interval(x > 0.0), 1.0),
                }
                for what, ((_, least, most), scale) in each.items():
                    true = float(stats.norm.cdf(gap / scale).mean())
                    rows.append({"what": f"{what}, difference {gap_name}", "scores": "normal", "games": games,
                                 "seeds": seeds, "coverage": covered(least, most, true),
                                 "width": round(float(np.median(most - least)), 3)})  # fmt: skip
    return rows


def powers(worlds: int) -> list[Row]:
    """Power of the t test with the seeds that are said to be needed, and with one fewer, by simulated t values."""
    rows = []
    draw = np.random.default_rng(0)
    for effect in np.geomspace(0.03, 10.0, 60):
        seeds = seeds_needed(float(effect))
        row: Row = {"effect": round(float(effect), 5), "seeds": seeds}
        for name, n in (("power", seeds), ("power_of_one_fewer", None if seeds in (None, 2) else seeds - 1)):
            if n is not None:
                freedom = 2 * n - 2
                value = effect * np.sqrt(n / 2.0) + draw.standard_normal(50 * worlds)
                value /= np.sqrt(draw.chisquare(freedom, 50 * worlds) / freedom)
                row[name] = round(float(np.mean(np.abs(value) > stats.t.ppf(0.975, freedom))), 4)
        rows.append(row)
    return rows


def main() -> int:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worlds", type=int, default=4000)
    parser.add_argument("--only", default=",".join(PARTS), help=f"parts to measure, of {', '.join(PARTS)}")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "coverage.json")
    options = parser.parse_args()
    work = {"mean": means, "aggregate": aggregates, "rank": ranks, "chance": chances, "power": powers}
    about, start = machine(), time.perf_counter()
    known = json.loads(options.out.read_text())["results"] if options.out.exists() else {}
    for part in options.only.split(","):
        known[part] = work[part](options.worlds)
        for row in known[part]:
            print(" ".join(f"{name}={value}" for name, value in row.items()), flush=True)
    seconds = round(time.perf_counter() - start)
    report = {"machine": about, "worlds": options.worlds, "level": 0.95, "seconds": seconds, "results": known}
    options.out.write_text(json.dumps(report, indent=1) + "\n")
    print(f"\nwritten to {options.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
