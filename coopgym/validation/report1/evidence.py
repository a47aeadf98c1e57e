"""What the S-LCD rubric asks of two actions, beside the baseline without dependence and synergy."""

from __future__ import annotations

import numpy as np

from coopgym.validation.files import read_data
from coopgym.validation.report1.model import Venture
from coopgym.validation.scoring import Scored, read_rubric, score


def evidence(venture: Venture, actions: np.ndarray, baseline: np.ndarray | None = None) -> dict[str, np.ndarray]:
    """Facts, each ``[...]``, of actions ``[..., 2]``; increases in percent of the baseline.

    The baseline's actions are valued at the venture's own synergy, as in the suite. rises compare actions, gains
    payoffs, with the baseline; residual is the first-order condition left open.
    """
    start = venture.baseline() if baseline is None else baseline
    pay, before = venture.payoffs(actions), venture.payoffs(start)
    value, old_value = venture.total_value(actions), venture.total_value(start)
    mean, old_mean = actions.mean(-1), start.mean(-1)
    return {
        "residual": venture.residual(actions),
        "least_action": actions.min(-1),
        "largest_action": actions.max(-1),
        "largest_payoff": pay.max(-1),
        "least_payoff": pay.min(-1),
        "value": value,
        "cooperation_increase": 100.0 * (mean / old_mean - 1.0),
        "value_increase": 100.0 * (value / old_value - 1.0),
        "value_rise": value - old_value,
        "mean_rise": mean - old_mean,
        "least_rise": (actions - start).min(-1),
        "least_gain": (pay - before).min(-1),
        "share": pay[..., 0] / pay.sum(-1),
        "asymmetry": abs(actions[..., 0] - actions[..., 1]) / mean,
    }


def slcd_score(facts: dict[str, np.ndarray]) -> Scored:
    """The published rubric on the facts of any batch of trials."""
    return score(read_rubric(read_data("slcd_rubric")), facts)


def in_band(facts: dict[str, np.ndarray], band: tuple[float, float]) -> np.ndarray:
    """The suite's flag: the cooperation increase, to two decimals, inside the documented band."""
    increase = facts["cooperation_increase"].round(2)
    return np.asarray((increase >= band[0]) & (increase <= band[1]))
