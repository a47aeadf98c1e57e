"""Independent learners against those that train together, and where along mutuality the sign of it changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from coopgym.report.page import figures
from coopgym.report.page.colours import colour
from coopgym.report.page.findings import findings
from coopgym.report.page.material import Material
from coopgym.report.page.panel import Chart, Panel, Table
from coopgym.report.page.words import DASH, around, counted, listed, number
from coopgym.statistics import MEAN, about
from coopgym.study.analysis.page import units

Found = dict[str, Any]
UP = "independent minus centrally trained [score]"
OTHER = "Those want something else than the others: a difference of objectives as much as of paradigms, not tested."


def panel(material: Material) -> Panel | None:
    """None unless both paradigms are there."""
    found = findings(material).found.get("paradigms", {})
    if not found.get("contrasts") and not found.get("beside_team"):
        return None
    charts = [_along(found, each) for each in found["mutualities"]]
    charts = charts or [_by_mode(found["contrasts"] or found["beside_team"], bool(found["contrasts"]))]
    return Panel(
        "crossover", "Paradigms by reward", _lead(found), tuple(charts), _tables(found),
        _notes(found),
    )  # fmt: skip


def _lead(found: Found) -> str:
    if not found["contrasts"]:
        return f"Mean score of independent learners less that of learners of the sum of all agents' rewards. {OTHER}"
    declared = [f"{x['game']} ({x['from']} to {x['to']})" for x in found["crossovers"] if x["declared"]]
    whom = "the sum of rewards" if found["objective"] == "team" else "each agent's own reward"
    text = (
        f"Mean score of independent learners less that of centrally trained ones, both trained on {whom}. It is found "
        f"to change sign in {len(declared)} of {counted(found['tests'], 'pair of modes', 'pairs of modes')} "
        "(both intervals beyond 0, Holm over all pairs)"
    )
    return f"{text}: {listed(declared)}." if declared else f"{text}."


def _along(found: Found, crossing: Found) -> Chart:
    """Of one game: the contrast over mutuality."""
    game, kind = crossing["game"], crossing["kind"]
    own = sorted((mutuality(x["mode"]), x) for x in found["contrasts"] if x["game"] == game and _of(x["mode"], kind))
    x, points = [m for m, _ in own], [each for _, each in own]
    at, paint = crossing["mutuality"], colour(kind)
    trace = {
        "type": "scatter", "mode": "lines+markers", "x": x, "y": [p["value"] for p in points], "name": "contrast",
        "line": {"color": paint, "width": 2}, "marker": {"size": 7}, "showlegend": False,
        "error_y": {
            "type": "data", "symmetric": False, "color": paint, "width": 3,
            "array": [0.0 if p["high"] is None else p["high"] - p["value"] for p in points],
            "arrayminus": [0.0 if p["low"] is None else p["value"] - p["low"] for p in points],
        },
    }  # fmt: skip
    shapes = [figures.line(y=0.0)]
    if at["value"] is not None and at["low"] is not None and at["high"] is not None:
        shapes += [_stripe(at, paint), figures.line(x=at["value"])]
    layout = {
        "title": {"text": game}, "height": 300, "xaxis": {"title": {"text": f"mutuality, private to {kind}"}},
        "yaxis": {"title": {"text": "contrast [score]"}}, "shapes": shapes,
    }  # fmt: skip
    caption = f"Above 0 independent learners score more. Bars: {MEAN}. {_place(crossing)}"
    told = ", ".join(f"{number(m, 2)}: {around(p, 3)}" for m, p in own)
    return Chart({"data": [trace], "layout": layout}, f"{game}, contrast by mutuality: {told}.", caption)


def _stripe(at: Found, paint: str) -> Found:
    ends = {"x0": at["low"], "x1": at["high"], "y0": 0, "y1": 1}
    return {
        "type": "rect", "xref": "x", "yref": "paper", **ends, "fillcolor": paint, "opacity": 0.12,
        "line": {"width": 0}, "layer": "below",
    }  # fmt: skip


def _place(crossing: Found) -> str:
    at = crossing["mutuality"]
    if at["value"] is None:
        return "The sign does not change."
    return f"Stripe: the sign changes at {around(at, 2)}. {about('crossing')}"


def _by_mode(contrasts: Sequence[Found], alike: bool) -> Chart:
    """Of all games: a dot for each mode."""
    series: dict[str, list[figures.Dot]] = {}
    for each in contrasts:
        series.setdefault(each["mode"], []).append((each["game"], each["value"], each["low"], each["high"]))
    games = list(dict.fromkeys(each["game"] for each in contrasts))
    up = UP if alike else "independent minus learners of the sum [score]"
    figure = figures.dots(series, games, "Contrast of the paradigms by game", up, mark=0.0)
    told = [f"{each['game']} {each['mode']} {around(each, 3)}" for each in contrasts]
    caption = f"Right of 0 independent learners score more. Bars: {MEAN}."
    return Chart(figure, f"Independent less centrally trained: {listed(told, 12)}.", caption)


def _tables(found: Found) -> tuple[Table, ...]:
    tables = []
    if found["contrasts"]:
        tables.append(_contrasts(found["contrasts"], "Contrast by game and reward mode, 95% t intervals"))
    if found["beside_team"]:
        caption = f"Independent learners less learners of the sum of all agents' rewards, 95% t intervals. {OTHER}"
        tables.append(_contrasts(found["beside_team"], caption))
    if found["mutualities"]:
        where = tuple(
            (x["game"], x["kind"], DASH if x["mutuality"]["value"] is None else around(x["mutuality"], 2))
            for x in found["mutualities"]
        )
        columns = ("game", "towards", "mutuality of the change of sign")
        tables.append(Table(columns, where, "Where the sign changes", tuple({"game": x[0]} for x in where)))
    return tuple(tables)


def _contrasts(contrasts: Sequence[Found], caption: str) -> Table:
    modes = list(dict.fromkeys(each["mode"] for each in contrasts))
    by = {(each["game"], each["mode"]): each for each in contrasts}
    games = list(dict.fromkeys(game for game, _ in by))
    rows = tuple((game, *(around(by.get((game, mode)), 3) for mode in modes)) for game in games)
    return Table(("game", *modes), rows, caption, tuple({"game": game} for game in games))


def _notes(found: Found) -> tuple[str, ...]:
    return (about("contrast", units([*found["contrasts"], *found["beside_team"]])),)


def mutuality(mode: str) -> float:
    """Of a label: 0 of private, 1 of a pure kind."""
    kind, _, rest = mode.partition("(")
    return 0.0 if kind == "private" else float(rest.rstrip(")")) if rest else 1.0


def _of(mode: str, kind: str) -> bool:
    return mode.split("(")[0] in (kind, "private")
