"""The catalogue: twenty games by name, in two versions, and the door through which they are made."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from coopgym.envs.catalogue import tr1, tr2, tr3, tr4
from coopgym.envs.catalogue.table import Options
from coopgym.envs.game import Game
from coopgym.mechanisms import checks

VERSIONS = ("v1", "v0")


@dataclass(frozen=True)
class Entry:
    """One name of the catalogue: ``build(options, **own)`` makes the game; its signature holds its own options."""

    name: str
    report: int
    build: Callable[..., Game]

    @property
    def summary(self) -> str:
        """One sentence on what the game is about."""
        return (inspect.getdoc(self.build) or "").split("\n")[0]

    def options(self, version: str = "v1") -> dict[str, Any]:
        """Every option of this game in a version, with its default."""
        parameters = list(inspect.signature(self.build).parameters.values())[1:]
        own = {p.name: p.default for p in parameters}
        return {**Options.available(version, self.report), **own}


ENTRIES: dict[str, Entry] = {
    build.__name__: Entry(build.__name__, report, build)
    for report, module in ((1, tr1), (2, tr2), (3, tr3), (4, tr4))
    for build in module.GAMES
}


def list_games(report: int | None = None, version: str = "v1") -> list[str]:
    """Ids of the catalogue in the order of the reports, e.g. ``"TrustDilemma-v1"``: 20 for each version.

    ``report`` (1 to 4) limits the list to one technical report. Raises ValueError for other values.
    """
    checks.choice("version", version, VERSIONS)
    if report is not None:
        checks.whole("report", report, 1, 4)
    return [f"{e.name}-{version}" for e in ENTRIES.values() if report in (None, e.report)]


def entry(id: str) -> tuple[Entry, str]:
    """(catalogue entry, version) of an id such as ``"TrustDilemma-v1"``; without a version, v1."""
    text = str(id).removeprefix("coopgym/")
    name, _, version = text.rpartition("-")
    if version not in VERSIONS and text in ENTRIES:
        name, version = text, "v1"
    if name not in ENTRIES or version not in VERSIONS:
        known = [f"{n}-{v}" for v in VERSIONS for n in ENTRIES]
        near = checks.nearest(text, known)
        raise ValueError(f"unknown game {checks.shown(id)};{near} coopgym.list_games() names them all")
    return ENTRIES[name], version


def game(id: str | Game, /, **options: Any) -> Game:
    """A frozen Game of the catalogue, e.g. ``game("ApacheProject-v1", phase="growth")``.

    A Game is returned as it is. Raises ValueError for an unknown id or a value out of range, TypeError for an option
    that this game does not have; both name the nearest valid one.
    """
    if isinstance(id, Game):
        if options:
            raise TypeError(f"options {sorted(options)} come too late for a game that is already made; make a new one")
        return id
    found, version = entry(id)
    known = found.options(version)
    for name in options:
        if name not in known:
            hint = checks.nearest(name, known)
            raise TypeError(  # Python's own words first: libraries look for them to see which argument to leave out
                f"{found.name}-{version} got an unexpected keyword argument {name!r}: it has no option {name!r};{hint} "
                f"its options are {', '.join(known)}"
            )
    shared = set(Options.available(version, found.report))
    common = Options(version=version, name=found.name, **{k: v for k, v in options.items() if k in shared})
    return found.build(common, **{k: v for k, v in options.items() if k not in shared})
