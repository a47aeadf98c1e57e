"""TR-2, trust: the TR-1 payoff, and an integrated reward that weighs partners by how far they are trusted."""

from __future__ import annotations

import numpy as np

from coopgym.envs.catalogue.table import Options, Table, numbered
from coopgym.envs.game import Game
from coopgym.envs.released import ReleasedAgreement, TierModifier
from coopgym.mechanisms import checks
from coopgym.mechanisms.interdependence import pair, symmetric
from coopgym.mechanisms.negotiation import Agreement
from coopgym.mechanisms.reputation import TieredReputation
from coopgym.mechanisms.tallies import CooperationCount, InvestmentReport, RecoveryProgress


def TrustDilemma(
    o: Options, *, trust_sensitivity: float = 1.5, trust_building_rate: float = 0.15, trust_erosion_rate: float = 0.45
) -> Game:
    """Two equal firms for whom long-run trust and quick gain pull apart; the relation ends when trust does."""
    t = Table(
        o, report=2, agents=numbered("firm", 2), horizon=100, endowment=100, baseline=40,
        interdependence=symmetric(2, 0.60), theta=20, gamma=0.70,
        trust={"building": trust_building_rate, "erosion": trust_erosion_rate, "harm": 0.50, "forgetting": 0.02,
               "amplification": 0.60, "sensitivity": trust_sensitivity},
    )  # fmt: skip
    given = {
        "trust_sensitivity": trust_sensitivity, "trust_building_rate": trust_building_rate,
        "trust_erosion_rate": trust_erosion_rate,
    }  # fmt: skip
    count = CooperationCount(t.baseline)
    return t.game(t.synergy(), count, exit=t.mean_trust(0.05), summary=TrustDilemma.__doc__ or "", given=given)


def RecoveryRace(
    o: Options, *, initial_trust: float = 0.25, initial_reputation_damage: float = 0.50, recovery_target: float = 0.90
) -> Game:
    """Two partners after a crisis: rebuild trust to the target before time runs out."""
    start = checks.number("initial_trust", initial_trust, 0.0, 1.0)
    target = checks.number("recovery_target", recovery_target, 0.0, 1.0)
    if target <= start:
        raise ValueError(f"recovery_target={target} is not above initial_trust={start}; there is nothing to recover")
    t = Table(
        o, report=2, agents=numbered("partner", 2), horizon=150 if o.released else 200, endowment=100, baseline=35,
        interdependence=symmetric(2, 0.55), theta=20, gamma=0.60, initial_trust=start,
        initial_damage=checks.number("initial_reputation_damage", initial_reputation_damage, 0.0, 1.0),
        trust={"building": 0.08, "erosion": 0.35, "harm": 0.70, "forgetting": 0.01, "amplification": 0.40},
    )  # fmt: skip
    given = {
        "initial_trust": start, "initial_reputation_damage": initial_reputation_damage, "recovery_target": target,
    }  # fmt: skip
    return t.game(
        t.synergy(), RecoveryProgress(np.array([start]), target), exit=t.mean_trust(target, success=True),
        summary=RecoveryRace.__doc__ or "", given=given,
    )  # fmt: skip


ALLIANCE_PHASES = {  # period; Nissan on Renault, Renault on Nissan; initial trust; initial damage
    "formation": ("1999-2002", 0.78, 0.66, 0.45, 0.05),
    "mature": ("2002-2018", 0.51, 0.66, 0.70, 0.02),
    "crisis": ("2018-2020", 0.35, 0.72, 0.30, 0.45),
    "strained": ("2020-2025", 0.28, 0.65, 0.40, 0.35),
}


def RenaultNissan(o: Options, *, phase: str = "mature", calibration: str = "environment") -> Game:
    """The Renault-Nissan alliance in one of its four phases (TR-2's case study)."""
    checks.choice("phase", phase, ALLIANCE_PHASES)
    period, nissan, renault, trust, damage = ALLIANCE_PHASES[phase]
    dependence, start, baseline = pair(nissan, renault), np.full((2, 2), trust), (27.0, 30.0)
    rates = {"building": 0.08, "erosion": 0.25, "harm": 0.55, "forgetting": 0.02, "amplification": 0.50}
    if checks.choice("calibration", calibration, ("environment", "report")) == "report":
        # the script's second trust row reads (1.0, .55): Nissan trusts Renault fully at the start
        dependence, start, damage = pair(0.75, 0.65), np.array([[1.0, 1.0], [0.5, 1.0]]), 0.0
        baseline = (45.0, 50.0)  # 5 of 10 on the script's scale of actions
    t = Table(
        o, report=2, agents=("nissan_0", "renault_1"), horizon=100, endowment=(90, 100), baseline=baseline,
        interdependence=dependence, shares=(0.48, 0.52), theta=22, gamma=0.58, initial_trust=start,
        initial_damage=damage, trust=rates,
    )  # fmt: skip
    return t.game(
        t.synergy(), InvestmentReport(("nissan", "renault")), summary=RenaultNissan.__doc__ or "",
        given={"phase": phase, "calibration": calibration},
        facts={"phase": phase, "period": period},
    )  # fmt: skip


def CooperativeNegotiation(
    o: Options, *, agreement_threshold: float = 10.0, breach_penalty_multiplier: float = 3.0
) -> Game:
    """Two negotiators whose close proposals become an agreement, and who pay for leaving it."""
    t = Table(
        o, report=2, agents=numbered("negotiator", 2), horizon=100, endowment=100, baseline=35,
        interdependence=symmetric(2, 0.55), theta=20, gamma=0.60,
        trust={"building": 0.12, "erosion": 0.40, "harm": 0.65, "forgetting": 0.02, "amplification": 0.55,
               "sensitivity": 1.2},
    )  # fmt: skip
    threshold = checks.number("agreement_threshold", agreement_threshold, 0.0, 100.0)
    penalty = checks.number("breach_penalty_multiplier", breach_penalty_multiplier, 0.0, 1e6)
    kind = ReleasedAgreement if o.released else Agreement
    given = {"agreement_threshold": threshold, "breach_penalty_multiplier": penalty}
    agreement = kind(t.endowment, threshold, penalty, o.mechanism_terms)
    return t.game(t.synergy(), agreement, summary=CooperativeNegotiation.__doc__ or "", given=given)


def ReputationMarket(
    o: Options, *, n_agents: int = 5, reputation_visibility: float = 1.0, tier_enabled: bool = True
) -> Game:
    """A market whose sellers are paid by the tier of their public reputation."""
    n = checks.whole("n_agents", n_agents, 2, 1000)
    t = Table(
        o, report=2, agents=numbered("seller", n), horizon=100, endowment=100, baseline=35,
        interdependence=symmetric(n, 0.35), theta=18, gamma=0.50,
        trust={"building": 0.10, "erosion": 0.30, "harm": 0.55, "forgetting": 0.015, "amplification": 0.45},
    )  # fmt: skip
    visibility = checks.number("reputation_visibility", reputation_visibility, 0.0, 1.0)
    tiers = checks.flag("tier_enabled", tier_enabled)
    market = (TierModifier if o.released else TieredReputation)(t.endowment, visibility, tiers and o.mechanism_terms)
    given = {"n_agents": n, "reputation_visibility": visibility, "tier_enabled": tiers}
    return t.game(t.synergy(), market, summary=ReputationMarket.__doc__ or "", given=given)


GAMES = (TrustDilemma, RecoveryRace, RenaultNissan, CooperativeNegotiation, ReputationMarket)
