"""The PettingZoo AEC environment: agents are asked in turn, and the game moves when the last of them has answered."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium.error import ResetNeeded
from gymnasium.spaces import Box
from pettingzoo import AECEnv

from coopgym.envs.episode import finite_action
from coopgym.envs.game import Game
from coopgym.envs.parallel import ParallelGame, make_parallel, one_number
from coopgym.envs.reward import RewardMode


def make_aec(
    game: str | Game,
    *,
    reward_mode: str | RewardMode = "private",
    observability: str | None = None,
    render_mode: str | None = None,
    max_cycles: int | None = None,
    **options: Any,
) -> SequentialGame:
    """A PettingZoo AEC environment of a game id or a Game; the arguments and errors are those of ``make_parallel``."""
    parallel = make_parallel(
        game,
        reward_mode=reward_mode,
        observability=observability,
        render_mode=render_mode,
        max_cycles=max_cycles,
        **options,
    )
    return SequentialGame(parallel)


class SequentialGame(AECEnv[str, np.ndarray, Any]):  # type: ignore[misc]
    """Made by ``make_aec``. The game stays simultaneous: nobody sees an action before all have been given.

    Rewards are those of the cycle's last step and zero in between. Raises gymnasium.error.ResetNeeded outside an
    episode and ValueError for an action that is not one finite number; neither changes anything.
    """

    def __init__(self, parallel: ParallelGame) -> None:
        super().__init__()
        self._parallel = parallel
        self.game = parallel.game
        self.metadata = dict(parallel.metadata)
        self.render_mode = parallel.render_mode
        self.possible_agents = parallel.possible_agents[:]
        self.observation_spaces = parallel.observation_spaces
        self.action_spaces = parallel.action_spaces
        self.state_space = parallel.state_space
        self.agents: list[str] = []
        self._actions: dict[str, float] = {}

    def observation_space(self, agent: str) -> Box:
        """The observation space of an agent, the same object each time."""
        return self._parallel.observation_space(agent)

    def action_space(self, agent: str) -> Box:
        """The action space of an agent, the same object each time."""
        return self._parallel.action_space(agent)

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> None:
        """Start an episode; the first agent is asked first."""
        self._observations, self.infos = self._parallel.reset(seed, options)
        self.agents = self.possible_agents[:]
        self._actions = {}
        self.rewards = dict.fromkeys(self.agents, 0.0)
        self._cumulative_rewards = dict.fromkeys(self.agents, 0.0)
        self.terminations = dict.fromkeys(self.agents, False)
        self.truncations = dict.fromkeys(self.agents, False)
        self._skip_agent_selection = None
        self.agent_selection = self.agents[0]

    def step(self, action: Any) -> None:
        """Take the selected agent's action; after the end, None, by which the agent leaves."""
        if not self.agents:
            raise ResetNeeded("step() was called outside an episode; call reset() first")
        agent = self.agent_selection
        if self.terminations[agent] or self.truncations[agent]:
            self._was_dead_step(action)
            return
        self._actions[agent] = finite_action(self.game, agent, one_number(agent, action))
        self._cumulative_rewards[agent] = 0.0
        if len(self._actions) == len(self.agents):
            self._play()
        else:
            self._clear_rewards()
            self.agent_selection = self.agents[len(self._actions)]

    @property
    def np_random(self) -> np.random.Generator:
        """The generator of the game's random numbers."""
        return self._parallel.np_random

    @np_random.setter
    def np_random(self, generator: np.random.Generator) -> None:
        self._parallel.np_random = generator

    def observe(self, agent: str) -> np.ndarray:
        """A copy of what an agent saw at the start of the cycle."""
        if not hasattr(self, "_observations"):
            raise ResetNeeded("observe() was called before reset(); call reset() first")
        self.observation_space(agent)  # refuses an unknown agent
        return self._observations[agent].copy()

    def state(self) -> np.ndarray:
        """The joint observation, float32."""
        return self._parallel.state()

    def render(self) -> Any:
        """As the Parallel environment."""
        return self._parallel.render()

    def close(self) -> None:
        """Nothing is held open."""

    def __getattr__(self, name: str) -> Any:  # only asked for what is not there
        if name in ("agent_selection", "rewards", "terminations", "truncations", "infos"):
            raise AttributeError(f"{name} cannot be had before reset(); call reset() first")
        raise AttributeError(f"{type(self).__name__!r} has no attribute {name!r}")

    def _play(self) -> None:
        played = self._parallel.step(self._actions)
        self._observations, self.rewards, self.terminations, self.truncations, self.infos = played
        self._actions = {}
        self.agent_selection = self.agents[0]
        self._accumulate_rewards()
        self._deads_step_first()
