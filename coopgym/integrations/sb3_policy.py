"""Models of Stable-Baselines3 as policies of the package."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from gymnasium.spaces import Box
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.policies import BasePolicy
from stable_baselines3.common.save_util import load_from_zip_file
from stable_baselines3.common.vec_env import VecNormalize

from coopgym.algorithms.foreign import ForeignPolicy
from coopgym.algorithms.policy import Policy
from coopgym.algorithms.seating import Seat
from coopgym.envs.catalogue import game as make_game
from coopgym.envs.game import Game
from coopgym.integrations.missing import need_trust
from coopgym.integrations.view import JOINT, guessed


def from_sb3(
    model: Any,
    game: str | Game | None = None,
    *,
    agent: int | str | None = None,
    partners: Any = None,
    normalize: VecNormalize | None = None,
    trust: bool = False,
    **options: Any,
) -> Policy:
    """The policy of a model of Stable-Baselines3, or of the .zip that it was saved to.

    A model of one agent plays all seats; with ``agent`` and ``partners`` it plays that seat and they the others, as in
    ``coopgym.make_seat``. A model of the joint controller is a policy that sees the joint observation. game: an id with
    ``options`` or a Game; by default that of the model's environment. normalize: a VecNormalize whose statistics to
    use; by default the model's own, which a .zip does not hold. trust: load a .zip: it is a pickle, and loading
    it runs whatever code it holds. Raises ValueError if the model does not fit the game, or for a .zip without trust.
    """
    env = model.get_env() if isinstance(model, BaseAlgorithm) else None
    if game is None and env is None:
        raise ValueError("the model has no environment to tell its game; give game='TrustDilemma-v1' or the like")
    made = make_game(env.get_attr("game")[0] if game is None and env is not None else game, **options)  # type: ignore
    if isinstance(model, BaseAlgorithm):
        name, policy = type(model).__name__, model.policy
        normalize = normalize or model.get_vec_normalize_env()
    else:
        need_trust(model, "Stable-Baselines3", trust)
        name, policy = os.path.basename(os.fspath(model)), load(model)
    found = SB3Policy(policy, made, name, normalize)
    if agent is None and partners is None:
        return found
    if agent is None or partners is None:
        raise ValueError(f"agent={agent!r} and partners={partners!r} go together; give both or neither")
    return Seat.of(made, agent, partners).around(found)


def load(path: Any) -> BasePolicy:
    """The networks saved in a .zip, whichever algorithm of Stable-Baselines3 wrote it."""
    data, parameters, _ = load_from_zip_file(os.fspath(path), device="cpu")
    if not data or "policy_class" not in data:
        raise ValueError(f"{os.fspath(path)} holds no policy of Stable-Baselines3; save it with model.save")
    kwargs = dict(data.get("policy_kwargs") or {})
    if data.get("use_sde"):
        kwargs.setdefault("use_sde", True)
    policy: BasePolicy = data["policy_class"](
        data["observation_space"], data["action_space"], lambda progress: 0.0, **kwargs
    )
    policy.load_state_dict(parameters["policy"])  # type: ignore[arg-type]
    return policy


class SB3Policy(ForeignPolicy):
    """Made by ``from_sb3``."""

    library = "sb3"

    def __init__(self, policy: BasePolicy, game: Game, name: str, normalize: VecNormalize | None) -> None:
        if not isinstance(policy.observation_space, Box) or not isinstance(policy.action_space, Box):
            raise ValueError(
                f"{name} sees {policy.observation_space} and acts in {policy.action_space}; both must be Box"
            )
        self.game, self.name, self.module, self.normalize = game, name, policy, normalize
        self.view = guessed(game, policy.observation_space.shape, policy.action_space.shape, policy.action_space)
        self.observability = self.view.setting
        self._policy = policy
        self.recurrent = _recurrent(policy)

    def answer(self, observations: np.ndarray, deterministic: bool) -> np.ndarray:
        """Their ``predict`` of all rows at once, with the recurrent state of each row where the model has one."""
        seen = self.view.see(observations)
        rows = seen.reshape(-1, seen.shape[-1])
        if self.normalize is not None:
            rows = self.normalize.normalize_obs(rows)
        actions = self._predicted(rows, deterministic)
        joint = self.view.setting == JOINT
        batch = seen.shape[:-1] if joint else seen.shape[:-2]
        return np.asarray(self.view.move(np.asarray(actions, dtype=np.float64).reshape(*batch, self.game.n)))

    def _predicted(self, rows: np.ndarray, deterministic: bool) -> np.ndarray:
        if not self.recurrent:
            return np.asarray(self._policy.predict(rows, deterministic=deterministic)[0])
        states, count = self.memory or (None, len(rows))
        if count != len(rows):
            raise ValueError(
                f"{self.name} remembers an episode of {count} rows and was given {len(rows)}; call reset() first"
            )
        begins = np.full(len(rows), self.memory is None)
        actions, states = self._policy.predict(rows, states, begins, deterministic)
        self.memory = (states, len(rows))
        return np.asarray(actions)


def _recurrent(policy: BasePolicy) -> bool:
    """Whether ``predict`` gives back a state for the next step, as the recurrent models of sb3-contrib do."""
    row = np.zeros((1, *(policy.observation_space.shape or ())), dtype=np.float32)
    return policy.predict(row, None, np.ones(1, dtype=bool), deterministic=True)[1] is not None
