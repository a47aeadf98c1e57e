"""How learners got there: the evaluated welfare over training, with bands over seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from coopgym.report.page import figures
from coopgym.report.page.cells import Cell, cells, of_player
from coopgym.report.page.findings import findings
from coopgym.report.page.material import TRAINED, Material
from coopgym.report.page.panel import Chart, Panel, Table
from coopgym.report.page.words import counted, number
from coopgym.statistics import MEAN
from coopgym.study.analysis import health
from coopgym.study.records import Row
from coopgym.study.summary import Estimate, estimates

POINTS = 20_000  # over all curves of a page
FEWEST, MOST = 12, 120  # points of a curve
Curve = tuple[list[float], list[Estimate]]


def panel(material: Material) -> Panel | None:
    """None where no curve is there."""
    by_run = {row["run_id"]: row for row in material.curves if row["metric"] == "welfare_eval" and row["agent"] == -1}
    own = [cell for cell in cells(material) if cell.rows[0]["kind"] == TRAINED]
    found = {id(cell): _values(cell, by_run) for cell in own}
    own = [cell for cell in own if len(found[id(cell)][1])]
    if not own:
        return None
    points = int(np.clip(POINTS / len(own), FEWEST, MOST))
    drawn = {id(cell): _curve(*found[id(cell)], points) for cell in own}
    many = len({cell.game for cell in own}) > 1
    pairs = dict.fromkeys((cell.game, cell.player) for cell in own)
    charts = tuple(_chart(g, p, [c for c in own if (c.game, c.player) == (g, p)], drawn, many) for g, p in pairs)
    falls = _falls(material)
    return Panel("learning", "Learning curves", _lead(falls), charts, (_table(falls),) if falls else ())


def _lead(falls: Sequence[Mapping[str, Any]]) -> str:
    first = f"Welfare of the deterministic policy during training; bands are {MEAN} over seeds."
    if not falls:
        return first
    unstable, total = (sum(each[name] for each in falls) for name in ("unstable", "curves"))
    verb = "falls" if unstable == 1 else "fall"
    return f"{first} {unstable} of {counted(total, 'curve')} {verb} back by more than half of what had been gained."


def _falls(material: Material) -> list[dict[str, Any]]:
    """By learner; nothing where the runs cannot be analysed."""
    runs = findings(material).runs
    return [] if runs is None else health.instability(runs.learners, material.curves)


def _values(cell: Cell, by_run: Mapping[str, Row]) -> tuple[np.ndarray, np.ndarray]:
    """(steps ``[K]``, welfare ``[seeds, K]``) of the runs that ended well and have a curve without a gap."""
    rows = [by_run[row["run_id"]] for row in cell.rows if row["run_id"] in by_run and row["status"] == "ok"]
    rows = [row for row in rows if row["value"] and all(x is not None for x in row["value"])]
    if not rows:
        return np.zeros(0), np.zeros((0, 0))
    shortest = min(len(row["value"]) for row in rows)
    steps = np.array(rows[0]["env_steps"][:shortest], dtype=np.float64)
    return steps, np.array([row["value"][:shortest] for row in rows], dtype=np.float64)


def _curve(steps: np.ndarray, values: np.ndarray, points: int) -> Curve:
    """Thinned to so many points, the last among them."""
    chosen = np.unique(np.linspace(0, len(steps) - 1, min(points, len(steps))).round().astype(int))
    return steps[chosen].tolist(), [each for each in estimates(values[:, chosen].T.tolist()) if each is not None]


def _chart(game: str, player: str, own: Sequence[Cell], drawn: Mapping[int, Curve], many: bool) -> Chart:
    series = {cell.mode: drawn[id(cell)] for cell in own}
    title = f"{player}: {game}" if many else player
    figure = figures.lines(series, title, "environment steps of a seed", "welfare [payoff]")
    best = next((row["best_constant_welfare"] for cell in own for row in cell.rows), None)
    if best is not None:
        figure["layout"]["shapes"] = [figures.line(y=best)]
    ends = ", ".join(f"{mode} from {_at(y, 0)} to {_at(y, -1)}" for mode, (_, y) in series.items())
    seeds = sorted({len(cell.rows) for cell in own})
    caption = f"Mean of {'-'.join(map(str, dict.fromkeys((seeds[0], seeds[-1]))))} seeds; dashed: best constant policy."
    return Chart(figure, f"Welfare of {player} in {game} over training: {ends}.", caption, game if many else "")


def _at(found: Sequence[Estimate], place: int) -> str:
    return number(found[place].mean, 3)


def _table(falls: Sequence[Mapping[str, Any]]) -> Table:
    """By learner: how often, and how far, it fell back."""
    names = ("player", "curves", "drawdown_median", "drawdown_largest", "unstable", "final_spread_median")
    rows = tuple(tuple(each[name] for name in names) for each in falls)
    columns = ("learner", "curves", "median fall", "largest fall", "unstable", "median final spread")
    caption = (
        "Fall: the largest one from the best so far, as a share of the whole rise; unstable: above one half; final "
        "spread: standard deviation over the last fifth, as a share of the last value."
    )
    return Table(columns, rows, caption, tuple(of_player(each["player"]) for each in falls))
