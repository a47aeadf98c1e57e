"""The joint Gymnasium environment: one controller sets the actions of all agents and earns the sum of their rewards."""

from __future__ import annotations

import dataclasses
from typing import Any

import gymnasium
import numpy as np
from gymnasium.envs.registration import EnvSpec

from coopgym.envs import observation, spaces
from coopgym.envs.episode import RENDER_MODES, Episode
from coopgym.envs.game import Game
from coopgym.envs.reward import RewardMode
from coopgym.envs.spec import Specified, asked_steps, limited
from coopgym.envs.streams import seed_game


class JointEnv(Specified, gymnasium.Env[np.ndarray, np.ndarray]):
    """``gymnasium.make("coopgym/TrustDilemma-v1", reward_mode="integrated")``.

    game: an id or a Game; reward_mode: a kind's name or a RewardMode; render_mode: None, "ansi" or "rgb_array";
    options: those of the game; Gymnasium's ``max_episode_steps`` is another name for ``max_steps``. Actions are ``[N]``
    in endowment units, clipped to [0, endowment]; observations are the float32 joint ones. ``info`` holds payoffs,
    rewards, actions ``[N]``, trust and reputation damage ``[N, N]`` and what the game reports; at a reset, what speaks
    of a move is zero. Raises ValueError for actions that are not finite or of the wrong shape, and
    gymnasium.error.ResetNeeded for a step outside an episode; neither changes the state.
    """

    metadata = {"render_modes": list(RENDER_MODES), "render_fps": 4}  # noqa: RUF012 - Gymnasium's own declaration

    def __init__(
        self,
        game: str | Game,
        *,
        reward_mode: str | RewardMode = "private",
        render_mode: str | None = None,
        **options: Any,
    ) -> None:
        game, options = limited(game, options, "max_episode_steps", asked_steps(options))
        self._episode = Episode(game, reward_mode, self._generator, render_mode, options)
        self.game = self._episode.game
        self.render_mode = render_mode
        self.observation_space = spaces.joint_observation(self.game)
        self.action_space = spaces.joint_action(self.game)

    def _as_made(self, spec: EnvSpec) -> EnvSpec:
        """Also with the limit of steps, which wrappers look for; made again, the environment takes it as its own."""
        return dataclasses.replace(super()._as_made(spec), max_episode_steps=self.game.horizon)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """(observation, info); the draws of a seeded episode come from ``np_random``."""
        super().reset(seed=seed)
        seed_game(self, seed)
        state = self._episode.begin(options)
        return observation.joint(self.game, state).astype(np.float32), self._episode.state_info()

    def step(self, action: Any) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """(observation, sum of the agents' rewards, terminated, truncated, info) for actions ``[N]``."""
        move = self._episode.move(action)
        seen = observation.joint(self.game, move.after).astype(np.float32)
        reward = float(np.add.reduce(move.rewards))
        return seen, reward, move.terminated, move.truncated, self._episode.move_info(move)

    def render(self) -> Any:
        """Text for "ansi", ``uint8[height, width, 3]`` for "rgb_array", None without a render mode."""
        if self.render_mode is None:
            return None
        from coopgym.envs.render import render

        return render(self._episode, self.render_mode)

    def _generator(self) -> np.random.Generator:  # a method, so that a copied environment draws from its own
        return self.np_random
