"""MASAC, soft actor-critic with centralised critics: Iqbal and Sha 2019 (ICML, arXiv 1810.02912), without attention."""

from __future__ import annotations

from dataclasses import dataclass

from coopgym.algorithms.isac import ISAC, ISACSettings
from coopgym.algorithms.registry import register


@dataclass(frozen=True)
class MASACSettings(ISACSettings):
    """Hyperparameters of MASAC."""


@register(
    "MASAC",
    kind="learner",
    paradigm="centralised_critic",
    paper="Iqbal and Sha 2019, arXiv 1810.02912; Haarnoja et al. 2018, arXiv 1812.05905",
    settings=MASACSettings,
)
class MASAC(ISAC):
    """ISAC whose twin critics Q_i(s, u_1..u_N) see the central state and everybody's rates while training.

    In targets and in the actor's loss all rates are drawn from the present policies; each actor still acts on its own
    observation alone, and each critic is fitted to its own agent's reward.
    """

    central = True
