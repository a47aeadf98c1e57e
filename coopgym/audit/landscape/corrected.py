"""Our audit of the same question, with the release's three slips mended. Nothing here is in the release.

It deviates to the selfish best answer instead of zero, which no selfish agent would play; every role deviates, at rates
of its own endowment; and it starts from the joint optimum too, where everybody moving down together gains nobody
anything, so that what looks like exploitation there is no mere move toward a better common level.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from coopgym.algorithms.evaluation import best_constant
from coopgym.audit.landscape import strategies
from coopgym.audit.landscape.common import actions_at, chosen_agents
from coopgym.audit.landscape.deviations import Deviations, Plan, play
from coopgym.audit.landscape.released import MIDDLE, Agents, TemporalAudit, temporal_plan
from coopgym.envs.catalogue import game as make_game
from coopgym.envs.game import Game
from coopgym.envs.reward import RewardMode

TOLERANCE = 1e-6  # share of a return up to which a change counts as none
LOWER = np.arange(50) / 100.0  # levels below the middle to which an agent may go, of its own endowment
STARTS = (0.0, 0.5, 0.75, 0.9, 0.97)  # when it goes there, as a share of the horizon


@dataclass(frozen=True)
class Temptation:
    """What an agent gains most by giving less from a step on, while the others lose.

    own_level [share of its endowment]; gain, others_change (mean of the others) [reward over an episode]; share: gain
    over what the agent earned before. None, 0, 0, 0 where no level does both.
    """

    agent: str
    start: int
    own_level: float | None
    gain: float
    share: float
    others_change: float


@dataclass(frozen=True, eq=False)
class CorrectedAudit:
    """middle: deviations of all roles from half of everybody's endowment; joint: from the joint optimum, the constant
    common rate with the most welfare; scan ``[A, 50, 5]``: from half, to any lower level, from five times on."""

    middle: TemporalAudit
    joint: TemporalAudit
    scan: Deviations

    @property
    def joint_level(self) -> float:
        """The joint optimum among constants [share of endowments]."""
        return float(self.joint.deviations.levels[0])

    def temptations(self, measure: str = "rewards") -> tuple[Temptation, ...]:
        """The best harmful level of each agent and start."""
        return tuple(
            _best(self.scan, measure, a, s)
            for a in range(len(self.scan.agents))
            for s in range(len(self.scan.strategies))
        )

    def rows(self) -> list[dict[str, Any]]:
        """Records of the two temporal audits; the scan is summed up by ``temptations``."""
        return [*self.middle.rows(), *self.joint.rows()]


def corrected_audit(
    game: Game | str,
    reward_mode: str | RewardMode = "integrated",
    *,
    agents: Agents = "roles",
    **game_options: Any,
) -> CorrectedAudit:
    """Deviations to the selfish best answer of the first step, from half and from the joint optimum; and a scan.

    agents that leave: the first of each role by default. A change up to 1e-6 of a return counts as none.
    """
    made, mode = make_game(game, **game_options).to("numpy"), RewardMode.of(reward_mode)
    return read(play(*corrected_plans(made, mode, chosen_agents(made, agents))))


def corrected_plans(game: Game, mode: RewardMode, agents: tuple[int, ...]) -> tuple[Plan, Plan, Plan]:
    """The plans of ``middle``, ``joint`` and ``scan``."""
    joint = best_constant(game)["private"]["level"] / 100.0
    middle, optimum = (
        temporal_plan(game, mode, agents, True, level, "selfish", TOLERANCE) for level in (MIDDLE, joint)
    )
    return middle, optimum, scan_plan(game, mode, agents)


def scan_plan(game: Game, mode: RewardMode, agents: tuple[int, ...], own_rates: bool = True) -> Plan:
    """From the middle level to each lower level of the own endowment, at five times."""
    levels = np.full(len(LOWER), MIDDLE)
    base, targets = actions_at(game, levels, own_rates), actions_at(game, LOWER, True)
    ways = tuple(strategies.late(game.horizon, int(part * game.horizon)) for part in STARTS)
    return Plan(game, mode, levels, base, targets, ways, agents, own_rates, TOLERANCE)


def read(played: list[Deviations]) -> CorrectedAudit:
    """The result of ``corrected_plans``."""
    middle, joint, scan = played
    return CorrectedAudit(TemporalAudit(middle, "corrected"), TemporalAudit(joint, "corrected_joint_optimum"), scan)


def _best(scan: Deviations, measure: str, agent: int, strategy: int) -> Temptation:
    effects, name, start = scan.effects(measure), scan.agents[agent], scan.strategies[strategy].parameter
    harmful = effects.exploitative[agent, :, strategy]
    if not harmful.any():
        return Temptation(name, start, None, 0.0, 0.0, 0.0)
    k = int(np.where(harmful, effects.gain[agent, :, strategy], -np.inf).argmax())
    gain, others = (float(x[agent, k, strategy]) for x in (effects.gain, effects.others))
    before = abs(float(getattr(scan.base, measure)[k, scan.positions[agent]]))
    return Temptation(name, start, float(LOWER[k]), gain, gain / before, others)
