"""How partners are answered: after a defection, after a gift, and where partners play at random."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from coopgym.report.page import figures
from coopgym.report.page.audited import Audited, audited, modes
from coopgym.report.page.colours import DASHES
from coopgym.report.page.drawing import courses, curve, faint
from coopgym.report.page.material import Material
from coopgym.report.page.panel import Chart, Panel, Table
from coopgym.report.page.slices import Slice, by_learner
from coopgym.report.page.strata import Spread, spread
from coopgym.report.page.words import around, counted, listed
from coopgym.statistics import MEAN
from coopgym.study.records import Row
from coopgym.study.summary import SHARE

AFTER, CHANGE = "steps since", "change of rate / size of the shock"
KINDS = {  # metric: title, label of x, label of y
    "answer_defection": ("A partner defects for a step", AFTER, CHANGE),
    "answer_gift": ("A partner gives more for a step", AFTER, CHANGE),
    "conditional_curve": ("Partners play at random", "a partner's rate before", "rate"),
}
SOON = 10  # steps within which an answer counts as one
FEATURES = (np.array([*[-np.inf] * 4, -1.0]), np.array([*[np.inf] * 4, 1.0]))  # what ``_features`` cannot leave


def panel(material: Material) -> Panel | None:
    """None where no audit has kept an answer."""
    found = audited(material)
    if found is None or not found.has(*KINDS):
        return None
    order = modes(material, found.rows)
    drawn, left = by_learner(found)
    pairs = [(part, metric) for part in drawn for metric in KINDS]
    charts = [chart for part, metric in pairs if (chart := _chart(found, part, metric, order))]
    return Panel(
        "answers", "How partners are answered", _lead(found, drawn[0], order), tuple(charts),
        (_table(found, drawn, order),), (left,) if left else (),
    )  # fmt: skip


def _chart(found: Audited, part: Slice, metric: str, order: Sequence[str]) -> Chart | None:
    title, across, up = KINDS[metric]
    x, _ = found.places(part.rows, metric)
    bounds = SHARE if metric == "conditional_curve" else None
    each = {mode: spread([found.values(rows, metric, x) for rows in part.strata(mode)], bounds) for mode in order}
    series = {mode: (x, own) for mode, own in each.items() if own is not None and np.isfinite(own.mean).any()}
    if not series:
        return None
    figure = courses(series, f"{title}: {part.name}", across, up)
    if metric == "conditional_curve":
        figure["data"].append(curve("in kind", [0.0, 1.0], [0.0, 1.0], faint() | {"dash": DASHES["cooperative"]}))
    else:
        figure["layout"]["shapes"] = [figures.line(y=0.0)]
    told = [f"{mode} {_told(metric, own)}" for mode, (_, own) in series.items()]
    runs = sum(own.runs for _, own in series.values())
    over = f" over {part.games} games" if part.games > 1 else ""
    caption = f"Means of {counted(runs, 'run')}{over}; bands are {MEAN} over seeds."
    return Chart(figure, f"{title}, {part.name}: {listed(told)}.", caption, part.group)


def _told(metric: str, own: Spread) -> str:
    known = np.flatnonzero(np.isfinite(own.mean))
    ends = (int(known[0]), int(known[-1]))
    if metric == "conditional_curve":
        return f"from {around(own.at(ends[0]), 2)} to {around(own.at(ends[1]), 2)}"
    return f"{around(own.at(min(1, ends[1])), 2)} a step later"


def _features(found: Audited, rows: Sequence[Row]) -> np.ndarray:
    """``[runs, 5]``: of each shock the answer a step later and the mean of ten, then the rise of the curve."""
    columns = []
    for metric in KINDS:
        x, _ = found.places(rows, metric)
        columns.append([_numbers(metric, found.curve(row, metric, x)) for row in rows])
    return np.concatenate([np.array(own, dtype=np.float64) for own in columns], axis=1)


def _numbers(metric: str, values: np.ndarray | None) -> tuple[float, ...]:
    if metric == "conditional_curve":
        return (np.nan if values is None else float(values[-1] - values[0]),)
    if values is None or len(values) < 2:
        return (np.nan, np.nan)
    return float(values[1]), float(values[1 : 1 + SOON].mean())


def _table(found: Audited, drawn: Sequence[Slice], order: Sequence[str]) -> Table:
    rows: list[tuple[str | int, ...]] = []
    links = []
    for part in drawn:
        for mode in order:
            own = spread([_features(found, rows) for rows in part.strata(mode)], FEATURES)
            if own is not None:
                rows.append((part.name, mode, own.runs, *(around(own.at(k), 3) for k in range(5))))
                links.append(part.link | {"reward_mode": mode})
    heads = [f"{what} {when}" for what in ("defection,", "gift,") for when in ("a step later", f"mean of {SOON}")]
    caption = (
        "Change of partners' rates over the size of a shock of one step: in kind is -1 after a defection and 1 after a "
        f"gift. Rise of the rate from partners who gave least to those who gave most. Means, {MEAN} over seeds."
    )
    return Table(("learner", "rewards", "runs", *heads, "rise"), tuple(rows), caption, tuple(links))


def _lead(found: Audited, first: Slice, order: Sequence[str]) -> str:
    said = []
    for mode in order:
        own = spread([_features(found, rows) for rows in first.strata(mode)], FEATURES)
        if own is not None and own.at(0) is not None:
            said.append(f"{around(own.at(0), 2)} under {mode} rewards")
    if not said:
        return "How rates go with those of partners who play at random."
    return (
        f"{first.lead}A partner gives less for one step. A step later the others' rates have changed by these parts of "
        f"it (-1: in kind, 0: not at all): {listed(said)}."
    )
