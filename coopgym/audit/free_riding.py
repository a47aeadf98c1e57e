"""Who takes more than it gives, and what an agent's behaviour is worth to the others."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from coopgym.audit.bench import EXACT, Bench
from coopgym.audit.deviations import Deviations
from coopgym.audit.measures import ratio
from coopgym.envs.game import Game
from coopgym.mechanisms.coalition import CoalitionProduction
from coopgym.mechanisms.loyalty import TeamProduction
from coopgym.mechanisms.value import Synergy

TYPES = ("altruistic", "mutual", "selfish", "spiteful")


@dataclass(frozen=True, eq=False)
class FreeRiding:
    """``[R, N]``. share: benefit_i / sum benefit - a_i / sum a, in [-1, 1], positive where an agent takes more of what
    was produced together than it gave; benefits are shares alpha of the synergy, or equal parts of a team's output.

    externality: sum over j != i of P_j - P_j where i plays its selfish reply throughout [payoff]: what the others owe
    to i's behaviour; sacrifice: P_i of the same deviation - P_i [payoff]: what behaving so costs i; kind: which of
    TYPES (altruistic: good for others and costly, mutual: good for others and for itself, selfish: not good for others
    and not costly, spiteful: bad for others and costly), "neutral" (costly, and nobody feels it) or "unknown".
    """

    share: np.ndarray
    externality: np.ndarray
    sacrifice: np.ndarray
    kind: np.ndarray
    undefined: dict[str, str] = field(default_factory=dict)

    def measures(self) -> dict[str, np.ndarray]:
        """By name; the kinds as shares of agents ``[R]``."""
        audited = np.maximum(1, (self.kind != "unknown").sum(-1))
        kinds = {f"{kind}_share": (self.kind == kind).sum(-1) / audited for kind in TYPES}
        named = {"free_riding": self.share, "externality": self.externality, "sacrifice": self.sacrifice}
        return {**named, **kinds}


def free_riding(bench: Bench, tried: Deviations) -> FreeRiding:
    """From undisturbed play and from the deviation to selfish replies."""
    base = bench.subject.base
    before = base.payoffs.sum(-2).mean(1)
    change = before[:, None] - tried.sustained  # [R, i, j]: what j has of i's behaviour
    own = np.diagonal(change, 0, 1, 2)
    externality, sacrifice = change.sum(-1) - own, -own
    shares, undefined = benefit_shares(bench.game), {}
    given = (base.rates * bench.game.endowment).sum(-2).mean(1)
    total = given.sum(-1, keepdims=True)
    share = np.full_like(given, np.nan)
    if shares is None:
        undefined["free_riding"] = "nobody has a fixed share of what is produced together in this game"
    else:
        share = shares - ratio(given, total)
        if (total <= 0.0).any():
            undefined["free_riding"] = "nobody gives anything"
    kind = _kinds(externality, sacrifice, EXACT * np.abs(before))
    return FreeRiding(share, externality, sacrifice, kind, undefined)


def benefit_shares(game: Game) -> np.ndarray | None:
    """Each agent's part ``[N]`` of what is produced together; None where it depends on who takes part."""
    for mechanism in game.mechanisms:
        if isinstance(mechanism, CoalitionProduction):
            return None
        if isinstance(mechanism, Synergy):
            return np.asarray(mechanism.shares / np.sum(mechanism.shares))
        if isinstance(mechanism, TeamProduction):
            return np.full(game.n, 1.0 / game.n)
    return None


def _kinds(externality: np.ndarray, sacrifice: np.ndarray, tau: np.ndarray) -> np.ndarray:
    good, bad, costly = externality > tau, externality < -tau, sacrifice > tau
    cases = [good & costly, good & ~costly, ~good & ~costly, bad & costly]
    return np.where(np.isnan(externality), "unknown", np.select(cases, TYPES, "neutral"))
