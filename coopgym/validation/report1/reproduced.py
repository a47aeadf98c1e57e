"""Every figure of TR-1's published validation, computed, under the names that ``data/tr1_trials.json`` records."""

from __future__ import annotations

from coopgym.validation.report1 import trials
from coopgym.validation.report1.evidence import evidence, slcd_score
from coopgym.validation.report1.model import FORMS
from coopgym.validation.report1.slcd import MATRICES, slcd
from coopgym.validation.scoring import Scored

VARIANTS = MATRICES  # newest suite, and the state of the abstract
METRICS = ("cooperation_increase", "value_increase", "share", "asymmetry")


def reproduced(matrix: str = "current") -> dict[str, float]:
    """The case, and what the suite did around it, by name; the trials other than noise only for its newest state."""
    found = {**case_figures(matrix)}
    for level in trials.SETTINGS["noise_levels"]:
        found |= {f"noise_{level:g}_{name}": x for name, x in trials.noise(level, matrix).items()}
    if matrix != "current":
        return found
    return {
        **found,
        "noise_0.05_wilcoxon_p": trials.rank_test(0.05),
        **trials.convergence(),
        **trials.other_cases(),
        **trials.scans(),
        **trials.synergy_ranges(),
        **trials.counts(),
    }


def case_figures(matrix: str = "current") -> dict[str, float]:
    """Actions, metrics and score of the S-LCD case with both value functions."""
    found: dict[str, float] = {}
    for form in FORMS:
        venture = slcd(form, matrix)
        actions, baseline = venture.equilibrium(), venture.baseline()
        facts = evidence(venture, actions, baseline)
        scored = slcd_score(facts)
        found[f"score_{form}"] = float(scored.total)
        found |= {f"score_{form}_{section}": float(x) for section, x in scored.by_section().items()}
        found |= {f"{name}_{form}": float(facts[name]) for name in METRICS}
        found |= {f"action_{i}_{form}": float(actions[i]) for i in (0, 1)}
        found[f"baseline_{form}"] = float(baseline[0])
    return found


def case_score(form: str, matrix: str = "current") -> Scored:
    """The published rubric on the calibrated case."""
    venture = slcd(form, matrix)
    return slcd_score(evidence(venture, venture.equilibrium()))
