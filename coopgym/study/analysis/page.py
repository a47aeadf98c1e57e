"""An analysis as a page: Markdown tables of its numbers, which come from nowhere else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from coopgym.oracles.scores import TOLERANCE
from coopgym.statistics import TEAM, about
from coopgym.study.analysis.scores import AT_STAKE

Found = dict[str, Any]


def page(found: Found, title: str, command: str, before: Sequence[str] = (), after: Sequence[str] = ()) -> str:
    """The whole page. command: what makes it again; before, after: parts that come from elsewhere."""
    parts = [f"# {title}", _opening(found, command), *before]
    parts += [_ranking(mode, found["rankings"][mode]) for mode in found["modes"]]
    parts += [_games(found), _paradigms(found["paradigms"]), classes(found["modes_by_class"])]
    parts += [_modes(found["modes_compared"]), _health(found)]
    parts += [_power(found["power"]), *after]
    return "\n\n".join(part for part in parts if part) + "\n"


def _opening(found: Found, command: str) -> str:
    states = ", ".join(f"{count:,} {status}" for status, count in found["status"].items())
    stake = sum(ruler["kind"] == AT_STAKE for ruler in found["rulers"].values())
    rest = len(found["rulers"]) - stake
    scales = (
        f"In {stake} of {stake + rest} games something is at stake: selfish play and the optimum differ by more than "
        f"{TOLERANCE:.1%} of the optimum, and welfare is scored from the one (0) to the other (1). In the other {rest} "
        "the score is the share of the best constant policy's welfare. The two scales are never averaged together."
    )
    rules = (
        "What diverged or failed counts as the worst run of its game and mode. Average ranks are over games, by mean "
        "score in each; returns of different games are never averaged. A learner that lacks games has no rank and no "
        "mean over them."
    )
    return "\n".join([
        f"Made by `{command}` from {found['runs']:,} records ({states}); {found['learner_runs']:,} are of learners"
        f"{_repeats(found)}.",
        "",
        scales,
        "",
        f"{rules} {about('rank')} {about('aggregate')} {about('chance')} How often each kind of interval contains the "
        f"true value is in docs/statistics.md.{_team(found)}",
    ])  # fmt: skip


def _team(found: Found) -> str:
    """Which learners want something else than the others, and where they stand."""
    names = sorted({x["player"] for ranking in found["rankings"].values() for x in ranking["players"] if x["team"]})
    if not names:
        return ""
    verb = "is" if len(names) == 1 else "are"
    return (
        f"\n\n{TEAM} {', '.join(names)} {verb} trained on the sum of all agents' rewards under every mode, which is "
        "another objective than each agent's own reward: ranked by the same welfare, and left out of the contrast of "
        "paradigms."
    )


def _repeats(found: Found) -> str:
    """Those that say nothing new, and what they are left out of."""
    if not found["duplicates"]:
        return ""
    return (
        f". {found['duplicates']:,} of these repeat a run of another mode that gives the same training problem: they "
        "stand in their mode's ranking, and are left out of comparisons of modes and of counts of failures"
    )


def _ranking(mode: str, ranking: Found) -> str:
    names = list(ranking["players"][0]["rank_by_class"])
    stake, games = len(ranking["at_stake"]), len(ranking["games"])
    shown = {
        f"average rank, {games} games": ("average_rank", 2), f"average rank, {stake} at stake": ("rank_at_stake", 2),
        f"IQM of the score, {stake} at stake": ("iqm", 3),
        f"IQM of the share, {games - stake} others": ("iqm_of_share", 3),
    }  # fmt: skip
    shown = {head: own for head, own in shown.items() if ranking["players"][0][own[0]] is not None}
    rows = [
        [
            marked(each), *(_known(each[name], digits) for name, digits in shown.values()),
            *(_known(each["rank_by_class"][name]) for name in names),
            f"{len(each['missing_games'])} games" if each["missing_games"] else "",
        ]
        for each in ranking["players"]
    ]  # fmt: skip
    leader = ranking["players"][0]["player"]
    chances = [_toward(leader, pair) for pair in ranking["improvement"] if leader in (pair["player"], pair["against"])]
    text = "; ".join(f"{other} {around(chance)}" for other, chance in chances)
    after = f"Chance that a run of {leader} scores more than one of: {text}." if chances else ""
    head = ["learner", *shown, *names, "lacks"]
    return "\n\n".join(filter(None, [f"## {mode.capitalize()} rewards: who leads", table(head, rows), after]))


def _known(found: Found | None, digits: int = 2) -> str:
    """A number with its interval; nothing of a player who lacks games, and has none."""
    return "" if found is None else around(found, digits)


def marked(player: Found) -> str:
    """The name of a learner, marked where it is trained on the sum of all agents' rewards."""
    return f"{player['player']}{TEAM if player['team'] else ''}"


def marked_leaders(ranking: Found) -> list[str]:
    """The names of those who share the best average rank."""
    return [marked(each) for each in ranking["players"] if each["player"] in ranking["leaders"]]


def _toward(leader: str, pair: Found) -> tuple[str, Found]:
    """The other player, and the leader's chance against it."""
    if pair["player"] == leader:
        return pair["against"], pair
    return pair["player"], {
        "value": 1.0 - pair["value"],
        "low": _opposite(pair["high"]),
        "high": _opposite(pair["low"]),
    }


def _opposite(chance: float | None) -> float | None:
    return None if chance is None else 1.0 - chance


def _games(found: Found) -> str:
    references = {each["game"]: each["scores"] for each in found["references"]}
    rows = []
    for game in found["games"]:
        row = [game, found["rulers"][game]["kind"]]
        for mode in found["modes"]:
            means = {marked(p): p["mean_by_game"].get(game) for p in found["rankings"][mode]["players"]}
            best = max(((x, name) for name, x in means.items() if x is not None), default=None)
            row.append("" if best is None else f"{best[1]} {best[0]:.3f}")
        row.append(f"{references[game]['BestConstant']:.3f}" if "BestConstant" in references[game] else "")
        rows.append(row)
    head = ["game", "scale", *(f"best, {mode}" for mode in found["modes"]), "best constant"]
    return "\n\n".join(["## Game by game: the learner with the largest mean score", table(head, rows)])


def _paradigms(found: Found) -> str:
    if not found["contrasts"] and not found["beside_team"]:
        return ""
    parts = ["## Independent against centrally trained learners"]
    if found["contrasts"]:
        declared = [f"{x['game']} from {x['from']} to {x['to']}" for x in found["crossovers"] if x["declared"]]
        whom = "trained on the sum of rewards" if found["objective"] == "team" else "trained on each agent's own reward"
        parts += [
            f"Mean score of independent learners minus that of centrally trained ones, both {whom}. "
            f"{about('contrast', units(found['contrasts']))} Of {found['tests']} pairs of modes a change of sign is "
            f"declared in {len(declared)}" + (f": {'; '.join(declared)}" if declared else "")
            + " (both intervals beyond 0, Holm over all pairs).",
            _contrasts(found["contrasts"]),
        ]  # fmt: skip
        along = [f"{x['game']} ({x['kind']}): {place(x)}" for x in found["mutualities"]]
        if along:
            parts.append(f"Mutuality at which the contrast changes sign: {'; '.join(along)}. {about('crossing')}")
    if found["beside_team"]:
        parts += [
            "Independent learners minus those trained on the sum of all agents' rewards, which want the same under "
            "private and cooperative rewards and something else than the others: a difference of objectives as much as "
            "of paradigms, and not tested.",
            _contrasts(found["beside_team"]),
        ]
    return "\n\n".join(parts)


def _contrasts(contrasts: Sequence[Found]) -> str:
    modes = list(dict.fromkeys(each["mode"] for each in contrasts))
    by = {(each["game"], each["mode"]): each for each in contrasts}
    rows = [
        [game, *(around(by[game, mode], 3) if (game, mode) in by else "" for mode in modes)]
        for game in dict.fromkeys(each["game"] for each in contrasts)
    ]
    return table(["game", *modes], rows)


def units(contrasts: Iterable[Found]) -> str:
    """What the samples of contrasts are of: "runs", "algorithms" or both."""
    return " or ".join(sorted({f"{each['unit']}s" for each in contrasts}))


def place(found: Found) -> str:
    """Where along the mutualities of a sweep the contrast changes sign, and whether its ends are apart."""
    at, apart = found["mutuality"], "" if found["declared"] else "not "
    where = "nowhere" if at["value"] is None else around(at)
    return f"{where} (a change of sign from one end to the other is {apart}declared)"


def classes(found: Found) -> str:
    """Mean changes over all games and over the games of each class; bold what is found."""
    if not found["games"] and not found["team"]:
        return ""
    tests, finds = len(tested(found["games"])), sum(x["found"] for x in found["games"])
    fewest = min((x["clusters"] for x in tested(found["classes"])), default=0)
    pairs = sum(x["found"] for x in found["pairs"])
    text = (
        "Mean change, its 95% t interval and p. Games are the sample: the changes of all learners of a game are "
        "averaged, and a test flips the signs of games, every choice being counted. Learners of the sum of all agents' "
        "rewards stand apart, in the lines *the sum*, and are corrected for by themselves. Over all games "
        f"{finds} of {tests} changes are found (at most 5% after Holm's correction over them), in bold. "
        f"{_within(fewest, len(tested(found['classes'])))} Pairs are learners in games, each a mean over seeds; "
        f"if they were independent, {pairs} of {len(tested(found['pairs']))} changes in a class would be found, "
        "which speaks of these games alone. Score: as above; rate: share of the endowment."
    )
    lines = [*found["games"], *(x | {"game": "all games, the sum"} for x in found["team"]), *found["classes"]]
    return "\n\n".join(["## What a change of reward changes", text, _changes(lines)])


def _within(fewest: int, tests: int) -> str:
    """What the number of games in a class allows."""
    least = 2.0 ** (1 - fewest) if fewest else 1.0
    if least > 0.05 / max(tests, 1):
        return f"With {fewest} games in a class no p is below {least:.2g} there, and nothing can be found in it alone."
    return f"In a class no p of {fewest} games is below {least:.2g}."


def tested(changes: Iterable[Found]) -> list[Found]:
    """Those that have a p."""
    return [x for x in changes if x["p"] is not None]


def _changes(changes: Sequence[Found]) -> str:
    asked = list(dict.fromkeys((x["before"], x["after"]) for x in changes))
    by = {(x["game"], x["measure"], x["before"], x["after"]): x for x in changes}
    rows = [
        [name, measure, *(_change(by.get((name, measure, *pair))) for pair in asked)]
        for name in dict.fromkeys(x["game"] for x in changes)
        for measure in dict.fromkeys(x["measure"] for x in changes)
    ]
    return table(["games", "measure", *(f"{before} to {after}" for before, after in asked)], rows)


def _change(x: Found | None) -> str:
    if x is None or x["low"] is None:
        return ""
    told = f"{x['difference']:+.3f} [{x['low']:+.3f}, {x['high']:+.3f}]"
    told = f"**{told}**" if x["found"] else told
    return f"{told}, p {x['p']:.2g}; {x['clusters']} games, {x['seeds']} pairs"


def _modes(changes: Sequence[Found]) -> str:
    rows = []
    for measure in dict.fromkeys(x["measure"] for x in changes):
        for before, after in dict.fromkeys((x["before"], x["after"]) for x in changes):
            own = [x for x in changes if (x["measure"], x["before"], x["after"]) == (measure, before, after)]
            finds = [x["difference"] for x in own if x["found"]]
            up = sum(x > 0.0 for x in finds)
            rows.append([measure, f"{before} to {after}", f"{len(own)}", f"{up}", f"{len(finds) - up}"])
    if not rows:
        return ""
    fewest = min(x["seeds"] for x in changes)
    text = (
        "Paired over seeds, learner by learner and game by game; found after Holm's correction over all of them. Of "
        f"{fewest} seeds no p is below {2.0 ** (1 - fewest):.2g}, so that few seeds can find nothing one by one."
    )
    head = ["measure", "change of reward", "pairs tested", "found upward", "found downward"]
    return "\n\n".join(["## The same, one by one", text, table(head, rows)])


def _health(found: Found) -> str:
    falls = {each["player"]: each for each in found["instability"]}
    rows = []
    for each in found["failures"]:
        own = falls.get(each["player"], {})
        counts = [f"{each[name]:,}" for name in ("runs", "diverged", "failed", "ended_early", "at_zero", "at_full")]
        drawdown = f"{own['drawdown_median']:.2f}" if own else ""
        rows.append([each["player"], *counts, drawdown, f"{own['unstable']:,}" if own else ""])
    head = [
        "learner", "runs", "diverged", "failed", "ended early", "at zero", "at full", "median drawdown", "unstable",
    ]  # fmt: skip
    text = (
        "Ended early: a rule ended the final policy's episode. At zero, at full: mean rate within 2% of it. Drawdown: "
        "the largest fall of the evaluated welfare from its best so far, as a share of its rise; unstable: above half."
    )
    return "\n\n".join(["## Failures and instability", text, table(head, rows)])


def _power(found: Found) -> str:
    rows = [
        [mode, x["game"], x["leader"], x["second"], f"{x['difference']:.4f}", f"{x['seeds']}", _needed(x)]
        for mode, claims in found.items()
        for x in claims
    ]
    if not rows:
        return ""
    text = (
        "Seeds of each learner at which a t test at 5% finds a difference of this size, in the standard deviations of "
        "these runs, with a probability of 80%. A deviation from a few seeds is rough, and so is what is needed."
    )
    head = ["mode", "game", "leader", "second", "difference", "seeds", "seeds needed"]
    return "\n\n".join(["## Seeds that a claim of leadership needs", text, table(head, rows)])


def _needed(claim: Found) -> str:
    return "more than 10,000" if claim["seeds_needed"] is None else f"{claim['seeds_needed']:,}"


def around(x: Found, digits: int = 2) -> str:
    """A number with its interval; the number alone where there is none."""
    value = f"{x['value']:.{digits}f}"
    return value if x["low"] is None else f"{value} [{x['low']:.{digits}f}, {x['high']:.{digits}f}]"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
