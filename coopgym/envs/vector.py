"""Many games at once as a native Gymnasium vector environment, on NumPy arrays or torch tensors."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from gymnasium.error import ResetNeeded
from gymnasium.spaces import Space
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from coopgym import seeding
from coopgym.envs import observation, spaces, vector_info
from coopgym.envs.episode import finite_action, numpy_game
from coopgym.envs.game import Game
from coopgym.envs.reward import RewardMode
from coopgym.envs.spec import Specified, limited, refuse_rllib
from coopgym.envs.streams import Streams, seed_list
from coopgym.extras import explains, installed, sentence
from coopgym.mechanisms import checks
from coopgym.mechanisms.arrays import Array, namespace, to_numpy
from coopgym.mechanisms.base import State, select

REPORTS = ("all", "core", "none")


@explains("coopgym.make_vec")
def make_vec(
    game: str | Game,
    num_envs: int = 1,
    *,
    backend: str = "numpy",
    device: Any = None,
    dtype: Any = None,
    reward_mode: str | RewardMode = "private",
    observability: str = "joint",
    autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
    report: str | None = None,
    validate: bool | None = None,
    compile: bool = False,
    render_mode: None = None,
    max_episode_steps: int | None = None,
    **options: Any,
) -> GameVectorEnv:
    """``num_envs`` games of a game id or a Game in one vector environment.

    backend: "numpy", or "torch" with a ``device`` and ``dtype`` (float64 and float32 by default); with torch everything
    stays on the device. observability: "joint", or "full", "asymmetric", "minimal" for a row an agent. report: what
    ``infos`` hold: "all" that the game reports (default in NumPy), the "core" of payoffs, rewards, trust, reputation
    and actions (default in torch), or "none". validate: refuse actions that are not finite, and steps of games that are
    over when nobody resets them; both look at the device, so the default is to do it in host memory only. compile: run
    the step through ``torch.compile``. max_episode_steps: Gymnasium's name for the option ``max_steps``.
    Raises ValueError or TypeError for anything unknown or out of range, naming the nearest valid name.
    """
    if render_mode is not None:
        raise ValueError(f"render_mode={render_mode!r}: many games are not drawn; draw one, with gymnasium.make")
    checks.choice("backend", backend, ("numpy", "torch"))
    if backend == "numpy" and (compile or device not in (None, "cpu")):
        raise ValueError(f"compile={compile} and device={device!r} need torch; give backend='torch'")
    refuse_rllib(sys._getframe(1))
    made = numpy_game(*limited(game, options, "max_episode_steps", max_episode_steps))
    bound = made if backend == "numpy" and dtype is None else placed(made, backend, dtype, device)
    kind = report or ("all" if backend == "numpy" else "core")
    host = backend == "numpy" or bound.endowment.device.type == "cpu"
    return GameVectorEnv(
        made,
        bound,
        checks.whole("num_envs", num_envs, 1, 2**31),
        RewardMode.of(reward_mode),
        checks.choice("observability", observability, ("joint", *observation.SETTINGS)),
        autoreset(autoreset_mode),
        checks.choice("report", kind, REPORTS),
        host if validate is None else checks.flag("validate", validate),
        compile,
    )


def placed(game: Game, backend: str, dtype: Any, device: Any) -> Game:
    """The game on a backend and device; ImportError without torch, ValueError for a device that cannot be used."""
    if backend == "torch" and not installed("torch"):
        raise ModuleNotFoundError(sentence("torch", 'backend="torch"'), name="torch")
    try:
        return game.to(backend, dtype=dtype, device=device)
    except (AssertionError, RuntimeError) as error:  # torch's own words for a device that is not there
        raise ValueError(f"device={device!r} cannot be used ({error}); give device='cpu'") from error


def autoreset(mode: AutoresetMode | str) -> AutoresetMode:
    """An AutoresetMode from itself, its name ("NEXT_STEP") or its value ("NextStep")."""
    if isinstance(mode, AutoresetMode):
        return mode
    names = {**{m.value: m for m in AutoresetMode}, **{m.name: m for m in AutoresetMode}}
    return names[checks.choice("autoreset_mode", mode, names)]


class Outcome(NamedTuple):
    """One step of all games. ``state`` is what goes on (reset games already fresh), ``last`` what the step led to."""

    state: State
    last: State
    seen: Array
    last_seen: Array
    payoffs: Array
    rewards: Array
    total: Array
    terminated: Array
    truncated: Array
    report: dict[str, Any]


class GameVectorEnv(Specified, VectorEnv[Array, Array, Array]):
    """Made by ``make_vec``, or by ``gymnasium.make_vec("coopgym/TrustDilemma-v1", num_envs=1024)``.

    Actions ``[n, N]`` in endowment units; observations ``[n, d]`` float32, or ``[n, N, d]`` with rows of agents;
    rewards ``[n]`` summed over agents. With an int seed s, game i goes as the single environment with seed s + i,
    number for number; a list gives each its seed.
    All three autoreset modes of Gymnasium are kept as its SyncVectorEnv keeps them; with DISABLED reset finished games
    by ``reset(options={"reset_mask": bool[n]})``. In torch, ``final_obs`` is a tensor ``[n, d]`` (rows of games that go
    on repeat their observation), and no value is masked in ``infos``: look at ``infos["_key"]``.
    """

    def __init__(
        self,
        made: Game,
        game: Game,
        num_envs: int,
        mode: RewardMode,
        observability: str,
        autoreset_mode: AutoresetMode,
        report: str,
        validate: bool,
        compile: bool,
    ) -> None:
        super().__init__()
        self.game, self.num_envs, self.reward_mode = game, num_envs, mode
        self.autoreset_mode, self.observability = autoreset_mode, observability
        self.metadata = {"autoreset_mode": autoreset_mode, "render_modes": []}
        self.single_observation_space = spaces.observations(made, observability)
        self.single_action_space = spaces.joint_action(made)
        self._report, self._validate = report, validate
        self._numpy = isinstance(game.endowment, np.ndarray)
        self._weights = mode.weights
        self._quiet = contextlib.nullcontext() if self._numpy else _no_grad()
        self._streams = Streams(num_envs)
        self._reset_draws, self._step_draws = made.reset_draws, made.step_draws
        # where nothing is drawn or carried, one fresh game stands for all: ``select`` spreads it
        self._constant = None if made.reset_draws or made.carried else game.reset((1,))
        self._transition = self._compiled() if compile else self._play
        self._state: State | None = None
        self._over: Array = self._flags(np.zeros(num_envs, dtype=bool))

    # --- spaces are made when asked for: those of sixteen thousand games of forty agents fill hundreds of megabytes ---

    @cached_property
    def observation_space(self) -> Space[Any]:  # type: ignore[override]
        """The batched space, ``[n, d]``."""
        return batch_space(self.single_observation_space, self.num_envs)

    @cached_property
    def action_space(self) -> Space[Any]:  # type: ignore[override]
        """The batched space, ``[n, N]``."""
        return batch_space(self.single_action_space, self.num_envs)

    # --- Gymnasium's two calls ----------------------------------------------------------------------------------------

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Array, dict[str, Any]]:
        """(observations, infos); with option ``reset_mask`` bool ``[n]`` only those games start afresh."""
        given = (options or {}).get("reset_mask")
        if given is None:
            mask, everyone = np.ones(self.num_envs, dtype=bool), True
        else:
            mask, everyone = self._mask(given), False
        seeds = seed_list(seed, self.num_envs)
        if isinstance(seed, int):  # for wrappers; no game draws from it
            self._np_random, self._np_random_seed = seeding.generator(seed, "wrappers"), seed
        self._streams.seed(seeds, mask)
        forget = bool((options or {}).get("reset_reputation"))
        fresh = self._fresh(mask, None if forget else self._state)
        chosen = self._flags(mask)
        if self._state is not None and not everyone:
            fresh = select(chosen, fresh, self._state)
        elif self._constant is not None:
            fresh = self.game.reset((self.num_envs,))
        self._state = fresh
        self._over = self._over & ~chosen
        infos = {} if self._report == "none" else vector_info.of_state(self.game, self._state, chosen, self._report)
        return self._observe(self._state), infos

    def step(self, actions: Array) -> tuple[Array, Array, Array, Array, dict[str, Any]]:
        """(observations, rewards, terminations, truncations, infos) for actions ``[n, N]``.

        Raises ValueError for actions of the wrong shape or not finite, gymnasium.error.ResetNeeded before a reset or
        when autoreset is disabled and a finished game has not been reset; the state is untouched then.
        """
        pending = self._over
        out = self.advance(actions)
        infos = {} if self._report == "none" else self._infos(out, pending, out.terminated | out.truncated)
        return out.seen, out.total, out.terminated, out.truncated, infos

    # --- for the faces of other libraries, which need each agent's reward and what games looked like at their end -----

    @property
    def state(self) -> State:
        """The state of all games; ResetNeeded before the first reset."""
        if self._state is None:
            raise ResetNeeded("the games have no state before reset(); call reset() first")
        return self._state

    def observed(self) -> Array:
        """What is seen of all games now."""
        return self._observe(self.state)

    def advance(self, actions: Array) -> Outcome:
        """``step`` with all that came of it, and without ``infos``."""
        if self._state is None:
            raise ResetNeeded("step() was called before reset(); call reset() first")
        before, pending, mode = self._state, self._over, self.autoreset_mode
        if mode is AutoresetMode.DISABLED and self._validate and bool(pending.any()):
            late = np.flatnonzero(to_numpy(pending)).tolist()
            raise ResetNeeded(f"games {late[:8]} are over; reset them with options={{'reset_mask': mask}} first")
        actions = self._actions(actions, pending)
        next_step, same_step = mode is AutoresetMode.NEXT_STEP, mode is AutoresetMode.SAME_STEP
        fresh = self._constant
        if fresh is None and next_step:
            fresh = self._fresh(to_numpy(pending), before)
        with self._quiet:
            out: Outcome = self._transition(before, pending, actions, self._noise(pending), fresh)
        done = out.terminated | out.truncated
        if fresh is None and same_step:
            out = self._renew(out, done)
        self._state, self._over = out.state, pending if same_step else done  # at once reset, no game stays over
        return out

    # --- the step as a function of arrays -----------------------------------------------------------------------------

    def _play(self, before: State, pending: Array, actions: Array, draws: Array | None, fresh: State | None) -> Outcome:
        """Everything that happens on the device; ``fresh`` None leaves resets to the caller."""
        game, xp = self.game, namespace(actions)
        last, payoffs, terminated = game.step(before, actions, draws)
        rewards = game.rewards(self._weights, before, last, payoffs)
        truncated = game.truncated(last)
        if self.autoreset_mode is AutoresetMode.NEXT_STEP and self._some(pending):
            live = ~pending
            assert fresh is not None
            last = select(live, last, fresh)
            terminated, truncated = terminated & live, truncated & live
            payoffs = xp.where(live[:, None], payoffs, 0.0)
            rewards = xp.where(live[:, None], rewards, 0.0)
        report = game.info(before, last, last.actions) if self._report == "all" else {}
        last_seen = self._observe(last)
        state, seen = last, last_seen
        done = terminated | truncated
        if self.autoreset_mode is AutoresetMode.SAME_STEP and fresh is not None and self._some(done):
            state = select(done, fresh, last)
            seen = self._observe(state)
        return Outcome(
            state, last, seen, last_seen, payoffs, rewards, xp.sum(rewards), terminated, truncated, report
        )  # fmt: skip

    def _renew(self, out: Outcome, done: Array) -> Outcome:
        """Reset finished games whose fresh state has to be drawn, or carries something over."""
        mask = to_numpy(done)
        if not mask.any():
            return out
        state = select(done, self._fresh(mask, out.last), out.last)
        return out._replace(state=state, seen=self._observe(state))

    def _observe(self, state: State) -> Array:
        return namespace(state.actions).single(observation.observe(self.game, state, self.observability))

    def _some(self, mask: Array) -> bool:
        """Whether a masked change is worth making; on a device nobody looks, it is always made."""
        return not self._numpy or bool(mask.any())

    def _compiled(self) -> Callable[..., Outcome]:
        if self._numpy:
            raise ValueError("compile=True needs torch; give backend='torch'")
        import torch

        return torch.compile(self._play)

    # --- what comes in and goes out -----------------------------------------------------------------------------------

    def _actions(self, actions: Array, pending: Array) -> Array:
        """Actions on the backend; ValueError for a wrong shape, or for a value that is not finite in a running game."""
        xp, game = namespace(self.game.endowment), self.game
        try:
            x = xp.asarray(actions, game.endowment)
        except (TypeError, ValueError, OverflowError, RuntimeError):  # the last is torch's
            raise ValueError(
                f"actions={checks.shown(actions)} are not numbers; give an array [{self.num_envs}, {game.n}]"
            ) from None
        if tuple(x.shape) != (self.num_envs, game.n):
            raise ValueError(
                f"actions have shape {tuple(x.shape)}; give ({self.num_envs}, {game.n}), a row for each game"
            )
        if self._validate and not bool(xp.isfinite(x).all()):
            ignored = self.autoreset_mode is AutoresetMode.NEXT_STEP
            bad = ~xp.isfinite(x) & ~(pending & ignored)[:, None]
            for i, j in np.argwhere(to_numpy(bad)):
                try:
                    finite_action(game, game.agents[j], float(x[i, j]))
                except ValueError as error:
                    raise ValueError(f"game {i}: {error}") from None
            x = xp.where(xp.isfinite(x), x, 0.0)
        return x

    def _fresh(self, mask: np.ndarray, previous: State | None) -> State:
        """States at the start of an episode for all games; only those in ``mask`` draw, the others are not used."""
        if self._constant is not None:
            return self._constant
        game, draws = self.game, None
        if self._reset_draws:
            draws = namespace(game.endowment).asarray(self._streams.uniform(self._reset_draws, mask), game.endowment)
        return game.reset((self.num_envs,), draws, previous if game.carried else None)

    def _noise(self, pending: Array) -> Array | None:
        if not self._step_draws:
            return None
        playing = ~to_numpy(pending) if self.autoreset_mode is AutoresetMode.NEXT_STEP else np.ones(self.num_envs, bool)
        return namespace(self.game.endowment).asarray(
            self._streams.normal(self._step_draws, playing), self.game.endowment
        )

    def _flags(self, mask: np.ndarray) -> Array:
        if self._numpy:
            return mask.copy()
        import torch

        return torch.as_tensor(mask, device=self.game.endowment.device)

    def _mask(self, given: Any) -> np.ndarray:
        mask = to_numpy(given)
        if mask.dtype != np.bool_ or mask.shape != (self.num_envs,) or not mask.any():
            raise ValueError(f"reset_mask={given!r} is not valid; give a bool array [{self.num_envs}] with one True")
        return mask

    def _infos(self, out: Outcome, pending: Array, done: Array) -> dict[str, Any]:
        mode, last = self.autoreset_mode, out.last
        report = {
            "payoffs": out.payoffs,
            "rewards": out.rewards,
            "trust": last.trust,
            "reputation": last.damage,
            "actions": last.actions,
            **out.report,
        }
        if mode is not AutoresetMode.SAME_STEP:
            fresh = pending if mode is AutoresetMode.NEXT_STEP and self._some(pending) else None
            return vector_info.of_step(self.game, report, pending | True, fresh)
        if self._numpy and not done.any():
            return vector_info.of_step(self.game, report, ~done)
        infos = vector_info.of_state(self.game, out.state, done, self._report)
        return vector_info.with_final(self.game, report, infos, out.last_seen, done)


def _no_grad() -> Any:
    import torch

    return torch.no_grad()
