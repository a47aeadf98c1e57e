"""The six experiments of TR-1's validation, each one batch a value function."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from coopgym.validation.files import read_data
from coopgym.validation.report1.case import slcd_case
from coopgym.validation.report1.convergence import from_starts, suite_starts
from coopgym.validation.report1.evidence import evidence, in_band, slcd_score
from coopgym.validation.report1.line_search import searched
from coopgym.validation.report1.model import FORMS, Venture
from coopgym.validation.report1.slcd import disturbed, slcd, with_first_dependence, with_synergy

SETTINGS: Mapping[str, Any] = read_data("tr1_trials")["settings"]


def scores(venture: Venture) -> np.ndarray:
    """Rubric totals ``[...]`` at the equilibria."""
    return slcd_score(evidence(venture, venture.equilibrium())).total


def noise(level: float, matrix: str = "current") -> dict[str, float]:
    """Scores of both forms under the same disturbances, and of which form is the better one."""
    ventures = {form: disturbed(slcd(form, matrix), level, SETTINGS["trials"]) for form in FORMS}
    facts = {form: evidence(venture, venture.equilibrium()) for form, venture in ventures.items()}
    totals = {form: slcd_score(fact).total for form, fact in facts.items()}
    band = tuple(slcd_case()["bands"]["cooperation_increase"])
    found: dict[str, float] = {"log_wins_pct": 100.0 * float((totals["log"] > totals["power"]).mean())}
    for form in FORMS:
        low, high = np.percentile(totals[form], (2.5, 97.5))
        found[f"{form}_mean"], found[f"{form}_psd"] = float(totals[form].mean()), float(totals[form].std())
        found[f"{form}_low"], found[f"{form}_high"] = float(low), float(high)
        found[f"{form}_in_band_pct"] = 100.0 * float(in_band(facts[form], band).mean())
    return {**found, **paired(totals["log"] - totals["power"])}


def paired(difference: np.ndarray) -> dict[str, float]:
    """The suite's statistics of two deterministic functions under artificial noise: they test nothing.

    Where all differences are the same number, t and d are infinite.
    """
    mean, psd = float(difference.mean()), float(difference.std())
    n = len(difference)
    return {
        "difference_mean": mean,
        "difference_psd": psd,
        "t": mean / (psd / np.sqrt(n - 1)) if psd > 0 else float("inf"),
        "d": mean / psd if psd > 0 else float("inf"),
    }


def rank_test(level: float, matrix: str = "current") -> float:
    """Wilcoxon's p of the score differences, as published."""
    from scipy.stats import wilcoxon

    log, power = (scores(disturbed(slcd(form, matrix), level, SETTINGS["trials"])) for form in FORMS)
    return float(wilcoxon(log, power).pvalue)


def convergence() -> dict[str, float]:
    """Share of starts from which best responses come to rest, and their largest distance from the equilibrium."""
    found = {}
    for form in FORMS:
        venture = slcd(form)
        actions, rest = from_starts(venture, suite_starts(SETTINGS["starts"]))
        found[f"converged_pct_{form}"] = 100.0 * float(rest.mean())
        found[f"distance_{form}"] = float(abs(actions - venture.equilibrium()).max())
    return found


def other_cases() -> dict[str, float]:
    """Scores of the suite's other ventures.

    Where partners are alike, the power form is also scored at the suite's own actions: its line search always leaves
    the first partner a little less than half. In the logarithmic form that noise is one of rounding and falls anyhow.
    """
    found = {}
    for form in FORMS:
        for case in SETTINGS["other_cases"]:
            venture = _like(slcd(form), case)
            found[f"case_{case['name']}_{form}"] = float(scores(venture))
            if form == "power" and case["shares"][0] == case["shares"][1]:
                found[f"case_{case['name']}_{form}_line_search"] = searched_score(venture)
    return found


def _like(venture: Venture, case: Mapping[str, Any]) -> Venture:
    return replace(venture, shares=np.array(case["shares"]), dependence=np.array(case["dependence"]))


def searched_score(venture: Venture) -> float:
    """Total at the actions that the suite's solver returns, its stop taken for convergence as the suite does."""
    actions, rest = searched(venture)
    baseline, _ = searched(replace(venture, synergy=0.0, dependence=0.0 * venture.dependence))
    facts = evidence(venture, actions, baseline)
    return float(slcd_score({**facts, "residual": np.array(0.0 if rest else 1.0)}).total)


def scans() -> dict[str, float]:
    """Scores along D_01 with the suite's fixed D_10, and along gamma."""
    found: dict[str, float] = {}
    for form in FORMS:
        first, synergy = np.array(SETTINGS["dependence_scan"]), np.array(SETTINGS["synergy_scan"])
        venture = slcd(form)
        along = scores(with_first_dependence(venture, first, SETTINGS["dependence_scan_second"]))
        found |= {f"dependence_{x:g}_{form}": float(y) for x, y in zip(first, along, strict=True)}
        along = scores(with_synergy(venture, synergy))
        found |= {f"synergy_{x:g}_{form}": float(y) for x, y in zip(synergy, along, strict=True)}
    return found


def synergy_ranges() -> dict[str, float]:
    """For which gamma, in hundredths, each form scores in full or at least 58; and mean scores over all of them."""
    gamma = np.arange(1, 101) / 100.0
    found = {}
    for form in FORMS:
        total = scores(with_synergy(slcd(form), gamma))
        found[f"synergy_mean_{form}"] = float(total.mean())
        found |= _range(f"synergy_full_{form}", gamma[total == 60.0])
        if form == "log":
            found |= _range("synergy_58_log", gamma[total >= 58.0])
    return found


def _range(name: str, values: Sequence[float] | np.ndarray) -> dict[str, float]:
    return {f"{name}_from": float(min(values)), f"{name}_to": float(max(values))}


def counts() -> dict[str, float]:
    """How many equilibria are scored and solved; each setting is solved twice, with and without the mechanism."""
    scans = len(SETTINGS["dependence_scan"]) + len(SETTINGS["synergy_scan"])
    settings = 1 + 2 * SETTINGS["trials"] + len(SETTINGS["other_cases"]) + 1 + scans
    scored = len(FORMS) * settings
    return {
        "settings": float(settings + SETTINGS["starts"]),
        "scored_equilibria": float(scored),
        "equilibrium_solves": float(2 * scored + len(FORMS) * SETTINGS["starts"]),
    }
