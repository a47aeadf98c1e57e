"""One agent's best reply where one number of its own carries over: reputation in a market, loyalty in a team.

``coopgym.oracles.state_programme`` solves it; here stand the two kinds of games.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from coopgym.envs.game import Game
from coopgym.envs.released import ReleasedGame
from coopgym.mechanisms.base import Mechanism
from coopgym.mechanisms.coalition import CoalitionProduction
from coopgym.mechanisms.loyalty import TeamProduction
from coopgym.mechanisms.reputation import SLACK, TieredReputation
from coopgym.mechanisms.value import HiddenSynergy, Synergy
from coopgym.oracles.deviation import Step, states_along
from coopgym.oracles.sequences import Sequences, blind
from coopgym.oracles.state_programme import CELLS, FEW, HAIR, Branch, Problem, Programme, cut


def programme(sequences: Sequences, profile: np.ndarray, agent: int) -> Programme | None:
    """The solved problem of one agent against ``profile [T, N]``; None where its state is more than one number."""
    problem = problem_of(sequences, profile, agent)
    return None if problem is None else problem.solve()


def problem_of(sequences: Sequences, profile: np.ndarray, agent: int) -> Problem | None:
    """What one agent has to solve in a market with tiers or a team; None elsewhere."""
    game = sequences.game
    if isinstance(game, ReleasedGame) or game.exit is not None or game.reset_draws or game.step_draws:
        return None
    first, *others = game.mechanisms
    paying = [m for m in others if type(m).payoffs is not Mechanism.payoffs]
    if not all(blind(m) for m in game.mechanisms):
        return None
    if isinstance(first, TeamProduction) and not paying:
        return Loyal.of(sequences, profile, agent, first)
    if type(first) in (Synergy, HiddenSynergy) and [type(m) for m in paying] == [TieredReputation]:
        market = paying[0]
        assert isinstance(market, TieredReputation)
        return Seller.of(sequences, profile, agent, market) if market.tiers_pay else None
    return None


class Seller(Problem):
    """A market: the state is the public reputation, a kind of rewards is a tier."""

    name, entry = "reputation", "public_reputation"

    @classmethod
    def of(cls, sequences: Sequences, profile: np.ndarray, agent: int, market: TieredReputation) -> Seller | None:
        """The problem against ``profile [T, N]``."""
        cells = cut(1.0, [0.05, *market.thresholds], CELLS)
        if cells is None:
            return None
        game = sequences.played
        span, e = round(0.05 * cells), float(game.endowment[agent])
        start = float(game.reset().extra["public_reputation"][agent])
        way = states_along(game, profile)
        return cls(sequences, way, agent, cells, 1.0, (Branch(0.0, e, -span, span),), start, SLACK)

    @cached_property
    def market(self) -> TieredReputation:
        """The mechanism."""
        return next(m for m in self.sequences.game.mechanisms if isinstance(m, TieredReputation))

    def kind(self, mode: int) -> np.ndarray:
        """The tier of each cell."""
        middle = self.edges + 0.5 * self.width
        return sum((middle > threshold for threshold in self.market.thresholds), np.zeros(len(middle), dtype=np.int64))

    def entries(self, kind: int, value: float) -> dict[str, float]:
        """A reputation of the tier."""
        return {"public_reputation": (0.0, *self.market.thresholds)[kind]}

    def moved(self, value: float, own: np.ndarray) -> np.ndarray:
        """Reputation after own actions."""
        e = float(self.sequences.game.endowment[self.agent])
        return np.asarray(self.market.follow(np.full(own.shape, value), own / e))


class Loyal(Problem):
    """A team: the state is the own loyalty; classes are membership and the steps that exclusion still lasts."""

    name = entry = "loyalty"

    @classmethod
    def of(cls, sequences: Sequences, profile: np.ndarray, agent: int, team: TeamProduction) -> Loyal | None:
        """The problem against ``profile [T, N]``; None if another agent could be excluded."""
        scores, game = team.loyalty, sequences.played
        way = states_along(game, profile)
        ends = [scores.gain, 0.5 * scores.gain, 0.5 * scores.loss]
        if isinstance(team, CoalitionProduction):
            if not all(_stays(game, team, step, agent) for step in way):
                return None
            ends += [team.membership.exit_threshold, team.membership.reentry_loyalty]
        top = min(1.0, float(scores.cap))
        cells = (
            cut(top, ends, round((FEW if isinstance(team, CoalitionProduction) else CELLS) * top))
            if top > 0.0 and scores.gain > 0.0 and scores.loss > 0.0
            else None
        )
        if cells is None:
            return None
        e, unit = float(game.endowment[agent]), cells / top
        low = Branch(0.0, 0.5 * e, -round(0.5 * scores.loss * unit), 0)
        high = Branch(0.5 * e, e, round(0.5 * scores.gain * unit), round(scores.gain * unit))
        start = float(np.asarray(game.reset().extra["loyalty"])[agent])
        return cls(sequences, way, agent, cells, top, (low, high), start, 0.0)

    @cached_property
    def team(self) -> TeamProduction:
        """The mechanism."""
        first = self.sequences.game.mechanisms[0]
        assert isinstance(first, TeamProduction)
        return first

    @property
    def coalition(self) -> CoalitionProduction | None:
        """The mechanism, if members can be excluded."""
        return self.team if isinstance(self.team, CoalitionProduction) else None

    @property
    def classes(self) -> int:
        """Member, or excluded with 0, 1, ... steps to wait."""
        return 1 if self.coalition is None else 2 + int(self.coalition.membership.cooldown)

    def kind(self, mode: int) -> np.ndarray:
        """0 for members, 1 outside."""
        return np.full(self.cells + 1, min(mode, 1))

    def entries(self, kind: int, value: float) -> dict[str, float]:
        """Loyalty and membership."""
        return {"loyalty": value} | ({} if self.coalition is None else {"member": 1.0 - kind})

    @property
    def ends(self) -> tuple[float, ...]:
        """Payoffs are linear in loyalty."""
        return (0.0, self.top)

    def next_class(self, mode: int) -> np.ndarray:
        """As the membership rule has it, all others being loyal members."""
        if self.coalition is None:
            return super().next_class(mode)
        n, count = self.sequences.game.n, self.cells + 1
        loyalty, member, timer = np.ones((count, n)), np.ones((count, n)), np.zeros((count, n))
        loyalty[:, self.agent] = self.edges + HAIR
        if mode > 0:
            member[:, self.agent], timer[:, self.agent] = 0.0, mode - 1.0
        old = {"member": member, "timer": timer, "order": np.tile(np.arange(float(n)), (count, 1))}
        new = self.coalition.membership.update(old, loyalty)
        waits = np.maximum(new["timer"][:, self.agent], 0.0).round().astype(np.int64)
        return np.where(new["member"][:, self.agent] > 0.0, 0, 1 + waits)

    def moved(self, value: float, own: np.ndarray) -> np.ndarray:
        """Loyalty after own actions."""
        e = float(self.sequences.game.endowment[self.agent])
        return np.asarray(self.team.loyalty.update(np.full(own.shape, value), own / e))


def _stays(game: Game, team: CoalitionProduction, step: Step, agent: int) -> bool:
    """Whether everybody but the agent is a loyal member before and after a step."""
    others = np.arange(game.n) != agent
    loyal = np.asarray(step.after.extra["loyalty"])[others] >= team.membership.exit_threshold
    return bool(loyal.all() and (np.asarray(step.after.extra["member"])[others] > 0.0).all())
