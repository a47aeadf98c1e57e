"""The PettingZoo Parallel environment: everybody acts at once on an observation of its own."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium.spaces import Box
from pettingzoo import ParallelEnv

from coopgym import seeding
from coopgym.envs import observation, spaces
from coopgym.envs.episode import RENDER_MODES, Episode, Move
from coopgym.envs.game import Game
from coopgym.envs.reward import RewardMode
from coopgym.envs.spec import limited
from coopgym.mechanisms import checks

Infos = dict[str, dict[str, Any]]


def make_parallel(
    game: str | Game,
    *,
    reward_mode: str | RewardMode = "private",
    observability: str | None = None,
    render_mode: str | None = None,
    max_cycles: int | None = None,
    **options: Any,
) -> ParallelGame:
    """A PettingZoo Parallel environment of a game id or a Game.

    observability: "full", "asymmetric", "minimal", or None for the game's default. max_cycles: PettingZoo's name for
    the option ``max_steps``. Raises ValueError or TypeError for anything unknown, naming the nearest valid name.
    """
    game, options = limited(game, options, "max_cycles", max_cycles)
    return ParallelGame(game, reward_mode, observability, render_mode, options)


class ParallelGame(ParallelEnv[str, np.ndarray, Any]):  # type: ignore[misc]
    """Made by ``make_parallel``. Actions have shape (1,), in endowment units; plain numbers are taken too.

    infos per agent: step, own_action, own_trust_mean (its trust in all, itself included), cooperation_rate, payoff and
    reward; at a reset all but own_trust_mean are zero. All agents leave together. ``state()`` is the joint observation,
    of space ``state_space``.
    """

    def __init__(
        self,
        game: str | Game,
        reward_mode: str | RewardMode,
        observability: str | None,
        render_mode: str | None,
        options: dict[str, Any],
    ) -> None:
        self._random: np.random.Generator | None = None
        self._episode = Episode(game, reward_mode, self._generator, render_mode, options)
        self.game = self._episode.game
        self.render_mode = render_mode
        self.observability = observation.check_setting(observability or self.game.default_observability)
        self.possible_agents = list(self.game.agents)
        self.agents: list[str] = []
        self.observation_spaces = spaces.agent_observations(self.game, self.observability)
        self.action_spaces = spaces.agent_actions(self.game)
        self.state_space = spaces.joint_observation(self.game)
        self.metadata = {
            "name": self.game.id,
            "render_modes": list(RENDER_MODES),
            "render_fps": 4,
            "is_parallelizable": True,
        }

    def observation_space(self, agent: str) -> Box:
        """The observation space of an agent, the same object each time."""
        return self.observation_spaces[checks.choice("agent", agent, self.possible_agents)]

    def action_space(self, agent: str) -> Box:
        """The action space of an agent, the same object each time."""
        return self.action_spaces[checks.choice("agent", agent, self.possible_agents)]

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, np.ndarray], Infos]:
        """(observations, infos) by agent; without a seed the generator goes on where it was."""
        if seed is not None:
            self._random = seeding.generator(seed, "game")
        state = self._episode.begin(options)
        self.agents = self.possible_agents[:]
        nothing = np.zeros(self.game.n)
        return self._observe(), self._infos(0, nothing, nothing, nothing, state.trust)

    def step(
        self, actions: dict[str, Any]
    ) -> tuple[dict[str, np.ndarray], dict[str, float], dict[str, bool], dict[str, bool], Infos]:
        """(observations, rewards, terminations, truncations, infos) by agent for one action an agent."""
        move = self.advance(in_order(self.possible_agents, actions) if self.agents else actions)
        agents = self.possible_agents
        rewards = dict(zip(agents, move.rewards.tolist(), strict=True))
        return (
            self._observe(),
            rewards,
            dict.fromkeys(agents, move.terminated),
            dict.fromkeys(agents, move.truncated),
            self.infos(move),
        )

    def advance(self, actions: Any) -> Move:
        """``step`` for actions ``[N]`` in the order of ``possible_agents``, without dicts."""
        move = self._episode.move(actions)
        if self._episode.over:
            self.agents = []
        return move

    def observed(self) -> np.ndarray:
        """What all agents see now, float32 ``[N, d]``."""
        rows = observation.per_agent(self.game, self._episode.current("step()"), self.observability)
        return np.asarray(rows, dtype=np.float32)

    def state(self) -> np.ndarray:
        """The joint observation, float32 ``[N + 3 N^2 + 1 + k]``."""
        seen: np.ndarray = observation.joint(self.game, self._episode.current("state()")).astype(np.float32)
        return seen

    def render(self) -> Any:
        """Text for "ansi", ``uint8[height, width, 3]`` for "rgb_array", None without a render mode."""
        if self.render_mode is None:
            return None
        from coopgym.envs.render import render

        return render(self._episode, self.render_mode)

    def close(self) -> None:
        """Nothing is held open."""

    @property
    def np_random(self) -> np.random.Generator:
        """The generator of the game's random numbers; a new one from fresh entropy before the first seed."""
        if self._random is None:
            self._random = seeding.generator(None, "game")
        return self._random

    @np_random.setter
    def np_random(self, generator: np.random.Generator) -> None:
        self._random = generator

    def _generator(self) -> np.random.Generator:  # a method, so that a copied environment draws from its own
        return self.np_random

    def _observe(self) -> dict[str, np.ndarray]:
        return dict(zip(self.possible_agents, self.observed(), strict=True))

    def infos(self, move: Move) -> Infos:
        """What a step tells of each agent besides what it returns."""
        after = move.after
        return self._infos(int(after.time), move.rewards, move.payoffs, after.actions, after.trust)

    def _infos(
        self, step: int, rewards: np.ndarray, payoffs: np.ndarray, actions: np.ndarray, trust: np.ndarray
    ) -> Infos:
        """The infos of all agents; at a reset everything but trust is zero."""
        columns = zip(
            self.possible_agents,
            rewards.tolist(),
            payoffs.tolist(),
            actions.tolist(),
            (actions / self.game.endowment).tolist(),
            (np.add.reduce(trust, -1) / self.game.n).tolist(),
            strict=True,
        )
        return {
            agent: {
                "step": step,
                "own_action": action,
                "own_trust_mean": mean,
                "cooperation_rate": rate,
                "payoff": payoff,
                "reward": reward,
            }
            for agent, reward, payoff, action, rate, mean in columns
        }


def in_order(agents: list[str], actions: dict[str, Any]) -> np.ndarray:
    """The actions of a dict as ``[N]`` in the order of ``agents``; ValueError for missing or unknown agents."""
    if not isinstance(actions, dict) or actions.keys() != set(agents):
        given = set(actions) if isinstance(actions, dict) else set()
        missing = [a for a in agents if a not in given]
        unknown = sorted(map(str, given - set(agents)))
        raise ValueError(
            f"actions lack {missing} and name unknown {unknown}; give a dict with one action for each agent"
        )
    return np.array([one_number(agent, actions[agent]) for agent in agents])


def one_number(agent: str, action: Any) -> float:
    """An action of shape (1,) or (), as a float; ValueError naming the agent otherwise."""
    try:
        return float(action.item() if isinstance(action, np.ndarray) else np.asarray(action, dtype=float).item())
    except (TypeError, ValueError, OverflowError):
        raise ValueError(
            f"action of {agent} is {checks.shown(action)}; give one number that a float holds, of shape (1,) or ()"
        ) from None
