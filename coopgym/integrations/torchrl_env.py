"""Batches of games as an environment of TorchRL: the torch kernel, with nothing between it and the tensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import torch
from gymnasium.vector import AutoresetMode
from tensordict import TensorDict, TensorDictBase
from torch import Tensor
from torchrl.data import Binary, Bounded, Composite, Unbounded
from torchrl.envs import EnvBase
from torchrl.envs.utils import MarlGroupMapType, check_marl_grouping

from coopgym.algorithms.memory import keep_freed_memory
from coopgym.envs.catalogue import game as make_game
from coopgym.envs.game import Game
from coopgym.envs.reward import RewardMode
from coopgym.envs.vector import make_vec
from coopgym.integrations.view import View

Groups: TypeAlias = "MarlGroupMapType | Mapping[str, Sequence[str]]"
ENDS = ("done", "terminated", "truncated")


class GamesEnv(EnvBase):  # type: ignore[misc]
    """``num_games`` games of an id with ``options``, or of a Game, that stay on a torch device.

    The batch size is ``[num_games]``. Each group of agents has entries ``observation [n, G, d]``, ``action [n, G, 1]``,
    ``reward [n, G, 1]`` and ``payoff [n, G, 1]`` (what the rules paid, whatever the reward mode); done, terminated and
    truncated ``[n, 1]`` are those of the game. groups: MarlGroupMapType or a mapping from names to agents; by default
    all are ``"agents"``, as BenchMARL and TorchRL's losses like it. observability: "full", "asymmetric", "minimal", or
    None for the game's own. scaled: actions and observations are numbers in [-1, 1] from their bounds; else they have
    the game's units. With ``set_seed(s)`` game i goes as the single environment with seed s + i.
    Raises ValueError or TypeError for anything unknown.
    """

    def __init__(
        self,
        game: str | Game,
        num_games: int = 1,
        *,
        reward_mode: str | RewardMode = "private",
        observability: str | None = None,
        groups: Groups = MarlGroupMapType.ALL_IN_ONE_GROUP,
        scaled: bool = True,
        device: Any = "cpu",
        dtype: Any = None,
        compile: bool = False,
        **options: Any,
    ) -> None:
        lone = make_game(game, **options)
        view = View.of(lone, observability, scaled=scaled)
        games = make_vec(
            lone, num_games, backend="torch", device=device, dtype=dtype, reward_mode=reward_mode, report="none",
            observability=view.setting, autoreset_mode=AutoresetMode.DISABLED, validate=False, compile=compile,
        )  # fmt: skip
        keep_freed_memory()  # a step's tensors are as large as a learner's
        super().__init__(device=torch.device(device), batch_size=[num_games])
        self.games, self.game, self.view = games, lone, view.like(games.game.endowment)
        self.group_map = grouped(lone, groups)
        self.columns = {name: [lone.agents.index(a) for a in group] for name, group in self.group_map.items()}
        order = [i for columns in self.columns.values() for i in columns]
        self._back = None if order == sorted(order) else torch.as_tensor(order, device=self.device).argsort()
        self._seed: int | None = None
        self._ends = torch.zeros(2, num_games, 1, dtype=torch.bool, device=self.device)
        self._make_specs()

    def _make_specs(self) -> None:
        n, width = self.batch_size[0], self.view.observation_space.shape[0]
        high = torch.as_tensor(self.game.endowment, dtype=torch.float32, device=self.device)
        seen, actions, rewards = (Composite(shape=[n], device=self.device) for _ in range(3))
        for name, columns in self.columns.items():
            size = (n, len(columns))
            number = Unbounded(shape=(*size, 1), device=self.device)
            top = torch.ones_like(high) if self.view.scaled else high
            top = top[columns][:, None].expand(*size, 1)
            low = -top if self.view.scaled else torch.zeros_like(top)
            here = {"observation": Unbounded(shape=(*size, width), device=self.device), "payoff": number}
            seen[name] = Composite(here, shape=size, device=self.device)
            moved = Bounded(low, top, shape=(*size, 1), dtype=torch.float32, device=self.device)
            actions[name] = Composite({"action": moved}, shape=size, device=self.device)
            rewards[name] = Composite({"reward": number.clone()}, shape=size, device=self.device)
        ended = {name: Binary(1, shape=(n, 1), dtype=torch.bool, device=self.device) for name in ENDS}
        self.observation_spec, self.action_spec, self.reward_spec = seen, actions, rewards
        self.done_spec = Composite(ended, shape=[n], device=self.device)

    def _set_seed(self, seed: int | None) -> None:
        self._seed = seed

    def _reset(self, tensordict: TensorDictBase | None = None, **kwargs: Any) -> TensorDictBase:
        mask = None if tensordict is None else tensordict.get("_reset", None)
        options = None if mask is None else {"reset_mask": mask.reshape(-1)}
        if mask is None or bool(mask.any()):
            self.games.reset(seed=self._seed, options=options)
            self._seed = None
            self._ends = self._ends & (False if mask is None else ~mask.reshape(-1, 1))
        return self._told(self.games.observed(), None)

    def _step(self, tensordict: TensorDictBase) -> TensorDictBase:
        moved = [tensordict.get((name, "action"))[..., 0] for name in self.columns]
        out = self.games.advance(self.view.move(self._in_order(moved)))
        self._ends = torch.stack([out.terminated, out.truncated])[..., None]
        return self._told(out.last_seen, (out.payoffs, out.rewards))

    def _in_order(self, moved: list[Tensor]) -> Tensor:
        """Actions ``[n, N]`` in the order of the agents."""
        actions = moved[0] if len(moved) == 1 else torch.cat(moved, -1)
        return actions if self._back is None else actions[:, self._back]

    def _told(self, seen: Tensor, earned: tuple[Tensor, Tensor] | None) -> TensorDict:
        """What a reset (earned None) or a step (payoffs, rewards ``[n, N]``) tells."""
        rows, terminated, truncated = self.view.see(seen), *self._ends
        told: dict[str, Any] = {"done": terminated | truncated, "terminated": terminated, "truncated": truncated}
        for name, columns in self.columns.items():
            whole = len(self.columns) == 1 and self._back is None
            here = {"observation": rows if whole else rows[:, columns]}
            if earned is None:
                here["payoff"] = torch.zeros_like(here["observation"][..., :1])
            else:
                here["payoff"], here["reward"] = ((x if whole else x[:, columns])[..., None].float() for x in earned)
            told[name] = TensorDict(here, (len(rows), len(columns)), device=self.device)
        return TensorDict(told, self.batch_size, device=self.device)


def grouped(game: Game, groups: Groups) -> dict[str, list[str]]:
    """Names of groups and their agents; ValueError where an agent is in none or in several."""
    names = list(game.agents)
    found = groups.get_group_map(names) if isinstance(groups, MarlGroupMapType) else groups
    made = {name: list(group) for name, group in found.items()}
    check_marl_grouping(made, names)
    return made
