"""Batches of games as vector environments of Stable-Baselines3, with one call to the kernel for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode
from stable_baselines3.common.vec_env import VecEnv

from coopgym.algorithms.seating import Players, Seat
from coopgym.envs import observation
from coopgym.envs.game import Game
from coopgym.envs.reward import RewardMode
from coopgym.envs.vector import Outcome, make_vec
from coopgym.integrations.view import JOINT, View


def joint_env(
    game: str | Game,
    num_games: int = 1,
    *,
    reward_mode: str | RewardMode = "private",
    scaled: bool = True,
    **options: Any,
) -> JointVecEnv:
    """One controller for all agents of each game; its reward is the sum of theirs. ``num_games`` environments.

    scaled: actions and observations in [-1, 1] from their bounds, as Stable-Baselines3 advises; else in the game's
    units. ``options`` go to the game. Raises ValueError or TypeError for anything unknown.
    """
    return JointVecEnv(game, num_games, reward_mode, JOINT, scaled, options)


def shared_env(
    game: str | Game,
    num_games: int = 1,
    *,
    reward_mode: str | RewardMode = "private",
    observability: str | None = None,
    scaled: bool = True,
    **options: Any,
) -> SharedVecEnv:
    """One policy for all agents (parameter sharing): each agent of each game is an environment of its own.

    There are ``num_games`` times N environments, game by game. observability: "full", "asymmetric", "minimal", or None
    for the game's own; the rest as for ``joint_env``.
    """
    return SharedVecEnv(game, num_games, reward_mode, observability, scaled, options)


def seat_env(
    game: str | Game,
    num_games: int = 1,
    *,
    agent: int | str = 0,
    partners: Any = "TitForTat",
    reward_mode: str | RewardMode = "private",
    observability: str | None = None,
    scaled: bool = True,
    **options: Any,
) -> SeatVecEnv:
    """The seat of ``agent`` in each game; the other seats are played by what ``coopgym.policy`` takes, or a dict of it.

    ``coopgym.make_seat`` in a batch: ``num_games`` environments, the reward being the agent's own. Partners that draw
    draw for all games from one stream, which a seed restarts. The rest as for ``shared_env``.
    """
    env = SeatVecEnv(game, num_games, reward_mode, observability, scaled, options, agent)
    env.take_seats(partners)
    return env


class GamesVecEnv(VecEnv):
    """What the three have in common. ``outcome``: payoffs, rewards ``[n, N]`` and states of the last step.

    ``infos`` are fresh dicts; where an episode ended they hold ``terminal_observation`` and ``TimeLimit.truncated``.
    With ``seed(s)`` game i goes as the single environment with seed s + i.
    """

    outcome: Outcome

    def __init__(
        self,
        game: str | Game,
        num_games: int,
        reward_mode: str | RewardMode,
        observability: str | None,
        scaled: bool,
        options: dict[str, Any],
        agent: int | str | None = None,
    ) -> None:
        lone = make_vec(game, num_games, reward_mode=reward_mode, **options).game
        self.view = View.of(lone, observability, agent, scaled)
        self.games = make_vec(
            lone, num_games, reward_mode=reward_mode, observability=self.view.setting, report="none",
            autoreset_mode=AutoresetMode.SAME_STEP,
        )  # fmt: skip
        self.game = self.games.game
        self.rows = self.game.n if self.view.agent is None and self.view.setting != JOINT else 1
        self._actions: np.ndarray | None = None
        super().__init__(num_games * self.rows, self.view.observation_space, self.view.action_space)

    def reset(self) -> np.ndarray:
        """Observations ``[num_envs, d]`` of new episodes, from the seeds given to ``seed`` since the last."""
        seeds = [None if s is None else int(s) for s in self._seeds[: self.games.num_envs]]
        seen, _ = self.games.reset(seed=seeds, options=self._options[0])
        self._restart(seeds[0])
        self._begun(None)
        self._reset_seeds()
        self._reset_options()
        return self._flat(seen)

    def step_async(self, actions: np.ndarray) -> None:
        """Keep the actions for ``step_wait``."""
        self._actions = np.asarray(actions, dtype=np.float64)

    def step_wait(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[dict[str, Any]]]:
        """(observations, rewards, dones, infos), an entry for each environment."""
        assert self._actions is not None, "step_wait() without step_async()"
        self.outcome = out = self.games.advance(self._joint(self.view.move(self._by_game(self._actions))))
        over = out.terminated | out.truncated
        self._begun(over)
        done = self._spread(over)
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        if done.any():
            last, limit = self._flat(out.last_seen), self._spread(out.truncated & ~out.terminated)
            for i in np.flatnonzero(done).tolist():
                infos[i] = {"terminal_observation": last[i], "TimeLimit.truncated": bool(limit[i])}
        return self._flat(out.seen), self._earned(out).astype(np.float32), done, infos

    # --- how environments and games belong together: n games of self.rows environments each ---------------------------

    def _by_game(self, actions: np.ndarray) -> np.ndarray:
        """Actions of environments as those of games, ``[n, N]``; ``[n]`` at a seat."""
        return actions.reshape(self.games.num_envs, -1)

    def _joint(self, own: np.ndarray) -> np.ndarray:
        """All actions ``[n, N]`` in endowment units."""
        return own

    def _earned(self, out: Outcome) -> np.ndarray:
        return np.asarray(out.rewards).reshape(-1)

    def _restart(self, seed: int | None) -> None:
        """Start the streams of partners anew."""

    def _begun(self, ended: np.ndarray | None) -> None:
        """Tell partners that the games ``ended [n]``, by default all, begin a new episode."""

    def _flat(self, seen: np.ndarray) -> np.ndarray:
        return np.array(self.view.see(seen)).reshape(self.num_envs, -1)

    def _spread(self, flags: np.ndarray) -> np.ndarray:
        return np.repeat(flags, self.rows)

    # --- the rest of what Stable-Baselines3 asks of a vector environment ----------------------------------------------

    def close(self) -> None:
        """Nothing is held open."""

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """An attribute that all games share, once for each environment asked for."""
        value = None if attr_name == "render_mode" else getattr(self.games, attr_name)
        return [value] * self._count(indices)

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Refused: the games are one batch."""
        raise AttributeError(f"{attr_name} cannot be set: the games are one batch; make another with other options")

    def env_method(self, method_name: str, *method_args: Any, indices: Any = None, **method_kwargs: Any) -> list[Any]:
        """Refused: the games are one batch."""
        raise AttributeError(f"{method_name}() of single environments cannot be called: the games are one batch")

    def env_is_wrapped(
        self, wrapper_class: type[gymnasium.Wrapper[Any, Any, Any, Any]], indices: Any = None
    ) -> list[bool]:
        """No single environment is there to be wrapped."""
        return [False] * self._count(indices)

    def _count(self, indices: int | Sequence[int] | None) -> int:
        return self.num_envs if indices is None else 1 if isinstance(indices, int) else len(indices)


class JointVecEnv(GamesVecEnv):
    """Made by ``joint_env``."""

    def _earned(self, out: Outcome) -> np.ndarray:
        return np.asarray(out.total)


class SharedVecEnv(GamesVecEnv):
    """Made by ``shared_env``."""


class SeatVecEnv(GamesVecEnv):
    """Made by ``seat_env``."""

    def take_seats(self, partners: Any) -> None:
        """Let ``partners`` play the other seats from now on; between two steps as well."""
        assert self.view.agent is not None
        self.seat = Seat.of(self.game, self.view.agent, partners)
        self._players = Players(self.seat, [0], apart=True)

    def _by_game(self, actions: np.ndarray) -> np.ndarray:
        return actions.reshape(-1)

    def _joint(self, own: np.ndarray) -> np.ndarray:
        state, actions = self.games.state, np.zeros((1, len(own), self.game.n))
        actions[0, :, self.view.agent] = own

        def look(setting: str) -> np.ndarray:  # the batch is one replica
            return np.asarray(observation.observe(self.game, state, setting))[None]

        return np.asarray(self._players.fill(actions, look)[0])

    def _earned(self, out: Outcome) -> np.ndarray:
        return np.asarray(out.rewards[:, self.view.agent])

    def _begun(self, ended: np.ndarray | None) -> None:
        self._players.begin(None if ended is None else ended[None])

    def _restart(self, seed: int | None) -> None:
        if seed is not None:
            self._players.reseed([seed])
