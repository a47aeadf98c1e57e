"""Writes docs/algorithms.md: ``python docs/algorithm_pages.py [--write]``.

What algorithms are comes from the register; how near they come to the best constant from
``benchmarks/results/quality.json``, how fast they are from ``learners-cpu.json``; which tests cover them and what is
known to limit them from ``docs/algorithms.json``. Without ``--write`` it says whether the page is up to date (exit
code 1 if not).
"""

from __future__ import annotations

import dataclasses
import inspect
import json
from functools import cache
from pathlib import Path
from statistics import fmean, median
from typing import Any

from learner_tables import ROOT, number, table
from quality_tables import SMALL, agents, load, shares
from readme_tables import keep, replaced

import coopgym
from coopgym.algorithms.registry import Algorithm, algorithm
from coopgym.algorithms.training import train

PAGE = ROOT / "docs" / "algorithms.md"
DATA = json.loads((ROOT / "docs" / "algorithms.json").read_text())
SPEED = ROOT / "benchmarks" / "results" / "learners-cpu.json"
CONSTANTS = "Constant"  # stands for the 101 of them
COMMON = ("replicas", "seeds", "units", "crowd", "refusals", "ends")  # what every learner needs for the better level
LEVELS = ("thoroughly", "lightly")


def names() -> list[str]:
    """Learners, oracles, heuristics, and the constants as one."""
    kinds = ("learner", "oracle", "heuristic")
    return [name for kind in kinds for name in coopgym.list_algorithms(kind)] + [CONSTANTS]


def tests(name: str, area: str | None = None) -> list[dict[str, Any]]:
    """The tests that run an algorithm by its name, or code that it shares with others."""
    return [
        test
        for test in DATA["tests"]
        if area in (None, test["area"]) and name in [*test["covers"], *test.get("shares", [])]
    ]


def level(name: str) -> str:
    """Thoroughly where its own rule is tested and, if it learns or solves, what comes out; for learners COMMON too."""
    kind = "constant" if name == CONSTANTS else algorithm(name).kind
    wanted = {"learner": (*COMMON, "rule", "answer"), "oracle": ("rule", "answer")}.get(kind, ("rule",))
    return LEVELS[0] if all(tests(name, area) for area in wanted) else LEVELS[1]


def first_line(made: Algorithm) -> str:
    """What it does, in the sentence that its code begins with."""
    return (inspect.getdoc(made.build) or "").split("\n")[0].replace("|", "\\|")


@cache
def playable(name: str) -> int:
    """How many of the twenty games it can play."""
    made = algorithm(name)
    return sum(made.limit(coopgym.game(id)) is None for id in coopgym.list_games())


def played(name: str) -> str:
    """The same in words."""
    count = playable(name)
    return "all" if count == 20 else f"{count} of 20"


def about(_: str) -> str:
    """One line an algorithm, with what it rests on."""
    lines = []
    for name in names():
        made = algorithm("Constant_50" if name == CONSTANTS else name)
        shown = "Constant_0 to Constant_100" if name == CONSTANTS else name
        paradigm = made.paradigm.replace("_", " ") if made.kind == "learner" else made.kind
        games = "all" if name == CONSTANTS else played(name)
        seat = "yes" if made.seated else "no"
        lines.append([
            shown, paradigm, made.paper or "-", made.actions, games, seat, level(name), DATA["limits"][name],
        ])  # fmt: skip
    return table(["algorithm", "paradigm", "paper", "actions", "games", "one seat", "tested", "limits"], lines, left=8)


def sentences(_: str) -> str:
    """What each learner does."""
    return "\n".join(f"- **{name}**: {first_line(algorithm(name))}" for name in coopgym.list_algorithms("learner"))


def budgets() -> str:
    """The default number of environment steps a replica."""
    default = inspect.signature(train).parameters["total_steps"].default
    return f"{default:,}"


def settings(name: str) -> dict[str, Any]:
    """Default hyperparameters of a learner."""
    made = algorithm(name).settings
    return {} if made is None else {f.name: f.default for f in dataclasses.fields(made)}


def measured(_: str) -> str:
    """Defaults, quality and speed of the learners, with their machines."""
    rows, quality_machine = load("quality")
    speed = json.loads(SPEED.read_text())
    speeds = {row["algorithm"]: row for row in speed["results"]["learners"]}
    lines = [learner_line(name, rows, speeds.get(name, {})) for name in coopgym.list_algorithms("learner")]
    head = ["learner", "lanes", "hidden", "learning rate", "discount", "steps of a seed", "median", "worst", "game",
            "game-steps/s"]  # fmt: skip
    commit = json.loads((ROOT / "benchmarks" / "results" / "quality.json").read_text())["machine"]["commit"][:12]
    where = speed["machine"]
    return "\n\n".join([
        table(head, lines),
        f"Quality: {quality_machine[:-1]}, commit {commit}. Speed: {where['processor']}, {where['device']}, "
        f"one thread, load {where['load_average']} at the start; {where['date']}, commit {where['commit'][:12]}.",
    ])  # fmt: skip


def learner_line(name: str, rows: list[dict[str, Any]], speed: dict[str, Any]) -> list[str]:
    """One line of ``measured``: the mean share over seeds of each game, then the median and the worst game."""
    default = settings(name)
    own = [row for row in rows if row["algorithm"] == name and agents(row["game"]) <= SMALL]
    means = {row["game"]: 100 * fmean(shares(row)) for row in own}
    worst = min(means, key=lambda game: means[game]) if means else ""
    steps = sorted({row["steps"] for row in own})
    span = f"{steps[0]:,}" if len(steps) == 1 else f"{steps[0]:,} to {steps[-1]:,}" if steps else "-"
    figures = [f"{median(means.values()):.1f}%", f"{means[worst]:.1f}%", worst.split("-")[0]] if means else ["-"] * 3
    hidden = " x ".join(map(str, default["hidden"]))
    rates = [f"{default[key]:g}" for key in ("learning_rate", "discount")]
    return [name, str(default["lanes"]), hidden, *rates, span, *figures, number(speed, "figure")]


def covered(_: str) -> str:
    """For every algorithm and area the number of tests by name, and in brackets of code it shares."""
    areas = DATA["areas"]
    lines = [[name, *(count(name, area) for area in areas), level(name)] for name in names()]
    head = ["algorithm", *(area["title"].lower() for area in areas.values()), "level"]
    meaning = "\n".join(f"- *{area['title'].lower()}*: {area['what']}." for area in areas.values())
    return f"{meaning}\n\n{table(head, lines)}"


def count(name: str, area: str) -> str:
    """How many tests run it by name, and (in brackets) code that it shares."""
    found = tests(name, area)
    own = sum(name in test["covers"] for test in found)
    return " ".join(filter(None, [str(own) if own else "", f"({len(found) - own})" if len(found) > own else ""])) or "-"


def named(_: str) -> str:
    """All tests, by area."""
    parts = []
    for key, area in DATA["areas"].items():
        lines = [
            f"- `{test['test']}`: {', '.join(test['covers']) or 'by name none'}"
            + (f"; code shared by {', '.join(test['shares'])}" if "shares" in test else "")
            for test in DATA["tests"]
            if test["area"] == key
        ]
        parts.append(f"**{area['title']}**\n\n" + "\n".join(lines))
    return "\n\n".join(parts)


def counts(_: str) -> str:
    """The sentence of numbers."""
    numbers = {kind: len(coopgym.list_algorithms(kind)) for kind in ("learner", "oracle", "heuristic", "constant")}
    found = {which: sum(level(name) == which for name in names()) for which in LEVELS}
    return (
        f"{sum(numbers.values())} algorithms: {numbers['learner']} learners, {numbers['oracle']} oracles, "
        f"{numbers['heuristic']} heuristics and {numbers['constant']} constants. Of the {len(names())} lines below "
        f"{found['thoroughly']} are thoroughly tested and {found['lightly']} lightly. A learner trains "
        f"{budgets()} environment steps a replica unless told otherwise."
    )


PARTS = {
    "counts": counts, "about": about, "sentences": sentences, "measured": measured, "covered": covered, "tests": named,
}  # fmt: skip


def page(text: str) -> str:
    """The page with every part made again."""
    for name, make in PARTS.items():
        text = replaced(text, name, make(name))
    return text


if __name__ == "__main__":
    keep(Path(PAGE), page, __doc__)
