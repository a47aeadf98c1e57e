"""The released games as the recorded tables of the release's audits were computed: two sums in double precision.

The release, and so ``-v0``, adds up the reputations of ReputationMarket and the loyalty of CoalitionFormation in single
precision: its recorded trajectories show it, bit for bit. The audits' tables come from a simulator that kept both sums
in double. Constant play moves both scores in even steps that often end on a threshold exactly (0.5 - 5 * 0.05 = 0.25,
1 - 34 * 0.025 = 0.15), so rounding decides whether a tier, or a member, is lost one step earlier. Nothing else in the
tables depends on it.
"""

from __future__ import annotations

import dataclasses
from typing import TypeVar

from coopgym.envs.game import Game
from coopgym.envs.released import CoalitionModifier, TierModifier
from coopgym.mechanisms.arrays import Array, namespace
from coopgym.mechanisms.base import Mechanism, Transition

M = TypeVar("M", bound=Mechanism)


@dataclasses.dataclass(frozen=True, eq=False)
class DoubleTier(TierModifier):
    """The tier multiplier, with scores in the precision of the game."""

    def reached(self, score: Array, threshold: float) -> Array:
        """Without slack, and without rounding."""
        return score >= threshold

    def update(self, step: Transition) -> dict[str, Array]:
        """Scores from the actions as submitted."""
        score = self.follow(step.before.extra["public_reputation"], step.raw / self.endowment)
        return {**super().update(step), "public_reputation": score, "modifier": self.multiplier(score)}


@dataclasses.dataclass(frozen=True, eq=False)
class DoubleCoalition(CoalitionModifier):
    """The coalition multiplier, with loyalty added up in the precision of the game, in steps of single precision."""

    def follow(self, loyalty: Array, actions: Array) -> Array:
        """Loyalty ``[..., N]`` after a step."""
        xp = namespace(actions)
        rates = xp.single(actions) / xp.single(self.endowment)
        up, down = xp.cast(self.loyalty.gain * rates, actions), xp.cast(self.loyalty.loss * (0.5 - rates), actions)
        moved = xp.where(rates >= 0.5, loyalty + up, loyalty - down)
        return xp.minimum(xp.maximum(moved, 0.0), min(1.0, self.loyalty.cap))


def as_recorded(game: Game) -> Game:
    """The game with these two rules in the place of theirs; every other game as it is."""
    kinds = {TierModifier: DoubleTier, CoalitionModifier: DoubleCoalition}
    changed = tuple(_remade(m, kinds[type(m)]) if type(m) in kinds else m for m in game.mechanisms)
    same = all(a is b for a, b in zip(changed, game.mechanisms, strict=True))
    return game if same else dataclasses.replace(game, mechanisms=changed)


def _remade(mechanism: Mechanism, kind: type[M]) -> M:
    fields = {f.name: getattr(mechanism, f.name) for f in dataclasses.fields(mechanism) if f.init}  # type: ignore
    return kind(**fields)
