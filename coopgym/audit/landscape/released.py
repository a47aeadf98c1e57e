"""The release's two audits of a game, as one batch each: what constants earn, and what leaving them half way pays.

No policy takes part: actions are numbers, and the others never answer. What the audits measure is the game.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from coopgym.audit.landscape import strategies
from coopgym.audit.landscape.common import actions_at, chosen_agents, steps_at, targets_of
from coopgym.audit.landscape.deviations import Deviations, Plan, play
from coopgym.envs.catalogue import game as make_game
from coopgym.envs.game import Game
from coopgym.envs.reward import RewardMode

SURFACE = np.arange(21) / 20.0  # levels of constants
TESTED = np.array([0.2, 0.4, 0.6, 0.8])  # levels that agents leave for half of them
MIDDLE = 0.5  # the level of the temporal audit
VERDICTS = ("immune", "terminal_only", "late_vulnerable", "broadly_vulnerable", "partially_vulnerable")
Agents = str | int | Sequence[str | int]


@dataclass(frozen=True, eq=False)
class StaticAudit:
    """The response surface, common play alone at 21 levels; and deviations ``[A, 4, 1]`` for a whole episode."""

    surface: Deviations
    deviations: Deviations

    @property
    def mean_returns(self) -> np.ndarray:
        """Mean reward of an agent over an episode at each level ``[21]``."""
        return np.asarray(self.surface.base.rewards.mean(-1))

    @property
    def optimal_level(self) -> float:
        """The level with the largest mean return; the lowest of several."""
        return float(self.surface.levels[int(self.mean_returns.argmax())])

    @property
    def exploitative_levels(self) -> np.ndarray:
        """For each agent that leaves ``[A]``, at how many of the four levels it gains while the others lose."""
        return np.asarray(self.deviations.effects().exploitative.sum((1, 2)))

    @property
    def exploitative_above_optimum(self) -> np.ndarray:
        """Those of ``exploitative_levels [A]`` above the optimal level, where everybody would gain by giving less."""
        above = self.deviations.levels > self.optimal_level
        return np.asarray(self.deviations.effects().exploitative[:, above].sum((1, 2)))

    def rows(self) -> list[dict[str, Any]]:
        """21 records of the surface, then four for each agent that leaves."""
        return labelled("static", self.surface.common_rows("surface") + self.deviations.rows())


@dataclass(frozen=True, eq=False)
class TemporalAudit:
    """Deviations ``[A, 1, S]`` from one common play at all times: from the start, late, early, along a ramp."""

    deviations: Deviations
    name: str = "temporal"

    def onsets(self, measure: str = "rewards") -> np.ndarray:
        """The earliest late defection that is exploitative ``[A]`` [share of the episode]; nan where none is."""
        flags, starts = self._late(measure)
        shares = np.round(starts / float(self.deviations.base.lengths[0]), 3)
        return np.asarray(np.where(flags.any(-1), np.where(flags, shares, np.inf).min(-1), np.nan))

    def verdicts(self, measure: str = "rewards") -> tuple[str, ...]:
        """One of VERDICTS for each agent, by ``verdict_of``."""
        flags, _ = self._late(measure)
        flagged = flags.mean(-1)
        return tuple(verdict_of(*pair) for pair in zip(self.onsets(measure), flagged, strict=True))

    def rows(self) -> list[dict[str, Any]]:
        """One record of the common play, and one a deviation."""
        return labelled(self.name, self.deviations.common_rows() + self.deviations.rows())

    def _late(self, measure: str) -> tuple[np.ndarray, np.ndarray]:
        """(flags ``[A, late]``, starts ``[late]`` [step])."""
        late = [k for k, s in enumerate(self.deviations.strategies) if s.name == "late_defection"]
        starts = np.array([self.deviations.strategies[k].parameter for k in late])
        return self.deviations.effects(measure).exploitative[:, 0, late], starts


def verdict_of(onset: float, flagged: float) -> str:
    """The release's class: by the onset [share of the episode], nan for none, and the share of late starts flagged."""
    if np.isnan(onset):
        return "immune"
    if onset >= 0.7:
        return "terminal_only" if onset >= 0.9 else "late_vulnerable"
    return "broadly_vulnerable" if flagged >= 0.5 else "partially_vulnerable"


def static_plans(
    game: Game, mode: RewardMode, agents: tuple[int, ...] = (0,), own_rates: bool = False
) -> tuple[Plan, Plan]:
    """The surface, and the whole-episode deviations from four of its levels to half of the action."""
    common = actions_at(game, SURFACE, own_rates)
    base = actions_at(game, TESTED, own_rates)
    half = targets_of(game, base, "half")
    whole = (strategies.full(game.horizon),)
    return (
        Plan(game, mode, SURFACE, common, common, (), agents, own_rates),
        Plan(game, mode, TESTED, base, half, whole, agents, own_rates),
    )


def temporal_plan(
    game: Game,
    mode: RewardMode,
    agents: tuple[int, ...] = (0,),
    own_rates: bool = False,
    level: float = MIDDLE,
    target: str = "zero",
    tolerance: float = 0.0,
) -> Plan:
    """The temporal deviations from a common level; their times follow from the length of its episode."""
    levels = np.array([level])
    base = actions_at(game, levels, own_rates)
    ways = strategies.released(game.horizon, steps_at(game, base[0]))
    return Plan(game, mode, levels, base, targets_of(game, base, target), ways, agents, own_rates, tolerance)


def static_audit(
    game: Game | str,
    reward_mode: str | RewardMode = "integrated",
    *,
    agents: Agents = 0,
    own_rates: bool = False,
    **game_options: Any,
) -> StaticAudit:
    """The release's static audit: 21 levels of common play, four deviations to half of the action.

    agents that leave: the first by default, as the release has it; "roles" or "all" audit the others too. own_rates:
    levels are shares of each agent's own endowment instead of the first agent's raw number. A hidden parameter takes
    the middle of its range. Raises ValueError for a game or an agent that is not there.
    """
    made, mode = make_game(game, **game_options).to("numpy"), RewardMode.of(reward_mode)
    surface, left = play(*static_plans(made, mode, chosen_agents(made, agents), own_rates))
    return StaticAudit(surface, left)


def temporal_audit(
    game: Game | str,
    reward_mode: str | RewardMode = "integrated",
    *,
    agents: Agents = 0,
    own_rates: bool = False,
    level: float = MIDDLE,
    **game_options: Any,
) -> TemporalAudit:
    """The release's temporal audit: from common play at ``level`` to zero, at all times; arguments as static_audit."""
    made, mode = make_game(game, **game_options).to("numpy"), RewardMode.of(reward_mode)
    (played,) = play(temporal_plan(made, mode, chosen_agents(made, agents), own_rates, level))
    return TemporalAudit(played)


def labelled(audit: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The records with the name of their audit in front."""
    return [{"audit": audit, **row} for row in rows]
