"""IPPO, independent proximal policy optimisation: de Witt et al. 2020 (arXiv 2011.09533)."""

from __future__ import annotations

from dataclasses import dataclass

from coopgym.algorithms.ppo import PPO, PPOSettings
from coopgym.algorithms.registry import register


@dataclass(frozen=True)
class IPPOSettings(PPOSettings):
    """Hyperparameters of IPPO."""


@register(
    "IPPO",
    kind="learner",
    paradigm="independent",
    paper="de Witt et al. 2020, arXiv 2011.09533; Schulman et al. 2017, arXiv 1707.06347",
    settings=IPPOSettings,
)
class IPPO(PPO):
    """Every agent i learns pi_i(. | o_i) and V_i(o_i) from its own reward; nothing is shared and nothing centralised.

    Maximise E[min(rho A_i, clip(rho, 1 - eps, 1 + eps) A_i)] + c H(pi_i), with the ratio rho of the densities of the
    agent's own z, and fit V_i to its own targets. The critic is that of the room: what the agent itself sees.
    """
