"""The public check: the libraries' own checkers, and what they leave out, over one game."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import re
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from gymnasium.envs.registration import EnvSpec
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from coopgym import seeding
from coopgym.envs import observation
from coopgym.envs.aec import make_aec
from coopgym.envs.episode import numpy_game
from coopgym.envs.game import Game
from coopgym.envs.joint import JointEnv
from coopgym.envs.parallel import make_parallel
from coopgym.envs.reward import KINDS
from coopgym.envs.vector import make_vec
from coopgym.extras import explains, installed
from coopgym.testing import traces
from coopgym.testing.structure import sentence, structure

HARMLESS = (  # advice of the checkers that does not apply; anything else they say is a failure
    # actions are amounts: between nothing and the endowment
    "For Box action spaces, we recommend using a symmetric and normalized space (range=[-1, 1] or [0, 1]). ",
    # the agents' observations have one size; their bounds follow each agent's endowment
    "Agents have different observation space sizes",
    # a released game observes a score that has no upper bound
    "A Box observation space maximum value is infinity. This is probably too high.",
)


@explains("coopgym.testing.check")
def check(game: str | Game, *, seed: int = 0, steps: int | None = None) -> None:
    """Check a game id or a Game through every face; AssertionError says in one sentence what failed, and where.

    First, that every hook of a mechanism gives the names, types and shapes that it must. Then:
    1. Gymnasium's ``check_env``, render modes included. 2. PettingZoo's ``parallel_api_test``, ``api_test`` and seed
    tests. 3. The vector environment against Gymnasium's SyncVectorEnv in all three autoreset modes, infos included.
    4. Gymnasium, vector, Parallel, AEC and the game itself give the same numbers over whole episodes, torch (in double
    precision, if installed) too; so a batch of one is a single game. 5. The same seed gives the same episode again,
    even if all that was handed out is overwritten. 6. The reward mode leaves payoffs and states alone. 7. Payoffs are
    finite, trust and reputation damage lie in [0, 1], observations in their spaces. 8. Swapping two agents whose data
    are equal swaps their results. 9. Gradients of payoffs agree with finite differences (if torch is installed).
    10. Bad actions, and steps outside an episode, are refused and change nothing.

    seed: of episodes and actions. steps: a shorter horizon for a quicker check. Games whose mechanisms treat agents by
    position, not by their data, fail number 8.
    """
    made = traces.shortened(numpy_game(game, {}), steps)
    stages: dict[str, Callable[[Game, int], None]] = {
        "mechanisms": structure,
        "Gymnasium's env checker": gymnasium_checker,
        "PettingZoo's parallel tests": parallel_checkers,
        "PettingZoo's AEC tests": aec_checkers,
        "vector environment": vector_environment,
        "faces and repeated episodes": faces,
        "reward modes": reward_modes,
        "ranges": ranges,
        "symmetry": symmetry,
        "gradients": gradients,
        "bad input": refusals,
    }
    for name, stage in stages.items():
        with reported(f"{made.id}: {name}"):
            stage(made, seed)


@contextlib.contextmanager
def reported(what: str) -> Iterator[None]:
    """Failures and warnings as AssertionErrors that say where; the checkers' prints are dropped."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("error")
        for message in HARMLESS:
            warnings.filterwarnings("ignore", rf"(\x1b\[\d+m)?(WARN: )?{re.escape(message)}")
        try:
            yield
        except Exception as error:
            raise AssertionError(f"{what}: {sentence(error)}") from error


def gymnasium_checker(game: Game, seed: int) -> None:
    """Number 1. Pictures are drawn only where matplotlib is installed."""
    env = JointEnv(game)
    env.spec = EnvSpec("coopgym/Checked-v0", entry_point="coopgym.envs.joint:JointEnv", kwargs={"game": game})
    drawable = installed("matplotlib")
    check_env(env, skip_render_check=not drawable)


def parallel_checkers(game: Game, seed: int) -> None:
    """Number 2, Parallel, under every observability setting."""
    from pettingzoo.test import parallel_api_test, parallel_seed_test

    for setting in observation.SETTINGS:
        parallel_api_test(make_parallel(game, observability=setting), num_cycles=game.horizon + 1)
    parallel_seed_test(lambda: make_parallel(game), num_cycles=game.horizon + 1)


def aec_checkers(game: Game, seed: int) -> None:
    """Number 2, AEC."""
    from pettingzoo.test import api_test, seed_test

    api_test(make_aec(game), num_cycles=game.horizon + 1)
    seed_test(lambda: make_aec(game), num_cycles=game.horizon + 1)


def vector_environment(game: Game, seed: int) -> None:
    """Number 3: three games, past the end of an episode."""
    short = traces.shortened(game, 12)  # ends soon, so that a few steps see several resets
    actions = np.stack([traces.actions_of(short, 30, seed + i) for i in range(3)], axis=1)
    for mode in AutoresetMode:
        ours = make_vec(short, 3, autoreset_mode=mode)
        theirs: Any = SyncVectorEnv([lambda: JointEnv(short)] * 3, autoreset_mode=mode)
        same(ours.reset(seed=seed), theirs.reset(seed=seed), f"{mode.name} reset")
        for step, row in enumerate(actions):
            result, expected = ours.step(row), theirs.step(row)
            same(result, expected, f"{mode.name} step {step}")
            done = expected[2] | expected[3]
            if mode is AutoresetMode.DISABLED and done.any():
                options = {"reset_mask": done}
                same(ours.reset(options=options), theirs.reset(options=dict(options)), f"{mode.name} masked reset")


def same(one: Any, other: Any, where: str) -> None:
    """AssertionError unless two nested results have the same keys, types and numbers."""
    if isinstance(one, (tuple, list)):
        for i, (a, b) in enumerate(zip(one, other, strict=True)):
            same(a, b, f"{where}[{i}]")
    elif isinstance(one, dict):
        assert one.keys() == other.keys(), f"{where}: keys differ by {sorted(one.keys() ^ other.keys())}"
        for key in one:
            same(one[key], other[key], f"{where}[{key!r}]")
    elif isinstance(one, np.ndarray) and one.dtype == object:
        same(list(one), list(other), where)
    elif isinstance(one, np.ndarray):
        assert (one.dtype, one.shape) == (other.dtype, other.shape), f"{where}: {one.dtype} against {other.dtype}"
        assert np.allclose(one, other, rtol=1e-12, atol=1e-12), f"{where}: {one} against {other}"
    else:
        assert type(one) is type(other) and one == other, f"{where}: {one!r} against {other!r}"


def faces(game: Game, seed: int) -> None:
    """Numbers 4 and 5: an erratic episode, and a steady one where erratic play may end the game early."""
    erratic = traces.actions_of(game, game.horizon, seed)
    steady = (0.8 * game.endowment + 0.05 * erratic).astype(np.float32)
    for actions in (erratic, steady) if game.exit is not None else (erratic,):
        one_episode(game, actions, seed)


def one_episode(game: Game, actions: np.ndarray, seed: int) -> None:
    """Every face twice against the game itself; what the first time handed out is overwritten at once."""
    expected = traces.kernel(game, "integrated", actions, seed)
    given = (game, "integrated", actions, seed)
    players = {
        "Gymnasium": traces.gymnasium_player(*given),
        "vector": traces.vector_player(*given),
        "Parallel": traces.parallel_player(*given),
        "AEC": traces.aec_player(*given),
    }
    if installed("torch"):
        players["torch"] = traces.vector_player(*given, backend="torch")
    for name, play in players.items():
        for what, spoil in (("first episode", True), ("repeated episode", False)):
            with reported(f"{name} against the game itself, {what}"):
                traces.compare(expected, play(spoil), 1e-9)


def reward_modes(game: Game, seed: int) -> None:
    """Number 6."""
    actions = traces.actions_of(game, game.horizon, seed + 1)
    plays = {mode: traces.gymnasium_player(game, mode, actions, seed)(False) for mode in KINDS}
    for mode in KINDS[1:]:
        unrewarded = {key: value for key, value in plays[mode].items() if key != "rewards"}
        with reported(f"{mode} against private"):
            traces.compare(plays["private"], unrewarded, 0.0)


def ranges(game: Game, seed: int) -> None:
    """Number 7, over random actions; the spaces promise nothing about actions outside their own."""
    actions = np.clip(traces.actions_of(game, game.horizon, seed + 2), 0.0, game.endowment.astype(np.float32))
    trace = traces.kernel(game, "private", actions, seed)
    diagonal = np.eye(game.n, dtype=bool)
    assert np.isfinite(trace["payoffs"]).all(), "payoffs are not finite"
    for key, value in (("trust", 1.0), ("reputation", 0.0)):
        matrices = trace[key]
        assert ((matrices >= 0.0) & (matrices <= 1.0)).all(), f"{key} leaves [0, 1]"
        assert (matrices[:, diagonal] == value).all(), f"the diagonal of {key} is not {value}"
    space = JointEnv(game).observation_space
    outside = [t for t, row in enumerate(trace["observations"].astype(np.float32)) if not space.contains(row)]
    assert not outside, f"the joint observation of step {outside[0]} is outside its space"


def symmetry(game: Game, seed: int) -> None:
    """Number 8, for each pair of neighbours with equal data, up to eight."""
    actions = traces.actions_of(game, min(game.horizon, 40), seed + 3)
    draws = game.reset_draws or game.step_draws
    pairs = [(i, i + 1) for i in range(game.n - 1)]
    alike = [] if draws else [pair for pair in pairs if interchangeable(game, *pair)][:8]
    for i, j in alike:
        order = np.arange(game.n)
        order[[i, j]] = j, i
        one = traces.kernel(game, "integrated", actions, seed)
        two = traces.kernel(game, "integrated", actions[:, order], seed)
        swapped = {key: two[key][:, order] for key in ("payoffs", "rewards")}
        swapped.update({key: two[key][:, order][:, :, order] for key in ("trust", "reputation")})
        with reported(f"{game.agents[i]} and {game.agents[j]} swapped"):
            traces.compare(one, swapped, 1e-9)


def interchangeable(game: Game, i: int, j: int) -> bool:
    """Whether every array of the game and of its first state stays the same when two agents are swapped."""
    order = np.arange(game.n)
    order[[i, j]] = j, i
    state = game.reset()
    return all(
        np.array_equal(array, _permuted(array, game.n, order))
        for array in [*_arrays(game), state.trust, state.damage, *state.extra.values()]
    )


def _arrays(part: Any) -> Iterator[np.ndarray]:
    if isinstance(part, np.ndarray):
        if part.dtype.kind == "f":  # whole numbers are positions, not data
            yield part
    elif isinstance(part, tuple):
        for item in part:
            yield from _arrays(item)
    elif dataclasses.is_dataclass(part):
        for field in dataclasses.fields(part):
            yield from _arrays(getattr(part, field.name))


def _permuted(array: np.ndarray, n: int, order: np.ndarray) -> np.ndarray:
    for axis, size in enumerate(array.shape):
        if size == n:
            array = np.take(array, order, axis)
    return array


def gradients(game: Game, seed: int) -> None:
    """Number 9, in a state with some history."""
    if not installed("torch"):
        return
    import torch

    rng = seeding.generator(seed, "testing")
    twin, state, step = game.to("torch", dtype=torch.float64), game.reset(), 1e-5
    for _ in range(3):
        draws = rng.standard_normal(game.step_draws) if game.step_draws else None
        state, _, _ = game.step(state, rng.uniform(0.35, 0.9, game.n) * game.endowment, draws)
    here = rng.uniform(0.55, 0.95, game.n) * game.endowment
    there = state._replace(
        **{name: torch.as_tensor(value) for name, value in zip(state._fields[:4], state[:4], strict=True)},
        extra={name: torch.as_tensor(value) for name, value in state.extra.items()},
    )
    jacobian: Any = torch.autograd.functional.jacobian
    slopes = jacobian(lambda a: twin.payoffs(there, a), torch.as_tensor(here)).numpy()
    for i in range(min(game.n, 6)):
        shift = step * (np.arange(game.n) == i)
        difference = (game.payoffs(state, here + shift) - game.payoffs(state, here - shift)) / (2.0 * step)
        close = np.allclose(slopes[:, i], difference, rtol=1e-5, atol=1e-6)
        assert close, f"d payoffs / d action of {game.agents[i]}: {slopes[:, i]} by torch, {difference} by differences"


def refusals(game: Game, seed: int) -> None:
    """Number 10, for the faces of a single game and the vector environment."""
    good = np.asarray(0.5 * game.endowment, dtype=np.float32)
    bad = good.copy()
    bad[-1] = np.nan
    env, many, parallel = JointEnv(game), make_vec(game, 2), make_parallel(game)
    named = dict(zip(game.agents, bad, strict=True))
    refused(ResetNeeded, lambda: env.step(good))
    refused(ResetNeeded, lambda: many.step(np.stack([good, good])))
    refused(ResetNeeded, lambda: parallel.step(named))
    first, _ = env.reset(seed=seed)
    refused(ValueError, lambda: env.step(bad))
    refused(ValueError, lambda: env.step(good[:-1]))
    many.reset(seed=seed)
    refused(ValueError, lambda: many.step(np.stack([good, bad])))
    refused(ValueError, lambda: many.step(good))
    parallel.reset(seed=seed)
    refused(ValueError, lambda: parallel.step(named))
    refused(ValueError, lambda: parallel.step({"nobody": 1.0}))
    untouched = (
        env.step(good)[0],
        parallel.step(dict(zip(game.agents, good, strict=True))),
        many.step(np.stack([good] * 2)),
    )
    fresh = JointEnv(game)
    same(first, fresh.reset(seed=seed)[0], "first observation")
    expected = fresh.step(good)[0]
    same(untouched[0], expected, "observation after refused actions")
    same(untouched[2][0][0], expected, "vector observation after refused actions")
    same(parallel.state(), expected, "parallel state after refused actions")


def refused(kind: type[Exception], call: Callable[[], Any]) -> None:
    """AssertionError unless the call raises an error of this kind."""
    try:
        call()
    except kind:
        return
    raise AssertionError(f"a call that should raise {kind.__name__} was accepted")
