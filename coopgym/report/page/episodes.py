"""Trust and cooperation over an episode: what agents give at each step, and the trust after it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from coopgym.report.page.audited import Audited, audited, modes
from coopgym.report.page.drawing import courses
from coopgym.report.page.material import Material
from coopgym.report.page.panel import Chart, Panel, Table
from coopgym.report.page.slices import Slice, slices
from coopgym.report.page.strata import Spread, numbers, spread
from coopgym.report.page.words import around, counted, listed
from coopgym.statistics import MEAN
from coopgym.study.records import Row
from coopgym.study.summary import SHARE

COURSES = {  # metric: title, unit
    "rate_by_step": ("Cooperation", "share of the endowment given"),
    "trust_by_step": ("Trust", "mean effective trust"),
}
POINTS, FEWER = 60, 16  # of a curve, where one game is drawn and where several are
PART = 0.1  # of an episode: its beginning, its end
PARTS = ("first", "last")
Found = tuple[list[float], Spread]


def panel(material: Material) -> Panel | None:
    """None where no audit has kept a course."""
    found = audited(material)
    if found is None or not found.has(*COURSES):
        return None
    drawn, left = slices(found)
    order = modes(material, found.rows)
    points = POINTS if drawn[0].games == 1 else FEWER
    pairs = [(part, metric) for part in drawn for metric in COURSES]
    charts = [chart for part, metric in pairs if (chart := _chart(found, part, metric, order, points))]
    without = len(found.rows) - len({run for metric in COURSES for run in found.curves.get(metric, {})})
    notes = [left] if left else []
    if without:
        notes.append(f"{counted(without, 'run')} audited before courses were kept; `coopgym audit --again` adds them.")
    return Panel(
        "episodes", "Over an episode", _lead(found, drawn[0], order), tuple(charts), (_table(found, drawn, order),),
        tuple(notes),
    )  # fmt: skip


def _chart(found: Audited, part: Slice, metric: str, order: Sequence[str], points: int) -> Chart | None:
    """A quantity by step, of several games by share of the episode."""
    title, unit = COURSES[metric]
    series = {mode: course for mode in order if (course := _course(found, part, metric, mode, points))}
    if not series:
        return None
    across = "step" if part.games == 1 else "share of the episode"
    named = f"{title}: {part.name}"
    figure = courses(series, named, across, unit)
    figure["layout"]["yaxis"] |= {"range": [-0.03, 1.03]}
    runs = sum(each.runs for _, each in series.values())
    told = [f"{mode} from {_at(each, 0)} to {_at(each, -1)}" for mode, (_, each) in series.items()]
    caption = (
        f"Mean over agents, of {counted(runs, 'run')}; bands are {MEAN} of the mean over seeds. "
        "Once an episode is over, it no longer counts."
    )
    return Chart(figure, f"{named}, {unit}, from first to last step: {listed(told)}.", caption, part.group)


def _course(found: Audited, part: Slice, metric: str, mode: str, points: int) -> Found | None:
    """(x, means and bands); several games are laid beside each other by the share of the episode."""
    strata = part.strata(mode)
    if part.games > 1:
        x = np.linspace(0.0, 1.0, points)
        values = [_stretched(found, rows, metric, x) for rows in strata]
    else:
        steps, _ = found.places([row for rows in strata for row in rows], metric)
        kept = np.unique(np.linspace(0, max(0, len(steps) - 1), min(points, len(steps))).round().astype(int))
        x = numbers(steps)[kept]
        values = [found.values(rows, metric, steps)[:, kept] for rows in strata]
    each = spread(values, SHARE)
    return None if each is None or not np.isfinite(each.mean).any() else (x.tolist(), each)


def _stretched(found: Audited, rows: Sequence[Row], metric: str, x: np.ndarray) -> np.ndarray:
    """Values ``[runs, K]`` at shares of the steps that were played."""
    steps, _ = found.places(rows, metric)
    return np.array([_at_shares(own, x) for own in found.values(rows, metric, steps)]).reshape(-1, len(x))


def _at_shares(values: np.ndarray, x: np.ndarray) -> np.ndarray:
    known = values[np.isfinite(values)]
    return np.interp(x, np.linspace(0.0, 1.0, len(known)), known) if len(known) else np.full(len(x), np.nan)


def _ends(found: Audited, rows: Sequence[Row], metric: str) -> np.ndarray:
    """Means of the first and of the last tenth of the steps that were played ``[runs, 2]``, NaN where unknown."""
    steps, _ = found.places(rows, metric)
    whole = [values[np.isfinite(values)] for values in found.values(rows, metric, steps)]
    parts = [max(1, round(PART * len(values))) for values in whole]
    ends = [(v[:k].mean(), v[-k:].mean()) if len(v) else (np.nan, np.nan) for v, k in zip(whole, parts, strict=True)]
    return np.array(ends).reshape(-1, 2)


def _of_mode(found: Audited, part: Slice, metric: str, mode: str) -> Spread | None:
    return spread([_ends(found, rows, metric) for rows in part.strata(mode)], SHARE)


def _table(found: Audited, drawn: Sequence[Slice], order: Sequence[str]) -> Table:
    """Beginnings and ends, a line for each slice and mode."""
    rows: list[tuple[str | int, ...]] = []
    links = []
    for part in drawn:
        for mode in order:
            ends = [_of_mode(found, part, metric, mode) for metric in COURSES]
            runs = max((each.runs for each in ends if each), default=0)
            if runs:
                cells = [around(each.at(k) if each else None, 3) for each in ends for k in range(len(PARTS))]
                rows.append((part.name, mode, runs, *cells))
                links.append(part.link | {"reward_mode": mode})
    heads = [f"{title.lower()}, {end} tenth" for title, _ in COURSES.values() for end in PARTS]
    caption = f"Means over the first and the last tenth of the steps that were played, with {MEAN} over seeds."
    return Table(("of", "rewards", "runs", *heads), tuple(rows), caption, tuple(links))


def _lead(found: Audited, first: Slice, order: Sequence[str]) -> str:
    """How much is given at first and at last."""
    said = []
    for mode in order:
        each = _of_mode(found, first, "rate_by_step", mode)
        if each is not None and each.at(0) is not None:
            said.append(f"{around(each.at(0), 3)} and {around(each.at(1), 3)} under {mode} rewards")
    where = f" over {first.games} games" if first.games > 1 else ""
    if not said:
        return "How trust goes through an episode, as audits measured it."
    return f"{first.lead}In the first and in the last tenth of an episode agents give{where}: {'; '.join(said)}."


def _at(each: Spread, end: int) -> str:
    known = np.flatnonzero(np.isfinite(each.mean))
    return around(each.at(int(known[end])), 3) if len(known) else "?"
