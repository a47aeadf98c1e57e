"""A rubric as data: each item turns one quantity of the evidence into points by bands; many trials are scored at once.

An item has a ``section``, a ``name`` and its full ``points``, and either a ``constant`` (paid whatever happens) or a
``key`` of the evidence, ``bands`` of which the first that fits pays, and ``otherwise`` if none does. A band has
``points`` and limits: ``above``, ``at_least``, ``below``, ``at_most``. No band fits a quantity that is not a number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from coopgym.mechanisms.arrays import Array
from coopgym.mechanisms.checks import choice, number

LIMITS = ("above", "at_least", "below", "at_most")


@dataclass(frozen=True)
class Band:
    """Points for a quantity inside all the limits that are given."""

    points: float
    above: float | None = None
    at_least: float | None = None
    below: float | None = None
    at_most: float | None = None

    def fits(self, x: np.ndarray) -> Array:
        """Truth, of the shape of ``x``."""
        ok = ~np.isnan(x)
        if self.above is not None:
            ok &= x > self.above
        if self.at_least is not None:
            ok &= x >= self.at_least
        if self.below is not None:
            ok &= x < self.below
        if self.at_most is not None:
            ok &= x <= self.at_most
        return ok


@dataclass(frozen=True)
class Item:
    """One cell of a rubric."""

    section: str
    name: str
    points: float
    key: str | None = None
    bands: tuple[Band, ...] = ()
    otherwise: float = 0.0
    constant: float | None = None

    @property
    def label(self) -> str:
        """Section and name."""
        return f"{self.section}: {self.name}"

    def score(self, evidence: Mapping[str, np.ndarray]) -> np.ndarray:
        """Points, of the shape of the evidence."""
        if self.key is None:
            return np.asarray(self.constant, dtype=float)
        if self.key not in evidence:
            raise ValueError(f"{self.label}: the evidence has no {self.key!r}")
        x = np.asarray(evidence[self.key], dtype=float)
        return np.select([band.fits(x) for band in self.bands], [band.points for band in self.bands], self.otherwise)


@dataclass(frozen=True)
class Rubric:
    """All items of one rubric."""

    name: str
    items: tuple[Item, ...]

    @property
    def out_of(self) -> float:
        """Full score."""
        return sum(item.points for item in self.items)


@dataclass(frozen=True, eq=False)
class Scored:
    """Points ``[items, ...]`` of a rubric for any batch of trials."""

    rubric: Rubric
    points: np.ndarray

    @property
    def total(self) -> np.ndarray:
        """``[...]``."""
        return np.asarray(self.points.sum(0))

    def by_section(self) -> dict[str, np.ndarray]:
        """Points of each section, ``[...]``."""
        sections = np.array([item.section for item in self.rubric.items])
        return {name: self.points[sections == name].sum(0) for name in dict.fromkeys(sections.tolist())}

    def live(self, share: float = 0.95) -> np.ndarray:
        """``[items]``: which items fewer than ``share`` of these trials, say of a null, get in full."""
        full = np.array([item.points for item in self.rubric.items])
        trials = self.points.reshape(len(full), -1)
        live: np.ndarray = (trials >= full[:, None]).mean(-1) < share
        return live


def score(rubric: Rubric, evidence: Mapping[str, np.ndarray]) -> Scored:
    """Score evidence, ``key -> [...]``, all of one shape."""
    return Scored(rubric, np.stack(np.broadcast_arrays(*(item.score(evidence) for item in rubric.items))))


def read_rubric(data: Mapping[str, Any]) -> Rubric:
    """Check a rubric's data; ValueError names the item and the field that is missing, unknown or contradictory."""
    for name in ("rubric", "items", "out_of"):
        if name not in data:
            raise ValueError(f"the rubric has no field {name!r}")
    rubric = Rubric(str(data["rubric"]), tuple(_item(i, x) for i, x in enumerate(data["items"])))
    if rubric.out_of != data["out_of"]:
        raise ValueError(f"out_of={data['out_of']} contradicts the items, whose points sum to {rubric.out_of:g}")
    return rubric


def _item(i: int, data: Mapping[str, Any]) -> Item:
    where = f"items[{i}]"
    for name in data:
        choice(f"{where} field", name, Item.__dataclass_fields__)
    for name in ("section", "name", "points"):
        if name not in data:
            raise ValueError(f"{where} has no field {name!r}")
    if ("key" in data) == ("constant" in data):
        raise ValueError(f"{where} needs either the field 'key' with 'bands', or the field 'constant'")
    if ("key" in data) != bool(data.get("bands")):
        raise ValueError(f"{where} needs the fields 'key' and 'bands' together")
    item = Item(**{**data, "bands": tuple(_band(f"{where}.bands", x) for x in data.get("bands", ()))})
    paid = [item.otherwise, *(band.points for band in item.bands), item.constant or 0.0]
    for x in paid:
        number(f"{where} points", x, 0.0, item.points)
    return item


def _band(where: str, data: Mapping[str, Any]) -> Band:
    for name in data:
        choice(f"{where} field", name, ("points", *LIMITS))
    if "points" not in data or len(data) < 2:
        raise ValueError(f"{where}={dict(data)} needs the field 'points' and at least one limit of {', '.join(LIMITS)}")
    low, high = data.get("above", data.get("at_least")), data.get("below", data.get("at_most"))
    if low is not None and high is not None and low >= high:
        raise ValueError(f"{where}={dict(data)} contradicts itself: nothing lies between {low} and {high}")
    return Band(**data)
