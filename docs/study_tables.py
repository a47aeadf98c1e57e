"""Writes docs/study.md: ``python docs/study_tables.py [--write] [--data FOLDER] [--page FILE]``.

FOLDER (data_cards/cpu by default) is a data set that ``coopgym study card`` has made; nothing on the page comes from
anywhere else. Without ``--write`` it says whether the page is up to date (exit code 1 if not).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import coopgym
from coopgym.algorithms import registry
from coopgym.report.catalogue import TITLES
from coopgym.study import study
from coopgym.study.analysis.analysis import analyse
from coopgym.study.analysis.page import around, marked, page, table, tested
from coopgym.study.cards import facts
from coopgym.study.config import Config
from coopgym.study.records import Row

ROOT = Path(__file__).resolve().parents[1]
DATA, PAGE = ROOT / "data_cards" / "cpu", ROOT / "docs" / "study.md"
Found = dict[str, Any]


def made(folder: Path) -> str:
    """The whole page of a data set."""
    config, _, _, records = study.opened(folder)
    runs, found = records.read("runs"), analyse(folder)
    counts = json.loads((folder / "counts.json").read_text())
    before = [asked(config, runs), short(found)]
    title = f"What the study {config.name!r} found"
    return page(found, title, "python docs/study_tables.py --write", before, [how(folder, runs, counts)])


def asked(config: Config, runs: list[Row]) -> str:
    """The design: who played what, under which rewards, with how many seeds and steps."""
    kinds = Counter(registry.algorithm(name).kind for name in config.algorithms)
    who = ", ".join(f"{n} {kind}{'s' if n > 1 else ''}" for kind, n in kinds.items())
    classes = Counter(coopgym.game(name).report for name in config.all_games())
    games = "; ".join(f"{n} of TR-{report} ({TITLES[report]})" for report, n in sorted(classes.items()))
    modes = ", ".join(map(str, config.reward_modes))
    head = ["learner", "paradigm", "runs", "environment steps of a run, least", "most"]
    return "\n\n".join([
        "## What was asked",
        f"{config.description}. {who} on {sum(classes.values())} games: {games}. Rewards: {modes}. Seeds: "
        f"{', '.join(map(str, config.seeds))}.",
        table(head, [budget(name, runs) for name in config.algorithms if registry.algorithm(name).kind == "learner"]),
    ])  # fmt: skip


def budget(learner: str, runs: list[Row]) -> list[str]:
    """A learner's paradigm, and how many runs of how many steps it has."""
    steps = [row["env_steps"] for row in runs if row["algorithm"] == learner and row["env_steps"]]
    ends = [f"{f(steps):,}" if steps else "" for f in (min, max)]
    return [learner, registry.algorithm(learner).paradigm.replace("_", " "), str(len(steps)), *ends]


def short(found: Found) -> str:
    """What the tables below say, a line each."""
    lines = [leader(mode, found["rankings"][mode]["players"]) for mode in found["modes"]]
    crossed = [f"{x['game']} from {x['from']} to {x['to']}" for x in found["paradigms"]["crossovers"] if x["declared"]]
    lines.append(
        f"- Independent against centrally trained: a change of sign between two reward modes is declared in "
        f"{len(crossed)} of {found['paradigms']['tests']} pairs" + (f": {'; '.join(crossed)}." if crossed else ".")
    )
    lines += [changed(found["modes_by_class"]["games"], measure) for measure in ("score", "rate", "final_trust")]
    sums = {name: sum(x[name] for x in found["failures"]) for name in ("runs", "diverged", "failed")}
    lines.append(f"- Of {sums['runs']:,} runs of learners {sums['diverged']} diverged and {sums['failed']} failed.")
    return "\n\n".join(["## In short", "\n".join(lines)])


def leader(mode: str, players: list[Found]) -> str:
    """Who ranks first in a mode, and who comes next; over all games, and where something is at stake."""
    told = []
    for name, over in (("average_rank", "over all games"), ("rank_at_stake", "where something is at stake")):
        known = sorted((x for x in players if x[name]), key=lambda x: x[name]["value"])
        if known:
            each = [f"{marked(x)} {around(x[name])}" for x in known[:2]]
            told.append(f"{over} {', before '.join(each)}")
    first = f"- {mode.capitalize()} rewards, best average rank: {'; '.join(told)}."
    staked = sorted((x for x in players if x["iqm"]), key=lambda x: -x["iqm"]["value"])
    if not staked:
        return first
    return f"{first} Largest interquartile mean score there: {marked(staked[0])}, {around(staked[0]['iqm'], 3)}."


def changed(changes: list[Found], measure: str) -> str:
    """Where a change of reward is found to change a measure, games being the sample."""
    own = [x for x in tested(changes) if x["measure"] == measure]
    finds = [
        f"{x['before']} to {x['after']} {x['difference']:+.3f} [{x['low']:+.3f}, {x['high']:+.3f}]"
        for x in own if x["found"]
    ]  # fmt: skip
    told = f"- Mean {measure} over all games, games being the sample: {len(finds)} of {len(own)} changes found"
    return told + (f": {'; '.join(finds)}." if finds else ".")


def how(folder: Path, runs: list[Row], counts: Found) -> str:
    """Commands, machine, versions, dates, hours, and what is missing."""
    tables = {"runs": runs}
    first, last = facts.period(tables)
    own = [row for row in runs if row["kind"] == "learner"]
    versions = {
        name: ", ".join(sorted({str(row[column]) for row in own if row[column] is not None}))
        for name, column in (("coopgym", "package_version"), ("torch", "torch_version"), ("precision", "precision"))
    }
    told = ", ".join(f"{name} {value}" for name, value in versions.items() if value)
    return "\n\n".join([
        "## How it was made",
        f"`coopgym study run studies/{folder.name}.toml`, then `coopgym study card`; the records are in "
        f"`data_cards/{folder.name}`, whose datasheet says what each column is.",
        f"{counts['rows_runs']:,} records, {counts['learner_runs']:,} of them of learners; {counts['env_steps']:,} "
        f"environment steps, {counts['training_hours']:,} hours of training summed over programs, on "
        f"{', '.join(facts.devices(tables))}; {told}; {first} to {last}. {facts.missing(counts)}",
        "Limits: " + " ".join(facts.LIMITS),
    ])  # fmt: skip


def main(arguments: list[str]) -> int:
    """Check the page, or write it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--page", type=Path, default=PAGE)
    options = parser.parse_args(arguments)
    text = made(options.data)
    if options.write:
        options.page.write_text(text)
    elif not options.page.exists() or options.page.read_text() != text:
        raise SystemExit(f"{options.page.name} is out of date; run `make tables`")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
