"""Running counts and peaks that are reported and never paid (TrustDilemma, RecoveryRace)."""

from __future__ import annotations

from dataclasses import dataclass

from coopgym.mechanisms.arrays import Array, namespace
from coopgym.mechanisms.base import Mechanism, State, Transition
from coopgym.mechanisms.trust import mean_over_pairs


@dataclass(frozen=True, eq=False)
class CooperationCount(Mechanism):
    """Steps in which each agent reached its baseline."""

    expected: Array  # [N] baselines

    def initial(self, draws: Array | None) -> dict[str, Array]:
        """cooperation_count ``[N]``."""
        return {"cooperation_count": 0.0 * self.expected}

    def update(self, step: Transition) -> dict[str, Array]:
        """One more for whoever reached the baseline."""
        reached = namespace(step.actions).cast(step.actions >= self.expected, step.actions)
        return {"cooperation_count": step.before.extra["cooperation_count"] + reached}

    def info(self, before: State, after: State, actions: Array) -> dict[str, Array]:
        """cooperation_count, defection_count and cooperation_ratio, ``[..., N]``."""
        count = after.extra["cooperation_count"]
        steps = after.time[..., None]
        return {
            "cooperation_count": count,
            "defection_count": steps - count,
            "cooperation_ratio": count / namespace(count).maximum(steps + 0.0 * count, 1.0),
        }


@dataclass(frozen=True, eq=False)
class RecoveryProgress(Mechanism):
    """How far mean trust has recovered towards a target."""

    initial_trust: Array  # [1] mean trust at the start
    target: float

    def initial(self, draws: Array | None) -> dict[str, Array]:
        """peak_trust ``[1]``; recovery_step ``[1]``, -1 until the target is reached."""
        return {"peak_trust": self.initial_trust, "recovery_step": 0.0 * self.initial_trust - 1.0}

    def update(self, step: Transition) -> dict[str, Array]:
        """Peak so far, and the first step at which the target was reached."""
        old = step.before.extra
        xp = namespace(step.trust)
        mean = mean_over_pairs(step.trust)[..., None]
        first = (mean >= self.target) & (old["recovery_step"] < 0)
        now = step.before.time[..., None] + 1.0
        return {
            "peak_trust": xp.maximum(old["peak_trust"], mean),
            "recovery_step": xp.where(first, now, old["recovery_step"]),
        }

    def info(self, before: State, after: State, actions: Array) -> dict[str, Array]:
        """peak_trust, recovery_step, trust_ceiling = 1 - mean damage, recovery_progress in units of the way to go."""
        start = self.initial_trust[..., 0]
        return {
            "peak_trust": after.extra["peak_trust"][..., 0],
            "recovery_step": after.extra["recovery_step"][..., 0],
            "trust_ceiling": 1.0 - mean_over_pairs(after.damage),
            "recovery_progress": (mean_over_pairs(after.trust) - start) / (self.target - start),
        }
