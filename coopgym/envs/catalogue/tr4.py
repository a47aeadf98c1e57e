"""TR-4, reciprocity: the TR-1 payoff plus what partners' changes of behaviour are worth to those who trust them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from coopgym.envs.catalogue.table import Options, Table, numbered
from coopgym.envs.game import Game
from coopgym.envs.released import ReciprocityModifier
from coopgym.mechanisms import checks
from coopgym.mechanisms.interdependence import pair, symmetric
from coopgym.mechanisms.reciprocity import Reciprocity, reciprocity_weight

TRUST = {"building": 0.10, "erosion": 0.30, "harm": 0.60, "forgetting": 0.03, "amplification": 0.50}
NUMBERS: dict[str, dict[str, Any]] = {  # of each game: rho_0, eta, kappa, window k, strength lambda_R and omega
    "ReciprocalDilemma": {"rho": 1.0, "eta": 1.0, "kappa": 1.0, "k": 5, "strength": 1.0, "omega": 0.6},
    "GiftExchange": {"rho": 1.2, "eta": 1.5, "kappa": 1.0, "k": 3, "strength": 1.2, "omega": 0.8},
    "IndirectReciprocity": {"rho": 0.8, "eta": 1.0, "kappa": 1.0, "k": 7, "strength": 1.5, "omega": 0.5},
    "GraduatedSanction": {"rho": 0.6, "eta": 1.5, "kappa": 0.8, "k": 10, "strength": 1.8, "omega": 1.0},
    "AppleAppStore": {"rho": 1.0, "eta": 1.2, "kappa": 0.8, "k": 4, "strength": 1.0, "omega": 0.8},
}
REPORTED: dict[str, float] = {"rho": 0.85, "eta": 1.3, "kappa": 1.2, "omega": 0.6}  # AppleAppStore, in its validation


def _game(
    o: Options, build: Any, agents: Sequence[str], horizon: int, interdependence: Any, *, endowment: Any = 100,
    baseline: Any = 30, initial_trust: Any = 0.5, trust: dict[str, float] = TRUST, given: dict[str, Any] | None = None,
    changed: dict[str, float] | None = None,
) -> Game:  # fmt: skip
    """The five games differ in numbers only; ``changed`` are those that an option changes."""
    rho, eta, kappa, k, strength, omega = {**NUMBERS[build.__name__], **(changed or {})}.values()
    t = Table(
        o, report=4, agents=agents, horizon=horizon, endowment=endowment, baseline=baseline,
        interdependence=interdependence, trust=trust, initial_trust=initial_trust,
    )  # fmt: skip
    weight = reciprocity_weight(t.interdependence, strength, rho, eta, omega)
    raw, own = o.reciprocity_units == "raw", o.reciprocity_form == "own_action"
    mechanism = (
        ReciprocityModifier(t.endowment, weight, kappa, k)
        if o.released
        else Reciprocity(t.endowment, t.baseline, weight, kappa, k, raw, own)
    )
    return t.game(t.synergy(), mechanism, summary=build.__doc__ or "", given=given or {})


def ReciprocalDilemma(o: Options) -> Game:
    """Two equals who answer each other's changes of behaviour."""
    return _game(o, ReciprocalDilemma, numbered("player", 2), 100, symmetric(2, 0.50))


def GiftExchange(o: Options) -> Game:
    """An employer's wage and a worker's effort, each answering the other."""
    return _game(
        o, GiftExchange, ("employer_0", "worker_1"), 100, pair(0.4, 0.7), endowment=(100, 80), baseline=(30, 24),
    )  # fmt: skip


def IndirectReciprocity(o: Options) -> Game:
    """A community in which everybody answers what everybody does."""
    return _game(o, IndirectReciprocity, numbered("neighbour", 4), 150, symmetric(4, 0.40))


def GraduatedSanction(o: Options) -> Game:
    """Users of a commons who answer violations in proportion, with a long memory."""
    return _game(o, GraduatedSanction, numbered("user", 6), 200, symmetric(6, 0.35), baseline=40)


def AppleAppStore(o: Options, *, calibration: str = "environment") -> Game:
    """Apple, its major and its small developers over 66 quarters of the App Store (TR-4's case study)."""
    dependence = np.array([[0, 0.3, 0.2], [0.8, 0, 0.15], [0.85, 0.1, 0]])
    trust, start, baseline = TRUST, np.full((3, 3), 0.60), np.array([30.0, 24.0, 18.0])
    changed: dict[str, float] = {}
    if checks.choice("calibration", calibration, ("environment", "report")) == "report":
        dependence = np.array([[0, 0.66, 0.71], [0.88, 0, 0.30], [0.92, 0.30, 0]])
        changed = REPORTED
        trust = {**TRUST, "cap": 0.90, "slope": 0.60}
        start = np.array([[1, 0.7, 0.7], [0.7, 1, 0.5], [0.7, 0.5, 1]])
        baseline = np.array([50.0, 40.0, 30.0])  # half of the endowment, as on the script's scale
    return _game(
        o, AppleAppStore, ("apple_0", "major_1", "indie_2"), 66, dependence, endowment=(100, 80, 60),
        baseline=baseline, initial_trust=start, trust=trust, given={"calibration": calibration}, changed=changed,
    )  # fmt: skip


GAMES = (ReciprocalDilemma, GiftExchange, IndirectReciprocity, GraduatedSanction, AppleAppStore)
