"""Key measures of what policies do, with intervals: by learner and reward mode, and by game."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from coopgym.audit.measures import CATALOGUE
from coopgym.report.page import figures
from coopgym.report.page.audited import audited, game, gathered, modes
from coopgym.report.page.cells import of_player, player, several
from coopgym.report.page.material import Material
from coopgym.report.page.panel import Chart, Panel, Table
from coopgym.report.page.strata import Spread, numbers, spread
from coopgym.report.page.words import around, counted, listed
from coopgym.statistics import MEAN
from coopgym.study.records import Row
from coopgym.study.summary import Estimate, mode_label

SHOWN = (
    "efficiency", "level", "trust", "gini", "best_gain_relative", "exploitable", "retaliation", "gratitude",
    "unforgiving", "reciprocity_slope", "endgame",
)  # fmt: skip
GAIN = "best_gain_relative"
LONGEST = 200  # lines of a table
Found = dict[tuple[str, str], Spread]


def panel(material: Material) -> Panel | None:
    """None without an audit."""
    found = audited(material)
    if found is None:
        return None
    names = [name for name in SHOWN if np.isfinite(numbers([row.get(name) for row in found.rows])).any()]
    if not names:
        return None
    order = modes(material, found.rows)
    own = _spreads(found.rows, names, by=0)
    tables = [_table(own, names, order, "learner")]
    games = gathered(found.rows, game)
    apart = several(map(player, found.rows))
    if len(games) > 1 and not apart:
        tables.append(_table(_spreads(found.rows, names, by=1), names, order, "game"))
    charts = [_chart(own, names, name, order) for name in names]
    return Panel(
        "measures", "Behaviour in numbers", _lead(found.rows, names, order, own if apart else None), tuple(charts),
        tuple(tables), _notes(found.rows, names, found.effort, found.other),
    )  # fmt: skip


def _spreads(rows: Sequence[Row], names: Sequence[str], by: int) -> Found:
    """Of each learner (by=0) or game (by=1) under each mode, pooled over the other."""
    first, second = ((player, game), (game, player))[by]
    found: Found = {}
    for (name, mode), own in gathered(rows, first, mode_label).items():
        strata = [
            np.array([numbers([r.get(n) for n in names]) for r in part]) for part in gathered(own, second).values()
        ]
        each = spread(strata)
        if each is not None:
            found[name, mode] = each
    return found


def _at(each: Spread, names: Sequence[str], name: str) -> Estimate | None:
    """One measure, its interval cut at what the measure cannot leave."""
    found, measure = each.at(names.index(name)), CATALOGUE[name]
    return None if found is None else found.within(measure.low, measure.high)


def _chart(own: Found, names: Sequence[str], name: str, order: Sequence[str]) -> Chart:
    """One measure, a row for each learner."""
    series: dict[str, list[figures.Dot]] = {}
    for (who, mode), each in sorted(own.items(), key=lambda item: order.index(item[0][1])):
        value = _at(each, names, name)
        if value is not None:
            series.setdefault(mode, []).append((who, value.mean, value.low, value.high))
    rows = list(dict.fromkeys(who for who, _ in own))
    measure = CATALOGUE[name]
    figure = figures.dots(series, rows, name, f"{measure.what} [{measure.unit}]")
    told = [f"{who} {mode} {around(x, 2)}" for (who, mode), e in own.items() if (x := _at(e, names, name))]
    caption = f"{measure.what.capitalize()}: means over seeds and games with {MEAN}."
    return Chart(figure, f"{name}: {listed(told, 12)}.", caption, name)


def _table(own: Found, names: Sequence[str], order: Sequence[str], what: str) -> Table:
    whom = list(dict.fromkeys(who for who, _ in own))
    keys = [(who, mode) for who in whom for mode in order if (who, mode) in own][:LONGEST]
    rows: list[tuple[str | int, ...]] = [
        (*key, own[key].runs, *(around(_at(own[key], names, name), 3) for name in names)) for key in keys
    ]
    link = of_player if what == "learner" else lambda name: {"game": name}
    links = tuple(link(who) | {"reward_mode": mode} for who, mode in keys)
    over = "games" if what == "learner" else "learners"
    more = f" The first {LONGEST} of {len(own)} lines." if len(own) > LONGEST else ""
    caption = f"Means over {over} and seeds, with {MEAN} over seeds.{more}"
    return Table((what, "rewards", "runs", *names), tuple(rows), caption, links)


def _lead(rows: Sequence[Row], names: Sequence[str], order: Sequence[str], apart: Found | None) -> str:
    """apart: by learner, where one is there in several designs, which have no mean together."""
    what = GAIN if GAIN in names else names[0]
    told = sorted((apart or {}).items(), key=lambda item: order.index(item[0][1]))
    values = [(who, mode, value) for (who, mode), each in told if (value := _at(each, names, what)) is not None]
    parts = [f"{around(value, 3)} for {who} under {mode} rewards" for who, mode, value in values]
    for mode in order if apart is None else ():
        strata = gathered([row for row in rows if mode_label(row) == mode], game, player).values()
        each = spread([numbers([row.get(what) for row in own])[:, None] for own in strata])
        value = None if each is None else _at(each, [what], what)
        if value is not None:
            parts.append(f"{around(value, 3)} under {mode} rewards")
    games = len(gathered(rows, game))
    where = f" in {games} games" if games > 1 else ""
    said = "What the best deviation found gains an agent, as a share of its payoff" if what == GAIN else f"Mean {what}"
    return f"{counted(len(rows), 'policy', 'policies')} audited{where}. {said}: {listed(parts)}."


def _notes(rows: Sequence[Row], names: Sequence[str], effort: str, other: int) -> tuple[str, ...]:
    counts = {name: int((~np.isfinite(numbers([row.get(name) for row in rows]))).sum()) for name in names}
    missing = [f"{name} in {count:,}" for name, count in counts.items() if count]
    notes = [f"Audited with effort {effort}; what each measure is: point at its name."]
    if other:
        notes.append(f"{counted(other, 'audit')} of another effort are left out.")
    if missing:
        notes.append(f"Not defined for some policies, and left out of their means: {listed(missing, 20)}.")
    return tuple(notes)
