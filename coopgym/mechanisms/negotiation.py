"""Two-agent agreements: formed by close proposals, broken by deviating from one's own (environments.md C.9)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from coopgym.mechanisms.arrays import Array, namespace
from coopgym.mechanisms.base import Mechanism, State, Transition


@dataclass(frozen=True, eq=False)
class Agreement(Mechanism):
    """An agreement A (each agent's own proposal) stands once |a_0 - a_1| <= h; leaving it costs m |a_i - A_i|.

    Only the agent that deviates by more than h pays (choice C3), and is expected to do b_i + 0.5 A_i in that step's
    trust signal (choice C12). threshold h in action units, penalty m in payoff per unit.
    """

    endowment: Array
    threshold: float = 10.0
    penalty: float = 3.0
    breach_pays: bool = True

    smooth = False  # agreements come and go all at once

    @property
    def observed(self) -> dict[str, tuple[Any, Any]]:
        """The standing agreement (zeros if none) and a flag."""
        return {"agreement": (0.0, self.endowment), "agreed": (0.0, 1.0)}

    def initial(self, draws: Array | None) -> dict[str, Array]:
        """agreement ``[2]``, agreed ``[1]``, agreements and breaches ``[1]``: nothing agreed yet."""
        zero = 0.0 * self.endowment[:1]
        return {"agreement": 0.0 * self.endowment, "agreed": zero, "agreements": zero, "breaches": zero}

    def deviation(self, state: State, actions: Array) -> Array:
        """|a_i - A_i| where it breaks a standing agreement, else 0: ``[..., 2]``."""
        xp = namespace(actions)
        gap = xp.abs(actions - state.extra["agreement"])
        return xp.where(gap > self.threshold, gap, 0.0) * state.extra["agreed"]

    def baseline(self, state: State, actions: Array, baseline: Array) -> Array:
        """Half of the promised action on top, for whoever breaks the promise."""
        raised = baseline + 0.5 * state.extra["agreement"]
        return namespace(actions).where(self.deviation(state, actions) > 0, raised, baseline)

    def payoffs(self, state: State, actions: Array, payoffs: Array) -> Array:
        """Subtract the penalty."""
        return payoffs - self.penalty * self.deviation(state, actions) if self.breach_pays else payoffs

    def agreed_now(self, actions: Array) -> Array:
        """1 if this step's proposals are close enough, else 0: ``[..., 1]``."""
        xp = namespace(actions)
        return xp.cast(xp.abs(actions[..., :1] - actions[..., 1:]) <= self.threshold, actions)

    def broken(self, state: State, actions: Array) -> Array:
        """1 if anybody breaks the agreement in this step, else 0: ``[..., 1]``."""
        xp = namespace(actions)
        return xp.cast(xp.amax(self.deviation(state, actions))[..., None] > 0, actions)

    def update(self, step: Transition) -> dict[str, Array]:
        """The newest agreement replaces the old one; a breach leaves it standing."""
        old = step.before.extra
        now = self.agreed_now(step.actions)
        xp = namespace(now)
        return {
            "agreement": xp.where(now > 0, step.actions, old["agreement"]),
            "agreed": xp.maximum(old["agreed"], now),
            "agreements": old["agreements"] + now,
            "breaches": old["breaches"] + self.broken(step.before, step.actions),
        }

    def info(self, before: State, after: State, actions: Array) -> dict[str, Array]:
        """What happened in this step, the running counts, and proposal_convergence = 1 - |a_0 - a_1| / 100."""
        gap = namespace(actions).abs(actions[..., 0] - actions[..., 1])
        return {
            "agreement_reached": self.agreed_now(actions)[..., 0] > 0,
            "breach_occurred": self.broken(before, actions)[..., 0] > 0,
            "current_agreement": after.extra["agreement"],
            "total_agreements": after.extra["agreements"][..., 0],
            "total_breaches": after.extra["breaches"][..., 0],
            "proposal_convergence": 1.0 - gap / 100.0,
        }
