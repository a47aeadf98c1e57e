"""Every figure of TR-2's published validation, computed, under the names that ``data/tr2_sweep.json`` records."""

from __future__ import annotations

import numpy as np
from scipy.stats import f_oneway

from coopgym.validation.files import read_data
from coopgym.validation.report2.model import STATES, Rates, TrustCourse
from coopgym.validation.report2.prediction import anchor_fit
from coopgym.validation.report2.renault_nissan import Alliance, alliance, alliance_score, facts_of, level
from coopgym.validation.report2.sweep import Sweep, deficits, summarised, sweep
from coopgym.validation.scoring import Scored

VARIANTS = tuple(STATES)  # newest suite, the abstract's state, and that of the released tables
ENUMERATED = {"current": "standard", "published": "standard", "released": "coarse_seven"}
EXTRA = {"current": ("coarse",), "published": ("coarse", "standard_seven"), "released": ()}


def reproduced(state: str = "current") -> dict[str, float]:
    """Sweeps and Renault-Nissan case of one state, by name."""
    boxes = read_data("tr2_sweep")["boxes"]
    found = sweep_figures(sweep(boxes[ENUMERATED[state]], state), state)
    for name in EXTRA[state]:
        result = sweep(boxes[name], state)
        found |= {f"{name}.{k}": x for k, x in (result.summary() | _counts(result)).items()}
    found |= case_figures(state)
    if state == "current":
        for start in ("released", "corrected"):
            distance = anchor_fit(start)
            found |= {f"anchors_{start}_{name}": distance[name] for name in ("rmse", "r2")}
    return found


def sweep_figures(result: Sweep, state: str) -> dict[str, float]:
    """Summaries, sensitivity, Pareto set, and the deficits that the suite does not compute."""
    found = result.summary() | result.sensitivity() | _counts(result)
    for name, x in deficits(Rates(**result.factors, state=state)).items():
        found |= {f"{name}.{word}": y for word, y in summarised(np.repeat(x, result.copies)).items()}
    for steps in (35, 100):
        above = result.statistics[f"hysteresis_recovery_{steps}"] > 1.0
        found[f"hysteresis_{steps}_above_1"] = float(above.mean())
    return found


def _counts(result: Sweep) -> dict[str, float]:
    return {
        "enumerated": float(result.enumerated),
        "distinct": float(result.distinct),
        "pareto_count": float(result.pareto_count),
    }


def case_figures(state: str = "current") -> dict[str, float]:
    """Score by section, analysis of variance, slopes, and the course at the phases' bounds."""
    the = alliance(state)
    course = the.run()
    facts = facts_of(the)
    scored = alliance_score(facts)
    return {
        "score": float(scored.total),
        **{f"score_{section}": float(x) for section, x in scored.by_section().items()},
        "erosion_to_building": float(facts["erosion_to_building"]),
        "largest_damage": float(facts["largest_damage"]),
        "final_trust": float(facts["final_trust"]),
        "anova_f": float(f_oneway(*_groups(the, course.trust)).statistic),
        **_slopes(the, level(course)),
        **_at_bounds(the, course),
    }


def _at_bounds(the: Alliance, course: TrustCourse) -> dict[str, float]:
    found: dict[str, float] = {}
    for t in the.bounds:
        found[f"trust_01_{t}"], found[f"trust_10_{t}"] = (float(course.trust[t][pair]) for pair in ((0, 1), (1, 0)))
        found[f"damage_01_{t}"], found[f"damage_10_{t}"] = (float(course.damage[t][pair]) for pair in ((0, 1), (1, 0)))
        found[f"mean_trust_{t}"] = float(level(course)[t])
    return found


def _groups(the: Alliance, values: np.ndarray) -> list[np.ndarray]:
    """Values of each phase, without the state that the next one starts from, flat."""
    return [values[a:b].ravel() for a, b in zip(the.bounds[:-1], the.bounds[1:], strict=True)]


def _slopes(the: Alliance, tau: np.ndarray) -> dict[str, float]:
    """Least-squares slope of mean trust in each phase."""
    lines = [np.polyfit(np.arange(len(y)), y, 1)[0] for y in _groups(the, tau)]
    return {f"slope_{name}": float(x) for name, x in zip(the.names, lines, strict=True)}


def case_score(state: str = "current") -> Scored:
    """The published rubric on the calibrated case."""
    return alliance_score(facts_of(alliance(state)))
