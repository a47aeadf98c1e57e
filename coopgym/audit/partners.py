"""How agents fare among partners they were not trained with: other seeds, and scripted strangers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from coopgym.algorithms.policy import Policy
from coopgym.audit.bench import Bench
from coopgym.audit.measures import mean, ratio
from coopgym.audit.panel import stranger
from coopgym.audit.traces import Company, Plan, free

NAMED = {
    "payoff_with_defectors": "Constant_0", "payoff_with_givers": "Constant_100",
    "payoff_with_tit_for_tat": "TitForTat", "payoff_with_grim_trigger": "GrimTrigger",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Partners:
    """Payoffs over an episode, means over episodes, NaN for agents that were not audited.

    own ``[R, N]``: P_i among the partners it was trained with; cross ``[R, N]``: mean P_i when all other seats are of
    other replicas of the same group; panel: names of P strangers; payoffs ``[R, N, P]``: P_i when all other seats
    are a stranger's; hosts ``[R, N, P]``: mean payoff of those; exploited ``[R, N, P]``: what i lacks, if anything, of
    the payoff of giving nothing among agents who give nothing, for as many steps.
    """

    own: np.ndarray
    cross: np.ndarray
    panel: tuple[str, ...]
    payoffs: np.ndarray
    hosts: np.ndarray
    exploited: np.ndarray
    undefined: dict[str, str] = field(default_factory=dict)

    @property
    def specificity(self) -> np.ndarray:
        """(P_i among its own - P_i among others) / |P_i|, ``[R, N]``; positive: it does better among its own."""
        return ratio(self.own - self.cross, np.abs(self.own))

    def measures(self) -> dict[str, np.ndarray]:
        """By name."""
        nothing = np.full_like(self.own, np.nan)
        named = {
            name: self.payoffs[..., self.panel.index(who)] if who in self.panel else nothing
            for name, who in NAMED.items()
        }
        by_defectors = self.exploited[..., self.panel.index("Constant_0")] if "Constant_0" in self.panel else nothing
        return {
            "cross_payoff": self.cross, "specificity": self.specificity, "panel_payoff": self.payoffs.mean(-1),
            "panel_least": self.payoffs.min(-1), "exploited": self.exploited.mean(-1), **named,
            "exploited_by_defectors": by_defectors,
        }  # fmt: skip


def partners(bench: Bench) -> Partners:
    """Seat every audited agent among others, all of them in one play."""
    names, turns = bench.effort.panel, _turns(bench)
    company = _company(bench, [*(stranger(name, bench.game) for name in names), *turns])
    guests = np.tile(bench.seats, len(company))
    found = bench.subject.trace(Plan(free(bench.game, len(guests)), company=company))
    paid = found.payoffs.sum(-2)  # [R, X, E, N]
    own = np.stack([paid[:, x, :, i] for x, i in enumerate(guests)], 1)
    idle = np.stack([found.lengths[:, x] * bench.known.autarky[i] for x, i in enumerate(guests)], 1)
    hosts = (paid.sum(-1) - own) / (bench.game.n - 1)
    payoffs, theirs, lacking = (_by_company(bench, x) for x in (own, hosts, np.maximum(idle - own, 0.0)))
    p, undefined = len(names), dict[str, str]()
    cross = _met(payoffs[..., p:], turns)
    if np.isnan(cross[:, bench.seats]).any():
        undefined = dict.fromkeys(("cross_payoff", "specificity"), "no other replica was trained on the same rewards")
    missing = {name: who for name, who in NAMED.items() if who not in names}
    undefined |= {name: f"{who} is not in the panel" for name, who in missing.items()}
    among_own = bench.everybody(bench.subject.base.payoffs.sum(-2).mean(1)[:, bench.seats])
    return Partners(among_own, cross, names, payoffs[..., :p], theirs[..., :p], lacking[..., :p], undefined)


def _company(bench: Bench, players: Sequence[Policy | np.ndarray]) -> tuple[Company, ...]:
    """Each, a stranger or a turn of replicas, in all seats but one, for every audited seat in turn."""
    count = len(bench.seats)
    placed = []
    for p, player in enumerate(players):
        seats = np.zeros((len(players) * count, bench.game.n), dtype=bool)
        seats[p * count : (p + 1) * count] = ~np.eye(bench.game.n, dtype=bool)[bench.seats]
        placed.append(Company(player, seats) if isinstance(player, Policy) else Company(None, seats, player))
    return tuple(placed)


def _by_company(bench: Bench, x: np.ndarray) -> np.ndarray:
    """``[R, P x S, E]`` -> means over episodes ``[R, N, P]``."""
    shaped = x.mean(2).reshape(len(x), -1, len(bench.seats))
    return bench.everybody(shaped.swapaxes(1, 2))


def _met(payoffs: np.ndarray, turns: Sequence[np.ndarray]) -> np.ndarray:
    """Mean of P_i ``[R, N]`` over the other replicas that each has met, of ``payoffs [R, N, shifts]``."""
    if not turns:
        return np.full(payoffs.shape[:2], np.nan)
    others = np.stack([turn != np.arange(len(turn)) for turn in turns], -1)
    return np.asarray(mean(np.where(others[:, None], payoffs, np.nan)))


def _turns(bench: Bench) -> list[np.ndarray]:
    """Who plays beside each replica: the k-th after it in its group, for k = 1, 2, ..; itself once all have."""
    labels = np.array(bench.groups)
    members = [np.flatnonzero(labels == label) for label in dict.fromkeys(bench.groups)]
    most = max(len(m) for m in members) - 1 if bench.subject.player.stacked else 0
    turns = []
    for k in range(1, min(bench.effort.shifts, most) + 1):
        turn = np.arange(len(labels))
        for m in members:
            turn[m] = np.roll(m, -k) if k < len(m) else m
        turns.append(turn)
    return turns
