"""What Gymnasium keeps of an environment so that it can be made again, and the limit of steps it is asked for."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Mapping
from types import FrameType
from typing import Any

import numpy as np
from gymnasium.envs.registration import EnvSpec, make

from coopgym.envs.game import Game
from coopgym.envs.reward import RewardMode

FOR_RLLIB = (
    "RLlib does not know this id and asks Gymnasium for it, whose environment is another one: a single controller of "
    "all agents. Import coopgym.rllib first, also before Algorithm.from_checkpoint: then the id is the game with its "
    "agents. "
    "If you want the single controller, register it under a name of your own: "
    "ray.tune.registry.register_env('name', lambda config: gymnasium.make('coopgym/...', **config))"
)


class Specified:
    """A Gymnasium environment whose ``spec`` is plain data, so that ``spec.to_json()`` survives the way back.

    Gymnasium assigns ``spec`` when it has made the environment; what it was made with becomes names, numbers and lists.
    """

    _spec: EnvSpec | None = None

    @property
    def spec(self) -> EnvSpec | None:
        """The specification, or None where Gymnasium has not made the environment."""
        return self._spec

    @spec.setter
    def spec(self, spec: EnvSpec | None) -> None:
        self._spec = None if spec is None else self._as_made(spec)

    def _as_made(self, spec: EnvSpec) -> EnvSpec:
        return dataclasses.replace(spec, kwargs=plain_options(spec.kwargs))


def plain_options(value: Any) -> Any:
    """Options as JSON holds them: arrays and tuples as lists, a RewardMode by its name; the rest as it is."""
    if isinstance(value, RewardMode):
        return str(value)
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    if isinstance(value, Mapping):
        return {key: plain_options(x) for key, x in value.items()}
    return [plain_options(x) for x in value] if isinstance(value, (list, tuple)) else value


def asked_steps(options: dict[str, Any]) -> int | None:
    """The limit of steps that ``gymnasium.make``, if it is what makes this environment, was asked for.

    ``gymnasium.make`` tells ``max_episode_steps`` to its TimeLimit alone, never to the environment, which would end at
    its own horizon without a word. So the caller of the caller is looked at. None where no limit is asked for, or -1.

    Raises:
        RuntimeError: If RLlib has ``gymnasium.make`` make the environment of an id that is not in its own registry.
    """
    frame = sys._getframe(2)
    if frame.f_code is not make.__code__:
        return None
    refuse_rllib(frame)
    asked = frame.f_locals.get("max_episode_steps")
    if asked is None and "max_steps" not in options:
        asked = getattr(frame.f_locals.get("env_spec"), "max_episode_steps", None)
    return None if asked is None or asked == -1 else asked


def refuse_rllib(frame: FrameType | None) -> None:
    """RuntimeError if RLlib is who called Gymnasium, in whose frame this begins."""
    while frame is not None and _module(frame).startswith(("gymnasium.", "coopgym.extras")):
        frame = frame.f_back
        if frame is not None and _module(frame).startswith("ray.rllib"):
            raise RuntimeError(FOR_RLLIB)


def _module(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", ""))


def limited(
    game: str | Game, options: dict[str, Any], name: str, steps: int | None
) -> tuple[str | Game, dict[str, Any]]:
    """A game and its options with the limit of steps that another library calls ``name``.

    Raises:
        ValueError: If ``max_steps`` is given too, and is another number.
    """
    if steps is None:
        return game, options
    given = options.get("max_steps", steps)
    if given != steps:
        raise ValueError(f"{name}={steps} and max_steps={given} say different things; give one of them")
    if isinstance(game, Game):  # its options come too late
        return dataclasses.replace(game, horizon=steps), options
    return game, {**options, "max_steps": steps}
