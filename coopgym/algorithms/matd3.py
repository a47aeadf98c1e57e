"""MATD3, multi-agent twin delayed deep deterministic policy gradient: Ackermann et al. 2019 (arXiv 1910.01465)."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from coopgym.algorithms.learner import Problem
from coopgym.algorithms.maddpg import MADDPG, MADDPGSettings
from coopgym.algorithms.registry import register
from coopgym.algorithms.replay_learner import Sample
from coopgym.algorithms.rollout import normals
from coopgym.mechanisms import checks


@dataclass(frozen=True)
class MATD3Settings(MADDPGSettings):
    """Hyperparameters of MATD3; without twin, smoothing and delay it is MADDPG."""

    policy_delay: int = 2
    twin: bool = True  # two critics for each agent, the smaller of which makes the target
    # TD3's 0.2 and 0.5 are of actions in [-1, 1]; rates are half as wide
    smoothing: float = 0.1  # standard deviation of the noise on the target actors' rates
    smoothing_limit: float = 0.25  # of that noise

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.flag("twin", self.twin)
        for name in ("smoothing", "smoothing_limit"):
            checks.number(name, getattr(self, name), 0.0, 1.0)


@register(
    "MATD3",
    kind="learner",
    paradigm="centralised_critic",
    paper="Ackermann et al. 2019, arXiv 1910.01465; Fujimoto et al. 2018, arXiv 1802.09477",
    settings=MATD3Settings,
)
class MATD3(MADDPG):
    """MADDPG with three cures for critics that promise too much.

    The target takes the smaller of two critics; noise on the target actors' rates smooths it; and actors and targets
    move only at every second update of the critics.
    """

    settings: MATD3Settings

    def __init__(self, problem: Problem, settings: MATD3Settings) -> None:
        self.critics = ("critic", "twin") if settings.twin else ("critic",)
        super().__init__(problem, settings)

    def target_rates(self, sample: Sample) -> Tensor:
        """Rates of the target actors, with clipped noise."""
        s, rates = self.settings, super().target_rates(sample)
        if s.smoothing == 0.0:
            return rates
        noise = s.smoothing * normals(self.generators, *rates.shape[1:])
        return (rates + noise.clamp(-s.smoothing_limit, s.smoothing_limit)).clamp(0.0, 1.0)
