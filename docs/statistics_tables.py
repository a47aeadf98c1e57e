"""Writes docs/statistics.md: ``python docs/statistics_tables.py [--write]``.

The tables come from ``benchmarks/results/coverage.json``, which ``benchmarks/coverage.py`` makes. Without ``--write``
it says whether the page is up to date (exit code 1 if not).
"""

from __future__ import annotations

import json
from typing import Any

from learner_tables import ROOT, table
from readme_tables import keep

from coopgym.statistics import ABOUT

PAGE = ROOT / "docs" / "statistics.md"
RESULTS = ROOT / "benchmarks" / "results" / "coverage.json"
PARTS = {"mean": "means", "aggregate": "aggregates over games", "rank": "average ranks", "chance": "chances and shares"}
NEAR = 0.02  # of the nominal level
NOISE = 2.0  # standard errors of a simulated share that are taken for chance
Row = dict[str, Any]

HEAD = """# Intervals and tests: what is computed, and how often it is right

Written by `docs/statistics_tables.py` from what `benchmarks/coverage.py` measured; do not edit. Every interval and
p-value of a page, table, picture or report comes from `coopgym.statistics`. The resampling that the technical reports
published is reproduced in `coopgym.validation` as it was, under the names that it has there, and is used nowhere else.

```python
from coopgym.statistics import aggregate_interval, mean_interval, seeds_needed, sign_flip_p

print(mean_interval([0.91, 0.94, 0.90, 0.95, 0.93]))  # of five seeds
print(aggregate_interval([[0.9, 0.8, 0.7], [0.2, 0.3, 0.1]], "iqm"))  # over two games
print(sign_flip_p([0.1, 0.3, 0.2, 0.4, 0.1, 0.2]))  # of six paired differences
print(seeds_needed(0.6823))  # of each of two learners, to find a difference of so many standard deviations
```

```text
Interval(mean=0.9259999999999999, low=0.9002523073207092, high=0.9517476926792907)
Interval(mean=0.5, low=0.33964960021175283, high=0.6603503997882472)
0.03125
35
```

## What is computed

| what | how | what a page says |
| --- | --- | --- |
"""
METHODS = {
    "mean": "`mean_interval`: Student's t over independent runs, or over paired differences. One run has no interval; "
    "what cannot leave a range has its interval cut there.",
    "aggregate": "`aggregate_interval`, `stratified_mean`: the mean over games has a t interval with Satterthwaite's "
    "degrees of freedom, from the variance inside each game; the interquartile mean Yuen's variance of winsorised "
    "scores inside games; the median over games the interval of the middle games' mean. Games are taken as given.",
    "rank": "`rank_intervals`: one-sided Welch tests of a learner against all others in all games; the ends count how "
    "many are rejected rightly, with 97.5% confidence on each side.",
    "chance": "`chance_interval`: a score interval with Newcombe's variance of Mann and Whitney's U, less what the "
    "differences between games take from it. `share_interval`: Jeffreys' interval, likewise.",
    "contrast": "`stratified_mean` with weights: a difference of means of means, Satterthwaite's degrees of freedom.",
    "crossing": "Fieller's set along the line between the mutualities that were played.",
    "flips": "`sign_flip_p`: all 2^n choices of signs are counted (as sums of two halves, up to 40 differences; of "
    "more, differences are rounded to a 131,072nd of the sum of their sizes and all choices of signs of these are "
    "counted). Nothing is drawn, so a finding does not depend on a seed.",
}
TAIL = """## Tests between reward modes

Where games are the sample, as on the pages on [behaviour](behaviour.md) and [the study](study.md), the differences of
all learners of a game are averaged and a test flips the signs of games: five games have no p below 0.0625, whatever the
number of learners. Pairs of learner and game are tested only where a page says that it speaks of these games alone. All
p-values of one family of tests are corrected together, by Holm.

Learners that are trained on the sum of all agents' rewards (`team_reward`: VDN, QMIX, and others with that setting)
want something else than those that are trained on their own. They carry a † in rankings and stand apart from the others
in contrasts of paradigms and in changes over all games.

Scores of two scales are never averaged together. In a game where selfish play and the optimum differ by more than 0.5%
of the optimum something is at stake, and welfare is scored from the one to the other; in other games it is a share of
the best constant policy's. Average ranks are given over all games, and over those where something is at stake.
"""


def coverage(results: dict[str, list[Row]]) -> str:
    """A line for each interval, kind of scores and number of games; a column for each number of seeds."""
    rows = [row for part in PARTS for row in results.get(part, [])]
    seeds = sorted({row["seeds"] for row in rows})
    lines: dict[tuple[str, str, int], dict[int, Row]] = {}
    for row in rows:
        lines.setdefault((row["what"], row["scores"], row["games"]), {})[row["seeds"]] = row
    body = [[what, scores, str(games), *(share(own[n]) for n in seeds)] for (what, scores, games), own in lines.items()]
    heads = ["interval", "scores of a run", "games", *(f"{n} seeds" for n in seeds)]
    return table(heads, body, left=2)


def share(row: Row) -> str:
    """Per cent; in bold where it is below the nominal level by more than two points."""
    told = f"{100.0 * row['coverage']:.1f}"
    return f"**{told}**" if low(row) else told


def low(row: Row) -> bool:
    """Whether an interval covers less than its level by more than two points."""
    return bool(row["coverage"] < 0.95 - NEAR)


def told(results: dict[str, list[Row]]) -> str:
    """Where coverage at five seeds and more is within two points of the level or above, and where it is below."""
    lines = []
    for part, what in PARTS.items():
        if part not in results:
            lines.append(f"- {what}: not measured yet; `python benchmarks/coverage.py --only {part}` does.")
            continue
        own = [row for row in results[part] if row["seeds"] >= 5]
        for scores in dict.fromkeys(row["scores"] for row in own):
            each = [row for row in own if row["scores"] == scores]
            below = [row for row in each if low(row)]
            ends = f"{100 * min(r['coverage'] for r in each):.1f} to {100 * max(r['coverage'] for r in each):.1f}%"
            count = f"{len(below)} of {len(each)} settings below 93%" if below else "no setting below 93%"
            lines.append(f"- {what}, {scores} scores, 5 seeds and more: {ends}; {count}.")
    return "\n".join(lines)


def powers(rows: list[Row]) -> str:
    """What simulation says of the seeds that are said to be needed."""
    own = [row for row in rows if "power" in row]
    fewer = [row["power_of_one_fewer"] for row in own if "power_of_one_fewer" in row]
    return (
        f"Of {len(rows)} effects from {rows[0]['effect']:g} to {rows[-1]['effect']:g} standard deviations, "
        f"{len(rows) - len(own)} need more than 10,000 seeds. With the seeds that `seeds_needed` gives for the others, "
        f"simulated power is {min(row['power'] for row in own):.3f} or more, and with one seed fewer "
        f"{max(fewer):.3f} or less, where 0.8 is asked for and a simulated share has a standard error of 0.001. The "
        "same numbers come from the noncentral t distribution, where SciPy can compute it (a test)."
    )


def page(_: str) -> str:
    """The whole page."""
    report = json.loads(RESULTS.read_text())
    machine, results = report["machine"], report["results"]
    methods = [f"| {name} | {how} | {ABOUT[name].format(over='runs')} |" for name, how in METHODS.items()]
    about = (
        f"{report['worlds']:,} simulated worlds for each number: the share of 95% intervals that contain the true "
        "value, in per cent, in bold below 93. A share of 95% has a standard error of 0.3 points. Scores of a run: "
        "normal; skewed, an exponential tail; bounded, Beta(2, 0.5), most near the upper end. Levels of games are "
        "evenly apart and their deviations differ up to tenfold. Of ranks, the players' true means are a billionth "
        "apart (a rank that nothing can tell), or a standard deviation of a run; the share is the mean over players. "
        "Intervals of ranks contain the truth at least as often as they say. That of a median takes the middle games "
        "as known, and covers less where games overlap; no page prints one. "
        f"{machine['processor']}, NumPy {machine['versions']['numpy']}, commit {machine['commit'][:7]}; "
        f"{machine['date']}."
    )
    limits = (
        "What no interval from a handful of runs can do: where scores are strongly skewed, or nearly all runs are "
        "alike and a rare one is not, the mean of five runs says little of the rare ones, and the t interval contains "
        "the true mean less often than it says. Paired differences of such scores are symmetric, and are covered."
    )
    parts = [
        HEAD + "\n".join(methods), "## How often an interval contains the true value", about, told(results), limits,
        coverage(results), "## Seeds that a comparison needs", powers(results["power"]), TAIL.rstrip(),
    ]  # fmt: skip
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    if not PAGE.exists():
        PAGE.write_text("")
    keep(PAGE, page, __doc__)
