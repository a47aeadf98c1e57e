"""Who leads under each reward mode, over the games of a study."""

from __future__ import annotations

from typing import Any

from coopgym.oracles.scores import TOLERANCE
from coopgym.report.page import figures
from coopgym.report.page.cells import of_player
from coopgym.report.page.findings import findings
from coopgym.report.page.material import Material
from coopgym.report.page.panel import Chart, Panel, Table
from coopgym.report.page.words import around, counted, listed
from coopgym.statistics import OF_THE_SUM, about
from coopgym.study.analysis.page import marked, marked_leaders
from coopgym.study.analysis.scores import AT_STAKE

Found = dict[str, Any]


def panel(material: Material) -> Panel | None:
    """Of learners in several games; None where there is nothing to rank over."""
    found, why = findings(material).found, findings(material).why
    if not found:
        return Panel("rankings", "Rankings", f"There is no ranking: {why}.") if material.runs and why else None
    if len(found["games"]) < 2 or len(found["players"]) < 2:
        return None
    modes = found["rankings"]
    charts = tuple(_chart(mode, ranking) for mode, ranking in modes.items())
    tables = tuple(_table(mode, ranking) for mode, ranking in modes.items())
    return Panel("rankings", "Rankings by reward mode", _lead(found), charts, tables, _notes(found))


def _lead(found: Found) -> str:
    told = []
    for mode, ranking in found["rankings"].items():
        ranked = [each for each in ranking["players"] if each["average_rank"]]
        if len(ranked) < 2:
            told.append(f"{mode}: no two learners have runs of the same games")
            continue
        first, second = ranked[:2]
        if len(ranking["leaders"]) > 1:
            told.append(f"{mode}: {listed(marked_leaders(ranking))} tie, {around(first['average_rank'], 3)}")
            continue
        apart = _apart(first["average_rank"], second["average_rank"])
        told.append(
            f"{mode}: {marked(first)} {around(first['average_rank'], 3)}, before {marked(second)} "
            f"{around(second['average_rank'], 3)}{'' if apart else ' (not shown to be apart)'}"
        )
    return f"Average rank over {counted(len(found['games']), 'game')}, 1 is best. {'; '.join(told[:4])}."


def _apart(first: Found, second: Found) -> bool:
    return first["high"] is not None and second["low"] is not None and first["high"] < second["low"]


def _chart(mode: str, ranking: Found) -> Chart:
    ranked = [each for each in ranking["players"] if each["average_rank"]]
    players = [marked(each) for each in ranked]
    points = [(marked(e), *(e["average_rank"][x] for x in ("value", "low", "high"))) for e in ranked]
    figure = figures.dots({mode: points}, players, f"{mode.capitalize()} rewards", "average rank, 1 is best")
    figure["layout"]["showlegend"] = False
    told = [f"{marked(each)} {around(each['average_rank'], 3)}" for each in ranked]
    caption = f"Average rank by mean score in each game. {about('rank')}"
    return Chart(figure, f"Average ranks with {mode} rewards: {listed(told, 12)}.", caption)


def _table(mode: str, ranking: Found) -> Table:
    classes = list(ranking["players"][0]["rank_by_class"])
    stake, games = len(ranking["at_stake"]), len(ranking["games"])
    heads = {
        "average_rank": f"average rank, {games} games", "rank_at_stake": f"average rank, {stake} at stake",
        "iqm": f"IQM of the score, {stake} at stake", "iqm_of_share": f"IQM of the share, {games - stake} others",
    }  # fmt: skip
    shown = [name for name in heads if ranking["players"][0][name] is not None]
    rows = tuple(
        (marked(each), *(around(each[name], 3) for name in shown),
         *((each["rank_by_class"][name] or {}).get("value") for name in classes), len(each["missing_games"]))
        for each in ranking["players"]
    )  # fmt: skip
    links = tuple(of_player(each["player"]) | {"reward_mode": mode} for each in ranking["players"])
    columns = ("learner", *(heads[name] for name in shown), *classes, "games lacking")
    return Table(columns, rows, f"{mode.capitalize()} rewards", links)


def _notes(found: Found) -> tuple[str, ...]:
    rest = sum(ruler["kind"] != AT_STAKE for ruler in found["rulers"].values())
    notes = [
        f"In {len(found['rulers']) - rest} of {len(found['rulers'])} games something is at stake: selfish play (score "
        f"0) and the optimum (score 1) differ by more than {TOLERANCE:.1%} of the optimum. In the others the share of "
        "the best constant policy's welfare stands for the score; the two scales are not averaged together.",
        "A learner that lacks some of the games that are ranked over has no rank: what has no run is not scored. What "
        "diverged or failed scores as the worst run of its game and mode. Columns TR-1 to TR-4: average rank "
        f"among the games of one technical report. {about('aggregate')}",
    ]
    if any(each["team"] for ranking in found["rankings"].values() for each in ranking["players"]):
        notes.append(OF_THE_SUM)
    return tuple(notes)
