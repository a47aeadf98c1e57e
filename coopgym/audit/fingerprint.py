"""A strategy's fingerprint in Ashlock's manner: what it earns against a plane of probes around TitForTat."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from coopgym.algorithms.heuristics import TitForTat
from coopgym.algorithms.policy import Policy
from coopgym.audit.bench import Bench
from coopgym.audit.traces import Company, Plan, free
from coopgym.envs.game import Game
from coopgym.mechanisms.arrays import Array, namespace


class Probe(Policy):
    """x + (1 - x - y) m: the mean of giving all with probability x, nothing with y, and else m, the others' last mean.

    Ashlock and Kim (2008) let such a probe choose at random between two moves; where rates are continuous, it plays the
    mean of that choice, so that nothing is drawn.
    """

    observability = "asymmetric"

    def __init__(self, game: Game, x: float, y: float) -> None:
        self.game, self.x, self.y, self.plain = game, x, y, TitForTat(game)
        self.name = f"Probe({x:g}, {y:g})"

    def act(self, observations: Array, deterministic: bool = True) -> Array:
        """Of observations ``[..., N, d]``."""
        given = namespace(observations).asarray(self.game.endowment, observations)
        return self.x * given + (1.0 - self.x - self.y) * self.plain.act(observations)


@dataclass(frozen=True, eq=False)
class Fingerprint:
    """agent: who was probed, the first that is audited; x, y ``[K]``: of the probes, x + y <= 1; (0, 0) is TitForTat.

    payoffs ``[R, K]``: of this agent among probes, over what it earns among its own partners, 1 being as much; NaN
    where that is not positive.
    """

    agent: int
    x: np.ndarray
    y: np.ndarray
    payoffs: np.ndarray
    undefined: dict[str, str] = field(default_factory=dict)

    def measures(self) -> dict[str, np.ndarray]:
        """No single numbers: the plane is what there is."""
        return {}


def fingerprint(bench: Bench) -> Fingerprint:
    """Probes on an even grid of the triangle."""
    subject, game, agent = bench.subject, bench.game, int(bench.seats[0])
    levels = np.linspace(0.0, 1.0, bench.effort.probes)
    x, y = (a.ravel() for a in np.meshgrid(levels, levels, indexing="ij"))
    inside = x + y <= 1.0 + 1e-9
    x, y = x[inside], y[inside]
    others = np.arange(game.n) != agent
    company = tuple(
        Company(Probe(game, float(x[k]), float(y[k])), (np.arange(len(x)) == k)[:, None] & others)
        for k in range(len(x))
    )
    paid = subject.totals(Plan(free(game, len(x)), company=company)).payoffs[..., agent].mean(2)
    own = subject.base.payoffs[..., agent].sum(-1).mean(1)[:, None]
    return Fingerprint(agent, x, y, np.where(own > 0.0, paid / np.where(own > 0.0, own, 1.0), np.nan))
