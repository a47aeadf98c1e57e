"""What RLlib has trained, as policies of the package."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from ray.rllib.core.rl_module.multi_rl_module import MultiRLModule, MultiRLModuleSpec
from ray.rllib.core.rl_module.rl_module import RLModule
from torch import Tensor, nn

from coopgym.algorithms.foreign import ForeignPolicy
from coopgym.envs.catalogue import game as make_game
from coopgym.envs.game import Game
from coopgym.integrations.missing import need_trust
from coopgym.integrations.rllib_config import policy_names, ppo_config, sac_config
from coopgym.integrations.rllib_env import GameEnv
from coopgym.integrations.view import guessed

MODULES = Path("learner_group") / "learner" / "rl_module"  # where an algorithm's checkpoint keeps its networks


def from_rllib(
    trained: Any,
    game: str | Game,
    *,
    policies: Mapping[str, str] | None = None,
    normalize_actions: bool = True,
    recipe: dict[str, Any] | None = None,
    trust: bool = False,
    **options: Any,
) -> RLlibPolicy:
    """The policy of an algorithm of RLlib, of its MultiRLModule, or of the checkpoint that it wrote.

    game: an id with ``options``, or a Game. policies: the name of each agent's; by default its own, its role's, or the
    only one. normalize_actions: as in the algorithm's config, True unless somebody changed it. Neither Ray nor an
    environment is started. recipe: how to build the networks again ("algorithm", "policies", "hidden"), so that the
    policy can be saved as data. trust: load a checkpoint: it holds pickles, and loading it runs whatever code they
    hold. Raises ValueError for networks that do not fit the game, or for a checkpoint without trust.
    """
    if isinstance(trained, (str, os.PathLike)):
        need_trust(trained, "RLlib", trust)
    made = make_game(game, **options)
    policy = RLlibPolicy(_modules(trained), made, policies, normalize_actions)
    policy.recipe = recipe
    return policy


def rebuilt(game: Game, recipe: dict[str, Any], tensors: dict[str, Tensor]) -> RLlibPolicy:
    """The policy that ``recipe`` describes, with these parameters; nothing of it is code."""
    make = {"PPO": ppo_config, "SAC": sac_config}[recipe["algorithm"]]
    config = make(game, policies=recipe["policies"], hidden=recipe["hidden"])
    env, spec = GameEnv({"game": game}), config.get_default_rl_module_spec()
    spec.observation_space, spec.action_space = (s[env.agents[0]] for s in (env.observation_spaces, env.action_spaces))
    spec.model_config, spec.inference_only = config.model_config, True
    names = dict.fromkeys(policy_names(game, recipe["policies"]).values())
    policy = from_rllib(MultiRLModuleSpec(rl_module_specs=dict.fromkeys(names, spec)).build(), game, recipe=recipe)
    policy.module.load_state_dict(tensors)
    return policy


class RLlibPolicy(ForeignPolicy):
    """Made by ``from_rllib``."""

    library = "rllib"

    def __init__(
        self, modules: dict[str, RLModule], game: Game, policies: Mapping[str, str] | None, normalize_actions: bool
    ) -> None:
        self.game, self.normalize = game, normalize_actions
        names = _assigned(game, modules, policies)
        self._modules = {name: modules[name] for name in dict.fromkeys(names)}
        self.recurrent = any(module.is_stateful() for module in self._modules.values())
        self._columns = {name: [i for i, n in enumerate(names) if n == name] for name in self._modules}
        first = next(iter(self._modules.values()))
        self.name = type(first).__name__
        space = first.action_space
        self.view = guessed(game, first.observation_space.shape, space.shape, space)
        self.observability = self.view.setting
        self.module = nn.ModuleDict({name.replace(".", "_"): m for name, m in self._modules.items()})

    def answer(self, observations: np.ndarray, deterministic: bool) -> np.ndarray:
        """Each module's answer to the rows of its agents at once, with a recurrent state for each where it has one."""
        rows = torch.as_tensor(self.view.see(observations))
        actions, memory = np.empty(rows.shape[:-1]), dict[str, Any]()
        for name, columns in self._columns.items():
            flat = rows[..., columns, :].reshape(-1, rows.shape[-1])
            with torch.no_grad():
                x, memory[name] = self._asked(name, flat, deterministic)
            actions[..., columns] = x.double().numpy().reshape(*rows.shape[:-2], len(columns))
        if self.recurrent:
            self.memory = memory
        return np.asarray(self.view.move(self._inside(actions)))

    def _asked(self, name: str, rows: Tensor, deterministic: bool) -> tuple[Tensor, Any]:
        """(actions, state after the step with the number of its rows) of a module for ``rows [B, d]``."""
        module = self._modules[name]
        if not module.is_stateful():
            return _answer(module, {"obs": rows}, deterministic)[0], None
        state, count = self.memory[name] if self.memory else (_many(module.get_initial_state(), len(rows)), len(rows))
        if count != len(rows):
            raise ValueError(
                f"{self.name} remembers an episode of {count} rows and was given {len(rows)}; call reset() first"
            )
        answer, state = _answer(module, {"obs": rows[:, None], "state_in": state}, deterministic)  # one step of time
        return answer[:, 0], (state, count)

    def _inside(self, actions: np.ndarray) -> np.ndarray:
        """What the algorithm makes of its networks' answers before they go to the game."""
        for name, columns in self._columns.items():
            low, high = (
                float(x.item()) for x in (self._modules[name].action_space.low, self._modules[name].action_space.high)
            )
            x = actions[..., columns]
            x = low + (x + 1.0) * (high - low) / 2.0 if self.normalize else x
            actions[..., columns] = np.clip(x, low, high)
        return actions


def _answer(module: RLModule, batch: dict[str, Any], deterministic: bool) -> tuple[Tensor, Any]:
    """(the likeliest action, or a drawn one, for each row; the recurrent state after it, None without one)."""
    if deterministic:
        told = module.forward_inference(batch)
        likely = module.get_inference_action_dist_cls().from_logits(told["action_dist_inputs"])
        chosen: Tensor = likely.to_deterministic().sample()
        return chosen, told.get("state_out")
    told = module.forward_exploration(batch)
    drawn: Tensor = module.get_exploration_action_dist_cls().from_logits(told["action_dist_inputs"]).sample()
    return drawn, told.get("state_out")


def _many(state: Any, count: int) -> Any:
    """A module's initial state, nested dicts of arrays, for ``count`` rows."""
    if isinstance(state, Mapping):
        return {name: _many(part, count) for name, part in state.items()}
    one = torch.as_tensor(state)
    return one[None].repeat(count, *[1] * one.ndim)


def _modules(trained: Any) -> dict[str, RLModule]:
    """All networks by the name of their policy."""
    if isinstance(trained, (str, os.PathLike)):
        path = Path(trained).resolve()
        trained = MultiRLModule.from_checkpoint(path / MODULES if (path / MODULES).exists() else path)
    elif hasattr(trained, "get_module") and hasattr(trained, "config"):
        return {name: trained.get_module(name) for name in trained.config.policies}
    return dict(trained.items()) if isinstance(trained, MultiRLModule) else {"only": trained}


def _assigned(game: Game, modules: dict[str, RLModule], policies: Mapping[str, str] | None) -> list[str]:
    """The name of each agent's policy, in the order of the agents."""
    by_role = policy_names(game, "role")
    choices = [dict(policies)] if policies else [policy_names(game, "agent"), by_role]
    if not policies and len(modules) == 1:
        choices.append(dict.fromkeys(game.agents, next(iter(modules))))
    for names in choices:
        if all(names.get(agent) in modules for agent in game.agents):
            return [names[agent] for agent in game.agents]
    raise ValueError(
        f"policies {', '.join(modules)} do not say who plays {', '.join(game.agents)}; give policies={{agent: name}}"
    )
