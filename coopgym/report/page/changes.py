"""What a change of reward changes, paired by seed: in sentences, as tables and as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean
from typing import Any

from coopgym.audit.comparison import compare_modes
from coopgym.report.page import figures
from coopgym.report.page.cells import of_player, player, several
from coopgym.report.page.findings import findings
from coopgym.report.page.material import Material
from coopgym.report.page.panel import Chart, Table
from coopgym.report.page.words import around, counted, listed, number
from coopgym.statistics import MEAN
from coopgym.study.summary import Estimate, estimate, mode_label
from coopgym.study.twins import distinct

Change = dict[str, Any]
OF_RUNS = {"welfare": "welfare", "rate": "cooperation", "final_trust": "trust"}
OF_AUDITS = {
    "welfare": "welfare", "level": "cooperation", "trust": "trust", "best_gain_relative": "largest gain from leaving",
    "retaliation": "retaliation", "reciprocity_slope": "reciprocity slope", "endgame": "end game less middle",
    "gini": "Gini of surpluses",
}  # fmt: skip
NAMES = OF_RUNS | OF_AUDITS
FEW = 3  # changes that are told one by one
MOST = 60  # that are listed
LONGEST = 400  # lines of a table
LEVEL = 0.05
OF_SHARES = ("rate", "final_trust", "level", "trust", "gini", "endgame")  # whose differences stay between -1 and 1


def changes(material: Material) -> list[Change]:
    """Of every measure, learner and game between every two modes, where there are two seeds or more."""
    if material.runs:
        found = findings(material).found.get("modes_compared", [])
    else:
        rows = {
            (player(row), row["game"], mode_label(row), row["seed"]): row
            | {"algorithm": player(row), "reward_mode": mode_label(row)}
            for row in distinct(material.audits)
        }
        found = compare_modes(rows.values(), list(OF_AUDITS)).rows()
    return [change for change in found if change["p"] is not None]


def told(known: Sequence[Change]) -> str:
    """Welfare, or of many pairs the first measures, from the first mode to the second; and how many changes hold."""
    if not known:
        return ""
    a, b = known[0]["before"], known[0]["after"]
    own = [x for x in known if x["measure"] == "welfare" and (x["before"], x["after"]) == (a, b)]
    start = f"With {b} instead of {a} rewards,"
    if 0 < len(own) <= FEW or _apart(known):
        each = [f"by {_relative(x)} for {x['algorithm']}" for x in own]
        first = f"{start} mean welfare changes {listed(each)}."
    else:
        pairs = counted(len(own), "pair of learner and game", "pairs of learner and game")
        means = [f"{name} {_signed(x, unit)}" for name, unit, x in _pooled(known, a, b)[:FEW]]
        first = f"{start} the mean changes over {pairs} are {listed(means)}; brackets are {MEAN} over {_unit(own)}."
    return f"{first} {_holding(known)}"


def table(known: Sequence[Change]) -> Table:
    """Each change where there are few; else means over pairs of learner and game."""
    return _each(known) if len(known) <= MOST or _apart(known) else _counts(known)


def picture(known: Sequence[Change]) -> Chart | None:
    """How much each measure differs from the first mode's, those of a unit of their own left out."""
    first = known[0]["before"] if known else ""
    series = {
        after: [(name, x.mean, x.low, x.high) for name, unit, x in _pooled(known, first, after) if not unit]
        for after in dict.fromkeys(x["after"] for x in known if x["before"] == first)
    }
    rows = list(dict.fromkeys(point[0] for points in series.values() for point in points))
    if not rows:
        return None
    figure = figures.dots(series, rows, f"Change of conduct against {first} rewards", "share", None, 0.0)
    values = [f"{p[0]} {mode} {number(p[1], 2)}" for mode, points in series.items() for p in points]
    caption = f"Means over seeds, then learners, then games; bars: {MEAN} over {_unit(known)}."
    return Chart(figure, f"Mean change against {first} rewards: {listed(values, 14)}.", caption)


def _relative(x: Change) -> str:
    """A change as a share of the mean before, with its interval."""
    base = abs(x["mean_before"])
    scale = 100.0 / base if base else 1.0
    return _signed(Estimate(*(scale * x[name] for name in ("difference", "low", "high"))), "%" if base else "")


def _signed(x: Estimate, unit: str) -> str:
    """``+1.5% [-0.10, 3.4]``."""
    value, _, interval = around(x, 2).partition(" ")
    return f"{'+' if x.mean > 0.0 else ''}{value}{unit} {interval}".rstrip()


def _pooled(known: Sequence[Change], before: str, after: str) -> list[tuple[str, str, Estimate]]:
    """By measure: name, unit and mean change; welfare's as a share of the larger.

    Where there are several games they are the sample: the changes of all learners of a game are averaged first, since
    learners in one game are not independent of each other. In one game the sample is the learners.
    """
    found: list[tuple[str, str, Estimate]] = []
    if _apart(known):
        return found
    for measure in dict.fromkeys(x["measure"] for x in known):
        own = [x for x in known if (x["measure"], x["before"], x["after"]) == (measure, before, after)]
        share = measure == "welfare"
        by_game: dict[str, list[float]] = {}
        for x in own:
            by_game.setdefault(x["game"], []).append(x["difference"] * (100.0 / _larger(x) if share else 1.0))
        values = (
            [fmean(of_game) for of_game in by_game.values()] if len(by_game) > 1 else next(iter(by_game.values()), [])
        )
        if values:
            mean = estimate(values).within(-1.0, 1.0) if measure in OF_SHARES else estimate(values)
            found.append((NAMES.get(measure, measure), "%" if share else "", mean))
    return found


def _apart(known: Sequence[Change]) -> bool:
    """Whether a learner is there in several designs, over which nothing is averaged."""
    return several(x["algorithm"] for x in known)


def _unit(known: Sequence[Change]) -> str:
    """What the sample of mean changes is of."""
    return "games" if len({x["game"] for x in known}) > 1 else "learners"


def _larger(x: Change) -> float:
    """What a change of welfare is measured by: a share of a mean near 0 would drown all others."""
    return max(abs(x["mean_before"]), abs(x["mean_after"])) or 1.0


def _holding(known: Sequence[Change]) -> str:
    """How many changes hold after the correction; where a handful of seeds cannot show any, that."""
    tests, seeds = counted(len(known), "test"), max(x["seeds"] for x in known)
    if 2.0 ** (1 - seeds) * len(known) > LEVEL:
        return (
            f"With {counted(seeds, 'seed')} and {tests} no single change can pass at the 5% level after Holm's "
            "correction: read its interval."
        )
    found = sum(x["found"] for x in known)
    verb = "holds" if found == 1 else "hold"
    return f"Of {tests} of all measures {found or 'none'} {verb} at the 5% level (paired by seed, Holm's correction)."


def _each(known: Sequence[Change]) -> Table:
    many = len({x["game"] for x in known}) > 1
    whole, known = len(known), known[:LONGEST]
    rows = tuple(
        (x["algorithm"], *((x["game"],) if many else ()), f"{x['before']} to {x['after']}", NAMES.get(x["measure"]),
         x["mean_before"], x["mean_after"], around(_interval(x), 3), x["p"], x["adjusted"])
        for x in known
    )  # fmt: skip
    where = ("learner", "game") if many else ("learner",)
    columns = (*where, "rewards", "measure", "before", "after", "change", "p", "Holm's p")
    links = tuple(of_player(x["algorithm"]) | {"game": x["game"]} for x in known)
    caption = "Changes between reward modes, paired by seed: 95% t intervals, exact p of sign flips, corrected by Holm."
    if whole > LONGEST:
        caption += f" The first {LONGEST} of {whole:,}."
    return Table(columns, rows, caption, links)


def _interval(x: Change) -> Estimate:
    found = Estimate(x["difference"], x["low"], x["high"])
    return found.within(-1.0, 1.0) if x["measure"] in OF_SHARES else found


def _counts(known: Sequence[Change]) -> Table:
    rows = []
    for before, after in dict.fromkeys((x["before"], x["after"]) for x in known):
        for name, unit, mean in _pooled(known, before, after):
            own = [x for x in known if (NAMES.get(x["measure"]), x["before"], x["after"]) == (name, before, after)]
            up, down = sum(x["low"] > 0.0 for x in own), sum(x["high"] < 0.0 for x in own)
            label, found = f"{name} [{unit}]" if unit else name, sum(x["found"] for x in own)
            rows.append((f"{before} to {after}", label, len(own), around(mean, 2), up, down, found))
    columns = ("rewards", "measure", "pairs", "mean change", "intervals above 0", "below 0", "hold after Holm")
    caption = (
        f"Changes between reward modes over pairs of learner and game; means with {MEAN} over {_unit(known)}. "
        "That of welfare is a share of the larger of both means."
    )
    return Table(columns, tuple(rows), caption)
