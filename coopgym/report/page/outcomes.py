"""Game by game: what final policies earn, how much they give, and the trust that is left."""

from __future__ import annotations

from collections.abc import Sequence

from coopgym.report.page import figures
from coopgym.report.page.cells import Cell, Quantity, cells, quantities
from coopgym.report.page.material import Material
from coopgym.report.page.panel import Chart, Panel, Table
from coopgym.report.page.words import around, counted, listed
from coopgym.statistics import MEAN, about

FEW = 2_000  # rows up to which single runs are drawn
LONGEST = 400  # lines of the table
CONSTANTS = 8  # constant policies of a game that are drawn one by one; of more, the landscape draws the curve


def panel(material: Material) -> Panel | None:
    """Of any folder with a run that ended well."""
    own, unseen = _seen([cell for cell in cells(material) if any(cell.found.values())])
    if not own:
        return None
    games = list(dict.fromkeys(cell.game for cell in own))
    many = len(games) > 1
    charts = [
        _chart([c for c in own if c.game == game], quantity, game if many else "", len(material.rows()) <= FEW)
        for game in games for quantity in quantities(material)[1:]
    ]  # fmt: skip
    seeds = sorted({len(cell.rows) for cell in own})
    lead = (
        f"{counted(len(own), 'cell')} of learner, game and reward mode; {_between(seeds)} in each. Means are over the "
        f"runs that ended well, of the deterministic policy; brackets are {MEAN} over seeds.{unseen}"
    )
    team = sorted({cell.player for cell in own if any(row.get("team_reward") for row in cell.rows)})
    if team:
        lead += (
            f" {listed(team)}: trained on the sum of all agents' rewards under every mode, which is another objective "
            "than the others'."
        )
    return Panel(
        "outcomes", "Outcomes", lead, tuple(chart for chart in charts if chart), _table(material, own, many)
    )  # fmt: skip


def _seen(own: Sequence[Cell]) -> tuple[list[Cell], str]:
    """The cells without a crowd of constants, and a sentence on what that left out."""
    rest = [cell for cell in own if cell.rows[0]["kind"] != "constant"]
    left_out = {cell.player for cell in own} - {cell.player for cell in rest}
    if len(left_out) <= CONSTANTS or not rest:
        return list(own), ""
    return rest, f" The {len(left_out)} constant policies stand in the payoff landscape and in the table of runs."


def _between(seeds: Sequence[int]) -> str:
    return counted(seeds[0], "run") if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]} runs"


def _chart(own: Sequence[Cell], quantity: Quantity, game: str, seeds: bool) -> Chart | None:
    name = quantity.name
    shown = [cell for cell in own if cell.found[name] is not None]
    if not shown:
        return None
    mark = 1.0 if name == "share of best constant" else None
    title = "Final welfare" if name == "share of best constant" else name.capitalize()
    figure = figures.of_cells(shown, name, f"{title}: {game}" if game else title, quantity.unit, seeds, mark)
    told = [f"{cell.player} {cell.mode} {around(cell.found[name], 3)}" for cell in shown]
    extra = "; dashed: the best constant policy" if mark else ""
    small = "; small dots: single runs" if seeds else ""
    caption = f"Means over seeds with {MEAN}{small}{extra}. A hollow mark has one run only."
    return Chart(figure, f"{title}, {quantity.unit}: {listed(told, 12)}.", caption, game)


def _table(material: Material, own: Sequence[Cell], many: bool) -> tuple[Table, ...]:
    names = [q.name for q in quantities(material)]
    columns = (*(("game",) if many else ()), "learner", "rewards", *names, "runs", "left out")
    rows = [
        (*((cell.game,) if many else ()), cell.player, cell.mode, *(around(cell.found[name], 3) for name in names),
         len(cell.rows) - cell.left_out, cell.left_out)
        for cell in own[:LONGEST]
    ]  # fmt: skip
    more = f" The first {LONGEST} of {len(own)}; the table of runs has all." if len(own) > LONGEST else ""
    caption = f"{about('mean', 'seeds')} Left out: runs that diverged or failed.{more}"
    return (Table(columns, tuple(rows), caption, tuple(cell.link for cell in own[:LONGEST])),)
