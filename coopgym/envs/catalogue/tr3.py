"""TR-3, collective action: team production shared equally, its cost borne alone, and loyalty between the two."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from coopgym.envs.catalogue.table import Options, Table, numbered
from coopgym.envs.game import Game
from coopgym.envs.released import CoalitionModifier, CollectiveModifier
from coopgym.mechanisms import checks
from coopgym.mechanisms.coalition import CoalitionProduction, Membership
from coopgym.mechanisms.interdependence import symmetric
from coopgym.mechanisms.loyalty import LoyaltyScores, TeamProduction, row_means
from coopgym.mechanisms.tallies import EffortReport, PublicGoodReport

TRUST = {"building": 0.10, "erosion": 0.25, "harm": 0.40, "forgetting": 0.02, "amplification": 0.50}


def _table(o: Options, agents: Sequence[str], horizon: int = 100, endowment: float = 50.0) -> Table:
    """All five games: equal endowments, baseline at 40 %, symmetric interdependence 0.55."""
    return Table(
        o, report=3, agents=agents, horizon=horizon, endowment=endowment, baseline=0.4 * endowment,
        interdependence=symmetric(len(agents), 0.55), trust=TRUST,
    )  # fmt: skip


def _team(t: Table, recipe: dict[str, float], loyalty: LoyaltyScores, **kwargs: Any) -> tuple[Any, ...]:
    """The mechanisms of a team game in the version at hand; ``recipe`` holds its production numbers."""
    weights = kwargs.pop("weights", row_means(t.interdependence))
    plain, kept = kwargs.pop("plain", False), kwargs.pop("kept", np.zeros(len(t.agents)))
    production = {k: recipe[k] for k in ("productivity", "exponent", "cost")}
    if t.options.released:
        kind = CoalitionModifier if "membership" in kwargs else CollectiveModifier
        kwargs.pop("exclusion_pays", None)
        return t.synergy(), kind(t.endowment, weights, loyalty, plain, **production, **kwargs)
    team = CoalitionProduction if "membership" in kwargs else TeamProduction
    many = t.options.teammates == "sum"
    return (
        team(
            t.endowment, weights, kept, loyalty, **recipe, teammates_sum=many, show_loyalty=not plain, **kwargs
        ),
    )  # fmt: skip


def _recipe(omega: float, beta: float, c: float, phi_b: float, phi_c: float) -> dict[str, Any]:
    return {
        "productivity": checks.number("omega", omega, 0.0, 1e9, open_low=True),
        "exponent": checks.number("beta", beta, 0.0, 1.0, open_low=True),
        "cost": checks.number("cost", c, 0.0, 1e9, open_low=True),
        "benefit": checks.number("phi_b", phi_b, 0.0, 1e6),
        "contribution_joy": checks.number("phi_c", phi_c, 0.0, 1e6),
    }


def TeamProduction_(
    o: Options, *, n_agents: int = 4, omega: float = 25.0, beta: float = 0.7, cost: float = 1.0
) -> Game:
    """A team whose output is shared equally while effort is not: the plain free-rider problem."""
    t = _table(o, numbered("worker", checks.whole("n_agents", n_agents, 2, 1000)))
    still = LoyaltyScores(np.full(n_agents, 0.5), gain=0.0, loss=0.0)
    team = _team(t, _recipe(omega, beta, cost, 0.0, 0.0), still, plain=True)
    given = {"n_agents": n_agents, "omega": omega, "beta": beta, "cost": cost}
    return t.game(*team, summary=TeamProduction_.__doc__ or "", given=given)


TeamProduction_.__name__ = "TeamProduction"  # the mechanism of that name is imported above


def LoyaltyTeam(
    o: Options, *, n_agents: int = 4, omega: float = 25.0, beta: float = 0.7, cost: float = 1.0, phi_b: float = 0.8,
    phi_c: float = 0.3,
) -> Game:  # fmt: skip
    """A team whose members grow loyal by contributing, and then care for their teammates' payoff."""
    t = _table(o, numbered("member", checks.whole("n_agents", n_agents, 2, 1000)))
    team = _team(t, _recipe(omega, beta, cost, phi_b, phi_c), LoyaltyScores(np.full(n_agents, 0.5)))
    given = {"n_agents": n_agents, "omega": omega, "beta": beta, "cost": cost, "phi_b": phi_b, "phi_c": phi_c}
    return t.game(*team, summary=LoyaltyTeam.__doc__ or "", given=given)


def CoalitionFormation(
    o: Options, *, n_agents: int = 6, min_coalition_size: int = 3, exit_threshold: float = 0.15,
    reentry_cooldown: int = 5, omega: float = 25.0, beta: float = 0.7,
) -> Game:  # fmt: skip
    """A coalition that expels the disloyal and lets them back in once they have earned it."""
    # reentry_cooldown counts the step at whose end an agent is expelled, as the release does (choice C14)
    n = checks.whole("n_agents", n_agents, 2, 1000)
    size = checks.whole("min_coalition_size", min_coalition_size, 1, n)
    t = _table(o, numbered("member", n), horizon=150)
    membership = Membership(
        size, checks.number("exit_threshold", exit_threshold, 0.0, 1.0),
        checks.whole("reentry_cooldown", reentry_cooldown, 0, 10**6),
    )  # fmt: skip
    team = _team(
        t, _recipe(omega, beta, 1.0, 0.7, 0.3), LoyaltyScores(np.full(n, 0.5)), membership=membership,
        exclusion_pays=o.mechanism_terms,
    )  # fmt: skip
    given = {
        "n_agents": n, "min_coalition_size": size, "exit_threshold": exit_threshold,
        "reentry_cooldown": reentry_cooldown, "omega": omega, "beta": beta,
    }  # fmt: skip
    return t.game(*team, summary=CoalitionFormation.__doc__ or "", given=given)


APACHE_PHASES = {  # years; agents; loyalty multiplier; omega; expected effort
    "emergence": ("1995-1999", 8, 1.00, 20.0, 35.0),
    "growth": ("2000-2005", 15, 0.85, 25.0, 30.0),
    "maturity": ("2006-2015", 40, 0.70, 30.0, 22.0),
    "evolution": ("2016-2023", 35, 0.60, 28.0, 18.0),
}
APACHE_REPORT = {  # the validation script: years; agents; loyalty multiplier; omega; expected effort
    "emergence": ("1995-1997", 8, 1.00, 30.0, 6.8),
    "growth": ("1998-2003", 25, 0.85, 30.0, 5.2),
    "maturity": ("2004-2015", 40, 0.70, 30.0, 4.1),
    "evolution": ("2016-2023", 35, 0.60, 30.0, 3.8),
}
FOUNDERS = (0.85, 0.90, 0.80, 0.75, 0.70, 0.78, 0.82, 0.76)  # base loyalties
FOUNDER_WEIGHTS = (0.18, 0.20, 0.12, 0.10, 0.08, 0.10, 0.12, 0.10)


def ApacheProject(o: Options, *, phase: str = "maturity", calibration: str = "environment") -> Game:
    """The contributors of the Apache HTTP Server in one of its four phases (TR-3's case study)."""
    checks.choice("phase", phase, APACHE_PHASES)
    scripted = checks.choice("calibration", calibration, ("environment", "report")) == "report"
    years, n, multiplier, omega, expected = (APACHE_REPORT if scripted else APACHE_PHASES)[phase]
    t = _table(o, numbered("contributor", n), horizon=60)
    start, extra = np.full(n, 0.5), {}
    if scripted:  # founder i mod 8 for a larger core, whose weight is 1/n beyond the founders
        start = np.array([FOUNDERS[i % 8] for i in range(n)])
        extra = {"weights": np.array([FOUNDER_WEIGHTS[i] if i < 8 else 1.0 / n for i in range(n)])}
    recipe = _recipe(omega, 0.65, 1.2, 0.8, 0.3) if scripted else _recipe(omega, 0.70, 1.0, 0.75, 0.25)
    team = _team(t, recipe, LoyaltyScores(start * multiplier, cap=multiplier), **extra)
    facts = {"phase": phase, "years": years, "phase_loyalty": multiplier, "expected_effort": expected}
    given = {"phase": phase, "calibration": calibration}
    return t.game(
        *team, EffortReport(expected, o.released), summary=ApacheProject.__doc__ or "", given=given, facts=facts
    )


def PublicGoods(
    o: Options, *, n_agents: int = 5, multiplier: float = 2.0, endowment: float = 50.0, phi_b: float = 0.6,
    phi_c: float = 0.2,
) -> Game:  # fmt: skip
    """The linear public good: what is given is multiplied and shared, what is kept is one's own."""
    n = checks.whole("n_agents", n_agents, 2, 1000)
    e = checks.number("endowment", endowment, 0.0, 1e9, open_low=True)
    t = _table(o, numbered("citizen", n), endowment=e)
    recipe = _recipe(multiplier, 1.0, 1.0, phi_b, phi_c)
    loyalty = LoyaltyScores(np.full(n, 0.5))
    team = _team(t, recipe, loyalty, kept=t.endowment)
    report = PublicGoodReport(TeamProduction(t.endowment, row_means(t.interdependence), t.endowment, loyalty, **recipe))
    given = {"n_agents": n, "multiplier": multiplier, "endowment": e, "phi_b": phi_b, "phi_c": phi_c}
    return t.game(*team, report, summary=PublicGoods.__doc__ or "", given=given)


GAMES = (TeamProduction_, LoyaltyTeam, CoalitionFormation, ApacheProject, PublicGoods)
