"""Actors of TorchRL as policies of the package."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from tensordict import TensorDict, unravel_key
from tensordict.nn import TensorDictModuleBase
from torchrl.envs import EnvBase
from torchrl.envs.utils import ExplorationType, MarlGroupMapType, set_exploration_type

from coopgym.algorithms.foreign import ForeignPolicy
from coopgym.envs.catalogue import game as make_game
from coopgym.envs.game import Game
from coopgym.integrations.torchrl_env import Groups, grouped
from coopgym.integrations.view import View


def from_torchrl(
    actor: TensorDictModuleBase,
    game: str | Game | EnvBase,
    *,
    observability: str | None = None,
    groups: Groups = MarlGroupMapType.ALL_IN_ONE_GROUP,
    scaled: bool = True,
    **options: Any,
) -> TorchRLPolicy:
    """The policy of an actor that reads ``(group, "observation")`` and writes ``(group, "action")`` of every group.

    game: the environment that it was trained in, which says all the rest (transforms that an actor needs belong to the
    actor), or a game with the arguments of that environment. Raises ValueError for an actor that does not read and
    write these entries.
    """
    if isinstance(game, EnvBase):
        env = getattr(game, "base_env", game)
        view = View.of(env.game, env.view.setting, scaled=env.view.scaled)
        return TorchRLPolicy(actor, env.game, view, env.group_map)
    made = make_game(game, **options)
    return TorchRLPolicy(actor, made, View.of(made, observability, scaled=scaled), grouped(made, groups))


class TorchRLPolicy(ForeignPolicy):
    """Made by ``from_torchrl``."""

    library = "torchrl"

    def __init__(
        self, actor: TensorDictModuleBase, game: Game, view: View, groups: Mapping[str, Sequence[str]]
    ) -> None:
        lacks = [key for group in groups for key in ((group, "action"),) if key not in actor.out_keys]
        if lacks:
            raise ValueError(f"the actor does not write {lacks}; give the groups of agents that it was trained with")
        check_inputs(actor, groups)
        self.game, self.view, self.module, self.name = game, view, actor, type(actor).__name__
        self.observability = view.setting
        self._columns = {name: [game.agents.index(a) for a in agents] for name, agents in groups.items()}
        self._device = next((p.device for p in actor.parameters()), torch.device("cpu"))

    def answer(self, observations: np.ndarray, deterministic: bool) -> np.ndarray:
        """The actor's answer to all rows at once."""
        rows = torch.as_tensor(self.view.see(observations), device=self._device)
        flat = rows.reshape(-1, *rows.shape[-2:])
        told = {
            name: TensorDict({"observation": flat[:, columns]}, (len(flat), len(columns)))
            for name, columns in self._columns.items()
        }
        kind = ExplorationType.DETERMINISTIC if deterministic else ExplorationType.RANDOM
        with torch.no_grad(), set_exploration_type(kind):
            answer = self.module(TensorDict(told, (len(flat),), device=self._device))
        actions = np.empty(rows.shape[:-1])
        for name, columns in self._columns.items():
            actions[..., columns] = answer.get((name, "action")).cpu().numpy().reshape(*rows.shape[:-2], len(columns))
        return np.asarray(self.view.move(actions))


def check_inputs(actor: TensorDictModuleBase, groups: Mapping[str, Sequence[str]]) -> None:
    """Raise ValueError for an actor that needs more than the observations, such as a recurrent state."""
    given = {(group, "observation") for group in groups}
    more = [key for key in actor.in_keys if unravel_key(key) not in given]
    if more:
        raise ValueError(
            f"the actor also reads {more}; only observations can be given to an actor of TorchRL here, so recurrent "
            "ones cannot be played: wrap it in a coopgym policy that carries its state and begins anew in reset()"
        )
