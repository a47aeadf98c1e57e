"""TR-1, interdependence: pi_i = e_i - a_i + theta ln(1 + a_i) + alpha_i gamma g(a); trust is seen and drives exits."""

from __future__ import annotations

from coopgym.envs.catalogue.table import Options, Table, numbered
from coopgym.envs.game import Game
from coopgym.envs.released import LaggingReputation, LeakingSynergy
from coopgym.mechanisms import checks
from coopgym.mechanisms.interdependence import hub_and_spokes, pair, symmetric
from coopgym.mechanisms.reputation import RunningReputation
from coopgym.mechanisms.tallies import InvestmentReport, PlatformReport, PowerReport
from coopgym.mechanisms.value import HiddenSynergy


def PartnerHoldUp(o: Options, *, strong_dependency: float = 0.35, weak_dependency: float = 0.85) -> Game:
    """A strong buyer and a supplier that depends on it: the supplier leaves once its trust is gone."""
    t = Table(
        o, report=1, agents=("buyer_0", "supplier_1"), horizon=100, endowment=(120, 80), baseline=(42, 28),
        interdependence=pair(
            checks.number("strong_dependency", strong_dependency, 0.0, 1.0),
            checks.number("weak_dependency", weak_dependency, 0.0, 1.0),
        ),
        shares=(0.6, 0.4), theta=20, gamma=0.60, initial_trust=0.55,
        trust={"building": 0.10, "erosion": 0.35, "harm": 0.55, "forgetting": 0.025, "amplification": 0.70,
               "sensitivity": 1.2},
    )  # fmt: skip
    return t.game(
        t.synergy(), PowerReport(float(t.interdependence[1, 0] - t.interdependence[0, 1])),
        exit=t.trust_in_first(0.10), summary=PartnerHoldUp.__doc__ or "",
        given={"strong_dependency": strong_dependency, "weak_dependency": weak_dependency},
    )  # fmt: skip


def PlatformEcosystem(
    o: Options, *, n_developers: int = 4, platform_share: float = 0.30, platform_dependency: float = 0.25,
    developer_dependency: float = 0.75,
) -> Game:  # fmt: skip
    """A platform and the developers who build on it: they leave together when they stop trusting it."""
    n = checks.whole("n_developers", n_developers, 1, 1000)
    share = checks.number("platform_share", platform_share, 0.0, 1.0)
    t = Table(
        o, report=1, agents=("platform_0", *numbered("developer", n, 1)), horizon=100,
        endowment=(150, *[80] * n), baseline=(45, *[24] * n),
        interdependence=hub_and_spokes(n, platform_dependency, developer_dependency),
        shares=(share, *[(1 - share) / n] * n), theta=25, gamma=0.75, initial_trust=0.60,
        trust={"building": 0.08, "erosion": 0.25, "harm": 0.45, "forgetting": 0.02, "amplification": 0.40},
    )  # fmt: skip
    given = {
        "n_developers": n, "platform_share": share, "platform_dependency": platform_dependency,
        "developer_dependency": developer_dependency,
    }  # fmt: skip
    return t.game(
        t.synergy(), PlatformReport(0.15), exit=t.trust_in_first(0.15), summary=PlatformEcosystem.__doc__ or "",
        given=given,
    )  # fmt: skip


def DynamicPartnerSelection(o: Options, *, n_agents: int = 6, persist_reputation: bool = False) -> Game:
    """A population of equal partners whose public reputations everybody can see."""
    n = checks.whole("n_agents", n_agents, 2, 1000)
    t = Table(
        o, report=1, agents=numbered("partner", n), horizon=50, endowment=100, baseline=35,
        interdependence=symmetric(n, 0.40), theta=18, gamma=0.55,
        trust={"building": 0.12, "erosion": 0.35, "harm": 0.60, "forgetting": 0.015, "amplification": 0.45,
               "sensitivity": 1.2},
    )  # fmt: skip
    reputation = LaggingReputation(t.endowment) if o.released else RunningReputation(t.endowment)
    kept = ("public_reputation",) if checks.flag("persist_reputation", persist_reputation) else ()
    return t.game(
        t.synergy(), reputation, summary=DynamicPartnerSelection.__doc__ or "", carried=kept,
        given={"n_agents": n, "persist_reputation": persist_reputation},
    )  # fmt: skip


def SynergySearch(
    o: Options, *, gamma_range: tuple[float, float] = (0.20, 0.90), reveal_gamma_in_obs: bool = False
) -> Game:
    """Two partners who do not know how much their joint work is worth, and find out by trying."""
    # tension="high" moves the whole range up by its preset's shift
    low, high = (checks.number("gamma_range", g, 0.0, 1.0) for g in gamma_range)
    if low > high:
        raise ValueError(f"gamma_range={gamma_range} runs backwards; give (low, high)")
    t = Table(
        o, report=1, agents=numbered("partner", 2), horizon=100, endowment=100, baseline=40,
        interdependence=symmetric(2, 0.50), theta=20, initial_trust=0.55,
        trust={"building": 0.10, "erosion": 0.30, "harm": 0.60, "forgetting": 0.03, "amplification": 0.50},
    )  # fmt: skip
    kind = LeakingSynergy if o.released else HiddenSynergy
    shift = (t.preset and t.preset.shift) or 0.0
    shown = checks.flag("reveal_gamma_in_obs", reveal_gamma_in_obs)
    return t.game(
        kind(t.endowment, t.shares, t.value, 0.5 * (low + high) + shift, low + shift, high + shift, shown),
        summary=SynergySearch.__doc__ or "", given={"gamma_range": [low, high], "reveal_gamma_in_obs": shown},
    )  # fmt: skip


def SLCD(o: Options, *, trust_enabled: bool = True, calibration: str = "environment") -> Game:
    """Samsung and Sony share LCD panel factories and compete with what comes out of them (TR-1's case study)."""
    checks.choice("calibration", calibration, ("environment", "report"))  # the two agree for this case
    on = checks.flag("trust_enabled", trust_enabled)
    t = Table(
        o, report=1, agents=("samsung_0", "sony_1"), horizon=100, endowment=100, baseline=30,
        interdependence=pair(0.64, 0.86), shares=(0.55, 0.45), theta=20, gamma=0.65,
        initial_trust=0.65 if on else 1.0,
        trust={"building": 0.08, "erosion": 0.28, "harm": 0.50, "forgetting": 0.02, "amplification": 0.45}
        if on else None,
    )  # fmt: skip
    given = {"trust_enabled": on, "calibration": calibration}
    firms = InvestmentReport(("samsung", "sony"))
    return t.game(t.synergy(), firms, summary=SLCD.__doc__ or "", given=given)


GAMES = (PartnerHoldUp, PlatformEcosystem, DynamicPartnerSelection, SynergySearch, SLCD)
