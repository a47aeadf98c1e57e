"""The first screen: what was asked, what came out and how sure that is, and one picture."""

from __future__ import annotations

from collections.abc import Sequence

from coopgym.report.page import changes, figures
from coopgym.report.page.cells import Cell, cells, player, quantities
from coopgym.report.page.findings import findings
from coopgym.report.page.material import TRAINED, Material
from coopgym.report.page.panel import Chart, Panel
from coopgym.report.page.words import around, counted, listed

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
    first = {mode: ranking["players"][0] for mode, ranking in found["rankings"].items()}
    of = f"average rank of {counted(len(found['players']), 'learner')}"
    leaders = {each["player"] for each in first.values()}
    if len(leaders) == 1 and len(first) > 1:
        return f"{leaders.pop()} has the best {of} under every reward."
    each = [f"{x['player']} with {mode} rewards ({around(x['average_rank'], 3)})" for mode, x in first.items()]
    return f"Best {of}: {listed(each, 4)}."


def _bare(material: Material) -> str:
    records = counted(len(material.rows()), "record")
    return f"{records} of {listed(material.algorithms())}; there is nothing to compare between reward modes."


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
    caption = f"Means over seeds, 95% bootstrap intervals; small dots: single runs{line}. Hollow marks: one run."
    return Chart(figure, _alt(shown, quantity), caption)


def _over_games(material: Material) -> Chart:
    """The interquartile mean of the score, by learner and mode."""
    found = findings(material).found
    series = {
        mode: [(each["player"], *(each["iqm"][x] for x in ("value", "low", "high"))) for each in ranking["players"]]
        for mode, ranking in found["rankings"].items()
    }
    best = next(iter(found["rankings"].values()))["players"]
    rows = [each["player"] for each in best]
    figure = figures.dots(series, rows, "Score over games", "interquartile mean, 1 is the optimum")
    first = ", ".join(f"{each['player']} {around(each['iqm'], 3)}" for each in best[:FEW])
    caption = (
        "Over games and runs, 95% bootstrap intervals. 0 is selfish play and 1 the optimum where these differ enough; "
        "in other games the score is the share of the best constant policy's welfare."
    )
    text = f"Interquartile mean of the score over {counted(len(found['games']), 'game')} by learner and mode"
    return Chart(figure, f"{text}; with {next(iter(series))} rewards {first}.", caption)


def _alt(own: Sequence[Cell], quantity: str) -> str:
    values = [f"{cell.player} {cell.mode} {around(cell.found[quantity], 3)}" for cell in own]
    return f"Final welfare, {quantity}, by learner and reward mode: {listed(values, 12)}."
