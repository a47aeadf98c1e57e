"""What the actors of a case study are documented to have done, in the units of its game and on its clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
from pydantic import Field

from coopgym.envs.game import Game
from coopgym.mechanisms.checks import choice
from coopgym.validation.files import read_data
from coopgym.validation.report1.case import slcd_case
from coopgym.validation.report2.case import renault_nissan_case
from coopgym.validation.report3.case import apache_case
from coopgym.validation.report4.case import apple_case
from coopgym.validation.schema import Amount, Strict

CASES: Mapping[str, Callable[[], dict[str, Any]]] = {
    "slcd": slcd_case,
    "renault_nissan": renault_nissan_case,
    "apache": apache_case,
    "apple": apple_case,
}


class Laid(Strict):
    """How one case is laid beside one game.

    level_field: of each phase, dotted, with a number for each actor; full_level: what a whole endowment is on that
    scale; half_width of the documented band [rates], or half_width_field; agents: actor -> how the ids of its agents
    begin; durations of the phases where the case does not say how many steps they last.
    """

    case: str
    level_field: str
    full_level: Amount
    half_width: Amount
    half_width_field: str | None = None
    agents: dict[str, str] = Field(min_length=1)
    durations: list[int] | None = None
    note: str


@dataclass(frozen=True, eq=False)
class Record:
    """K phases, A actors, N agents. levels and widths ``[K, A]`` [rates] of the documented bands.

    bounds ``[K + 1]``: first step of each phase, and the horizon; seats ``[N]``: whose agent each is.
    """

    game: str
    case: str
    actors: tuple[str, ...]
    phases: tuple[str, ...]
    bounds: np.ndarray
    levels: np.ndarray
    widths: np.ndarray
    seats: np.ndarray
    note: str

    @property
    def phase_of(self) -> np.ndarray:
        """Phase of each step, ``[T]``."""
        return np.repeat(np.arange(len(self.phases)), np.diff(self.bounds))

    def by_actor(self, x: np.ndarray) -> np.ndarray:
        """Means over the agents of each actor, ``[..., N]`` to ``[..., A]``."""
        return np.stack([x[..., self.seats == a].mean(-1) for a in range(len(self.actors))], axis=-1)

    def by_agent(self, x: np.ndarray) -> np.ndarray:
        """Each agent gets its actor's entry, ``[..., A]`` to ``[..., N]``."""
        return x[..., self.seats]


def documented_games() -> tuple[str, ...]:
    """Names of the games that a case study documents."""
    return tuple(read_data("conduct")["games"])


def record_of(game: Game) -> Record:
    """The record of a game's case; ValueError for a game that none documents, or that is too short for its phases."""
    given = read_data("conduct")["games"]
    laid = Laid.model_validate(given[choice("game", game.name, given)])
    case = CASES[choice("case", laid.case, CASES)]()
    actors, phases = tuple(laid.agents), case["phases"]
    durations = laid.durations or [phase.get("steps", phase.get("end", 0) - phase.get("start", 0)) for phase in phases]
    return Record(
        game=game.id,
        case=laid.case,
        actors=actors,
        phases=tuple(phase["name"] for phase in phases),
        bounds=laid_out(durations, game.horizon),
        levels=_table(phases, laid.level_field, case, actors) / laid.full_level,
        widths=_widths(laid, phases, case, actors),
        seats=_seats(game.agents, laid.agents),
        note=laid.note,
    )


def laid_out(durations: Sequence[float], horizon: int) -> np.ndarray:
    """First steps ``[K + 1]`` of phases that share a horizon in proportion to their durations."""
    ends = np.cumsum(durations) / np.sum(durations)
    bounds = np.concatenate([[0], np.rint(horizon * ends)]).astype(int)
    if (np.diff(bounds) < 1).any():
        raise ValueError(f"horizon={horizon} leaves one of {len(durations)} phases without a step; make it longer")
    return bounds


def _table(phases: Sequence[Any], field: str, case: Mapping[str, Any], actors: Sequence[str]) -> np.ndarray:
    """``[K, A]``: the field of each phase, a number for all, a list in the case's order, or one entry an actor."""
    values = [reduce(lambda x, key: x[key], field.split("."), phase) for phase in phases]
    rows = [
        x if isinstance(x, dict) else dict(zip(case.get("actors", actors), np.ravel(x), strict=True)) for x in values
    ]
    return np.array([[row[actor] for actor in actors] for row in rows], dtype=float)


def _widths(laid: Laid, phases: Sequence[Any], case: Mapping[str, Any], actors: Sequence[str]) -> np.ndarray:
    if laid.half_width_field is None:
        return np.full((len(phases), len(actors)), laid.half_width)
    return _table(phases, laid.half_width_field, case, actors) / laid.full_level


def _seats(agents: Sequence[str], prefixes: Mapping[str, str]) -> np.ndarray:
    found = [[a for a, start in enumerate(prefixes.values()) if agent.startswith(start)] for agent in agents]
    if any(len(x) != 1 for x in found) or {x[0] for x in found} != set(range(len(prefixes))):
        raise ValueError(f"agents {agents} are not those of {tuple(prefixes)}; each must belong to one of them")
    return np.array([x[0] for x in found])
