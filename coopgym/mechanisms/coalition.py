"""TR-3: a team that members lose and regain (CoalitionFormation; environments.md C.13 and choice C14)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from coopgym.mechanisms.arrays import Array, namespace
from coopgym.mechanisms.base import State, Transition
from coopgym.mechanisms.loyalty import TeamProduction
from coopgym.mechanisms.value import PowerValue


@dataclass(frozen=True, eq=False)
class Membership:
    """Who belongs to the coalition: exclusion below ``exit_threshold`` loyalty, re-entry after a cooldown.

    The step at whose end an agent is excluded is the first of its ``cooldown`` steps, as in the release: it is paid as
    an outsider in at least ``cooldown - 1`` steps (never less than 0), in more while its loyalty is too low.

    The release keeps ordered lists of members and of excluded agents. ``order`` ``[..., N]`` is that order: a smaller
    number stands earlier in the agent's list, and everybody who moves goes to the end of the other list.
    """

    minimum: int = 3
    exit_threshold: float = 0.15
    cooldown: int = 5
    reentry_loyalty: float = 0.4

    def update(self, old: dict[str, Array], loyalty: Array) -> dict[str, Array]:
        """member (0/1), timer and order, each ``[..., N]``, after a step that ended with ``loyalty``."""
        xp = namespace(loyalty)
        member, timer, order = old["member"], old["timer"], old["order"]
        disloyal = member * xp.cast(loyalty < self.exit_threshold, loyalty)
        spare = xp.sum(member)[..., None] - self.minimum
        leaves = disloyal * xp.cast(_place(disloyal, order) < spare, loyalty)
        member, timer = member - leaves, xp.where(leaves > 0, self.cooldown + 0.0 * timer, timer)
        order = xp.where(leaves > 0, _end(order) + _place(leaves, order), order)
        timer = timer - (1.0 - member)  # everybody outside waits one step, those excluded just now too
        ready = xp.cast((timer <= 0) & (loyalty >= self.reentry_loyalty), loyalty)
        enters = (1.0 - member) * ready
        order = xp.where(enters > 0, _end(order) + _place(enters, order), order)
        return {"member": member + enters, "timer": xp.where(enters > 0, 0.0 * timer, timer), "order": order}


def everybody(endowment: Array) -> dict[str, Array]:
    """The start: everybody is a member, in index order; entries ``[N]``."""
    zero = 0.0 * endowment
    order = namespace(zero).asarray(list(range(zero.shape[-1])), zero)
    return {"member": zero + 1.0, "timer": zero, "order": order}


def coalition_report(after: State) -> dict[str, Array]:
    """coalition_size, members and excluded (flags), exclusion_timer, stability = size / N."""
    member = after.extra["member"]
    size = namespace(member).sum(member)
    return {
        "coalition_size": size,
        "members": member > 0,
        "excluded": member <= 0,
        "exclusion_timer": after.extra["timer"],
        "stability": size / member.shape[-1],
    }


def _place(chosen: Array, order: Array) -> Array:
    """For each agent, how many of the ``chosen`` (0/1) stand before it: ``[..., N]``."""
    xp = namespace(order)
    earlier = xp.cast(order[..., None, :] < order[..., :, None], order)
    return xp.sum(earlier * chosen[..., None, :])


def _end(order: Array) -> Array:
    return namespace(order).amax(order)[..., None] + 1.0


@dataclass(frozen=True, eq=False)
class CoalitionProduction(TeamProduction):
    """Team production among the members C; an excluded agent earns half of a lone payoff (choice C14).

    member:   Q_C / n_C - c a_i + l_i (phi_B pibar_{C without i} + phi_C c a_i), Q_C = omega (sum_C a)^beta
    excluded: 0.5 (omega a_i^beta / N - c a_i), without loyalty
    """

    membership: Membership = field(default_factory=Membership)
    exclusion_pays: bool = True  # False: the bare class formula, everybody produces and earns (mechanism_terms=False)

    smooth = False  # members leave and return all at once

    @property
    def observed(self) -> dict[str, tuple[Any, Any]]:
        """Loyalty, membership flags and exclusion timers (which run below zero while loyalty is too low)."""
        return {"loyalty": (0.0, 1.0), "member": (0.0, 1.0), "timer": (-float("inf"), self.membership.cooldown)}

    def initial(self, draws: Array | None) -> dict[str, Array]:
        """Everybody is a member, in index order."""
        return {**super().initial(draws), **everybody(self.endowment)}

    def payoffs(self, state: State, actions: Array, payoffs: Array) -> Array:
        """Add the member's or the excluded agent's payoff, ``[..., N]``."""
        if not self.exclusion_pays:
            return super().payoffs(state, actions, payoffs)
        xp = namespace(actions)
        member = state.extra["member"]
        size = xp.sum(member)[..., None]
        base = self.output(xp.sum(member * actions)[..., None]) / size - self.cost * actions
        others = xp.sum(member * base)[..., None] - base
        inside = self.utility(base, others, state.extra["loyalty"], actions, size - 1.0)
        alone = self.productivity * PowerValue(self.exponent)(actions) / actions.shape[-1] - self.cost * actions
        return payoffs + self.kept + xp.where(member > 0, inside, 0.5 * alone)

    def update(self, step: Transition) -> dict[str, Array]:
        """Loyalty, then exclusion and re-entry."""
        new = super().update(step)
        return {**new, **self.membership.update(step.before.extra, new["loyalty"])}

    def info(self, before: State, after: State, actions: Array) -> dict[str, Array]:
        """Team quantities and the coalition."""
        return {**super().info(before, after, actions), **coalition_report(after)}
