"""One running episode: what the faces of a single game share between two calls, and the checks that keep it sound."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from gymnasium.error import ResetNeeded

from coopgym.envs import catalogue
from coopgym.envs.game import Game
from coopgym.envs.reward import RewardMode
from coopgym.mechanisms import checks
from coopgym.mechanisms.arrays import is_torch
from coopgym.mechanisms.base import State

RENDER_MODES = ("ansi", "rgb_array")
STATE_KEYS = ("step", "mean_trust", "mean_reputation_damage")  # what info can say of a state that nobody has acted in


class Move(NamedTuple):
    """One step: the states around it, payoffs and rewards ``[N]``, and how it ended."""

    before: State
    after: State
    payoffs: np.ndarray
    rewards: np.ndarray
    terminated: bool
    truncated: bool


class Episode:
    """A game in play. ``generator`` yields the random numbers' source; it is asked only when the game draws any.

    Raises gymnasium.error.ResetNeeded for a move before the first ``begin`` or after the end, and ValueError for
    actions that are not finite or of the wrong shape; the state is untouched by a refused move.
    """

    def __init__(
        self,
        game: str | Game,
        reward_mode: str | RewardMode,
        generator: Callable[[], np.random.Generator],
        render_mode: str | None,
        options: dict[str, Any],
    ) -> None:
        self.game = numpy_game(game, options)
        self.mode = RewardMode.of(reward_mode)
        if render_mode is not None:
            checks.choice("render_mode", render_mode, RENDER_MODES)
        self.weights = self.mode.weights
        self.generator = generator
        self.reset_draws, self.step_draws = self.game.reset_draws, self.game.step_draws
        self.state: State | None = None
        self.over = True
        self.history: list[np.ndarray] | None = None if render_mode is None else []

    def begin(self, options: dict[str, Any] | None = None) -> State:
        """A fresh state. With option ``reset_reputation`` nothing is carried over from the episode before."""
        game = self.game
        draws = self.generator().random(self.reset_draws) if self.reset_draws else None
        previous = self.state if game.carried and not (options or {}).get("reset_reputation") else None
        self.state = game.reset(draws=draws, previous=previous)
        self.over = False
        if self.history is not None:
            self.history = []
        return self.state

    def current(self, call: str) -> State:
        """The state, once there is one; ``call`` names the method that asks."""
        if self.state is None:
            raise ResetNeeded(f"{call} was called before reset(); call reset() first")
        return self.state

    def move(self, actions: Any) -> Move:
        """Play actions ``[N]`` in endowment units; the game clips them to [0, endowment]."""
        before = self.current("step()")
        if self.over:
            raise ResetNeeded("step() was called after the end of the episode; call reset() to start another")
        game = self.game
        actions = finite_actions(game, actions)
        draws = self.generator().standard_normal(self.step_draws) if self.step_draws else None
        after, payoffs, ended = game.step(before, actions, draws)
        rewards = game.rewards(self.weights, before, after, payoffs)
        terminated, truncated = bool(ended), bool(game.truncated(after))
        self.state, self.over = after, terminated or truncated
        if self.history is not None:
            self.history.append(payoffs)
        return Move(before, after, payoffs, rewards, terminated, truncated)

    def state_info(self) -> dict[str, Any]:
        """What a reset tells: the entries of ``move_info``, zero where they speak of a move, for there was none yet.

        trust and reputation damage ``[N, N]``, step, their means and the game's facts are those of the state.
        """
        state, game = self.current("reset()"), self.game
        report = plain(game.info(state, state, state.actions))
        known = {*STATE_KEYS, *game.facts}
        return {
            "payoffs": np.zeros(game.n),
            "rewards": np.zeros(game.n),
            "trust": state.trust.copy(),
            "reputation": state.damage.copy(),
            "actions": np.zeros(game.n),
            **{key: value if key in known else blank(value) for key, value in report.items()},
        }

    def move_info(self, move: Move) -> dict[str, Any]:
        """payoffs, rewards, actions ``[N]``, trust, reputation ``[N, N]`` and the game's report; fresh copies."""
        after = move.after
        return {
            "payoffs": move.payoffs.copy(),
            "rewards": move.rewards.copy(),
            "trust": after.trust.copy(),
            "reputation": after.damage.copy(),
            "actions": after.actions.copy(),
            **plain(self.game.info(move.before, after, after.actions)),
        }


def numpy_game(game: str | Game, options: dict[str, Any]) -> Game:
    """The game of an id with options, or a Game as it is; ValueError for one that lives in torch."""
    made = catalogue.game(game, **options)
    if is_torch(made.endowment):
        raise ValueError(f"{made!r} holds torch tensors; give the NumPy game, and ask make_vec for backend='torch'")
    return made


def finite_actions(game: Game, actions: Any) -> np.ndarray:
    """Actions as float64 ``[N]``; ValueError naming the agent, the value and the cure."""
    try:
        x = np.asarray(actions, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(
            f"actions={checks.shown(actions)} are not numbers that a float holds; give one for each of {_names(game)}"
        ) from None
    if x.shape != (game.n,):
        raise ValueError(f"actions have shape {x.shape}; give ({game.n},), one number for each agent: {_names(game)}")
    if not np.logical_and.reduce(np.isfinite(x)):
        for agent, value in zip(game.agents, x, strict=True):
            finite_action(game, agent, value)
    return x


def finite_action(game: Game, agent: str, action: float) -> float:
    """The action if it is finite; ValueError naming the agent, the value and the cure otherwise."""
    if not math.isfinite(action):
        limit = game.endowment[game.agents.index(agent)]
        raise ValueError(f"action of {agent} is {action}; give a finite number in [0, {limit:g}]")
    return action


def _names(game: Game) -> str:
    return ", ".join(game.agents) if game.n <= 8 else f"{game.agents[0]} to {game.agents[-1]}"


def blank(value: Any) -> Any:
    """Zero, False or the empty text, of the shape and type of ``value``."""
    return np.zeros_like(value) if isinstance(value, np.ndarray) else type(value)()


def plain(report: dict[str, Any]) -> dict[str, Any]:
    """A game's report on one game as Python numbers and arrays of its own."""
    result: dict[str, Any] = {}
    for key, value in report.items():
        if isinstance(value, np.ndarray) and value.ndim:
            result[key] = value.copy()
        elif isinstance(value, (np.ndarray, np.generic)):
            result[key] = value.item()
        else:
            result[key] = value
    result["step"] = int(result["step"])
    return result
