"""The payoff landscape: what constant policies earn at each common rate, where oracles stand, what learners chose."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from coopgym.envs.reward import KINDS
from coopgym.report.page import figures
from coopgym.report.page.cells import of_player, several
from coopgym.report.page.colours import colour, dash
from coopgym.report.page.constants import Chosen, Field, Known, Pooled, fields
from coopgym.report.page.drawing import SHARES, bars, curve, faint, layout, mark, of_mode, points
from coopgym.report.page.figures import Figure
from coopgym.report.page.material import Material
from coopgym.report.page.panel import Chart, Panel, Table
from coopgym.report.page.strata import rounded, spread
from coopgym.report.page.words import around, counted, listed, number
from coopgym.statistics import MEAN
from coopgym.study.summary import SHARE as OF_RATES

NASH, OPTIMUM, BEST = "Nash", "SocialOptimum", "best constant"
SHAPES = {NASH: "x", OPTIMUM: "star-open", BEST: "circle-open"}
OTHER = "triangle-up-open"
POINTS, FEWER = 51, 26  # of a curve of constants, where one game is drawn and where several are
ACROSS, SHARE = "mean share of the endowment given", "welfare / the best constant's"
Row = tuple[str | float | int | None, ...]


def panel(material: Material) -> Panel | None:
    """None where no run knows its agents' rates and welfare."""
    known = fields(material.runs)
    drawn = [field for field in known if field.best]
    if not drawn:
        return None
    many = len(drawn) > 1
    charts = [_overview(material, drawn)] if many else []
    charts += [_welfare(material, field, many) for field in drawn]
    charts += [] if many else _rewards(material, drawn[0])
    return Panel(
        "landscape", "Payoff landscape", _lead(material, drawn), tuple(charts),
        (_yardsticks(drawn), _choices(material, drawn)), _notes(known, drawn),
    )  # fmt: skip


def _overview(material: Material, drawn: Sequence[Field]) -> Chart:
    """What was chosen in each game, beside what references give."""
    series: dict[str, list[figures.Dot]] = {}
    for field in drawn:
        for mode in _modes(material, [field]):
            for rate in (own.rate for own in field.by_mode[mode]):
                if rate is not None:
                    series.setdefault(mode, []).append((field.game, rate.mean, rate.low, rate.high))
    games = [field.game for field in drawn]
    figure = figures.dots(series, games, "What share is given, game by game", ACROSS)
    for name, rates in _references(drawn).items():
        figure["data"].append(mark(name, SHAPES[name], [(f"{name}, {game}", x, 0.0) for game, x in rates]))
        figure["data"][-1] |= {"y": [game for game, _ in rates], "orientation": "h"}
    figure["layout"]["xaxis"] |= SHARES
    ranges = {mode: sorted(dot[1] for dot in dots) for mode, dots in series.items()}
    told = [f"{mode} {number(own[0], 3)} to {number(own[-1], 3)}" for mode, own in ranges.items()]
    alt = f"Mean rate by game. From the least to the most: {listed(told)}." if told else "Rates of references by game."
    return Chart(figure, alt, f"Means over learners and seeds with {MEAN}, beside references' rates.")


def _references(drawn: Sequence[Field]) -> dict[str, list[tuple[str, float]]]:
    found: dict[str, list[tuple[str, float]]] = {}
    for field in drawn:
        stands = {name: known.rate for name in (NASH, OPTIMUM) if (known := field.oracle(name))}
        best = field.best_rate()
        for name, rate in (stands | ({} if best is None else {BEST: best})).items():
            found.setdefault(name, []).append((field.game, rate))
    return found


def _welfare(material: Material, field: Field, many: bool) -> Chart:
    """Over the common rate, with points of oracles and of all who learned."""
    data, shapes = [], [figures.line(y=1.0)]
    if field.constants:
        kept = _thinned(field.constants, many)
        worth = [float(x) for x in field.share([k.welfare for k in kept])]
        data.append(curve("constants", [k.rate for k in kept], worth, faint()))
        best = max(field.constants, key=lambda k: (k.welfare, -k.rate))
        data.append(
            mark(BEST, SHAPES[BEST], [(f"{BEST}, {best.rate:.0%}", best.rate, float(field.share(best.welfare)))])
        )
    data += [*_oracles(field), *(_learners(field, mode) for mode in _modes(material, [field]))]
    figure = {"data": data, "layout": layout(field.game, ACROSS, SHARE, xaxis=SHARES, shapes=shapes)}
    line = "Line: all agents give the same constant share. " if field.constants else ""
    runs = counted(sum(len(chosen.runs) for chosen in field.chosen), "run")
    caption = f"{line}Dashed: the best constant policy. Points: means of learners, {runs}, with {MEAN}."
    return Chart(figure, _alt(field), caption, field.game if many else "")


def _oracles(field: Field) -> list[Figure]:
    by_name: dict[str, list[Known]] = {}
    for one in field.others:
        by_name.setdefault(one.name, []).append(one)
    return [
        mark(name, SHAPES.get(name, OTHER), [(_called(k), k.rate, float(field.share(k.welfare))) for k in own])
        for name, own in by_name.items()
    ]


def _called(known: Known) -> str:
    return known.name if known.kind == "heuristic" else f"{known.name}, {known.mode}"


def _learners(field: Field, mode: str) -> Figure:
    found = [(c.player, c.rate, c.share) for c in field.chosen if c.mode == mode]
    both = [(name, rate, share) for name, rate, share in found if rate is not None and share is not None]
    where = [(name, rate.mean, share.mean) for name, rate, share in both]
    errors = {"error_x": bars([rate for _, rate, _ in both], mode), "error_y": bars([x for *_, x in both], mode)}
    return points(mode, where, of_mode(mode), **errors)


def _rewards(material: Material, field: Field) -> list[Chart]:
    """Own reward by mode over the common rate, and what those who were trained on it earned."""
    data, marked = [], []
    for mode in [mode for mode in _modes(material, [field]) if mode in KINDS]:
        worth = [(k.rewards[mode], k.rate) for k in field.constants if np.isfinite(k.rewards[mode])]
        top = max(worth, default=(0.0, 0.0))
        if top[0] > 0.0:
            data += _of_mode(field, mode, top[0])
            marked.append(f"{mode} {top[1]:.0%}")
    if not data:
        return []
    shapes = [figures.line(y=1.0)]
    about = layout("Own reward", ACROSS, "reward / the best constant's", xaxis=SHARES, shapes=shapes)
    alt = f"Own reward of constant policies over their common rate. The best rates: {listed(marked)}."
    caption = (
        "Lines: each mode's reward, summed over agents, of constant policies, as a share of its own maximum; points: "
        "learners trained on it. In sum, private and cooperative rewards are welfare: they differ in who gets them."
    )
    return [Chart({"data": data, "layout": about}, alt, caption)]


def _of_mode(field: Field, mode: str, top: float) -> list[Figure]:
    kept = _thinned(field.constants, many=False)
    look = {"color": colour(mode), "dash": dash(mode)}
    line = curve(mode, [k.rate for k in kept], [k.rewards[mode] / top for k in kept], look)
    own = [(c.player, _mean(c.runs[:, 0]), _mean(c.runs[:, 2]) / top) for c in field.chosen if c.mode == mode]
    return [line, points(mode, own, of_mode(mode), showlegend=False)]


def _yardsticks(drawn: Sequence[Field]) -> Table:
    """One line a game; columns that no game has anything for are left out."""
    columns: dict[str, Sequence[str | float | None]] = {
        "game": [field.game for field in drawn],
        "best constant rate": [field.best_rate() for field in drawn],
        "best constant welfare": [field.best for field in drawn],
        "best rate for integrated rewards": [field.best_rate("integrated") for field in drawn],
        **{f"{name} {what}": [_stands(field, name)[k] for field in drawn]
           for name in (NASH, OPTIMUM) for k, what in enumerate(("rate", "welfare"))},
        "best sequence's welfare": [_share(field, field.planned) for field in drawn],
        "bound of welfare": [_share(field, field.bound) for field in drawn],
    }  # fmt: skip
    shown = {name: own for name, own in columns.items() if any(x is not None for x in own)}
    caption = "What the records say about each game. All welfare but the best constant's is a share of that."
    links = tuple({"game": field.name} for field in drawn)
    return Table(tuple(shown), tuple(zip(*shown.values(), strict=True)), caption, links)


def _stands(field: Field, name: str) -> tuple[float | None, float | None]:
    known = field.oracle(name)
    return (None, None) if known is None else (rounded(known.rate), _share(field, known.welfare))


def _share(field: Field, welfare: float | None) -> float | None:
    return None if welfare is None else rounded(float(field.share(welfare)))


def _choices(material: Material, drawn: Sequence[Field]) -> Table:
    """One line for each learner and mode of one game; of several games, for each game and mode."""
    rows: list[Row] = []
    links: list[dict[str, str]] = []
    for field in drawn:
        for mode in _modes(material, [field]):
            own = field.by_mode[mode]
            if len(drawn) == 1:
                own = [Pooled([c], c.rate, c.share) for each in own for c in each.chosen]
            for each in own:
                rows.append(_choice(field, mode, each))
                who = of_player(each.name) if len(each.chosen) == 1 else {}
                links.append(who | {"game": field.name, "reward_mode": mode})
    columns = ("game", "learner", "rewards", "runs", "rate", SHARE, "rate - best constant's", "rate - Nash's")
    caption = f"Means over learners and seeds with {MEAN} over the seeds of each."
    return Table(columns, tuple(rows), caption, tuple(links))


def _choice(field: Field, mode: str, own: Pooled) -> Row:
    rate, nash, best = own.rate, field.oracle(NASH), field.best_rate()
    away = [None if rate is None or x is None else rounded(rate.mean - x) for x in (best, nash.rate if nash else None)]
    runs = sum(len(c.runs) for c in own.chosen)
    return (field.game, own.name, mode, runs, around(rate, 3), around(own.share, 3), *away)


def _lead(material: Material, drawn: Sequence[Field]) -> str:
    said = []
    for mode in _modes(material, drawn):
        own = [c for field in drawn for c in field.chosen if c.mode == mode]
        found = [(name, spread([c.runs[:, :1] for c in part], OF_RATES)) for name, part in _designs(own)]
        told = [f"{around(each.at(0), 3)}{name}" for name, each in found if each is not None and each.at(0)]
        if told:
            said.append(f"{listed(told)} under {mode} rewards")
    if not said:
        return f"What constant policies earn in {counted(len(drawn), 'game')}; no learner's rates are recorded."
    best = [rate for field in drawn if (rate := field.best_rate()) is not None]
    where = "" if len(drawn) == 1 else f", on average over {len(drawn)} games"
    beside = f" The best constant policies give {number(float(np.mean(best)), 3)}." if best else ""
    if len({field.name.partition(" [")[0] for field in drawn}) < len(drawn):  # designs of a game are no sample of games
        return f"What constant policies earn, and what learners gave, in {counted(len(drawn), 'design')} of games."
    return f"Of their endowments learners gave these shares{where}: {_joined(said)}.{beside}"


def _designs(own: Sequence[Chosen]) -> list[tuple[str, list[Chosen]]]:
    """What may be averaged, with its name: all learners, or each by itself where one is there in several designs."""
    if not several(c.player for c in own):
        return [("", list(own))]
    return [(f" by {name}", [c for c in own if c.player == name]) for name in dict.fromkeys(c.player for c in own)]


def _joined(said: Sequence[str]) -> str:
    return "; ".join(said) if any(" by " in each for each in said) else listed(said)


def _alt(field: Field) -> str:
    best, nash = field.best_rate(), field.oracle(NASH)
    told = [] if best is None else [f"constants earn most at a rate of {best:.0%}"]
    told += [] if nash is None else [f"Nash gives {nash.rate:.0%}"]
    for mode, each in field.by_mode.items():
        for own in each:
            who = "learners" if len(own.chosen) > 1 else own.name
            told.append(f"{mode} {who}: {around(own.rate, 3)} given, {around(own.share, 3)} earned")
    return f"Welfare over the mean rate in {field.game}: {'; '.join(told)}."


def _notes(known: Sequence[Field], drawn: Sequence[Field]) -> tuple[str, ...]:
    notes = []
    bare = [field.game for field in drawn if not field.constants]
    if bare:
        notes.append(
            f"Of {listed(bare)} no constant policies are stored: the best one's welfare is known, its curve is not. "
            "A study with the algorithms `constants` has it."
        )
    if all(field.oracle(NASH) is None for field in drawn):
        notes.append("No oracle is stored; a study with `Nash` and `SocialOptimum` has them marked.")
    left = [field.game for field in known if not field.best]
    if left:
        notes.append(f"Not drawn, since no positive welfare of a best constant is recorded: {listed(left)}.")
    return tuple(notes)


def _modes(material: Material, drawn: Iterable[Field]) -> list[str]:
    there = {chosen.mode for field in drawn for chosen in field.chosen}
    return [mode for mode in material.modes() if mode in there]


def _thinned(constants: Sequence[Known], many: bool) -> list[Known]:
    kept = np.linspace(0, len(constants) - 1, min(FEWER if many else POINTS, len(constants)))
    return [constants[k] for k in np.unique(kept.round().astype(int))]


def _mean(x: np.ndarray) -> float:
    known = x[np.isfinite(x)]
    return float(known.mean()) if len(known) else np.nan
