"""The semantics of the published 1.0.6 release (-v0), number for number; each quirk is one named rule.

All released games pay the TR-1 private payoff; what their own report adds reaches only a multiplier on the reward, once
the reward mode has mixed the payoffs. Threshold decisions are taken in single precision where the release takes them so
(`single` marks them); everything else is computed in the precision of the game.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import reduce
from operator import add
from typing import Any

import numpy as np

from coopgym.envs.game import Game
from coopgym.envs.reward import Weights, mix
from coopgym.mechanisms.arrays import Array, namespace
from coopgym.mechanisms.base import Mechanism, State, Transition, spread
from coopgym.mechanisms.coalition import Membership, coalition_report, everybody
from coopgym.mechanisms.loyalty import LoyaltyScores, team_report
from coopgym.mechanisms.negotiation import Agreement
from coopgym.mechanisms.reciprocity import remember
from coopgym.mechanisms.reputation import RunningReputation, TieredReputation
from coopgym.mechanisms.value import HiddenSynergy

FARTHEST = 1e12  # endowments; no recorded action of the release is beyond three
WINDOW = 10  # steps of the rolling cooperation rate


class ReleasedGame(Game):
    """Rule *trust first*: trust moves before the reward is formed, so a violation is discounted at once.

    Rule *shared integrated utilities*: cooperative is the mean of the integrated utilities, not of the payoffs.
    Rule *multipliers last*: modifier and penalty act on the mixed reward, in every reward mode.
    """

    def step(self, state: State, actions: Array, draws: Array | None = None) -> tuple[State, Array, Array]:
        """As Game.step; actions are rounded to single precision first, and some rules see them unclipped.

        Beyond ``FARTHEST`` times the endowment they are cut off, where single precision would make them infinite.
        """
        xp = namespace(actions)
        farthest = FARTHEST * self.endowment
        raw = xp.cast(xp.single(xp.minimum(xp.maximum(actions, -farthest), farthest)), self.endowment)
        clipped = self.clip(raw)
        after = self.advance(state, clipped, raw, draws)
        return after, self.payoffs(state, clipped), self.terminated(after)

    def rewards(self, weights: Weights, before: State, after: State, payoffs: Array) -> Array:
        """Rewards ``[..., N]``: mixed with the trust after the step, then multiplied and fined."""
        coupling = self.coupling(after)
        integrated = mix(payoffs, coupling, Weights(1.0, 1.0, 0.0))
        xp = namespace(payoffs)
        common = xp.sum(integrated)[..., None] / self.n
        own, coupled, shared = weights
        rewards = own * payoffs + coupled * (integrated - payoffs) + shared * common
        if "modifier" in after.extra:
            rewards = rewards * after.extra["modifier"]
        return rewards - after.extra["penalty"] if "penalty" in after.extra else rewards

    def stage_rewards(self, weights: Weights, state: State, actions: Array) -> Array:
        """As Game.stage_rewards; here the state has to move on for it."""
        xp = namespace(actions)
        before = spread(state, tuple(actions.shape[:-1]))
        after, payoffs, _ = self.step(before, actions)
        return self.rewards(weights, before, after, xp.cast(payoffs, self.endowment))


@dataclass(frozen=True, eq=False)
class CollectiveModifier(Mechanism):
    """Rule *collective multiplier* (TR-3): the reward is halved for rates below 0.3, raised by up to 15 % for a rolling
    rate of at least 0.6, and by 20 % when everybody reaches 0.5. Loyalty scores are kept and reported only.

    With ``plain`` (TeamProduction) the multiplier is 0.9 for rates below 0.2, and loyalty never moves.
    """

    endowment: Array
    dependence: Array
    loyalty: LoyaltyScores
    plain: bool = False
    productivity: float = 25.0
    exponent: float = 0.7
    cost: float = 1.0

    smooth = False  # the multiplier takes steps

    def initial(self, draws: Array | None) -> dict[str, Array]:
        """loyalty, modifier, rolling ``[N]``; window ``[10, N]`` of the latest rates, oldest first."""
        one = 0.0 * self.endowment + 1.0
        window = namespace(one).zeros((WINDOW, one.shape[-1]), one)
        return {"loyalty": self.loyalty.start, "modifier": one, "rolling": 0.0 * one, "window": window}

    def update(self, step: Transition) -> dict[str, Array]:
        """Loyalty first, then the multiplier."""
        xp = namespace(step.actions)
        old = step.before.extra
        rates = xp.single(step.actions) / xp.single(self.endowment)
        window, mean = roll(old["window"], rates, step.before.time)
        rolling = xp.minimum(xp.maximum(mean, 0.0), 1.0)
        if self.plain:
            modifier = xp.where(rates < single(0.2), single(0.9), 1.0)
            loyalty = old["loyalty"]
        else:
            modifier = self.modifier(rates, rolling)
            loyalty = self.follow(old["loyalty"], step.actions)
        cast = {"modifier": modifier, "rolling": rolling}
        return {"loyalty": loyalty, "window": window, **{k: xp.cast(v, step.actions) for k, v in cast.items()}}

    def follow(self, loyalty: Array, actions: Array) -> Array:
        """Loyalty ``[..., N]`` after a step, added up in single precision."""
        xp = namespace(actions)
        rates = xp.single(actions) / xp.single(self.endowment)
        return xp.cast(self.loyalty.update(xp.single(loyalty), rates), actions)

    def modifier(self, rates: Array, rolling: Array) -> Array:
        """The multiplier ``[..., N]`` in single precision."""
        xp = namespace(rates)
        one = rates * 0.0 + 1.0
        modifier = xp.where(rates < single(0.3), 0.5 * one, one)
        modifier = xp.where(rolling >= single(0.6), modifier * (1.0 + 0.15 * rolling), modifier)
        coordinated = xp.all(rates >= 0.5)[..., None]
        return xp.where(coordinated, 1.2 * modifier, modifier)

    def info(self, before: State, after: State, actions: Array) -> dict[str, Array]:
        """The team quantities that the release computes and never pays; the optimum may lie beyond the endowment."""
        xp = namespace(actions)
        rates = xp.single(actions) / xp.single(self.endowment)
        return {
            **team_report(self, after.extra["loyalty"], actions, rates, limited=False),
            "collective_modifier": after.extra["modifier"],
            "rolling_cooperation": after.extra["rolling"],
        }


@dataclass(frozen=True, eq=False)
class CoalitionModifier(CollectiveModifier):
    """Rule *coalition multiplier*: half the reward outside the coalition, 1.1 times inside one of sufficient size."""

    membership: Membership = field(default_factory=Membership)

    def initial(self, draws: Array | None) -> dict[str, Array]:
        """Everybody is a member, in index order."""
        return {**super().initial(draws), **everybody(self.endowment)}

    def update(self, step: Transition) -> dict[str, Array]:
        """Collective multiplier, exclusion and re-entry, coalition multiplier."""
        xp = namespace(step.actions)
        new, old = super().update(step), step.before.extra
        moved = self.membership.update(old, new["loyalty"])
        member = moved["member"]
        enough = xp.sum(member)[..., None] >= self.membership.minimum
        base = xp.single(new["modifier"])
        inside = xp.where(enough, 1.1 * base, base)
        modifier = xp.cast(xp.where(member > 0, inside, 0.5 * base), step.actions)
        return {**new, **moved, "modifier": modifier}

    def info(self, before: State, after: State, actions: Array) -> dict[str, Array]:
        """Team quantities and the coalition."""
        return {**super().info(before, after, actions), **coalition_report(after)}


@dataclass(frozen=True, eq=False)
class ReciprocityModifier(Mechanism):
    """Rule *reciprocity multiplier* (TR-4): reward times max(0.01, 1 + u_i / mean endowment).

    Rule *memory of now*: the mean action includes the current one; the first signal is the raw action, the second 0.
    """

    endowment: Array
    weight: Array
    response: float = 1.0
    window: int = 5

    def initial(self, draws: Array | None) -> dict[str, Array]:
        """memory ``[k, N]`` of actions, oldest first, empty; signal, modifier ``[N]``."""
        zero = 0.0 * self.endowment
        memory = namespace(zero).zeros((self.window, zero.shape[-1]), zero)
        return {"memory": memory, "signal": zero, "modifier": zero + 1.0}

    def effect(self, after_trust: Array, signal: Array) -> Array:
        """Term of i toward j, ``[..., N, N]``."""
        return self.weight * after_trust * namespace(signal).tanh(self.response * signal)[..., None, :]

    def update(self, step: Transition) -> dict[str, Array]:
        """Memory with the current action (the first action is forgotten at once), and the multiplier."""
        xp = namespace(step.actions)
        now = xp.single(step.actions)
        memory, mean = roll(step.before.extra["memory"], now, step.before.time - 1.0)
        signal = xp.cast(now - mean, step.actions)
        total = xp.sum(self.effect(step.trust, signal))
        scale = xp.sum(self.endowment) / self.endowment.shape[-1]
        return {"memory": memory, "signal": signal, "modifier": xp.maximum(1.0 + total / scale, 0.01)}

    def info(self, before: State, after: State, actions: Array) -> dict[str, Array]:
        """Per ordered pair: signal, memory mean and effect; ``[..., N, N]`` with a zero diagonal."""
        signal = after.extra["signal"]
        others = 1.0 - namespace(actions).asarray(np.eye(actions.shape[-1]), actions)
        return {
            "cooperation_signal": others * signal[..., None, :],
            "memory_average": others * (actions - signal)[..., None, :],
            "reciprocity_effect": self.effect(after.trust, signal),
            "reciprocity_modifier": after.extra["modifier"],
            "memory_window": self.window,
        }


@dataclass(frozen=True, eq=False)
class LaggingReputation(RunningReputation):
    """Rules *unclipped reputation* (300 of 100 counts three times the maximum) and *late news* (seen a step later)."""

    @property
    def observed(self) -> dict[str, tuple[Any, Any]]:
        """The scores of one step ago, averages of unclipped actions; twice, since single precision rounds."""
        return {"reputation_seen": (-2.0 * FARTHEST, 2.0 * FARTHEST)}

    def initial(self, draws: Array | None) -> dict[str, Array]:
        """Scores start at 0 (the documentation says 0.5)."""
        zero = 0.0 * self.endowment
        return {"public_reputation": zero, "reputation_seen": zero}

    def update(self, step: Transition) -> dict[str, Array]:
        """Scores in single precision from the actions as submitted."""
        xp = namespace(step.actions)
        old = step.before.extra["public_reputation"]
        rates = xp.single(step.raw) / xp.single(self.endowment)
        new = single(0.9) * xp.single(old) + single(0.1) * rates
        return {"public_reputation": xp.cast(new, step.actions), "reputation_seen": old}


@dataclass(frozen=True, eq=False)
class TierModifier(TieredReputation):
    """Rule *tier multiplier*: the reward (not the payoff) is multiplied by the tier after the update; late news."""

    def initial(self, draws: Array | None) -> dict[str, Array]:
        """Scores at 0.5; modifier ``[N]``."""
        return {**super().initial(draws), "modifier": 0.0 * self.endowment + 1.0}

    def payoffs(self, state: State, actions: Array, payoffs: Array) -> Array:
        """Payoffs are untouched in the release."""
        return payoffs

    def reached(self, score: Array, threshold: float) -> Array:
        """By single-precision comparison, without slack."""
        return namespace(score).single(score) >= single(threshold)

    def update(self, step: Transition) -> dict[str, Array]:
        """Scores in single precision from the actions as submitted."""
        xp = namespace(step.actions)
        old = step.before.extra["public_reputation"]
        rates = xp.single(step.raw) / xp.single(self.endowment)
        score = xp.cast(self.follow(xp.single(old), rates), step.actions)
        modifier = self.multiplier(score) if self.tiers_pay else 0.0 * score + 1.0
        return {"public_reputation": score, "reputation_seen": self.seen(old, step.draws), "modifier": modifier}


@dataclass(frozen=True, eq=False)
class ReleasedAgreement(Agreement):
    """Rule *both pay*: after a breach by anybody, each agent pays for its own deviation, on the reward; late news."""

    @property
    def observed(self) -> dict[str, tuple[Any, Any]]:
        """The agreement of one step ago and its flag."""
        return {"agreement_seen": (0.0, self.endowment), "agreed_seen": (0.0, 1.0)}

    def initial(self, draws: Array | None) -> dict[str, Array]:
        """Nothing agreed; penalty ``[2]``."""
        start = super().initial(draws)
        zero = start["agreement"]
        return {**start, "agreement_seen": zero, "agreed_seen": start["agreed"], "penalty": zero}

    def baseline(self, state: State, actions: Array, baseline: Array) -> Array:
        """Raised baselines are computed in the release and never used."""
        return baseline

    def payoffs(self, state: State, actions: Array, payoffs: Array) -> Array:
        """Payoffs are untouched in the release."""
        return payoffs

    def update(self, step: Transition) -> dict[str, Array]:
        """Agreement as in v1; the fine; what is seen lags by a step."""
        xp = namespace(step.actions)
        old = step.before.extra
        fine = self.penalty * xp.abs(step.actions - old["agreement"]) * self.broken(step.before, step.actions)
        return {
            **super().update(step),
            "penalty": fine,
            "agreement_seen": old["agreement"],
            "agreed_seen": old["agreed"],
        }


@dataclass(frozen=True, eq=False)
class LeakingSynergy(HiddenSynergy):
    """Rule *leaking gamma*: total_value and gamma_is_high tell the hidden parameter to whoever reads info."""

    def info(self, before: State, after: State, actions: Array) -> dict[str, Array]:
        """total_value and gamma_is_high always; true_gamma when revealed."""
        gamma = self.coefficient(before)
        value = super(HiddenSynergy, self).info(before, after, actions)
        leak = {**value, "gamma_is_high": gamma[..., 0] > 0.6}
        return {**leak, "true_gamma": gamma[..., 0]} if self.revealed else leak


def roll(window: Array, row: Array, time: Array) -> tuple[Array, Array]:
    """(window, mean): ``row`` ``[..., N]`` enters a window ``[..., k, N]`` (oldest first) as its entry number ``time``.

    A negative ``time`` enters nothing. The mean is taken in single precision in the release's order of summation: left
    to right below eight entries, pairwise over the first eight above; 0 for an empty window.
    """
    xp = namespace(row)
    k = window.shape[-2]
    full = time[..., None, None] >= k
    slot = namespace(time).minimum(time, k - 1.0)[..., None, None]
    index = xp.asarray(np.arange(k, dtype=float)[:, None], window)
    shifted = xp.where(full, remember(window, xp.cast(row, window)), window)
    window = xp.where(index == slot, xp.cast(row, window)[..., None, :], shifted)
    x = [xp.single(window[..., i, :]) for i in range(k)]
    count = xp.single(slot[..., 0] + 1.0)
    total = reduce(add, x[:8])
    if k > 7:
        pairs = [a + b for a, b in zip(x[:8:2], x[1:8:2], strict=True)]
        paired = reduce(add, x[8:], (pairs[0] + pairs[1]) + (pairs[2] + pairs[3]))
        total = xp.where(count < 8, total, paired)
    return window, total / xp.maximum(count, 1.0)


def single(x: float) -> Any:
    """A threshold as the release holds it: rounded to single precision."""
    return float(np.float32(x))
