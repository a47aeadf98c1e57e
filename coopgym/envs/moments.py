"""One episode of each game of a batch, step by step: the loop that evaluation, oracles and audits go through."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from coopgym import seeding
from coopgym.envs.game import Game
from coopgym.mechanisms.arrays import Array, namespace
from coopgym.mechanisms.base import State, branched, first_again, select

Act = Callable[[State], Array]  # state -> actions [*batch, N] in endowment units


class Moment(NamedTuple):
    """One step of a batch. ``after`` of a game that was over before is its last state.

    payoffs ``[*batch, N]`` are meaningless where ``alive [*batch]`` is false; ended ``[*batch]``: a rule ended it here.
    """

    before: State
    after: State
    payoffs: Array
    alive: Array
    ended: Array


def moments(
    game: Game,
    act: Act,
    batch: tuple[int, ...] = (),
    *,
    reset_draws: Array | None = None,
    noise: np.random.Generator | None = None,
    lanes: Sequence[int] | None = None,
) -> Iterator[Moment]:
    """Play from the start until all games of the batch have ended, in NumPy or torch as the game is.

    Gradients flow through a torch game. ``reset_draws`` as Game.reset takes them; ``noise`` is drawn from where steps
    are random (None: seed 0). ``lanes [T]``, never falling: how many games of a batch ``(lanes[0],)`` are played at
    each step; those that join have come the way of the first one, so that ways which part late are played once.
    """
    xp = namespace(game.endowment)
    state = game.reset(batch, reset_draws)
    alive = state.time >= 0.0
    noise, k, everybody = noise or seeding.generator(0, "evaluation"), game.step_draws, True
    for t in range(game.horizon):
        if lanes is not None and lanes[t] > len(alive):
            state, alive = _joined(game, state, lanes[t]), first_again(alive, lanes[t])
        draws = xp.asarray(noise.standard_normal((*alive.shape, k)), game.endowment) if k else None
        after, payoffs, ended = game.step(state, act(state), draws)
        if not everybody:
            after = select(alive, after, state)
        yield Moment(state, after, payoffs, alive, ended if everybody else alive & ended)
        state = after
        if game.exit is not None:  # the only rule that ends a game before its time
            alive = alive & ~ended
            everybody = bool(alive.all())
            if not everybody and not bool(alive.any()):
                break


def _joined(game: Game, state: State, count: int) -> State:
    """The state with more games that have come the way of the first; trust that never moves is not copied."""
    if game.trust is not None:
        return branched(state, count)
    xp = namespace(state.time)
    trust, damage = (xp.broadcast(x[0], (count, *x.shape[1:])) for x in (state.trust, state.damage))
    return branched(state._replace(trust=state.time, damage=state.time), count)._replace(trust=trust, damage=damage)
