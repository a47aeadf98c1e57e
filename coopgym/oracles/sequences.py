"""Whole episodes of given action sequences, many side by side, in NumPy or with gradients in torch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np

from coopgym.envs.game import Game
from coopgym.envs.moments import Act, moments
from coopgym.envs.released import ReleasedGame
from coopgym.envs.reward import RewardMode
from coopgym.mechanisms.arrays import Array, is_torch, namespace
from coopgym.mechanisms.base import Mechanism, State, first_again, side_by_side
from coopgym.mechanisms.coalition import CoalitionProduction
from coopgym.mechanisms.loyalty import TeamProduction
from coopgym.mechanisms.negotiation import Agreement
from coopgym.mechanisms.reputation import TieredReputation
from coopgym.mechanisms.value import HiddenSynergy, Synergy
from coopgym.oracles.scale import unit

BLIND = (Synergy, HiddenSynergy, TeamProduction, CoalitionProduction, Agreement, TieredReputation)  # never read trust
STRIDE = 4  # steps after which games that leave a path join; more often costs more copies than it saves


class Returns(NamedTuple):
    """Sums over an episode: payoffs, rewards ``[..., N]``; lengths ``[...]`` [steps]."""

    payoffs: Array
    rewards: Array
    lengths: Array


@dataclass(frozen=True, eq=False)
class Sequences:
    """Episodes of a game under one reward mode, played from action sequences; a hidden parameter takes the middle of
    its range. ``game`` may live in NumPy (fast for few games) or in torch (with gradients)."""

    game: Game
    mode: RewardMode

    @cached_property
    def played(self) -> Game:
        """The game without what no payoff or reward depends on: N x N numbers of trust, what is only reported."""
        bare = lean(self.game)
        return replace(bare, trust=None) if trust_is_idle(self.game, self.mode) else bare

    @cached_property
    def unit(self) -> float:
        """The largest |reward| of a step at common rates, times the steps of an episode."""
        return self.game.horizon * unit(self.game, self.mode)

    def play(self, actions: Array) -> Returns:
        """Returns of sequences ``[..., T, N]`` in endowment units; T is the horizon, batch axes are independent."""
        zero = actions[..., 0, :] * 0.0
        payoffs, rewards, lengths = zero, zero, zero[..., 0]
        for paid, rewarded, alive in self.steps(actions):
            payoffs, rewards, lengths = payoffs + paid, rewards + rewarded, lengths + alive
        return Returns(payoffs, rewards, lengths)

    def rewards_near(self, actions: np.ndarray, path: np.ndarray) -> np.ndarray:
        """Rewards ``[K, N]`` of sequences ``[K, T, N]`` that follow a ``path [T, N]`` until they leave it.

        What they share is played once: it comes to the same as ``play``, in less time.
        """
        order, lanes = joining((actions != path).any(-1))
        total, played = np.zeros((1, self.game.n)), side_by_side(len(actions) + 1, path.shape)
        played[0], played[1:] = path, actions[order]
        for _, rewarded, _ in self.steps(played, lanes):
            total = first_again(total, len(rewarded)) + rewarded
        rewards = np.empty((len(actions), self.game.n))
        rewards[order] = first_again(total, len(actions) + 1)[1:]
        return rewards

    def steps(self, actions: Array, lanes: Sequence[int] | None = None) -> Iterator[tuple[Array, Array, Array]]:
        """(payoffs ``[..., N]``, rewards ``[..., N]``, alive ``[...]``) of each step; zeros once a game is over.

        ``lanes [T]``: how many of actions ``[K, T, N]`` are played at each step, as ``moments`` takes them.
        """
        game, weights, t = self.played, self.mode.weights, 0
        xp = namespace(actions)
        batch = tuple(actions.shape[:-2]) if lanes is None else (lanes[0],)

        def act(_: State) -> Array:
            return actions[..., t, :] if lanes is None else actions[: lanes[t], t]

        for before, after, paid, alive, _ended in moments(game, act, batch, lanes=lanes):
            rewarded = game.rewards(weights, before, after, paid)
            if game.exit is None:  # nobody is over before the end
                yield paid, rewarded, alive
            else:
                on, zero = alive[..., None], 0.0 * paid
                yield xp.where(on, paid, zero), xp.where(on, rewarded, zero), alive
            t += 1

    def constant(self, actions: np.ndarray) -> np.ndarray:
        """A profile ``[..., N]`` as sequences ``[..., T, N]``."""
        return np.repeat(np.asarray(actions, dtype=np.float64)[..., None, :], self.game.horizon, axis=-2)


def joining(parts: np.ndarray) -> tuple[np.ndarray, list[int]]:
    """(order ``[K]``, lanes ``[T]``) in which sequences leave a path: parts ``[K, T]`` says where they differ from it.

    lanes counts the path itself, which is played first, and those that leave it before the end of a stride.
    """
    horizon = parts.shape[-1]
    first = np.where(parts.any(-1), parts.argmax(-1), horizon)
    order = np.argsort(first, kind="stable")
    ends = np.minimum(np.arange(horizon) // STRIDE * STRIDE + STRIDE, horizon)
    return order, (1 + np.searchsorted(first[order], ends)).tolist()


def path_of(game: Game, act: Act) -> np.ndarray:
    """Actions ``[T, N]`` of the episode that ``act`` plays; the last ones are held after an early end."""
    played = [np.asarray(moment.after.actions) for moment in moments(game, act)]
    return np.stack([*played, *[played[-1]] * (game.horizon - len(played))])


def lean(game: Game) -> Game:
    """The game without mechanisms that only report (NumPy games; released ones stay as they are)."""
    if isinstance(game, ReleasedGame) or is_torch(game.endowment):
        return game
    return replace(game, mechanisms=tuple(m for m in game.mechanisms if not _silent(m)))


def trust_is_idle(game: Game, mode: RewardMode) -> bool:
    """Whether trust moves but reaches neither payoffs, nor rewards, nor the end of the game (NumPy games only)."""
    weighs = game.trust_weighted and mode.weights.coupled != 0.0
    if game.trust is None or weighs or game.exit is not None or isinstance(game, ReleasedGame):
        return False
    return not is_torch(game.endowment) and all(blind(m) for m in game.mechanisms)


def blind(m: Mechanism) -> bool:
    """Whether a mechanism pays without a look at trust, or does not pay at all."""
    return type(m) in BLIND or _silent(m)


def _silent(m: Mechanism) -> bool:
    """Whether a mechanism neither pays nor says what is expected; each reads no entries but its own."""
    return type(m).payoffs is Mechanism.payoffs and type(m).baseline is Mechanism.baseline
