"""Case studies: what is documented beside what trained agents did, and beside what the published models say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from coopgym.report.cases import BAND
from coopgym.report.page.case_models import chart as model_chart
from coopgym.report.page.case_models import ranges
from coopgym.report.page.cells import of_player, several
from coopgym.report.page.conduct import MEASURES, Conduct, conducts
from coopgym.report.page.drawing import bars, layout, of_mode, points
from coopgym.report.page.figures import Figure
from coopgym.report.page.material import Material
from coopgym.report.page.panel import Chart, Panel, Table
from coopgym.report.page.strata import Spread, spread
from coopgym.report.page.words import around, counted, listed, number
from coopgym.study.summary import SHARE, Estimate
from coopgym.validation.conduct.audit import CAUTION
from coopgym.validation.conduct.measures import measures
from coopgym.validation.conduct.nulls import best_constants, shuffled
from coopgym.validation.conduct.record import Record
from coopgym.validation.pictures import stored

PERMUTATIONS = 1_000
NEAREST = 20  # lines of a table
LEAST = {"r2": -np.inf, "tau": -1.0}  # of likeness; other measures are shares
LIKE = (np.array([LEAST.get(name, 0.0) for name in MEASURES]), np.ones(len(MEASURES)))


def panel(material: Material) -> Panel | None:
    """None where no game of a case study was played."""
    found = conducts(material)
    if not found:
        return None
    order, pictures = material.modes(), stored()
    many = len(found) > 1
    charts, tables, said = [], [], []
    for own in found:
        group = own.game if many else ""
        charts += [_actor(own, a, order, group) for a in range(len(own.record.actors))]
        charts += [model_chart(pictures[own.record.case], each, group) for each in pictures[own.record.case].panels]
        tables.append(_levels(own, order))
        if not own.flat:
            like = {key: spread([own.likeness[key]], LIKE) for key in own.likeness}
            tables.append(_likeness(own, like))
            said.append(_nearest(own, like))
    return Panel("cases", "Case studies", _lead(found, said), tuple(charts), tuple(tables), _notes(found))


def _actor(own: Conduct, a: int, order: Sequence[str], group: str) -> Chart:
    """Documented range of an actor in each phase, and the mean of learners under each mode."""
    record, actor = own.record, own.record.actors[a]
    middle = np.arange(len(record.phases))
    low, high = record.levels[:, a] - record.widths[:, a], record.levels[:, a] + record.widths[:, a]
    data: list[Figure] = [ranges(middle - 0.45, middle + 0.45, low, high)]
    data.append(points(
        "documented", list(zip(record.phases, middle.tolist(), record.levels[:, a].tolist(), strict=True)),
        {"color": BAND, "symbol": "line-ew-open", "size": 16, "line": {"width": 2}},
    ))  # fmt: skip
    by_mode = _by_mode(own, a, order)
    for k, (name, each) in enumerate(by_mode.items()):
        mode = name.rpartition(", ")[2]
        found = [(i, e) for i in middle.tolist() if (e := each.at(i)) is not None]
        aside = 0.6 * ((k + 0.5) / len(by_mode) - 0.5)
        where = [(f"{name}, {record.phases[i]}", i + aside, e.mean) for i, e in found]
        data.append(points(name, where, of_mode(mode), error_y=bars([e for _, e in found], mode)))
    about = layout(f"{own.game}: {actor}", "documented phase", "share of the endowment given")
    about["xaxis"] |= {"tickvals": middle.tolist(), "ticktext": list(record.phases)}
    about["yaxis"] |= {"range": [-0.03, 1.03]}
    told = [f"{mode} {', '.join(around(each.at(i), 2) for i in middle.tolist())}" for mode, each in by_mode.items()]
    documented = ", ".join(number(float(x), 2) for x in record.levels[:, a])
    caption = (
        f"Band: documented. Marks: {counted(max((e.runs for e in by_mode.values()), default=0), 'run')} under each "
        f"mode, means over learners with 95% intervals over seeds{', over the whole episode' if own.flat else ''}."
    )
    alt = f"{actor} in {own.game} by phase: documented {documented}; {'; '.join(told)}."
    return Chart({"data": data, "layout": about}, alt, caption, group)


def _by_mode(own: Conduct, a: int, order: Sequence[str]) -> dict[str, Spread]:
    """Of each mode over learners; where a learner is there in several designs, of each "learner, mode"."""
    if several(name for name, _ in own.levels):
        keys = sorted(own.levels, key=lambda key: order.index(key[1]))
        parts = {", ".join(key): [own.levels[key]] for key in keys}
    else:
        parts = {mode: [x for (_, m), x in own.levels.items() if m == mode] for mode in order}
    found = {name: spread([x[..., a] for x in part], SHARE) for name, part in parts.items()}
    return {name: each for name, each in found.items() if each is not None}


def _levels(own: Conduct, order: Sequence[str]) -> Table:
    """Documented levels and means over learners, a line for each phase and actor."""
    record = own.record
    by_mode = [_by_mode(own, a, order) for a in range(len(record.actors))]
    shown = [name for name in by_mode[0] if all(name in each for each in by_mode)]
    rows = [
        (
            phase, f"{record.bounds[k]} to {record.bounds[k + 1] - 1}", actor, _range(record, k, a),
            *(around(by_mode[a][mode].at(k), 2) for mode in shown),
        )
        for k, phase in enumerate(record.phases) for a, actor in enumerate(record.actors)
    ]  # fmt: skip
    flat = " Of these runs only means over the whole episode are stored." if own.flat else ""
    caption = f"{own.game}: shares of the endowment. {record.note[:1].upper()}{record.note[1:]}.{flat}"
    heads = ("phase", "steps", "actor", "documented", *shown)
    return Table(heads, tuple(rows), caption, tuple({"game": own.game} for _ in rows))


def _range(record: Record, k: int, a: int) -> str:
    return f"{record.levels[k, a]:.2f} ± {record.widths[k, a]:.2f}"


def _likeness(own: Conduct, like: Mapping[tuple[str, ...], Spread | None]) -> Table:
    """The nearest first, and below them what constants reach, and the record out of order."""
    known = {key: each for key, each in like.items() if each is not None}
    ranked = sorted(known, key=lambda key: -np.nan_to_num(known[key].mean[0], nan=-np.inf))
    rows: list[tuple[str | int | None, ...]] = []
    links: list[dict[str, str]] = []
    for name, mode in ranked[:NEAREST]:
        each = known[name, mode]
        rows.append((name, mode, each.runs, *(around(each.at(k), 3) for k in range(len(MEASURES)))))
        links.append(of_player(name) | {"game": own.game, "reward_mode": mode})
    constants = best_constants(own.record)
    mixed = measures(shuffled(own.record, PERMUTATIONS), own.record)
    rows.append(("best constants", None, None, *(number(round(constants[name], 3), 3) for name in MEASURES)))
    rows.append(("record out of order", None, None, *(number(round(float(mixed[n].mean()), 3), 3) for n in MEASURES)))
    nearest = "" if len(ranked) <= NEAREST else f" The nearest {NEAREST} of {len(ranked)}."
    caption = (
        f"{own.game}: likeness to the record. R² of levels (below 0: further than one flat line), share inside the "
        "bands, Kendall's tau of the phases, share of turns with the documented sign, share of the rubric's points."
        f"{nearest}"
    )
    return Table(("learner", "rewards", "runs", *MEASURES.values()), tuple(rows), caption, (*links, {}, {}))


def _nearest(own: Conduct, like: Mapping[tuple[str, ...], Spread | None]) -> str:
    """Who is nearest, and whether that is nearer than constants are."""
    known: dict[tuple[str, ...], Estimate] = {
        key: x for key, each in like.items() if each is not None and (x := each.at(0)) is not None
    }
    (name, mode), best = max(known.items(), key=lambda item: item[1].mean)
    level = best_constants(own.record)["r2"]
    runs = np.concatenate([x[:, 0] for x in own.likeness.values()])
    beat = int((runs > level + 1e-9).sum())
    return (
        f"{own.game}: nearest by R² is {name} with {mode} rewards, {around(best, 3)}; constants reach "
        f"{number(round(level, 3), 3)}, which {beat} of {counted(len(runs), 'run')} exceed"
    )


def _lead(found: Sequence[Conduct], said: Sequence[str]) -> str:
    if not said:
        games = listed([own.game for own in found])
        return f"Documented conduct in {games}, beside mean rates of trained agents; no rates by phase are stored."
    return f"{'. '.join(said)}."


def _notes(found: Sequence[Conduct]) -> tuple[str, ...]:
    notes = [CAUTION, "Model figures are those of the case studies' own models, as stored with the package."]
    flat = [own.game for own in found if own.flat]
    if flat:
        notes.append(f"Rates by phase of {listed(flat)}: `coopgym audit --again` on the folder keeps them.")
    return tuple(notes)
