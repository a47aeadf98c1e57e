"""Strangers for whoever is audited: simple strategies whose answers are known, some of which remember the episode."""

from __future__ import annotations

import abc

import numpy as np

from coopgym.algorithms.heuristics import TitForTat
from coopgym.algorithms.policy import FixedPolicy, Policy, policy
from coopgym.audit.yardsticks import Yardsticks
from coopgym.envs.game import Game
from coopgym.mechanisms import checks
from coopgym.mechanisms.arrays import Array, namespace, to_numpy

ABOVE = 0.1  # of the endowment: how much BaselinePlus gives beyond its baseline
GENEROSITY = 0.2  # of GenerousTitForTat
SLIP = 0.02  # of a rate, by which a partner may fall short before GrimTrigger counts it as a defection


class Remembering(Policy):
    """A strategy with a memory ``[..., N]`` of one number for each agent of each game."""

    observability = "asymmetric"

    def __init__(self, game: Game) -> None:
        self.game = game
        self.others = TitForTat(game)
        self.memory: np.ndarray | None = None

    def reset(self) -> None:
        """Forget the episode."""
        self.memory = None

    def act(self, observations: Array, deterministic: bool = True) -> Array:
        """The rates of the strategy times endowments."""
        self.check(observations)
        seen = to_numpy(observations)
        start = seen[..., self.others.time_entry] <= 0.0
        rates = to_numpy(self.others.act(seen)) / self.game.endowment  # what the others played last, on average
        begun = self.begin(rates)
        memory = begun if self.memory is None else np.where(start, begun, self.memory)
        played, self.memory = self.answer(rates, memory, np.asarray(start))
        return namespace(observations).asarray(played * self.game.endowment, observations)

    @abc.abstractmethod
    def begin(self, rates: np.ndarray) -> np.ndarray:
        """The memory at the start, for a batch of the shape of ``rates [..., N]``."""

    @abc.abstractmethod
    def answer(self, rates: np.ndarray, memory: np.ndarray, start: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(own rates ``[..., N]``, memory) given the others' last mean rates; ``start``: there were none yet."""


class Punisher(Remembering):
    """Plays ``good`` rates, but 0 for ``patience`` steps after the others' mean rate was below the level expected.

    What is expected is the mean of the others' good rates, less a small slip. With patience inf it never forgives.
    """

    def __init__(self, game: Game, good: np.ndarray, patience: float, name: str) -> None:
        super().__init__(game)
        self.good, self.patience, self.name = np.asarray(good, dtype=np.float64), patience, name
        self.expected: np.ndarray = (self.good.sum() - self.good) / (game.n - 1) - SLIP

    def begin(self, rates: np.ndarray) -> np.ndarray:
        """Nothing to punish."""
        return np.zeros_like(rates)

    def answer(self, rates: np.ndarray, memory: np.ndarray, start: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """0 as long as it is angry; a defection under way makes it as angry as at first."""
        angry = np.maximum(memory - 1.0, 0.0)
        angry = np.where((rates < self.expected) & ~start, self.patience, angry)
        return np.where(angry > 0.0, 0.0, self.good), angry


class GenerousTitForTat(Policy):
    """g + (1 - g) x, where x is the mean rate that the others played last; at first what TitForTat plays."""

    observability = "asymmetric"

    def __init__(self, game: Game, generosity: float = GENEROSITY) -> None:
        self.game, self.name, self.plain = game, "GenerousTitForTat", TitForTat(game)
        self.generosity = checks.number("generosity", generosity, 0.0, 1.0)

    def act(self, observations: Array, deterministic: bool = True) -> Array:
        """Of observations ``[..., N, d]``."""
        xp = namespace(observations)
        plain = self.plain.act(observations)
        more = plain + self.generosity * (xp.asarray(self.game.endowment, observations) - plain)
        start = observations[..., self.plain.time_entry] <= 0.0
        return xp.where(start, plain, more)


def baseline_plus(game: Game) -> np.ndarray:
    """Rates ``[N]`` a tenth of the endowment above the baselines."""
    return np.asarray(np.minimum(game.baseline / game.endowment + ABOVE, 1.0))


def grim_trigger(game: Game) -> Punisher:
    """A tenth above the baseline until anybody's defection shows in the others' mean; then 0 for ever."""
    return Punisher(game, baseline_plus(game), np.inf, "GrimTrigger")


def stranger(name: str, game: Game) -> Policy:
    """A member of the panel: one of these, or a policy that ``coopgym.policy`` knows by name."""
    if name == "GrimTrigger":
        return grim_trigger(game)
    if name == "GenerousTitForTat":
        return GenerousTitForTat(game)
    if name == "BaselinePlus":
        return FixedPolicy(game, baseline_plus(game), name)
    if name in ("StageSelfish", "BestConstant"):
        known = Yardsticks.of(game)
        return FixedPolicy(game, known.selfish if name == "StageSelfish" else known.best_level, name)
    return policy(name, game)
