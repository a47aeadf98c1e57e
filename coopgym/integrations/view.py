"""What a trainer of another library sees of a game: whose seat, which observations, and in which units."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from gymnasium.spaces import Box

from coopgym.envs import observation, spaces
from coopgym.envs.game import Game
from coopgym.mechanisms import checks
from coopgym.mechanisms.arrays import Array, namespace

ROUNDING = 2.0**-20  # margin by which no rounding leads out of [-1, 1]
JOINT = "joint"  # the setting in which one controller sees all and moves all


@dataclass(frozen=True, eq=False)
class Scale:
    """Values ``center + half * x`` for numbers x in [-1, 1]; what never changes is 0, what has no bounds stays.

    slope, shift: x = slope * value + shift.
    """

    center: Array
    half: Array
    slope: Array
    shift: Array

    @classmethod
    def between(cls, low: Array, high: Array, margin: float = 0.0) -> Scale:
        """The scale on which ``low`` is -1 and ``high`` is 1, or by the share ``margin`` less."""
        bounded, varying = np.isfinite(high) & np.isfinite(low), high > low
        low, high = (np.where(bounded, x, 0.0) for x in (low, high))
        center = 0.5 * (high + low)
        half = np.where(bounded & varying, 0.5 * (high - low), 1.0) * (1.0 + margin)
        return cls(center, half, 1.0 / half, -center / half)

    def like(self, x: Array) -> Scale:
        """The same on the backend, device and in the precision of ``x``; itself where it is there already."""
        if type(self.slope) is type(x) and self.slope.dtype == x.dtype and _device(self.slope) == _device(x):
            return self
        xp = namespace(x)
        return self._each(lambda values: xp.asarray(values, x))

    def of(self, agent: int) -> Scale:
        """That of one agent alone."""
        return self._each(lambda values: values[agent])

    def inside(self, values: Array) -> Array:
        """Values as numbers."""
        return values * self.slope + self.shift

    def outside(self, x: Array) -> Array:
        """Numbers as values."""
        return self.center + self.half * x

    def _each(self, change: Callable[[Array], Array]) -> Scale:
        return Scale(change(self.center), change(self.half), change(self.slope), change(self.shift))


@dataclass(frozen=True, eq=False)
class View:
    """One way of looking at a game, given in NumPy.

    setting: "joint", or whose rows agents see ("full", "asymmetric", "minimal"). agent: one agent's seat (index), or
    None for all. scaled: observations and actions are numbers in [-1, 1] from their bounds, each agent's from its own;
    else they are in the game's units.
    """

    game: Game
    setting: str
    agent: int | None = None
    scaled: bool = True

    @classmethod
    def of(cls, game: Game, setting: str | None, agent: int | str | None = None, scaled: bool = True) -> View:
        """A view with the game's own setting for None; ValueError for an unknown setting or agent."""
        chosen = checks.choice("observability", setting or game.default_observability, (JOINT, *observation.SETTINGS))
        seat = None if agent is None else game.agent_index(agent)
        return cls(game, chosen, seat, checks.flag("scaled", scaled))

    @cached_property
    def observation_space(self) -> Box:
        """Of one observer, a row of ``see``."""
        whole = spaces.observations(self.game, self.setting)
        low, high = (self._pick(x) for x in (whole.low, whole.high))
        if self.agent is None and self.setting != JOINT:
            low, high = low.min(0), high.max(0)
        if self.scaled:
            low, high = np.where(np.isfinite(low), -1.0, low), np.where(np.isfinite(high), 1.0, high)
        return Box(low.astype(np.float32), high.astype(np.float32), dtype=np.float32)

    @cached_property
    def action_space(self) -> Box:
        """Of one actor: ``[N]`` for the joint controller, else ``[1]``."""
        if self.setting == JOINT:
            return unit_box((self.game.n,)) if self.scaled else spaces.joint_action(self.game)
        high = self.game.endowment if self.agent is None else self.game.endowment[self.agent]
        return unit_box((1,)) if self.scaled else Box(0.0, float(np.max(high)), (1,), np.float32)

    def like(self, seen: Array, moved: Array | None = None) -> View:
        """The same with its numbers where observations (and actions, if they are elsewhere) are: a step moves none."""
        found = dataclasses.replace(self)
        vars(found).update(_seen=self._seen.like(seen), _moved=self._moved.like(seen if moved is None else moved))
        return found

    def see(self, seen: Array) -> Array:
        """Observations ``[..., d]`` (joint) or ``[..., N, d]`` as the trainer wants them, ``[..., d]`` at a seat."""
        xp = namespace(seen)
        return xp.single(self._pick(self._seen.like(seen).inside(seen) if self.scaled else seen))

    def move(self, actions: Array) -> Array:
        """Actions ``[..., N]``, or the seat's ``[...]``, in endowment units."""
        if not self.scaled:
            return actions
        scale = self._moved if self.agent is None else self._moved.of(self.agent)
        return scale.like(actions).outside(actions)

    def _pick(self, rows: Array) -> Array:
        return rows if self.agent is None or self.setting == JOINT else rows[..., self.agent, :]

    @cached_property
    def _seen(self) -> Scale:
        return Scale.between(*observation.bounds(self.game, self.setting), ROUNDING)

    @cached_property
    def _moved(self) -> Scale:
        high = spaces.joint_action(self.game).high.astype(np.float64) if self.setting == JOINT else self.game.endowment
        return Scale.between(np.zeros(self.game.n), high)


def _device(x: Array) -> Any:
    return getattr(x, "device", None)  # NumPy's arrays have had one since 2.0


def unit_box(shape: tuple[int, ...]) -> Box:
    """The space of numbers in [-1, 1]."""
    return Box(-1.0, 1.0, shape, np.float32)


def guessed(game: Game, seen: tuple[int, ...], acted: tuple[int, ...], action_space: Box) -> View:
    """The view that a model must have been trained with, from the shapes of what it sees and does, and its actions.

    ValueError if there is none: the model plays another game, or an environment that is not ours.
    """
    scaled = bool(np.all(action_space.low == -1.0) and np.all(action_space.high == 1.0))
    for setting in (JOINT, game.default_observability, *observation.SETTINGS):
        view = View(game, setting, None, scaled)
        if view.observation_space.shape == seen and view.action_space.shape == acted:
            return view
    raise ValueError(
        f"a model that sees {seen} and acts in {acted} was not trained on {game!r}, whose agents see "
        f"{View.of(game, None).observation_space.shape} and act in (1,); name the game that it plays"
    )
