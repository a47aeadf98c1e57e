"""Writes docs/behaviour.md and the notes on its data: ``python docs/behaviour_tables.py [--write]``.

Audits come from the data set ``data_cards/audit``, which ``coopgym study card`` makes; times from
``benchmarks/results/behaviour.json``, which ``benchmarks/behaviour.py`` makes. Without ``--write`` it says whether both
texts are up to date (exit code 1 if not).
"""

from __future__ import annotations

import functools
import json
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow.parquet as pq
from learner_tables import ROOT, table
from readme_tables import keep, replaced

import coopgym
from coopgym.audit.comparison import Change, Comparison, compare_modes
from coopgym.audit.measures import CATALOGUE
from coopgym.report.catalogue import TITLES
from coopgym.statistics import OF_THE_SUM, TEAM

PAGE = ROOT / "docs" / "behaviour.md"
NOTES = ROOT / "data_cards" / "audit" / "NOTES.md"
DATA = ROOT / "data_cards" / "audit" / "audits"
RUNS = ROOT / "data_cards" / "audit" / "runs"
RESULTS = ROOT / "benchmarks" / "results" / "behaviour.json"
ORDER = ("game", "algorithm", "reward_mode", "seed")
GAME = "single game"  # the key of a cell that names its game, which is what is sampled
Row = dict[str, Any]


class Shown(NamedTuple):
    """A measure of the page; name: in the catalogue; of: its value in a record, None where it is not defined."""

    title: str
    name: str
    what: str
    of: Callable[[Row], float | None]


def plain(title: str, name: str, what: str = "") -> Shown:
    """A measure as it stands in the record."""
    return Shown(title, name, what or CATALOGUE[name].what, lambda row: row[name])


def imbalance(row: Row) -> float | None:
    """Free riding of the agent that does it most: over all agents it adds up to 0."""
    known = [x for x in row["free_riding_by_agent"] or [] if x is not None]
    return max(known) if known else None


def deterred(row: Row) -> float | None:
    """Deterrence as a share of the payoff, so that games can be averaged."""
    return None if row["deterrence"] is None else row["deterrence"] / abs(row["payoff"])


SHOWN = (
    plain("retaliation", "retaliation"),
    plain("reciprocity slope", "reciprocity_slope"),
    plain("forgiveness [steps]", "forgiveness"),
    plain("unforgiving", "unforgiving"),
    Shown("free-riding, largest", "free_riding", CATALOGUE["free_riding"].what + ", largest over agents", imbalance),
    plain("selfish agents", "selfish_share"),
    plain("gini of surpluses", "gini"),
    plain("welfare / best constant", "efficiency"),
    plain("cooperation level", "level"),
    plain("deviation gain", "best_gain_relative", "largest P_i(deviation) - P_i found, over |P_i|"),
    Shown(
        "deterrence, share of payoff",
        "deterrence",
        f"({CATALOGUE['deterrence'].what}) / |payoff|; in the records it is in units of payoff",
        deterred,
    ),
    plain("end-game change", "endgame"),
)
ENDED = {"forgiveness": "shock", "unforgiving": "shock", "endgame": "end"}  # a shock may end an episode too
EARLIER = "measured by coopgym 0.1.0 in a game that a rule can end, where it took the end for behaviour"
CHANGES = (("private", "integrated"), ("private", "cooperative"), ("integrated", "cooperative"))


def everything() -> list[Row]:
    """All audits, in the order in which they are compared."""
    return sorted(pq.read_table(DATA).to_pylist(), key=lambda row: [row[name] for name in ORDER])


@functools.cache
def trained() -> dict[str, Row]:
    """What the records say of the training of each run, by run_id."""
    columns = ["run_id", "algorithm", "duplicate_of", "team_reward"]
    return {row["run_id"]: row for row in pq.read_table(RUNS, columns=columns).to_pylist()}


def rows() -> list[Row]:
    """The audits without those of runs that repeat a run of another mode: the same training problem and seed."""
    return [row for row in everything() if trained()[row["run_id"]]["duplicate_of"] is None]


@functools.cache
def teams() -> frozenset[str]:
    """Learners that are trained on the sum of all agents' rewards."""
    return frozenset(row["algorithm"] for row in trained().values() if row["team_reward"])


def comparable(audits: Sequence[Row]) -> list[Row]:
    """The audits without the values in which the end of a game may have been taken for behaviour."""
    return [_without_ended(row) if row["package_version"] == "0.1.0" else row for row in audits]


def _without_ended(row: Row) -> Row:
    early = bool(row["early_end"])
    left_out = [name for name, why in ENDED.items() if can_end(row["game"]) and (early or why == "shock")]
    reasons = [row["undefined"], *(f"{name}: {EARLIER}" for name in left_out if row[name] is not None)]
    return row | dict.fromkeys(left_out) | {"undefined": "; ".join(reason for reason in reasons if reason)}


@functools.cache
def can_end(game: str) -> bool:
    """Whether a rule can end an episode of a game before its last step."""
    return coopgym.game(game).exit is not None


@functools.cache
def report(game: str) -> int:
    """Which of the four reports a game is from: its class."""
    return int(coopgym.game(game).report)


def cells(audits: Sequence[Row]) -> list[Row]:
    """One record for each class, mode, and pair of algorithm and game: means over its seeds. Keys as of compare_modes,
    with the class as the game and the pair as the seed."""
    groups: dict[tuple[str, str, str], list[Row]] = {}
    for row in audits:
        groups.setdefault((row["algorithm"], row["game"], row["reward_mode"]), []).append(row)
    return [
        {
            "algorithm": "all",
            "game": f"TR-{report(game)}",
            "reward_mode": mode,
            "seed": f"{algorithm} {game}",
            GAME: game,
        }
        | {shown.title: average([shown.of(row) for row in own]) for shown in SHOWN}
        for (algorithm, game, mode), own in groups.items()
    ]


def average(values: Sequence[float | None]) -> float | None:
    """Mean of what is defined and finite; None where nothing is."""
    known = [x for x in values if x is not None and np.isfinite(x)]
    return float(np.mean(known)) if known else None


class Found(NamedTuple):
    """Changes over all games, of learners of their own rewards and of learners of the sum, and over each class, games
    being the sample; and of pairs of learner and game in a class."""

    together: Comparison
    team: Comparison
    classes: Comparison
    pairs: Comparison


def compared(means: Sequence[Row]) -> Found:
    """All measures and changes of mode, each family of tests corrected by itself."""
    names = [shown.title for shown in SHOWN]
    whole = [row | {"game": "all games"} for row in means]
    own, team = ([row for row in whole if (row["seed"].split()[0] in teams()) == sum_] for sum_ in (False, True))
    over_all = [compare_modes(part, names, cluster=GAME) for part in (own, team)]
    return Found(*over_all, compare_modes(means, names, cluster=GAME), compare_modes(means, names))


def by_change(changes: Sequence[Change]) -> dict[tuple[str, str, str, str], Change]:
    """By class, measure, and both modes."""
    return {(c.game, c.measure, c.before, c.after): c for c in changes}


def effects(found: Found, game_class: str) -> str:
    """One line a measure: its mean under private rewards, and each change over pairs, with the p of games beside it."""
    pairs, games = by_change(found.pairs.changes), by_change(found.classes.changes)
    lines = []
    for shown in SHOWN:
        keys = [(game_class, shown.title, *modes) for modes in CHANGES]
        first = pairs[keys[0]]
        mean = "-" if first.mean_before is None else f"{first.mean_before:.3f}"
        lines.append([shown.title, mean, *(f"{change(pairs[key])}{beside(games[key])}" for key in keys)])
    return table(["measure", "private", *(f"{a} → {b}" for a, b in CHANGES)], lines)


def change(c: Change) -> str:
    """Difference [interval], corrected p; in bold what the correction leaves."""
    if c.difference is None or c.low is None or c.high is None or c.adjusted is None:
        return "-"
    told = f"{c.difference:+.3f} [{c.low:+.3f}, {c.high:+.3f}]"
    return f"**{told}**, p {least(c.adjusted)}" if c.found else f"{told}, p {least(c.adjusted)}"


def beside(c: Change) -> str:
    """The p of games as it is, without a correction, and how many pairs and games there are."""
    told = "" if c.p is None else f"; by game {least(c.p)}"
    return f"{told}; {c.seeds} pairs, {c.clusters} games"


def over_games(found: Comparison) -> str:
    """One line a measure, over all games."""
    known = by_change(found.changes)
    changes = [modes for modes in CHANGES if ("all games", SHOWN[0].title, *modes) in known]
    lines = []
    for shown in SHOWN:
        own = [known["all games", shown.title, *modes] for modes in changes]
        counts = [f"; {c.seeds} pairs, {c.clusters} games" for c in own]
        lines.append([shown.title, *(change(c) + count for c, count in zip(own, counts, strict=True))])
    return table(["measure", *(f"{a} → {b}" for a, b in changes)], lines)


def least(p: float) -> str:
    """p with two digits that mean something."""
    return "1" if p >= 0.995 else f"{p:.2g}"


def agreeing(means: Sequence[Row], c: Change) -> str:
    """In how many games of the class the mean change over learners has the sign of the class's, and the mean change of
    learners of their own rewards and of learners of the sum."""
    values = {(row["reward_mode"], row["seed"]): row[c.measure] for row in means if row["game"] == c.game}
    by_game: dict[str, list[float]] = {}
    by_kind: dict[str, list[float]] = {"own rewards": [], "the sum": []}
    for (mode, pair), before in values.items():
        after = values.get((c.after, pair))
        if mode == c.before and before is not None and after is not None:
            learner, game = pair.split()
            by_game.setdefault(game, []).append(after - before)
            by_kind["the sum" if learner in teams() else "own rewards"].append(after - before)
    signs = [np.sign(np.mean(x)) == np.sign(c.difference or 0.0) for x in by_game.values()]
    kinds = [f"{kind} {np.mean(x):+.3f}" for kind, x in by_kind.items() if x]
    return f"{sum(signs)} of {len(signs)} games; {', '.join(kinds)}"


def tests(found: Found) -> str:
    """How many there were, and what games can show."""
    fewest = min(c.clusters or 0 for c in found.classes.changes if c.p is not None)
    most = max(c.clusters or 0 for c in found.classes.changes)
    return (
        f"Over all games, learners of their own rewards: {found.together.tests} tests, {len(found.together.found)} "
        f"found; learners of the sum: {found.team.tests} tests, {len(found.team.found)} found. In a class: with "
        f"{fewest} to {most} games no p is below {2.0 ** (1 - most):.2g}, so that no change is found in a class alone. "
        f"Among pairs of learner and game, taken as independent, in the games of a class: {found.pairs.tests} tests, "
        f"{len(found.pairs.found)} found; these speak of these learners in these games. All choices of signs are "
        "counted, so the same records give the same p every time."
    )


def sentences(found: Found, means: Sequence[Row]) -> str:
    """What the corrections leave, measure by measure, in words that only repeat the tables."""
    games = by_change(found.classes.changes)
    lines = []
    for shown in SHOWN:
        whole = [c for c in found.together.found if c.measure == shown.title]
        team = [c for c in found.team.found if c.measure == shown.title]
        own = [c for c in found.pairs.changes if c.measure == shown.title]
        left = [c for c in own if c.found and c.difference is not None]
        told = [f"{c.before} → {c.after} {c.difference:+.3f} over all games" for c in whole]
        told += [f"{c.before} → {c.after} {c.difference:+.3f} over all games, learners of the sum" for c in team]
        for c in left:
            p = games[c.game, c.measure, c.before, c.after].p
            by_game = "" if p is None else f"; p by game {least(p)}"
            told.append(f"{c.game} {c.before} → {c.after} {c.difference:+.3f} ({agreeing(means, c)}{by_game})")
        count = f"{len(whole)} of {len(CHANGES)} found over all games, {len(left)} of {len(own)} among pairs in a class"
        lines.append(f"- {shown.title}: {count}" + (f": {'; '.join(told)}." if told else "."))
    return "\n".join(lines)


def measures() -> str:
    """What each line of the tables is."""
    units = {"deterrence": "1"}  # a share here
    lines = [[s.title, f"`{s.name}`", units.get(s.name, CATALOGUE[s.name].unit), cell(s.what)] for s in SHOWN]
    return table(["measure", "in the records", "unit", "what"], lines, left=4)


def cell(text: str) -> str:
    """Text that may stand in a table: a stroke would end its cell."""
    return text.replace("|", "\\|")


def undefined(audits: Sequence[Row]) -> str:
    """How many records lack a measure, and why."""
    lines = []
    for shown in SHOWN:
        without = [row for row in audits if shown.of(row) is None]
        if without:
            why = Counter(because(row, shown.name) for row in without)
            lines.append([shown.title, str(len(without)), "; ".join(f"{text}: {n}" for text, n in why.most_common())])
    return table(["measure", "records without", "why"], lines, left=1)


def nowhere(audits: Sequence[Row]) -> str:
    """What no record has at all, and in how many only some of the agents were measured."""
    lines = [
        f"- No record has `{name}`: {because(audits[0], name)}."
        for name in CATALOGUE
        if all(row[name] is None for row in audits)
    ]
    notes = Counter(row["notes"] for row in audits if row["notes"])
    return "\n".join([*lines, *(f"- {n} records: {text}." for text, n in notes.most_common())])


def because(row: Row, name: str) -> str:
    """The reason that a record gives for what it lacks."""
    if name in (row["infinite"] or "").split("; "):
        return "infinite"
    reasons = dict(part.split(": ", 1) for part in (row["undefined"] or "").split("; ") if ": " in part)
    return reasons.get(name, "no reason is recorded")


def about(audits: Sequence[Row]) -> str:
    """How many runs, at what budgets, how long it took, on what."""
    told = json.loads(RESULTS.read_text())
    machine = told["machine"]
    repeats = sum(trained()[row["run_id"]]["duplicate_of"] is not None for row in audits)
    counts = {name: len({r[name] for r in audits}) for name in ("algorithm", "game", "reward_mode", "seed")}
    each = " x ".join(f"{n} {name.replace('_', ' ')}s" for name, n in counts.items())
    versions = ", ".join(f"{name} {machine['versions'][name]}" for name in ("coopgym", "numpy", "torch"))
    return (
        f"{len(audits):,} runs audited ({each}), {len(audits) - repeats:,} of them distinct: {repeats:,} repeat a run "
        "of another mode with the same training problem and seed (`duplicate_of` in the records). Each has effort "
        f"{' and '.join(sorted({r['effort'] for r in audits}))}. Training took {told['training_wall_seconds']:,} s "
        f"from the first start to the last record ({told['training_process_seconds']:,} s summed over its processes); "
        f"the audits, in {told['audit_batches']} batches, {told['audit_seconds']:,} s in one process that shared the "
        f"machine. {machine['processor']}, {machine['cores']} cores, Python {machine['python']}, {versions}, packed at "
        f"commit {machine['commit'][:7]}; {machine['date']}."
    )


def budgets(audits: Sequence[Row]) -> str:
    """Game-steps that each learner had: over games, from the least to the most."""
    lines = []
    for name in sorted({row["algorithm"] for row in audits}):
        own = [row for row in audits if row["algorithm"] == name]
        steps = [row["env_steps"] for row in own]
        distinct = sum(trained()[row["run_id"]]["duplicate_of"] is None for row in own)
        mark = TEAM if name in teams() else ""
        lines.append([f"{name}{mark}", str(len(own)), str(distinct), f"{min(steps):,}", f"{max(steps):,}"])
    heads = ["learner", "runs", "distinct", "game-steps of a run, least", "most"]
    return f"{table(heads, lines)}\n\n{OF_THE_SUM}"


def page(text: str) -> str:
    """The page with its tables made again."""
    audits = comparable(rows())
    means = cells(audits)
    found = compared(means)
    text = replaced(text, "about", f"{about(everything())}\n\n{budgets(everything())}")
    text = replaced(text, "measures", measures())
    body = (
        f"{tests(found)}\n\n{sentences(found, means)}\n\n### Over all games\n\n{over_games(found.together)}\n\n"
        f"### Over all games, learners of the sum of all rewards\n\n{over_games(found.team)}"
    )
    text = replaced(text, "found", body)
    for number, title in TITLES.items():
        games = ", ".join(f"`{g}`" for g in sorted({r["game"] for r in audits if report(r["game"]) == number}))
        body = f"Games: {games}.\n\n{effects(found, f'TR-{number}')}"
        text = replaced(text, f"tr-{number}", f"### TR-{number}: {title}\n\n{body}")
    return replaced(text, "undefined", f"{undefined(audits)}\n\n{nowhere(audits)}")


def columns(audits: Sequence[Row]) -> str:
    """Every measure of the table: unit, valid range, the range that occurs, how many records lack it, what it is."""
    lines = []
    for name, m in CATALOGUE.items():
        known = [row[name] for row in audits if row[name] is not None]
        seen = f"{min(known):.4g} to {max(known):.4g}" if known else "-"
        lines.append(
            [f"`{name}`", m.unit, f"{m.low:g} to {m.high:g}", seen, str(len(audits) - len(known)), cell(m.what)]
        )
    return table(["column", "unit", "valid", "occurs", "null", "what"], lines, left=6)


def notes(text: str) -> str:
    """The notes on the data set, which has all audits, with their tables made again."""
    audits = everything()
    text = replaced(text, "about", f"{about(audits)}\n\n{budgets(audits)}")
    return replaced(text, "columns", columns(audits))


if __name__ == "__main__":
    keep(PAGE, page, __doc__)
    keep(NOTES, notes, __doc__)
