"""All audits of a game's landscape at once: ``landscape("TrustDilemma-v1")``."""

from __future__ import annotations

import dataclasses
import time
from dataclasses import dataclass
from typing import Any

from coopgym.audit.landscape.common import chosen_agents
from coopgym.audit.landscape.corrected import CorrectedAudit, corrected_plans, read
from coopgym.audit.landscape.deviations import play
from coopgym.audit.landscape.released import Agents, StaticAudit, TemporalAudit, static_plans, temporal_plan
from coopgym.envs.catalogue import game as make_game
from coopgym.envs.game import Game
from coopgym.envs.reward import RewardMode


@dataclass(frozen=True, eq=False)
class Landscape:
    """What constants earn in a game, and what leaving them pays. Rewards are those of ``reward_mode``.

    static, temporal: the release's audits, as the release defines them; corrected: ours; seconds: what it all took.
    """

    game: str
    game_hash: str
    reward_mode: str
    static: StaticAudit
    temporal: TemporalAudit
    corrected: CorrectedAudit
    seconds: float = 0.0

    def rows(self) -> list[dict[str, Any]]:
        """One record of plain numbers for every distinct result; ``audit`` says of which audit."""
        return [*self.static.rows(), *self.temporal.rows(), *self.corrected.rows()]

    def summary(self) -> dict[str, Any]:
        """One record of the game; lists have an entry for each agent that left (of ``corrected``: each role)."""
        ramp, corrected = self.temporal.deviations.effects(), self.corrected
        return {
            "game": self.game, "game_hash": self.game_hash, "reward_mode": self.reward_mode,
            "surface": self.static.mean_returns.tolist(), "optimal_level": self.static.optimal_level,
            "optimal_return": float(self.static.mean_returns.max()),
            "exploitative_levels": self.static.exploitative_levels.tolist(),
            "exploitative_above_optimum": self.static.exploitative_above_optimum.tolist(),
            "level_effects": self.static.deviations.effects().level_effect.sum((1, 2)).tolist(),
            "length": int(self.temporal.deviations.base.lengths[0]), "verdicts": list(self.temporal.verdicts()),
            "ramp_gain": ramp.gain[:, 0, -1].tolist(), "ramp_exploitative": ramp.exploitative[:, 0, -1].tolist(),
            "baseline_return": float(self.temporal.deviations.base.rewards.mean()),
            "roles": list(corrected.middle.deviations.agents), "joint_level": corrected.joint_level,
            "corrected_verdicts": list(corrected.middle.verdicts()),
            "joint_verdicts": list(corrected.joint.verdicts()),
            "corrected_verdicts_payoff": list(corrected.middle.verdicts("payoffs")),
            "joint_verdicts_payoff": list(corrected.joint.verdicts("payoffs")),
            "temptations": [dataclasses.asdict(t) for t in corrected.temptations()],
            "temptations_payoff": [dataclasses.asdict(t) for t in corrected.temptations("payoffs")],
        }  # fmt: skip

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and names, for JSON."""
        return {"summary": self.summary(), "rows": self.rows(), "seconds": self.seconds}


def landscape(
    game: Game | str,
    reward_mode: str | RewardMode = "integrated",
    *,
    agents: Agents = 0,
    own_rates: bool = False,
    **game_options: Any,
) -> Landscape:
    """The release's static and temporal audits of a game, and ours, all cases as one batch.

    agents, own_rates: of the release's audits, see static_audit; ours has every role leave, at rates of its own
    endowment. Raises ValueError for a game or an agent that is not there.
    """
    began = time.perf_counter()
    made, mode = make_game(game, **game_options).to("numpy"), RewardMode.of(reward_mode)
    chosen = chosen_agents(made, agents)
    plans = (
        *static_plans(made, mode, chosen, own_rates),
        temporal_plan(made, mode, chosen, own_rates),
        *corrected_plans(made, mode, chosen_agents(made, "roles")),
    )
    surface, deviations, temporal, *ours = play(*plans)
    return Landscape(
        made.id, made.hash, str(mode), StaticAudit(surface, deviations), TemporalAudit(temporal), read(ours),
        time.perf_counter() - began,
    )  # fmt: skip
