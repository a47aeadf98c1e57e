"""Who leads under each reward mode, over the games of a study."""

from __future__ import annotations

from typing import Any

from coopgym.report.page import figures
from coopgym.report.page.cells import of_player
from coopgym.report.page.findings import findings
from coopgym.report.page.material import Material
from coopgym.report.page.panel import Chart, Panel, Table
from coopgym.report.page.words import around, counted, listed

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
            told.append(f"{mode}: {listed(ranking['leaders'])} tie, {around(first['average_rank'], 3)}")
            continue
        apart = first["average_rank"]["high"] < second["average_rank"]["low"]
        told.append(
            f"{mode}: {first['player']} {around(first['average_rank'], 3)}, before {second['player']} "
            f"{around(second['average_rank'], 3)}{'' if apart else ' (intervals overlap)'}"
        )
    return f"Average rank over {counted(len(found['games']), 'game')}, 1 is best. {'; '.join(told[:4])}."


def _chart(mode: str, ranking: Found) -> Chart:
    ranked = [each for each in ranking["players"] if each["average_rank"]]
    players = [each["player"] for each in ranked]
    points = [(e["player"], *(e["average_rank"][x] for x in ("value", "low", "high"))) for e in ranked]
    figure = figures.dots({mode: points}, players, f"{mode.capitalize()} rewards", "average rank, 1 is best")
    figure["layout"]["showlegend"] = False
    told = [f"{each['player']} {around(each['average_rank'], 3)}" for each in ranked]
    caption = "Average rank by mean score in each game; bars: 95% bootstrap intervals over runs."
    return Chart(figure, f"Average ranks with {mode} rewards: {listed(told, 12)}.", caption)


def _table(mode: str, ranking: Found) -> Table:
    classes = list(ranking["players"][0]["rank_by_class"])
    rows = tuple(
        (each["player"], around(each["average_rank"], 3), around(each["iqm"], 3),
         *((each["rank_by_class"][name] or {}).get("value") for name in classes), len(each["missing_games"]))
        for each in ranking["players"]
    )  # fmt: skip
    links = tuple(of_player(each["player"]) | {"reward_mode": mode} for each in ranking["players"])
    columns = ("learner", "average rank", "IQM of the score", *classes, "games lacking")
    return Table(columns, rows, f"{mode.capitalize()} rewards", links)


def _notes(found: Found) -> tuple[str, ...]:
    bare = sum(ruler["kind"] == "best constant" for ruler in found["rulers"].values())
    return (
        f"The score is 0 at selfish play and 1 at the optimum; in {bare} of {len(found['rulers'])} games these are too "
        "close for such a scale, and it is the share of the best constant policy's welfare there.",
        "A learner that lacks some of the games that are ranked over has no rank: what has no run is not scored. What "
        "diverged or failed scores as the worst run of its game and mode. Columns TR-1 to TR-4: average rank "
        "among the games of one technical report.",
    )
