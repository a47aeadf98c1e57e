"""One game as RLlib's multi-agent environment, for its new API stack."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from ray.rllib.env.multi_agent_env import MultiAgentEnv
from ray.tune.registry import register_env

from coopgym import seeding
from coopgym.envs.parallel import make_parallel
from coopgym.envs.registration import NAMESPACE, game_ids
from coopgym.integrations.view import View

Report = dict[str, Any]


class GameEnv(MultiAgentEnv):  # type: ignore[misc]
    """A game for RLlib; registered as ``"coopgym/AppleAppStore-v1"`` and so on by ``import coopgym.rllib``.

    config (``env_config``): game (an id or a Game; ids that are registered say it themselves), reward_mode,
    observability, scaled (True: observations and actions in [-1, 1], whatever ``normalize_actions`` says), render_mode,
    reward_scale (1.0; rewards are multiplied by it, payoffs never), step_infos (False: infos are empty until the end,
    since RLlib copies and keeps them all), and the options of the game.

    All agents leave together, with ``"__all__"`` in the flag that is true. The last infos of an episode hold
    ``"episode"``: payoff (sum), cooperation (mean share of the endowment), trust (own mean at the end), and the welfare
    (sum of payoffs) of all. Seeds are mixed with the env runner's number.
    """

    def __init__(self, config: Report | None = None) -> None:
        given = dict(config or {})
        game, scaled = given.pop("game"), given.pop("scaled", True)
        self.reward_scale = float(given.pop("reward_scale", 1.0))
        self.step_infos = bool(given.pop("step_infos", False))
        self._runner = getattr(config, "worker_index", 0)
        self.parallel = make_parallel(game, **given)
        self.game, self.render_mode = self.parallel.game, self.parallel.render_mode
        self.metadata = dict(self.parallel.metadata)  # RLlib writes into it
        self.possible_agents = list(self.game.agents)
        self.agents = list(self.game.agents)
        self._agent_ids = set(self.game.agents)
        super().__init__()
        setting = self.parallel.observability
        self._views = {a: View.of(self.game, setting, a, scaled) for a in self.game.agents}
        self.observation_spaces = {a: view.observation_space for a, view in self._views.items()}
        self.action_spaces = {a: view.action_space for a, view in self._views.items()}
        self.observation_space = gymnasium.spaces.Dict(dict(self.observation_spaces.items()))
        self.action_space = gymnasium.spaces.Dict(dict(self.action_spaces.items()))
        self._scale = View.of(self.game, setting, None, scaled).like(np.zeros(1, np.float32), np.zeros(1))
        self._begin()

    def reset(self, *, seed: int | None = None, options: Report | None = None) -> tuple[Report, Report]:
        """(observations, infos) by agent."""
        _, infos = self.parallel.reset(seed=self._mixed(seed), options=options)
        self.agents = list(self.possible_agents)
        self._begin()
        return self._seen(), infos if self.step_infos else {agent: {} for agent in self.agents}

    def step(self, action_dict: Report) -> tuple[Report, Report, Report, Report, Report]:
        """(observations, rewards, terminateds, truncateds, infos) by agent, the two flags with ``"__all__"``."""
        agents = self.possible_agents
        given = np.array([action_dict[a] for a in agents], dtype=np.float64).reshape(-1)
        move = self.parallel.advance(self._scale.move(given))
        self._payoffs += move.payoffs
        self._rates += move.after.actions / self.game.endowment
        self.agents = list(self.parallel.agents)
        told = self.step_infos or not self.agents
        infos = self.parallel.infos(move) if told else {agent: {} for agent in agents}
        if not self.agents:
            self._conclude(infos)
        rewards = dict(zip(agents, (self.reward_scale * move.rewards).tolist(), strict=True))
        terminated = dict.fromkeys([*agents, "__all__"], move.terminated)
        truncated = dict.fromkeys(agents, move.truncated) | {"__all__": move.truncated and not move.terminated}
        return self._seen(), rewards, terminated, truncated, infos

    def render(self) -> Any:
        """As the Parallel environment renders."""
        return self.parallel.render()

    def _begin(self) -> None:
        """Sums over an episode, by agent."""
        self._payoffs, self._rates = np.zeros(self.game.n), np.zeros(self.game.n)

    def _seen(self) -> Report:
        return dict(zip(self.possible_agents, self._scale.see(self.parallel.observed()), strict=True))

    def _conclude(self, infos: Report) -> None:
        welfare = float(self._payoffs.sum())
        for agent, payoff, rate in zip(infos, self._payoffs.tolist(), self._rates.tolist(), strict=True):
            info = infos[agent]
            told = {"payoff": payoff, "cooperation": rate / info["step"], "trust": info["own_trust_mean"]}
            info["episode"] = told | {"welfare": welfare}

    def _mixed(self, seed: int | None) -> int | None:
        """RLlib numbers the games of runner k from seed + k on, so that runners would share most of their seeds."""
        if seed is None or not self._runner:
            return seed
        return seeding.integer(seed, "runners", self._runner)


def register_all() -> None:
    """Enter all forty ids into RLlib's registry."""
    for id in game_ids():
        register_env(f"{NAMESPACE}/{id}", lambda config, id=id: GameEnv(_named(config, id)))


def _named(config: Any, id: str) -> Any:
    """The environment's config (RLlib's own kind of dict, which knows its runner) with the game in it."""
    config["game"] = id
    return config


register_all()  # at import, so that a checkpoint that names anything of ours finds its environment in a new process
