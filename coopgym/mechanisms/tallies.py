"""What is reported and never paid: running counts, peaks, and the views of a step that one game is known for."""

from __future__ import annotations

from dataclasses import dataclass

from coopgym.mechanisms.arrays import Array, namespace
from coopgym.mechanisms.base import Mechanism, State, Transition
from coopgym.mechanisms.loyalty import TeamProduction
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


@dataclass(frozen=True, eq=False)
class PowerReport(Mechanism):
    """Who depends on whom, and who trusts whom, between a strong agent 0 and a weak agent 1."""

    power_asymmetry: float

    def info(self, before: State, after: State, actions: Array) -> dict[str, Array]:
        """trust_asymmetry = T_10 - T_01; power_asymmetry = D_10 - D_01."""
        trust = after.trust
        return {"trust_asymmetry": trust[..., 1, 0] - trust[..., 0, 1], "power_asymmetry": self.power_asymmetry}


@dataclass(frozen=True, eq=False)
class PlatformReport(Mechanism):
    """What a platform (agent 0) and its developers put in, and how far they trust it."""

    exit_threshold: float

    def info(self, before: State, after: State, actions: Array) -> dict[str, Array]:
        """platform_investment; mean and s.d. of the others'; developer_trust_in_platform; developer_exits."""
        xp = namespace(actions)
        others = actions[..., 1:]
        n = others.shape[-1]
        mean = xp.sum(others) / n
        trust = xp.sum(after.trust[..., 1:, 0]) / n
        return {
            "platform_investment": actions[..., 0],
            "mean_developer_investment": mean,
            "std_developer_investment": xp.sqrt(xp.sum((others - mean[..., None]) ** 2) / n),
            "developer_trust_in_platform": trust,
            "developer_exits": n * (trust < self.exit_threshold),
        }


@dataclass(frozen=True, eq=False)
class PublicGoodReport(Mechanism):
    """How much of the public good is provided."""

    team: TeamProduction

    def info(self, before: State, after: State, actions: Array) -> dict[str, Array]:
        """total_contribution, public_good, contribution_rate; social_efficiency: sum p(a) / sum p(e)."""
        xp = namespace(actions)
        given, everything = xp.sum(actions), self.team.endowment + 0.0 * actions
        earned, possible = (xp.sum(self.team.payoffs(after, a, 0.0 * a)) for a in (actions, everything))
        return {
            "total_contribution": given,
            "public_good": self.team.output(given),
            "contribution_rate": given / xp.sum(self.team.endowment),
            "social_efficiency": earned / possible,
        }


@dataclass(frozen=True, eq=False)
class EffortReport(Mechanism):
    """How far the mean effort lies from the one documented for a phase of a case study."""

    expected: float
    single: bool = False  # the release takes the mean in single precision

    def info(self, before: State, after: State, actions: Array) -> dict[str, Array]:
        """effort_deviation = |mean a - expected| / expected; validation_accuracy = max(0, 1 - deviation)."""
        xp = namespace(actions)
        effort = xp.single(actions) if self.single else actions
        mean = xp.cast(xp.sum(effort) / actions.shape[-1], actions)
        deviation = abs(mean - self.expected) / self.expected
        accuracy = 1.0 - deviation
        return {"effort_deviation": deviation, "validation_accuracy": accuracy * (accuracy > 0)}


@dataclass(frozen=True, eq=False)
class InvestmentReport(Mechanism):
    """What each of two known firms puts in, under its name."""

    firms: tuple[str, ...]

    def info(self, before: State, after: State, actions: Array) -> dict[str, Array]:
        """For example samsung_investment and sony_investment, in action units."""
        return {f"{firm}_investment": actions[..., i] for i, firm in enumerate(self.firms)}
