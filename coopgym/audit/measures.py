"""The names of all measures, each with its unit, its valid range, and what it says in one line."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

INF = math.inf
SHARE, PAYOFF, STEPS, RATE, SLOPE = "1", "payoff", "steps", "rate", "1"


@dataclass(frozen=True)
class Measure:
    """unit; low, high: what values are possible; agents: whether there is one for each; what: the definition."""

    unit: str
    low: float
    high: float
    agents: bool
    what: str


class Family(Protocol):
    """A result of one family of measures."""

    @property
    def undefined(self) -> Mapping[str, str]:
        """Why a measure is NaN, in some replica or in all."""

    def measures(self) -> dict[str, np.ndarray]:
        """By name: ``[R]``, or ``[R, N]`` where there is one for each agent."""


_OUTCOME = {
    "welfare": Measure(PAYOFF, -INF, INF, False, "sum of payoffs over agents and steps"),
    "payoff": Measure(PAYOFF, -INF, INF, True, "sum of payoffs over steps"),
    "return_own": Measure("reward", -INF, INF, False, "sum of rewards in the mode trained on"),
    "return_private": Measure("reward", -INF, INF, False, "sum over agents of private rewards"),
    "return_integrated": Measure("reward", -INF, INF, False, "sum over agents of integrated rewards"),
    "return_cooperative": Measure("reward", -INF, INF, False, "sum over agents of cooperative rewards"),
    "efficiency": Measure(SHARE, -INF, INF, False, "welfare / welfare of the best common constant rate"),
    "efficiency_bound": Measure(SHARE, -INF, 1.0, False, "welfare / a bound that no policy exceeds"),
    "normalised_efficiency": Measure(SHARE, -INF, INF, False, "0: selfish play; 1: the optimum of a step"),
    "price_of_anarchy": Measure(SHARE, 0.0, INF, False, "best welfare known / welfare"),
    "length": Measure(STEPS, 1.0, INF, False, "steps until the end"),
    "early_end": Measure(SHARE, 0.0, 1.0, False, "share of episodes that a rule ended"),
}
_COOPERATION = {
    "level": Measure(RATE, 0.0, 1.0, True, "mean a / e over steps"),
    "margin": Measure(RATE, -1.0, 1.0, True, "mean (a - b) / e over steps"),
    "at_baseline": Measure(SHARE, 0.0, 1.0, True, "share of steps with a >= b"),
    "emergence": Measure(STEPS, 0.0, INF, True, "when the mean rate of 5 steps reaches b / e for good; inf: never"),
    "emergence_optimal": Measure(STEPS, 0.0, INF, True, "the same for half way from the selfish rate to the optimal"),
    "unsteadiness": Measure(RATE, 0.0, 0.5, True, "s.d. of the rate over steps since emergence"),
    "endgame": Measure(
        RATE, -1.0, 1.0, True, "mean rate of the last 5 % of steps - that of 40 to 90 %, of whole episodes"
    ),
    "coordination": Measure(SHARE, -1.0, 1.0, False, "mean over pairs of the correlation of detrended rates"),
    "distance": Measure(RATE, 0.0, 1.0, False, "mean over pairs and steps of |u_i - u_j|"),
}
_FAIRNESS = {
    "surplus": Measure(PAYOFF, -INF, INF, True, "payoff - payoff where nobody gives anything"),
    "jain": Measure(SHARE, 0.0, 1.0, False, "(sum s)^2 / (N sum s^2) of surpluses; 1 / N: one has all"),
    "gini": Measure(SHARE, 0.0, 1.0, False, "sum |s_i - s_j| / (2 N sum s) of surpluses"),
    "jain_rate": Measure(SHARE, 0.0, 1.0, False, "jain of s_i / e_i"),
    "gini_rate": Measure(SHARE, 0.0, 1.0, False, "gini of s_i / e_i"),
    "least_share": Measure(SHARE, -INF, 1.0, False, "smallest surplus / mean surplus"),
    "nash_product": Measure(PAYOFF, 0.0, INF, False, "geometric mean of surpluses, none below 0"),
}
_DEVIATIONS = {
    "best_gain": Measure(PAYOFF, -INF, INF, True, "largest P_i(deviation) - P_i against partners who react"),
    "best_gain_relative": Measure(SHARE, -INF, INF, True, "the same as a share of |P_i|"),
    "best_gain_one_step": Measure(PAYOFF, -INF, INF, True, "largest gain of deviations that last one step"),
    "best_gain_sustained": Measure(PAYOFF, -INF, INF, True, "largest gain of deviations that last to the end"),
    "harm_at_best": Measure(PAYOFF, -INF, INF, True, "mean change of the others' payoffs at the best deviation"),
    "harm_ratio": Measure(SHARE, -INF, INF, True, "what all others lose for each unit gained, at the best deviation"),
    "exploitable": Measure(SHARE, 0.0, 1.0, True, "share of deviations that gain and harm"),
    "onset": Measure(SHARE, 0.0, INF, True, "earliest t0 / T at which the best level exploits; inf: never"),
    "best_gain_replayed": Measure(PAYOFF, -INF, INF, True, "largest gain against partners who play on unmoved"),
    "deterrence": Measure(PAYOFF, -INF, INF, True, "best gain against unmoved partners - against those who react"),
    "best_gain_reward": Measure("reward", -INF, INF, True, "best_gain in rewards of the mode trained on"),
    "best_gain_relative_reward": Measure(SHARE, -INF, INF, True, "best_gain_relative in these rewards"),
    "exploitable_reward": Measure(SHARE, 0.0, 1.0, True, "exploitable in these rewards"),
    "exploitability": Measure(PAYOFF, 0.0, INF, True, "gain of the best reply found to the others' policies"),
    "exploitability_reward": Measure("reward", 0.0, INF, True, "the same in rewards of the mode trained on"),
}
_FREE_RIDING = {
    "free_riding": Measure(SHARE, -1.0, 1.0, True, "share of joint benefits - share of contributions"),
    "externality": Measure(PAYOFF, -INF, INF, True, "what the others have of i not playing its selfish reply"),
    "sacrifice": Measure(PAYOFF, -INF, INF, True, "what not playing its selfish reply costs i"),
    "altruistic_share": Measure(SHARE, 0.0, 1.0, False, "share of agents with externality > 0, sacrifice > 0"),
    "mutual_share": Measure(SHARE, 0.0, 1.0, False, "share of agents with externality > 0, sacrifice <= 0"),
    "selfish_share": Measure(SHARE, 0.0, 1.0, False, "share of agents with externality <= 0, sacrifice <= 0"),
    "spiteful_share": Measure(SHARE, 0.0, 1.0, False, "share of agents with externality < 0, sacrifice > 0"),
}
_IMPULSES = {
    "retaliation": Measure(SHARE, 0.0, INF, True, "largest fall of u_j within 10 steps after a defection / its size"),
    "punishment_area": Measure(
        "rate x steps", 0.0, INF, True, "sum of all falls of u_j after a defection, while the game goes on"
    ),
    "forgiveness": Measure(STEPS, 0.0, INF, True, "steps until an answer to a defection is halved, where it ever is"),
    "unforgiving": Measure(
        SHARE, 0.0, 1.0, True, "share of answered defections that are not forgiven, where enough is played"
    ),
    "residual": Measure(
        SHARE, 0.0, INF, True, "mean |change| of u_j in the last 10 steps played / the strongest answer"
    ),
    "inverse_response": Measure(SHARE, 0.0, INF, True, "largest rise of u_j within 10 steps after a defection / size"),
    "gratitude": Measure(SHARE, 0.0, INF, True, "largest rise of u_j within 10 steps after a gift / its size"),
    "negativity": Measure(SHARE, 0.0, INF, True, "retaliation / gratitude"),
    "contrition": Measure(SHARE, -INF, INF, True, "mean own fall in 10 steps after an own defection / its size"),
    "punisher_payoff": Measure(PAYOFF, -INF, INF, True, "P_j - P_j had the strongest punisher of i not reacted"),
    "retaliation_to_actions": Measure(SHARE, 0.0, INF, True, "answer to i's defection with trust as undisturbed"),
    **{
        f"{kind}_answers": Measure(SHARE, 0.0, 1.0, False, f"share of pairs and defections answered so: {kind}")
        for kind in ("unconditional", "weak", "reciprocal", "grim", "inverse", "chaotic")
    },
}
_CONDITIONAL = {
    "conditional_slope": Measure(SLOPE, -INF, INF, True, "sum of coefficients of u_j(t + 1) on u_i(t) .. u_i(t - 4)"),
    "conditional_low": Measure(SLOPE, -INF, INF, True, "lower end of its 95 % interval, mean over partners"),
    "conditional_high": Measure(SLOPE, -INF, INF, True, "upper end of its 95 % interval, mean over partners"),
    "conditional_sign": Measure(SHARE, -1.0, 1.0, True, "share of partners with an interval above 0 - below 0"),
    "reciprocity_slope": Measure(SLOPE, -INF, INF, True, "slope of u_j(t + 1) on u_i(t) alone, u_i random"),
    "own_slope": Measure(SLOPE, -INF, INF, True, "coefficient of u_j(t) beside the partner's rates"),
    "trust_slope": Measure("rate / trust", -INF, INF, True, "coefficient of others' trust in i beside the rates"),
    "conditional_fit": Measure(SHARE, -INF, 1.0, True, "share of the variance of u_j(t + 1) that is explained"),
}
_TRUST = {
    "trust": Measure("trust", 0.0, 1.0, True, "mean over time of others' effective trust in i"),
    "final_trust": Measure("trust", 0.0, 1.0, False, "mean effective trust at the end"),
    "trust_efficiency": Measure("payoff / trust", -INF, INF, False, "welfare gained per unit trust, against standing"),
    "trust_recovery": Measure(
        STEPS, 0.0, INF, True, "steps until trust is back at 90 % after a breach; inf: not by the end"
    ),
    "hysteresis": Measure(RATE, -1.0, 1.0, True, "area between trust on the way up and down of a slow sweep"),
}
_PARTNERS = {
    "cross_payoff": Measure(PAYOFF, -INF, INF, True, "P_i among partners of other seeds"),
    "specificity": Measure(SHARE, -INF, INF, True, "(P_i - cross_payoff) / |P_i|"),
    "panel_payoff": Measure(PAYOFF, -INF, INF, True, "mean P_i among scripted partners"),
    "panel_least": Measure(PAYOFF, -INF, INF, True, "least P_i among scripted partners"),
    "exploited": Measure(PAYOFF, 0.0, INF, True, "what i lacks of giving nothing, mean over scripted partners"),
    "payoff_with_defectors": Measure(PAYOFF, -INF, INF, True, "P_i among partners who never give"),
    "payoff_with_givers": Measure(PAYOFF, -INF, INF, True, "P_i among partners who give everything"),
    "payoff_with_tit_for_tat": Measure(PAYOFF, -INF, INF, True, "P_i among TitForTat partners"),
    "payoff_with_grim_trigger": Measure(PAYOFF, -INF, INF, True, "P_i among GrimTrigger partners"),
    "exploited_by_defectors": Measure(PAYOFF, 0.0, INF, True, "what i lacks of giving nothing among defectors"),
}
FAMILIES = {
    "outcome": _OUTCOME, "cooperation": _COOPERATION, "fairness": _FAIRNESS, "deviations": _DEVIATIONS,
    "free_riding": _FREE_RIDING, "impulses": _IMPULSES, "conditional": _CONDITIONAL, "trust": _TRUST,
    "partners": _PARTNERS,
}  # fmt: skip
CATALOGUE: dict[str, Measure] = {name: m for family in FAMILIES.values() for name, m in family.items()}


def mean(x: np.ndarray, axis: int | tuple[int, ...] = -1) -> Any:
    """Mean of what is not NaN; NaN where nothing is."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.nanmean(x, axis=axis)


def ratio(above: Any, below: Any, least: float = 0.0) -> np.ndarray:
    """above / below; NaN where ``below`` is not greater than ``least``."""
    above, below = np.broadcast_arrays(np.asarray(above, dtype=np.float64), np.asarray(below, dtype=np.float64))
    return np.asarray(np.divide(above, below, out=np.full(above.shape, np.nan), where=below > least))
