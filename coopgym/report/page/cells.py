"""Rows gathered into cells, one for each game, learner and reward mode, with intervals over seeds."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from coopgym.report.page.material import Material
from coopgym.study.records import Row
from coopgym.study.summary import SHARE, Estimate, estimates, mode_label

Measure = Callable[[Mapping[str, Any]], Any]


@dataclass(frozen=True)
class Quantity:
    """Something that is averaged over seeds. name: in headings; unit: of the axis; of: its value in a row, or None.

    bounds: what its mean cannot leave.
    """

    name: str
    unit: str
    of: Measure
    bounds: tuple[float, float] | None = None


def _mean_rate(row: Mapping[str, Any]) -> float | None:
    known = [x for x in row["rate"] or () if x is not None]
    return float(np.mean(known)) if known else None


OF_RUNS = (
    Quantity("welfare", "payoff, sum over agents", lambda row: row["welfare"]),
    Quantity("share of best constant", "share of the best constant's", lambda r: r["efficiency_best_constant"]),
    Quantity("cooperation", "share of endowment given", _mean_rate, SHARE),
    Quantity("trust", "mean over pairs at the end", lambda row: row["final_trust"], SHARE),
)
OF_AUDITS = (
    Quantity("welfare", "payoff, sum over agents", lambda row: row["welfare"]),
    Quantity("share of best constant", "share of the best constant's", lambda row: row["efficiency"]),
    Quantity("cooperation", "share of endowment given", lambda row: row["level"], SHARE),
    Quantity("trust", "mean over pairs at the end", lambda row: row["trust"], SHARE),
)


@dataclass(frozen=True)
class Cell:
    """Runs of one learner in one game under one mode. values, found: by quantity, of those that ended well.

    left_out: runs that did not.
    """

    game: str
    player: str
    mode: str
    link: Mapping[str, str]
    rows: Sequence[Row]
    left_out: int
    values: Mapping[str, list[float]]
    found: Mapping[str, Estimate | None]


def quantities(material: Material) -> tuple[Quantity, ...]:
    """What is averaged: of runs, or of an audit alone."""
    return OF_RUNS if material.runs else OF_AUDITS


@lru_cache(maxsize=4)
def cells(material: Material) -> list[Cell]:
    """In the order of games, learners and modes of the material."""
    groups: dict[tuple[str, str, str], list[Row]] = {}
    for row in material.rows():
        groups.setdefault((row["game"], player(row), mode_label(row)), []).append(row)
    order = {mode: place for place, mode in enumerate(material.modes())}
    names = {name: place for place, name in enumerate(material.algorithms())}
    games = {game: place for place, game in enumerate(material.games())}
    keys = sorted(groups, key=lambda k: (games[k[0]], names[groups[k][0]["algorithm"]], k[1], order[k[2]]))
    wanted = quantities(material)
    values = [{q.name: _values(groups[key], q) for q in wanted} for key in keys]
    found = estimates([own[q.name] for own in values for q in wanted])
    bounds = [q.bounds for _ in values for q in wanted]
    found = [x.within(*cut) if x and cut else x for x, cut in zip(found, bounds, strict=True)]
    return [
        _cell(key, groups[key], own, {q.name: found[k * len(wanted) + i] for i, q in enumerate(wanted)})
        for k, (key, own) in enumerate(zip(keys, values, strict=True))
    ]


def player(row: Row) -> str:
    """``IPPO`` or ``IPPO [w64]``."""
    variant = row.get("variant")
    return f"{row['algorithm']} [{variant}]" if variant else str(row["algorithm"])


def link(row: Row) -> dict[str, str]:
    """The filter of the table of runs that shows the runs of a row's cell."""
    names = {"algorithm": row["algorithm"], "variant": row.get("variant"), "game": row["game"]}
    return {name: str(x) for name, x in (names | {"reward_mode": mode_label(row)}).items() if x}


def of_player(name: str) -> dict[str, str]:
    """The filter for all runs of a ``player``."""
    algorithm, _, variant = name.partition(" [")
    return {"algorithm": algorithm} | ({"variant": variant.removesuffix("]")} if variant else {})


def several(players: Iterable[str]) -> bool:
    """Whether a learner is there in several designs, such as IPPO of 800 and of 1,600 steps: these are no repeats, and
    nothing is averaged over them."""
    names = set(players)
    return len({name.partition(" [")[0] for name in names}) < len(names)


def finite(x: Any) -> bool:
    """Whether something is a number that can be averaged."""
    try:
        return x is not None and math.isfinite(x)
    except (TypeError, OverflowError):
        return False


def _values(rows: Sequence[Row], quantity: Quantity) -> list[float]:
    known = [quantity.of(row) for row in rows if row.get("status", "ok") == "ok"]
    return [float(x) for x in known if finite(x)]


def _cell(key: tuple[str, str, str], rows: list[Row], values: Any, found: Any) -> Cell:
    left_out = sum(row.get("status", "ok") != "ok" for row in rows)
    return Cell(*key, link(rows[0]), rows, left_out, values, found)
