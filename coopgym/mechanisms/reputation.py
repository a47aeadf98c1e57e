"""Public reputations: one score per agent that everybody sees (DynamicPartnerSelection, ReputationMarket)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from coopgym.mechanisms.arrays import Array, namespace
from coopgym.mechanisms.base import Mechanism, State, Transition

# A market's scores move in round steps (0.05 for a full contribution): without this slack, whether 0.5 + 6 * 0.05
# reaches the premium tier would depend on the precision of the arithmetic.
SLACK = 1e-6
TIERS = ("excluded", "probation", "standard", "premium")


@dataclass(frozen=True, eq=False)
class RunningReputation(Mechanism):
    """q_i <- 0.9 q_i + 0.1 a_i / e_i: a score that is observed and changes nothing else (C.4)."""

    endowment: Array
    start: float = 0.5

    @property
    def observed(self) -> dict[str, tuple[Any, Any]]:
        """The scores."""
        return {"public_reputation": (0.0, 1.0)}

    def initial(self, draws: Array | None) -> dict[str, Array]:
        """public_reputation ``[N]``."""
        return {"public_reputation": self.start + 0.0 * self.endowment}

    def update(self, step: Transition) -> dict[str, Array]:
        """Scores after the step."""
        score = step.before.extra["public_reputation"]
        return {"public_reputation": 0.9 * score + 0.1 * (step.actions / self.endowment)}

    def info(self, before: State, after: State, actions: Array) -> dict[str, Array]:
        """reputation_scores and reputation_places ``[..., N]`` (0 is the best)."""
        score = after.extra["public_reputation"]
        return {"reputation_scores": score, "reputation_places": places(score)}


@dataclass(frozen=True, eq=False)
class TieredReputation(Mechanism):
    """q_i <- clip(q_i + 0.1 (a_i / e_i - 0.5), 0, 1); the payoff is multiplied by the tier of q_i (C.10).

    Tiers: q >= 0.80 premium 1.30, q >= 0.50 standard 1.00, q >= 0.25 probation 0.70, else excluded 0.40; the tier of
    the start of the step counts (choice C3). With visibility below 1 everybody sees q plus Gaussian noise of standard
    deviation 1 - visibility, clipped to [0, 1]; the score itself carries no noise.
    """

    endowment: Array
    visibility: float = 1.0
    tiers_pay: bool = True
    thresholds: tuple[float, ...] = (0.25, 0.50, 0.80)
    multipliers: tuple[float, ...] = (0.40, 0.70, 1.00, 1.30)

    @property
    def step_draws(self) -> int:  # type: ignore[override]
        """One normal number per agent when reputations are seen through noise."""
        return 0 if self.visibility == 1.0 else int(self.endowment.shape[-1])

    @property
    def smooth(self) -> bool:  # type: ignore[override]
        """Whether no tier pays: a tier is reached all at once."""
        return not self.tiers_pay

    @property
    def observed(self) -> dict[str, tuple[Any, Any]]:
        """The scores as seen."""
        return {"reputation_seen": (0.0, 1.0)}

    def initial(self, draws: Array | None) -> dict[str, Array]:
        """public_reputation and reputation_seen ``[N]``: everybody starts at 0.5, known to all."""
        return {"public_reputation": 0.5 + 0.0 * self.endowment, "reputation_seen": 0.5 + 0.0 * self.endowment}

    def reached(self, score: Array, threshold: float) -> Array:
        """Bool ``[..., N]``: whether scores reach the threshold of a tier."""
        return score >= threshold - SLACK

    def multiplier(self, score: Array) -> Array:
        """Payoff multiplier ``[..., N]`` of scores ``[..., N]``."""
        xp = namespace(score)
        result = self.multipliers[0] + 0.0 * score
        for threshold, multiplier in zip(self.thresholds, self.multipliers[1:], strict=True):
            result = xp.where(self.reached(score, threshold), multiplier, result)
        return result

    def payoffs(self, state: State, actions: Array, payoffs: Array) -> Array:
        """Multiply by the tier."""
        return payoffs * self.multiplier(state.extra["public_reputation"]) if self.tiers_pay else payoffs

    def tier(self, score: Array) -> Array:
        """Index into ``TIERS`` of each score, ``[..., N]``."""
        xp = namespace(score)
        return sum((xp.cast(self.reached(score, threshold), score) for threshold in self.thresholds), 0.0 * score)

    def follow(self, score: Array, rates: Array) -> Array:
        """Scores ``[..., N]`` after a step with rates ``[..., N]``."""
        xp = namespace(rates)
        return xp.minimum(xp.maximum(score + 0.1 * (rates - 0.5), 0.0), 1.0)

    def seen(self, score: Array, draws: Array | None) -> Array:
        """What is observed of the scores, given standard normal draws ``[..., N]``."""
        if draws is None or self.visibility == 1.0:
            return score
        xp = namespace(score)
        return xp.minimum(xp.maximum(score + (1.0 - self.visibility) * draws, 0.0), 1.0)

    def update(self, step: Transition) -> dict[str, Array]:
        """Scores after the step, and as seen."""
        score = self.follow(step.before.extra["public_reputation"], step.actions / self.endowment)
        return {"public_reputation": score, "reputation_seen": self.seen(score, step.draws)}

    def info(self, before: State, after: State, actions: Array) -> dict[str, Array]:
        """public_reputations, their places, tiers (indices of ``TIERS``), multipliers, mean and standard deviation."""
        xp = namespace(actions)
        score = after.extra["public_reputation"]
        mean = xp.sum(score) / score.shape[-1]
        spread = xp.sqrt(xp.sum((score - mean[..., None]) ** 2) / score.shape[-1])
        return {
            "public_reputations": score,
            "reputation_places": places(score),
            "tiers": self.tier(score),
            "tier_multipliers": self.multiplier(score),
            "mean_public_reputation": mean,
            "std_public_reputation": spread,
        }


def places(score: Array) -> Array:
    """How many agents stand higher, ``[..., N]``: 0 for the best; equals share a place."""
    xp = namespace(score)
    return xp.sum(xp.cast(score[..., None, :] > score[..., :, None], score))
