"""What the twenty entries share: options common to all games, and the table from which a Game is made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from coopgym.envs.catalogue.tension import TENSIONS, preset
from coopgym.envs.game import Game
from coopgym.envs.released import ReleasedGame
from coopgym.mechanisms import checks
from coopgym.mechanisms.base import Mechanism
from coopgym.mechanisms.trust import TrustExit, trust_dynamics
from coopgym.mechanisms.value import LogarithmicValue, Synergy


@dataclass(frozen=True)
class Options:
    """Options that games share. ``only`` in a field's metadata limits it to reports, or to the report version v1.

    max_steps: horizon [steps]; interdependence ``[N, N]`` in [0, 1]; shares ``[N]`` summing to 1: each None for the
    catalogue's value. trust_signal: "scaled" by the endowment or "raw" (choice C2). mechanism_terms: False drops the
    environment's own payoff terms and leaves the bare formula of its class (choice C3). tension: "report", or "high"
    for parameters of our own that make a social dilemma of the step (coopgym/envs/catalogue/tension.py).
    """

    max_steps: int | None = None
    interdependence: Any = None
    shares: Any = None
    trust_signal: str = field(default="scaled", metadata={"v1": True})
    mechanism_terms: bool = field(default=True, metadata={"v1": True})
    tension: str = field(default="report", metadata={"v1": True, "reports": (1, 2, 4)})
    teammates: str = field(default="mean", metadata={"v1": True, "reports": (3,)})
    reciprocity_units: str = field(default="endowment", metadata={"v1": True, "reports": (4,)})
    reciprocity_form: str = field(default="partners", metadata={"v1": True, "reports": (4,)})
    version: str = field(default="v1", metadata={"internal": True})
    name: str = field(default="", metadata={"internal": True})

    def __post_init__(self) -> None:
        checks.choice("trust_signal", self.trust_signal, ("scaled", "raw"))
        checks.flag("mechanism_terms", self.mechanism_terms)
        checks.choice("tension", self.tension, TENSIONS)
        checks.choice("teammates", self.teammates, ("mean", "sum"))
        checks.choice("reciprocity_units", self.reciprocity_units, ("endowment", "raw"))
        checks.choice("reciprocity_form", self.reciprocity_form, ("partners", "own_action"))

    @property
    def released(self) -> bool:
        """True for the semantics of the 1.0.6 release."""
        return self.version == "v0"

    @staticmethod
    def available(version: str, report: int) -> dict[str, Any]:
        """Names and defaults of the options that apply to a version and report."""
        return {
            f.name: f.default
            for f in fields(Options)
            if not f.metadata.get("internal")
            and not (f.metadata.get("v1") and version == "v0")
            and report in f.metadata.get("reports", (1, 2, 3, 4))
        }


class Table:
    """The row of the report's table that a game is made from: its arrays, after the user's options."""

    def __init__(
        self,
        options: Options,
        *,
        report: int,
        agents: Sequence[str],
        horizon: int,
        endowment: Any,
        baseline: Any,
        interdependence: np.ndarray,
        shares: Any = None,
        theta: float = 20.0,
        gamma: float = 0.65,
        trust: dict[str, float] | None = None,
        initial_trust: Any = 0.5,
        initial_damage: Any = 0.0,
    ) -> None:
        n = len(agents)
        self.options, self.report, self.agents = options, report, tuple(agents)
        self.horizon = horizon if options.max_steps is None else checks.whole("max_steps", options.max_steps, 1, 10**6)
        self.endowment = checks.vector("endowment", endowment, n, 1e-9, 1e12)
        self.baseline = checks.vector("baseline", baseline, n, 0.0, float(self.endowment.max()))
        equal = np.full(n, 1.0 / n)
        given = options.shares if options.shares is not None else shares
        self.shares = equal if given is None else checks.shares(given, n)
        chosen = interdependence if options.interdependence is None else options.interdependence
        self.interdependence = checks.square("interdependence", chosen, n)
        self.preset = preset(options.name, options.tension, n)
        self.value = LogarithmicValue(theta) if self.preset is None else self.preset.value
        self.gamma = gamma if self.preset is None else self.preset.gamma
        self.trust_rates = trust
        self.initial_trust = checks.square("initial_trust", initial_trust, n, 1.0)
        self.initial_damage = checks.square("initial_damage", initial_damage, n)

    def synergy(self) -> Synergy:
        """The TR-1 private payoff with this table's numbers."""
        return Synergy(self.endowment, self.shares, self.value, self.gamma)

    def mean_trust(self, threshold: float, *, success: bool = False) -> TrustExit:
        """End when the mean trust over ordered pairs falls below (or reaches) a threshold."""
        n = len(self.agents)
        return TrustExit((1.0 - np.eye(n)) / (n * (n - 1)), threshold, success)

    def trust_in_first(self, threshold: float) -> TrustExit:
        """End when the others' mean trust in agent 0 falls below a threshold."""
        n = len(self.agents)
        weights = np.zeros((n, n))
        weights[1:, 0] = 1.0 / (n - 1)
        return TrustExit(weights, threshold)

    def game(
        self,
        *mechanisms: Mechanism,
        exit: TrustExit | None = None,
        summary: str,
        given: dict[str, Any],
        carried: tuple[str, ...] = (),
        facts: dict[str, Any] | None = None,
    ) -> Game:
        """The Game; ``given`` are the entry's own options, kept for the record."""
        o = self.options
        raw = o.released or o.trust_signal == "raw"
        dynamics = None
        if self.trust_rates is not None:
            scale = None if raw else self.endowment
            dynamics = trust_dynamics(self.interdependence, endowment=scale, **self.trust_rates)
        shared = {k: getattr(o, k) for k in Options.available(o.version, self.report)}
        return (ReleasedGame if o.released else Game)(
            name=o.name,
            version=o.version,
            report=self.report,
            agents=self.agents,
            horizon=self.horizon,
            endowment=self.endowment,
            baseline=self.baseline,
            shares=self.shares,
            interdependence=self.interdependence,
            mechanisms=mechanisms,
            trust=dynamics,
            initial_trust=self.initial_trust,
            initial_damage=self.initial_damage,
            exit=exit,
            # the release weighs by trust everywhere, unless trust is switched off
            trust_weighted=dynamics is not None and (o.released or self.report in (2, 4)),
            carried=carried,
            default_observability="full" if o.released else "asymmetric",
            summary=summary,
            options={k: v for k, v in {**shared, **given}.items() if v is not None},
            facts=facts or {},
        )


def numbered(role: str, n: int, start: int = 0) -> tuple[str, ...]:
    """Agent ids in PettingZoo's ``<role>_<n>`` form."""
    return tuple(f"{role}_{i}" for i in range(start, start + n))
