"""The first screen: what was asked, what came out and how sure that is, and one picture."""

from __future__ import annotations

from collections.abc import Sequence

from coopgym.report.page import changes, figures
from coopgym.report.page.cells import Cell, cells, player, quantities
from coopgym.report.page.findings import findings
from coopgym.report.page.material import TRAINED, Material
from coopgym.report.page.panel import Chart, Panel
from coopgym.report.page.words import around, counted, listed
from coopgym.statistics import MEAN
from coopgym.study.analysis.page import marked, marked_leaders
from coopgym.study.records import Row
from coopgym.study.summary import mode_label

FEW = 3  # learners that a question names
SHARE = "share of best constant"


def panel(material: Material) -> Panel:
    """Of any folder."""
    known = changes.changes(material)
    answer = " ".join(filter(None, (changes.told(known), _leaders(material))))
    chart = _picture(material) if material.runs else changes.picture(known)
    tables = (changes.table(known),) if known else ()
    return Panel("answer", _question(material), answer or _bare(material), (chart,) if chart else (), tables)


def _question(material: Material) -> str:
    games, modes = material.games(), material.modes()
    where = games[0] if len(games) == 1 else counted(len(games), "game")
    who = list(dict.fromkeys(player(row) for row in material.rows() if row["kind"] == TRAINED))
    named = listed(who) if len(who) <= FEW else counted(len(who), "learner")
    if not material.runs:
        return f"What do the policies of {named} do in {where}, and does it depend on the rewards trained on?"
    if len(modes) > 1 and who:
        return f"What changes in {where} when {named} {'is' if len(who) == 1 else 'are'} trained on {_rewards(modes)}?"
    return f"How do {named if who else counted(len(material.algorithms()), 'policy', 'policies')} do in {where}?"


def _rewards(modes: Sequence[str]) -> str:
    pure = [mode for mode in modes if mode != "none"]
    if len(pure) > FEW:
        return f"rewards from {pure[0]} to {pure[-1]}"
    return f"{' or '.join([', '.join(pure[:-1]), pure[-1]] if len(pure) > 1 else pure)} rewards"


def _leaders(material: Material) -> str:
    """Who leads, where there is more than one game to average a rank over."""
    found = findings(material).found
    if not found or len(found["games"]) < 2 or len(found["players"]) < 2:
        return ""
    rankings = {mode: each for mode, each in found["rankings"].items() if each["leaders"]}
    if not rankings or max(sum(bool(x["average_rank"]) for x in each["players"]) for each in rankings.values()) < 2:
        return "No two learners have runs of the same games, so there is no rank over games."
    of = f"average rank of {counted(len(found['players']), 'learner')}"
    leaders = {tuple(each["leaders"]) for each in rankings.values()}
    if len(leaders) == 1 and len(rankings) > 1:
        (own,) = leaders
        return f"{own[0]} has the best {of} under every reward." if len(own) == 1 else _tie(own, of, "every reward")
    each = [
        f"{listed(marked_leaders(x))} with {mode} rewards ({around(x['players'][0]['average_rank'], 3)}"
        f"{', a tie' if len(x['leaders']) > 1 else ''})"
        for mode, x in rankings.items()
    ]
    return f"Best {of}: {listed(each, 4)}."


def _tie(leaders: Sequence[str], of: str, where: str) -> str:
    return f"{listed(leaders)} share the best {of} under {where}: a tie."


def _bare(material: Material) -> str:
    records = f"{counted(len(material.rows()), 'record')} of {listed(material.algorithms())}"
    modes = [mode for mode in material.modes() if mode != "none"]
    if len(modes) < 2:
        return f"{records}; there is one reward mode, so there is nothing to compare between modes."
    trained = [row for row in material.finished if row["kind"] == TRAINED]
    seeds = {(row["game"], player(row), row["seed"]) for row in trained}
    several = {key for key in seeds if len({mode_label(r) for r in trained if _of(r) == key}) > 1}
    if not several:
        return f"{records}; no learner has runs of one seed under two reward modes, so modes cannot be paired."
    own = [cell for cell in cells(material) if cell.rows[0]["kind"] == TRAINED and cell.found["welfare"]]
    values = [f"{cell.player} {cell.mode} {around(cell.found['welfare'], 4)}" for cell in own]
    return (
        f"{records}. Welfare: {listed(values)}. Changes between modes have no interval here: that takes two seeds or "
        "more under both, and modes that are not the same training problem."
    )


def _of(row: Row) -> tuple[str, str, int | None]:
    return row["game"], player(row), row["seed"]


def _picture(material: Material) -> Chart | None:
    """Of one game the final welfare, of a study the score over games."""
    own, score = cells(material), findings(material).found
    quantity = SHARE if any(cell.found[SHARE] for cell in own) else "welfare"
    shown = [cell for cell in own if cell.found[quantity]]
    if len(material.games()) > 1:
        return _over_games(material) if score else None
    if not shown:
        return None
    unit = next(q.unit for q in quantities(material) if q.name == quantity)
    figure = figures.of_cells(shown, quantity, "Final welfare", unit, True, 1.0 if quantity == SHARE else None)
    line = ", dashed line: the best constant policy" if quantity == SHARE else ""
    caption = f"Means over seeds, {MEAN}; small dots: single runs{line}. Hollow marks: one run."
    return Chart(figure, _alt(shown, quantity), caption)


def _over_games(material: Material) -> Chart | None:
    """The interquartile mean of the score, by learner and mode, over the games of one scale."""
    found = findings(material).found
    rankings = {mode: ranking for mode, ranking in found["rankings"].items() if ranking["leaders"]}
    if not rankings:
        return None
    best = next(iter(rankings.values()))
    name, games = ("iqm", len(best["at_stake"])) if best["at_stake"] else ("iqm_of_share", len(best["games"]))
    series = {
        mode: [
            (marked(each), *(each[name][x] for x in ("value", "low", "high")))
            for each in ranking["players"]
            if each[name]
        ]
        for mode, ranking in rankings.items()
    }
    rows = [marked(each) for each in best["players"] if each[name]]
    what = "1 is the optimum" if best["at_stake"] else "share of the best constant's welfare"
    figure = figures.dots(series, rows, "Score over games", f"interquartile mean, {what}")
    first = ", ".join(f"{marked(each)} {around(each[name], 3)}" for each in best["players"][:FEW] if each[name])
    over = f"the {games} games where something is at stake" if best["at_stake"] else counted(games, "game")
    caption = (
        f"Over {over} and runs, {MEAN}. "
        + ("0 is selfish play and 1 the optimum. " if best["at_stake"] else "")
        + "The ranking has all games."
    )
    text = f"Interquartile mean of the score over {counted(games, 'game')} by learner and mode"
    return Chart(figure, f"{text}; with {next(iter(series))} rewards {first}.", caption)


def _alt(own: Sequence[Cell], quantity: str) -> str:
    values = [f"{cell.player} {cell.mode} {around(cell.found[quantity], 3)}" for cell in own]
    return f"Final welfare, {quantity}, by learner and reward mode: {listed(values, 12)}."
