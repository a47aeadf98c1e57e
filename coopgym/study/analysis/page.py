"""An analysis as a page: Markdown tables of its numbers, which come from nowhere else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

Found = dict[str, Any]


def page(found: Found, title: str, command: str, before: Sequence[str] = (), after: Sequence[str] = ()) -> str:
    """The whole page. command: what makes it again; before, after: parts that come from elsewhere."""
    parts = [f"# {title}", _opening(found, command), *before]
    parts += [_ranking(mode, found["rankings"][mode]) for mode in found["modes"]]
    parts += [_games(found), _paradigms(found["paradigms"]), _classes(found["modes_by_class"])]
    parts += [_modes(found["modes_compared"]), _health(found)]
    parts += [_power(found["power"]), *after]
    return "\n\n".join(part for part in parts if part) + "\n"


def _opening(found: Found, command: str) -> str:
    states = ", ".join(f"{count:,} {status}" for status, count in found["status"].items())
    bare = [game for game, ruler in found["rulers"].items() if ruler["kind"] == "best constant"]
    return "\n".join([
        f"Made by `{command}` from {found['runs']:,} records ({states}); {found['learner_runs']:,} are of learners"
        f"{_repeats(found)}.",
        "",
        "Welfare is scored from selfish play (0) to the optimum (1) where these differ enough for such a scale, and as "
        f"a share of the best constant policy's in the other {len(bare)} of {len(found['rulers'])} games. What "
        "diverged or failed counts as the worst run of its game and mode. Brackets are 95% bootstrap intervals over "
        "runs, resampled within each learner and game. Average ranks are over games, by mean score in each; "
        "returns of different games are never averaged. A learner that lacks games has no rank and no mean over them.",
    ])  # fmt: skip


def _repeats(found: Found) -> str:
    """Those that say nothing new, and what they are left out of."""
    if not found["duplicates"]:
        return ""
    return (
        f". {found['duplicates']:,} of these repeat a run of another mode that gives the same training problem: they "
        "stand in their mode's ranking, and are left out of comparisons of modes and of counts of failures"
    )


def _ranking(mode: str, ranking: Found) -> str:
    classes = list(ranking["players"][0]["rank_by_class"])
    head = ["learner", "average rank", "IQM of the score", *classes, "lacks"]
    rows = [
        [
            each["player"], _known(each["average_rank"]), _known(each["iqm"], 3),
            *(_known(each["rank_by_class"][name]) for name in classes),
            f"{len(each['missing_games'])} games" if each["missing_games"] else "",
        ]
        for each in ranking["players"]
    ]  # fmt: skip
    leader = ranking["players"][0]["player"]
    chances = [_toward(leader, pair) for pair in ranking["improvement"] if leader in (pair["player"], pair["against"])]
    text = "; ".join(f"{other} {around(chance)}" for other, chance in chances)
    after = f"Chance that a run of {leader} scores more than one of: {text}." if chances else ""
    return "\n\n".join(filter(None, [f"## {mode.capitalize()} rewards: who leads", table(head, rows), after]))


def _known(found: Found | None, digits: int = 2) -> str:
    """A number with its interval; nothing of a player who lacks games, and has none."""
    return "" if found is None else around(found, digits)


def _toward(leader: str, pair: Found) -> tuple[str, Found]:
    """The other player, and the leader's chance against it."""
    if pair["player"] == leader:
        return pair["against"], pair
    return pair["player"], {"value": 1.0 - pair["value"], "low": 1.0 - pair["high"], "high": 1.0 - pair["low"]}


def _games(found: Found) -> str:
    references = {each["game"]: each["scores"] for each in found["references"]}
    rows = []
    for game in found["games"]:
        row = [game, found["rulers"][game]["kind"]]
        for mode in found["modes"]:
            means = {p["player"]: p["mean_by_game"].get(game) for p in found["rankings"][mode]["players"]}
            best = max(((x, name) for name, x in means.items() if x is not None), default=None)
            row.append("" if best is None else f"{best[1]} {best[0]:.3f}")
        row.append(f"{references[game]['BestConstant']:.3f}" if "BestConstant" in references[game] else "")
        rows.append(row)
    head = ["game", "scale", *(f"best, {mode}" for mode in found["modes"]), "best constant"]
    return "\n\n".join(["## Game by game: the learner with the largest mean score", table(head, rows)])


def _paradigms(found: Found) -> str:
    if not found["contrasts"]:
        return ""
    modes = list(dict.fromkeys(each["mode"] for each in found["contrasts"]))
    by = {(each["game"], each["mode"]): each for each in found["contrasts"]}
    rows = [
        [game, *(around(by[game, mode], 3) if (game, mode) in by else "" for mode in modes)]
        for game in dict.fromkeys(each["game"] for each in found["contrasts"])
    ]
    declared = [f"{x['game']} from {x['from']} to {x['to']}" for x in found["crossovers"] if x["declared"]]
    text = (
        f"Mean score of independent learners minus that of centrally trained ones; {_units(found['contrasts'])}. Of "
        f"{found['tests']} pairs of modes a change of sign is declared in {len(declared)}"
        + (f": {'; '.join(declared)}" if declared else "")
        + " (both intervals beyond 0, Holm over all pairs)."
    )
    along = [f"{x['game']} ({x['kind']}): {place(x)}" for x in found["mutualities"]]
    crossing = "Mutuality at which the contrast changes sign: " + "; ".join(along) + "." if along else ""
    parts = ["## Independent against centrally trained learners", text, table(["game", *modes], rows), crossing]
    return "\n\n".join(filter(None, parts))


def _units(contrasts: Iterable[Found]) -> str:
    units = sorted({each["unit"] for each in contrasts})
    return f"what is resampled is the {' or the '.join(units)}"


def place(found: Found) -> str:
    """Where along the mutualities of a sweep the contrast changes sign, and whether its ends are apart."""
    at, apart = found["mutuality"], "" if found["declared"] else "not "
    ends = f"a change of sign from one end to the other is {apart}declared"
    if at["value"] is None:
        return f"nowhere (in {found['share']:.0%} of resamples it does; {ends})"
    return f"{around(at)} (in {found['share']:.0%} of resamples it does; {ends})"


def _classes(changes: Sequence[Found]) -> str:
    """Mean changes over the games of a class; bold what is found."""
    asked = list(dict.fromkeys((x["before"], x["after"]) for x in changes))
    by = {(x["game"], x["measure"], x["before"], x["after"]): x for x in changes}
    rows = []
    for name in sorted({x["game"] for x in changes}):
        for measure in dict.fromkeys(x["measure"] for x in changes):
            own = [by.get((name, measure, *pair)) for pair in asked]
            pairs = next((str(x["seeds"]) for x in own if x), "")
            rows.append([name, measure, pairs, *(_change(x) for x in own)])
    if not rows:
        return ""
    text = (
        "Mean change, its 95% interval and p after Holm's correction over the table, in bold where it is found (at "
        "most 5%); a pair is a learner in a game, its mean over seeds. Score: as above; rate: share of the endowment."
    )
    head = ["class", "measure", "pairs", *(f"{before} to {after}" for before, after in asked)]
    return "\n\n".join(["## What a change of reward changes", text, table(head, rows)])


def _change(x: Found | None) -> str:
    if x is None or x["low"] is None:
        return ""
    told = f"{x['difference']:+.3f} [{x['low']:+.3f}, {x['high']:+.3f}]"
    return f"**{told}**, p {x['adjusted']:.2g}" if x["found"] else f"{told}, p {x['adjusted']:.2g}"


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
    text = "Seeds of each at which the difference found would be significant at 5% with a power of 80%."
    head = ["mode", "game", "leader", "second", "difference", "seeds", "seeds needed"]
    return "\n\n".join(["## Seeds that a claim of leadership needs", text, table(head, rows)])


def _needed(claim: Found) -> str:
    return "more than 10,000" if claim["seeds_needed"] is None else f"{claim['seeds_needed']:,}"


def around(x: Found, digits: int = 2) -> str:
    """A number with its interval."""
    return f"{x['value']:.{digits}f} [{x['low']:.{digits}f}, {x['high']:.{digits}f}]"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
