"""Proven bounds of what one agent can earn by another sequence of its own, where an argument covers the game."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from coopgym.envs.released import ReleasedGame
from coopgym.mechanisms.negotiation import Agreement
from coopgym.mechanisms.value import HiddenSynergy, LogarithmicValue, PowerValue, Synergy
from coopgym.oracles import survival
from coopgym.oracles.own_state import programme
from coopgym.oracles.sequences import Sequences

RELAXED = "each step solved as if leaving an agreement were free and the game went on: no sequence gains more"


class Closing(NamedTuple):
    """bound: no own sequence earns more [reward]; method: why; sequence ``[T]``: one that comes near it, or None."""

    bound: float
    method: str
    sequence: np.ndarray | None = None


def without_costs(sequences: Sequences) -> Sequences | None:
    """The same episodes without what can only cost: ends of the game and penalties; None where that is not so.

    Payoffs of TR-1's form are never negative, nor are the weights of rewards, so that a game which goes on never pays
    less.
    """
    game, first = sequences.game, sequences.game.mechanisms[0]
    if isinstance(game, ReleasedGame) or type(first) not in (Synergy, HiddenSynergy):
        return None
    assert isinstance(first, Synergy)
    fines = [m for m in game.mechanisms if isinstance(m, Agreement)]
    if type(first.value) not in (LogarithmicValue, PowerValue) or (game.exit is None and not fines):
        return None
    if min(sequences.mode.weights) < 0.0 or any(m.penalty < 0.0 for m in fines):
        return None
    kept = tuple(m for m in game.mechanisms if not isinstance(m, Agreement))
    return Sequences(replace(game, exit=None, mechanisms=kept), sequences.mode)


def closing(sequences: Sequences, profile: np.ndarray, agent: int) -> Closing | None:
    """The tightest bound that is known for an agent against ``profile [T, N]``; None where there is none."""
    solved = programme(sequences, profile, agent)
    if solved is not None:
        return Closing(solved.bound, solved.method, solved.sequence)
    bound = survival.survival_bound(sequences, profile, agent)
    return None if bound is None else Closing(bound, survival.METHOD)
