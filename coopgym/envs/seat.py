"""One agent's seat as a single-agent Gymnasium environment: the other seats are played by policies."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import gymnasium
import numpy as np

from coopgym import seeding
from coopgym.envs import observation, spaces
from coopgym.envs.episode import RENDER_MODES, Episode, finite_action
from coopgym.envs.foreign import is_foreign
from coopgym.envs.game import Game
from coopgym.envs.parallel import one_number
from coopgym.envs.reward import RewardMode
from coopgym.envs.streams import seed_game
from coopgym.extras import explains
from coopgym.mechanisms import checks
from coopgym.mechanisms.base import State

NAMED_POLICIES = "coopgym.algorithms.policy"  # a floor above: looked up only when a partner is given by name


@explains("coopgym.make_seat")
def make_seat(
    game: str | Game,
    agent: int | str = 0,
    partners: Any = "TitForTat",
    *,
    reward_mode: str | RewardMode = "private",
    observability: str | None = None,
    render_mode: str | None = None,
    trust: bool = False,
    **options: Any,
) -> SeatEnv:
    """The seat of ``agent`` (index or id) in a game id or a Game; its reward is that agent's alone.

    partners: who plays the other seats: the name of a policy ("TitForTat", "Random", ...), a policy, a function from
    observations ``[N, d]`` to actions ``[N]`` in endowment units, a number in [0, 1] (a constant share of the
    endowment), a model or a path as ``coopgym.policy`` takes them, or a dict from agents to any of these, one for each
    other seat. A policy sees the observations of its attribute ``observability``, a function those of the game's
    default. What remembers is begun anew with each episode: its method ``reset``, where it has one, is called. trust:
    load partners' files of other libraries; they are pickles, and loading one runs whatever code it holds. Raises
    ValueError for an unknown agent, partner or setting, or a pickle without trust.
    """
    return SeatEnv(game, agent, partners, reward_mode, observability, render_mode, options, trust)


class Partner(NamedTuple):
    """Who plays the seats ``columns``: ``act`` maps observations ``[N, d]`` of a setting to actions ``[N]``."""

    policy: Any
    act: Callable[[np.ndarray], Any]
    setting: str
    columns: list[int]


class SeatEnv(gymnasium.Env[np.ndarray, np.ndarray]):
    """Made by ``make_seat``. Actions have shape (1,), in endowment units; ``info`` is that of the joint environment."""

    metadata = {"render_modes": list(RENDER_MODES), "render_fps": 4}  # noqa: RUF012 - Gymnasium's own declaration

    def __init__(
        self,
        game: str | Game,
        agent: int | str,
        partners: Any,
        reward_mode: str | RewardMode,
        observability: str | None,
        render_mode: str | None,
        options: dict[str, Any],
        trust: bool = False,
    ) -> None:
        self._episode = Episode(game, reward_mode, self._generator, render_mode, options)
        self.game = self._episode.game
        self.render_mode = render_mode
        self.seat = self.game.agent_index(agent)
        self.agent = self.game.agents[self.seat]
        self.observability = observation.check_setting(observability or self.game.default_observability)
        self.partners = seated(self.game, self.seat, partners, trust)
        self.observation_space = spaces.agent_observations(self.game, self.observability)[self.agent]
        self.action_space = spaces.agent_actions(self.game)[self.agent]

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """(observation, info). A seed also restarts the random stream of partners that have one."""
        super().reset(seed=seed)
        seed_game(self, seed)
        for position, partner in enumerate(self.partners):
            if seed is not None and hasattr(partner.policy, "reseed"):
                partner.policy.reseed(seeding.integer(seed, "players", position))
            if hasattr(partner.policy, "reset"):
                partner.policy.reset()
        state = self._episode.begin(options)
        return self._rows(state, self.observability)[self.seat].copy(), self._episode.state_info()

    def step(self, action: Any) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """(observation, own reward, terminated, truncated, info) for one action in endowment units."""
        own = finite_action(self.game, self.agent, one_number(self.agent, action))  # before any partner is asked
        move = self._episode.move(self._joint(own) if not self._episode.over else [own])
        seen = self._rows(move.after, self.observability)[self.seat].copy()
        reward = float(move.rewards[self.seat])
        return seen, reward, move.terminated, move.truncated, self._episode.move_info(move)

    def render(self) -> Any:
        """Text for "ansi", ``uint8[height, width, 3]`` for "rgb_array", None without a render mode."""
        if self.render_mode is None:
            return None
        from coopgym.envs.render import render

        return render(self._episode, self.render_mode)

    def _generator(self) -> np.random.Generator:  # a method, so that a copied environment draws from its own
        return self.np_random

    def _rows(self, state: State, setting: str) -> np.ndarray:
        rows: np.ndarray = observation.per_agent(self.game, state, setting).astype(np.float32)
        return rows

    def _joint(self, own: float) -> np.ndarray:
        """All actions ``[N]``: the partners' and, in its place, the seat's own."""
        state = self._episode.current("step()")
        actions = np.empty(self.game.n)
        for partner in self.partners:
            answer = np.asarray(partner.act(self._rows(state, partner.setting)), dtype=np.float64)
            if answer.shape != (self.game.n,):
                raise ValueError(f"partner {partner.policy!r} gave shape {answer.shape}; it must give ({self.game.n},)")
            actions[partner.columns] = answer[partner.columns]
        actions[self.seat] = own
        return actions


def seated(game: Game, seat: int, partners: Any, trust: bool = False) -> list[Partner]:
    """The partners at all seats but ``seat``; one that plays several seats is asked once a step."""
    return [partner(game, who, columns, trust) for who, columns in other_seats(game, seat, partners)]


def other_seats(game: Game, seat: int, partners: Any) -> list[tuple[Any, list[int]]]:
    """(who, the seats it plays) for all seats but ``seat``: one for all of them, or those of a dict."""
    others = [i for i in range(game.n) if i != seat]
    if not isinstance(partners, Mapping):
        return [(partners, others)]
    given = {game.agent_index(agent): who for agent, who in partners.items()}
    missing, extra = [game.agents[i] for i in others if i not in given], seat in given
    if missing or extra:
        wrong = f"lacks {missing}" if missing else f"names {game.agents[seat]}, whose seat this is"
        raise ValueError(f"partners {wrong}; give one partner for each other agent")
    seats: list[tuple[Any, list[int]]] = []
    for i in others:
        who = given[i]
        same = next((columns for known, columns in seats if known is who and hasattr(who, "act")), None)
        if same is None:
            seats.append((who, [i]))
        else:  # one policy in several seats is asked once a step
            same.append(i)
    return seats


def partner(game: Game, who: Any, columns: list[int], trust: bool = False) -> Partner:
    """A partner from a name, a policy, a function or a rate; ValueError for anything else."""
    setting = game.default_observability
    if isinstance(who, str) or is_foreign(who):
        who = importlib.import_module(NAMED_POLICIES).policy(who, game, trust=trust)
    if hasattr(who, "act"):
        if getattr(who, "remembers", False) and hasattr(who, "clone"):
            who = who.clone()  # it may play elsewhere at the same time, and must not mix up the episodes
        return Partner(who, who.act, observation.check_setting(getattr(who, "observability", setting)), columns)
    if callable(who):
        return Partner(who, who, setting, columns)
    if isinstance(who, (int, float, np.number)) and not isinstance(who, bool):
        constant = checks.number("rate", who, 0.0, 1.0) * game.endowment
        return Partner(who, functools.partial(_played, constant), "minimal", columns)
    raise ValueError(f"partner {who!r} is not known; give a policy, its name, a function or a rate in [0, 1]")


def _played(actions: np.ndarray, observations: np.ndarray) -> np.ndarray:
    """The same actions ``[N]`` whatever is seen; a function by name, so that a seat can be pickled."""
    return actions
