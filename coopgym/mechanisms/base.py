"""What a mechanism is to a game: the state it reads, the hooks it may fill, and how it moves between devices."""

from __future__ import annotations

import dataclasses
import re
from typing import Any, NamedTuple, TypeVar

import numpy as np

from coopgym.mechanisms.arrays import Array, is_torch, namespace, to_numpy

M = TypeVar("M")


class State(NamedTuple):
    """Everything a game remembers between two steps.

    time:    ``[...]`` completed steps of the episode
    actions: ``[..., N]`` last clipped actions, in endowment units (the baselines before the first step)
    trust:   ``[..., N, N]`` trust of row in column, in [0, 1], diagonal 1
    damage:  ``[..., N, N]`` reputation damage that row has recorded against column, in [0, 1], diagonal 0
    extra:   the entries of the game's own mechanisms, by name
    """

    time: Array
    actions: Array
    trust: Array
    damage: Array
    extra: dict[str, Array]


class Transition(NamedTuple):
    """One step as a mechanism sees it when it updates: the state before, the move, and the trust after.

    before: State; actions ``[..., N]`` clipped; raw ``[..., N]`` as submitted (only released rules look at it);
    trust, damage ``[..., N, N]`` after the step; draws ``[..., k]`` random numbers or None.
    """

    before: State
    actions: Array
    raw: Array
    trust: Array
    damage: Array
    draws: Array | None


class Mechanism:
    """A frozen dataclass of parameters with pure methods; the hooks below do nothing unless overridden.

    ``observed`` names the entries of ``State.extra`` that everybody sees, with the bounds of their values.
    ``reset_draws`` and ``step_draws`` say how many uniform (reset) and standard normal (step) numbers the
    mechanism consumes per game: they come in as an argument, so the mathematics itself is deterministic.
    """

    reset_draws: int = 0
    step_draws: int = 0
    smooth: bool = True  # nothing that it pays or shows jumps as actions move; kinks are allowed

    @property
    def label(self) -> str:
        """What tables call it: the words of the class's name."""
        return re.sub(r"(?<!^)(?=[A-Z])", " ", type(self).__name__).lower()

    @property
    def observed(self) -> dict[str, tuple[Any, Any]]:
        """Public state entries: name -> (low, high), each broadcastable to the entry's trailing shape."""
        return {}

    def initial(self, draws: Array | None) -> dict[str, Array]:
        """Entries of ``State.extra`` at the start of an episode, without batch axes except those of ``draws``."""
        return {}

    def baseline(self, state: State, actions: Array, baseline: Array) -> Array:
        """The actions expected of the agents this step, ``[..., N]``: reference of the trust signal."""
        return baseline

    def payoffs(self, state: State, actions: Array, payoffs: Array) -> Array:
        """The payoffs ``[..., N]`` so far, with this mechanism's part added (start-of-step state)."""
        return payoffs

    def update(self, step: Transition) -> dict[str, Array]:
        """New values of this mechanism's entries of ``State.extra``."""
        return {}

    def info(self, before: State, after: State, actions: Array) -> dict[str, Array]:
        """Quantities worth reporting after a step; never needed to go on."""
        return {}


def bind(part: M, like: Array) -> M:
    """A copy of a dataclass (nested ones and tuples included) with its float arrays in the library of ``like``.

    Floating arrays take the dtype and device of ``like``; index and boolean arrays keep their type.
    """
    xp = namespace(like)

    def convert(value: Any) -> Any:
        if is_torch(value):
            value = to_numpy(value)
        if isinstance(value, np.ndarray):
            if value.dtype.kind == "f":
                return xp.asarray(value, like)
            return value if xp.name == "numpy" else _index(value, like)
        if isinstance(value, tuple):
            return tuple(convert(v) for v in value)
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return bind(value, like)
        return value

    fields = dataclasses.fields(part)  # type: ignore[arg-type]
    copy = object.__new__(type(part))
    for field in fields:
        object.__setattr__(copy, field.name, convert(getattr(part, field.name)))
    return copy


def _index(value: np.ndarray, like: Array) -> Array:
    import torch

    return torch.as_tensor(value, device=like.device)


def spread(state: State, batch: tuple[int, ...]) -> State:
    """A state without batch axes as one with them; a view, nothing is copied."""

    def widen(x: Array) -> Array:
        return namespace(x).broadcast(x, (*batch, *x.shape))

    time, actions, trust, damage = (widen(x) for x in state[:4])
    return State(time, actions, trust, damage, {name: widen(x) for name, x in state.extra.items()})


def select(mask: Array, chosen: State, other: State) -> State:
    """Per game: ``chosen`` where ``mask`` ``[...]`` is true, ``other`` elsewhere."""
    xp = namespace(mask)

    def pick(a: Array, b: Array) -> Array:
        return xp.where(mask.reshape(mask.shape + (1,) * (b.ndim - mask.ndim)), a, b)

    extra = {name: pick(chosen.extra[name], value) for name, value in other.extra.items()}
    time, actions, trust, damage = (pick(a, b) for a, b in zip(chosen[:4], other[:4], strict=True))
    return State(time, actions, trust, damage, extra)


def first_again(x: Array, count: int) -> Array:
    """``x [L, ...]`` with its first row repeated behind it until there are ``count``; games side by side in memory."""
    if is_torch(x):
        rows = np.arange(count)
        return x[np.where(rows < len(x), rows, 0)]
    longer = side_by_side(count, x.shape[1:], x.dtype)
    longer[: len(x)], longer[len(x) :] = x, x[:1]
    return longer


def side_by_side(count: int, shape: tuple[int, ...], dtype: Any = np.float64) -> np.ndarray:
    """An empty ``[count, *shape]`` in which the same number of all games lies in one stretch of memory.

    Formulas keep the layout of what they are given, and run over long stretches rather than over few agents.
    """
    return np.empty((*shape, count), dtype=dtype).transpose(len(shape), *range(len(shape)))


def branched(state: State, count: int) -> State:
    """States of a batch ``(L,)`` with the first of them repeated behind them until there are ``count``."""
    time, actions, trust, damage = (first_again(x, count) for x in state[:4])
    return State(time, actions, trust, damage, {name: first_again(x, count) for name, x in state.extra.items()})
