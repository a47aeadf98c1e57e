"""The first screen: what was asked, what came out and how sure that is, and one picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from coopgym.audit.comparison import compare_modes
from coopgym.report.page import figures
from coopgym.report.page.cells import Cell, cells, finite, of_player, player, quantities
from coopgym.report.page.findings import findings
from coopgym.report.page.material import TRAINED, Material
from coopgym.report.page.panel import Chart, Panel, Table
from coopgym.report.page.words import around, counted, listed, number
from coopgym.study.summary import mode_label

MEASURES = {"welfare": "welfare", "rate": "cooperation", "final_trust": "trust"}
AUDITED = ("welfare", "level", "trust", "best_gain_relative", "retaliation", "reciprocity_slope", "endgame", "gini")
FEW = 3  # changes that are told one by one
MOST = 60  # that are listed


def panel(material: Material) -> Panel:
    """Of any folder."""
    changes = _changes(material)
    answer = [*_told(changes), *_leaders(material)] if material.runs else _told(changes)
    chart = _picture(material)
    return Panel(
        "answer", _question(material), " ".join(answer) or _bare(material), (chart,) if chart else (),
        _tables(changes), _notes(changes),
    )  # fmt: skip


def _question(material: Material) -> str:
    games, modes = material.games(), material.modes()
    where = games[0] if len(games) == 1 else counted(len(games), "game")
    who = _learners(material)
    named = listed(who) if len(who) <= FEW else counted(len(who), "learner")
    if not material.runs:
        return f"What do the policies of {named} do in {where}, and does it depend on the rewards trained on?"
    if len(modes) > 1 and who:
        return f"What changes in {where} when {named} {_are(who)} trained on {_rewards(modes)} rewards?"
    return f"How do {named if who else counted(len(material.algorithms()), 'policy', 'policies')} do in {where}?"


def _rewards(modes: Sequence[str]) -> str:
    pure = [mode for mode in modes if mode != "none"]
    if len(pure) > 5:
        return f"{pure[0]} to {pure[-1]}"
    return " or ".join([", ".join(pure[:-1]), pure[-1]] if len(pure) > 1 else pure)


def _are(names: Sequence[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _learners(material: Material) -> list[str]:
    return list(dict.fromkeys(player(row) for row in material.rows() if row["kind"] == TRAINED))


def _changes(material: Material) -> list[dict[str, Any]]:
    """Between reward modes, of the measures that the folder has, paired over seeds."""
    if material.runs:
        return list(findings(material).found.get("modes_compared", []))
    rows = {
        (row["algorithm"], row["game"], mode_label(row), row["seed"]): row
        for row in material.audits if all(row[name] is not None for name in ("algorithm", "game", "seed"))
    }  # fmt: skip
    return compare_modes([r | {"reward_mode": key[2]} for key, r in rows.items()], AUDITED).rows()


def _told(changes: Sequence[dict[str, Any]]) -> list[str]:
    """Welfare from the first mode to the second; then how many changes were found in all."""
    known = [x for x in changes if x["p"] is not None]
    if not known:
        return []
    a, b = known[0]["before"], known[0]["after"]
    own = [x for x in known if x["measure"] == "welfare" and (x["before"], x["after"]) == (a, b)]
    if len(own) <= FEW:
        each = [f"by {_relative(x)} for {x['algorithm']}" for x in own]
        first = f"With {b} instead of {a} rewards, mean welfare changes {listed(each)}."
    else:
        up, down = (sum(x["found"] and sign * x["difference"] > 0.0 for x in own) for sign in (1.0, -1.0))
        pairs = counted(len(own), "pair of learner and game", "pairs of learner and game")
        first = f"With {b} instead of {a} rewards, welfare rises in {up} and falls in {down} of {pairs}."
    found = sum(x["found"] for x in known)
    tests = counted(len(known), "test")
    return [first, f"{found or 'No'} change{'s' if found > 1 else ''} of any measure {'is' if found < 2 else 'are'} "
            f"found at the 5% level (paired by seed, Holm's correction over {tests})."]  # fmt: skip


def _relative(x: dict[str, Any]) -> str:
    """A change as a share of the mean before, with its interval."""
    base = abs(x["mean_before"])
    if not base:
        return around(_change(x))
    value, low, high = (f"{100.0 * x[name] / base:+.2g}" for name in ("difference", "low", "high"))
    return f"{value}% [{low}, {high}]"


def _leaders(material: Material) -> list[str]:
    """Who leads, where there is more than one game to average a rank over."""
    found = findings(material).found
    if not found or len(found["games"]) < 2 or len(found["players"]) < 2:
        return []
    leaders = [
        f"{ranking['players'][0]['player']} with {mode} rewards ({around(ranking['players'][0]['average_rank'], 3)})"
        for mode, ranking in found["rankings"].items()
    ]  # fmt: skip
    return [f"Best average rank of {len(found['players'])} learners: {listed(leaders, 4)}."]


def _bare(material: Material) -> str:
    runs = counted(len(material.rows()), "record")
    return f"{runs} of {listed(material.algorithms())}; there is nothing to compare between reward modes."


def _picture(material: Material) -> Chart | None:
    games, own = material.games(), cells(material)
    quantity = "share of best constant" if _there(own, "share of best constant") else "welfare"
    if not _there(own, quantity):
        return None
    unit = next(q.unit for q in quantities(material) if q.name == quantity)
    if len(games) == 1:
        title = f"Final welfare, {'as a share of the best constant policy' if quantity != 'welfare' else 'payoff'}"
        mark = 1.0 if quantity != "welfare" else None
        figure = figures.of_cells(own, quantity, title, unit, True, mark)
        return Chart(figure, _alt(own, quantity), f"Means over seeds, 95% bootstrap intervals; small dots: {SINGLE}.")
    return _over_games(material)


SINGLE = "single runs, dashed line: the best constant policy"


def _over_games(material: Material) -> Chart | None:
    """Of a study the interquartile mean of the score; of audits the mean rate, which may be averaged over games."""
    found = findings(material).found
    if not found:
        return None
    series = {
        mode: [(each["player"], each["iqm"]["value"], each["iqm"]["low"], each["iqm"]["high"]) for each in x["players"]]
        for mode, x in found["rankings"].items()
    }
    best = next(iter(found["rankings"].values()))["players"]
    rows = [each["player"] for each in best]
    figure = figures.dots(series, rows, "Score over games, interquartile mean", "selfish play or nothing: 0, best: 1")
    alt = f"Interquartile mean of the score over {len(found['games'])} games by learner and reward mode; " + ", ".join(
        f"{each['player']} {around(each['iqm'], 3)}" for each in best[:FEW]
    )
    caption = (
        "Over games and runs, 95% bootstrap intervals. 0 is selfish play and 1 the optimum where these differ enough; "
        "in other games the score is the share of the best constant policy's welfare."
    )
    return Chart(figure, alt, caption)


def _there(own: Sequence[Cell], quantity: str) -> bool:
    return any(cell.found[quantity] is not None for cell in own)


def _alt(own: Sequence[Cell], quantity: str) -> str:
    told = [f"{cell.player} {cell.mode} {around(cell.found[quantity], 3)}" for cell in own if cell.found[quantity]]
    return f"{quantity} by learner and reward mode: {listed(told, 12)}."


def _tables(changes: Sequence[dict[str, Any]]) -> tuple[Table, ...]:
    """Each change where there are few; else how many were found."""
    known = [x for x in changes if x["p"] is not None]
    if not known:
        return ()
    return (_each(known) if len(known) <= MOST else _counts(known),)


def _each(known: Sequence[dict[str, Any]]) -> Table:
    columns = ("learner", "game", "rewards", "measure", "before", "after", "change", "p", "p, corrected", "seeds")
    rows = tuple(
        (x["algorithm"], x["game"], f"{x['before']} to {x['after']}", MEASURES.get(x["measure"], x["measure"]),
         x["mean_before"], x["mean_after"], around(_change(x), 3), x["p"], x["adjusted"], x["seeds"])
        for x in known
    )  # fmt: skip
    links = tuple(of_player(x["algorithm"]) | {"game": x["game"]} for x in known)
    caption = "Changes between reward modes, paired by seed: 95% intervals, p of permuted signs, corrected by Holm."
    return Table(columns, rows, caption, links)


def _change(x: dict[str, Any]) -> dict[str, Any]:
    return {"value": x["difference"], "low": x["low"], "high": x["high"]}


def _counts(known: Sequence[dict[str, Any]]) -> Table:
    """By measure and pair of modes."""
    rows = []
    for measure, before, after in dict.fromkeys((x["measure"], x["before"], x["after"]) for x in known):
        own = [x for x in known if (x["measure"], x["before"], x["after"]) == (measure, before, after)]
        finds = [x["difference"] for x in own if x["found"]]
        up = sum(x > 0.0 for x in finds)
        middle = sorted(x["difference"] for x in own)[len(own) // 2]
        name = MEASURES.get(measure, measure)
        rows.append((name, f"{before} to {after}", len(own), middle, up, len(finds) - up))
    columns = ("measure", "rewards", "pairs tested", "median change", "found upward", "found downward")
    caption = "Changes between reward modes: learner by learner and game by game, each in the measure's own unit."
    return Table(columns, tuple(rows), caption)


def _notes(changes: Sequence[dict[str, Any]]) -> tuple[str, ...]:
    """What a handful of seeds cannot show."""
    known = [x for x in changes if x["p"] is not None]
    if not known:
        return ()
    seeds = max(x["seeds"] for x in known)
    least = 2.0 ** (1 - seeds)
    if least * len(known) <= 0.05 or not finite(least):
        return ()
    return (
        f"With {counted(seeds, 'seed')} the smallest p that this test can give is {number(least, 2)}; times "
        f"{counted(len(known), 'test')} that is not below 5%, so that no change could have been found here. Intervals "
        "say more than the absence of finds does.",
    )
