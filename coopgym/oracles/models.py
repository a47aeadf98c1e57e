"""Which closed form a game's mechanisms suggest for one of its steps, and whether the game really follows it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coopgym import seeding
from coopgym.envs.released import ReleasedGame
from coopgym.envs.reward import RewardMode
from coopgym.mechanisms.base import spread
from coopgym.mechanisms.coalition import CoalitionProduction
from coopgym.mechanisms.loyalty import TeamProduction
from coopgym.mechanisms.reputation import TieredReputation
from coopgym.mechanisms.value import LogarithmicValue, PowerValue, Synergy, geometric_mean
from coopgym.oracles.closed_forms import interdependence
from coopgym.oracles.closed_forms import team as teams
from coopgym.oracles.stage import StageGame

PROFILES, OWN = 24, 6  # random profiles, and own actions in each, at which a game is compared with its closed form
AGREEMENT = 1e-6  # of differences between rewards, relative to the largest; released games round actions to 7 digits


@dataclass(frozen=True, eq=False)
class Interdependence:
    """p_j = m_j (e_j - a_j + f(a_j) + alpha_j gamma G): TR-1's payoff, times a market's tier ``multiplier [N]``."""

    endowment: np.ndarray
    shares: np.ndarray
    value: LogarithmicValue | PowerValue
    gamma: float
    multiplier: np.ndarray

    label = "one scalar equation for the geometric mean of actions"

    def payoffs(self, x: np.ndarray) -> np.ndarray:
        """Payoffs ``[..., N]`` of actions ``[..., N]``."""
        surplus = self.gamma * geometric_mean(x)
        return np.asarray(self.multiplier * (self.endowment - x + self.value(x) + self.shares * surplus))

    def equilibrium(self, weights: np.ndarray) -> np.ndarray:
        """Actions ``[N]`` for reward weights ``[N, N]``."""
        return interdependence.equilibrium(
            self.value, self.gamma, self.shares, self.endowment, weights * self.multiplier
        )

    def uniqueness(self, weights: np.ndarray) -> str:
        """What theory says about equilibria."""
        if interdependence.grows_from_nothing(self.value):
            return "proved"
        return "not established: the first unit costs more than it adds, so that nobody may contribute either"


@dataclass(frozen=True, eq=False)
class TeamModel:
    """TR-3's payoff among ``members`` (indices), whoever is ``outside`` working alone for half of it."""

    team: teams.Team
    mechanism: TeamProduction
    stage: StageGame
    members: np.ndarray

    label = "water-filling of total effort"

    def payoffs(self, x: np.ndarray) -> np.ndarray:
        """Payoffs ``[..., N]`` of actions ``[..., N]``."""
        t, own = self.team, x[..., self.members]
        n = len(self.members)
        base = t.productivity * PowerValue(t.exponent)(own.sum(-1, keepdims=True)) / n - t.cost * own
        mates = (base.sum(-1, keepdims=True) - base) / max(n - 1, 1) * t.mates
        result = 0.5 * (t.productivity * PowerValue(t.exponent)(x) / x.shape[-1] - t.cost * x)
        result[..., self.members] = base + t.loyalty * (t.benefit * mates + t.contribution_joy * t.cost * own)
        return np.asarray(result + self.mechanism.kept)

    def equilibrium(self, weights: np.ndarray) -> np.ndarray:
        """Actions ``[N]`` for reward weights ``[N, N]``."""
        t, e = self.team, self.stage.endowment
        actions = np.array([teams.lone_effort(t.productivity, t.exponent, t.cost, len(e), limit) for limit in e])
        actions[self.members] = t.equilibrium(self._inside(weights))
        return actions

    def uniqueness(self, weights: np.ndarray) -> str:
        """What theory says about equilibria."""
        if self.team.unique(self._inside(weights)):
            return "proved"
        if self.team.exponent == 1.0:
            return "a continuum: some agent is indifferent between all contributions"
        return "a continuum: only total effort is pinned, agents that stop at one total share it equally here"

    def _inside(self, weights: np.ndarray) -> np.ndarray:
        return np.asarray(weights[np.ix_(self.members, self.members)])


Model = Interdependence | TeamModel


def recognise(stage: StageGame) -> Model | None:
    """The closed form that the mechanism which pays suggests; whether the rest of the game fits it is checked apart."""
    payer = stage.game.mechanisms[0]
    if isinstance(payer, TeamProduction):
        return _team(stage, payer)
    if not isinstance(payer, Synergy):
        return None
    gamma = float(np.asarray(payer.coefficient(stage.state)).reshape(-1)[0])
    multiplier = np.ones(stage.n)
    for mechanism in stage.game.mechanisms:
        if type(mechanism) is TieredReputation and mechanism.tiers_pay:
            multiplier = np.asarray(mechanism.multiplier(stage.state.extra["public_reputation"]))
    return Interdependence(payer.endowment, payer.shares, payer.value, gamma, multiplier)


def _team(stage: StageGame, payer: TeamProduction) -> TeamModel:
    extra, n = stage.state.extra, stage.n
    apart = isinstance(payer, CoalitionProduction) and payer.exclusion_pays
    members = np.flatnonzero(np.asarray(extra["member"]) > 0) if apart else np.arange(n)
    mates = float(max(len(members) - 1, 1)) if payer.teammates_sum else 1.0
    team = teams.Team(
        payer.productivity, payer.exponent, payer.cost, payer.benefit, payer.contribution_joy,
        np.asarray(extra["loyalty"])[members], stage.endowment[members], mates,
    )  # fmt: skip
    return TeamModel(team, payer, stage, members)


def weights_at(stage: StageGame, profile: np.ndarray) -> np.ndarray:
    """W ``[N, N]`` with which payoffs are mixed when a profile ``[N]`` is played; multipliers come after it.

    A released game weighs by the trust after the step, so that the weights of an agent move with the others' actions.
    """
    game = stage.game
    if not isinstance(game, ReleasedGame):
        return stage.matrix
    after, _, _ = game.step(spread(stage.state, ()), np.asarray(profile))
    integrated = RewardMode("integrated").matrix(np.asarray(game.coupling(after)))
    own, coupled, shared = stage.mode.weights
    eye = np.eye(stage.n)
    return np.asarray(own * eye + coupled * (integrated - eye) + shared * integrated.mean(0)[None])


def same_replies(stage: StageGame, model: Model, weights: np.ndarray) -> bool:
    """Whether, whatever the others do, rewards grow with those of the model: then the equilibria are the same.

    At random profiles: differences between own actions are proportional, with a positive factor that may depend on the
    others' actions but not on one's own.
    """
    rng = seeding.generator(0, "probes")
    profiles = rng.uniform(0.0, 1.0, (PROFILES, stage.n)) * stage.endowment
    for agent in range(stage.n):
        own = rng.uniform(0.0, 1.0, (PROFILES, OWN)) * stage.endowment[agent]
        joint = np.repeat(profiles[:, None], OWN, axis=1)
        joint[..., agent] = own
        real = stage.rewards(joint)[..., agent]
        ours = model.payoffs(joint) @ weights[agent]
        if not _proportional(real - real[:, :1], ours - ours[:, :1]):
            return False
    return True


def _proportional(real: np.ndarray, ours: np.ndarray) -> bool:
    size = np.abs(ours).max(-1, keepdims=True)
    factor = (real * ours).sum(-1, keepdims=True) / np.maximum((ours * ours).sum(-1, keepdims=True), 1e-300)
    return bool((factor > 0.0).all() and (np.abs(real - factor * ours) <= AGREEMENT * factor * size).all())


def same_sum(model: Model, values: np.ndarray, profiles: np.ndarray, c: np.ndarray) -> bool:
    """Whether an objective, ``values [S]`` at ``profiles [S, N]``, is a constant and a multiple of sum_j c_j p_j."""
    ours = model.payoffs(profiles) @ c
    return _proportional((values - values.mean())[None], (ours - ours.mean())[None])
