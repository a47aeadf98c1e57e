"""Check that the mechanisms of a game have the names, types and shapes that they promise, hook by hook."""

from __future__ import annotations

import contextlib
import dataclasses
import re
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np

from coopgym import seeding
from coopgym.envs.game import Game
from coopgym.extras import installed
from coopgym.mechanisms import checks
from coopgym.mechanisms.arrays import is_torch
from coopgym.mechanisms.base import Mechanism, State, Transition, bind

ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


def structure(game: Game, seed: int) -> None:
    """AssertionError for the first hook of a mechanism that does not give what it must.

    Args:
        game: In NumPy.
        seed: Of the actions and draws.
    """
    require(isinstance(game.mechanisms, tuple), f"mechanisms is a {kind(game.mechanisms)}; give a tuple")
    for mechanism in game.mechanisms:
        _declared(mechanism)
    rng = seeding.generator(seed, "testing")
    names = {name: owner for owner in game.mechanisms for name in _begun(owner, game.endowment, rng)}
    for mechanism in game.mechanisms:
        _observed(mechanism, list(names))
    for batch in ((), (3,)):
        draws = rng.random((*batch, game.reset_draws)) if game.reset_draws else None
        state = game.reset(batch, draws)
        actions = rng.uniform(0.3, 0.9, (*batch, game.n)) * game.endowment
        noise = rng.standard_normal((*batch, game.step_draws)) if game.step_draws else None
        _step(game, state, actions, noise)


def _declared(mechanism: Any) -> None:
    name = kind(mechanism)
    require(isinstance(mechanism, Mechanism), f"{name} is no Mechanism; derive it from coopgym's Mechanism")
    require(dataclasses.is_dataclass(mechanism), f"{name} is no dataclass; put @dataclass(frozen=True) above it")
    for count in ("reset_draws", "step_draws"):
        value = getattr(mechanism, count)
        whole = isinstance(value, (int, np.integer)) and int(value) >= 0
        require(whole, f"{name}.{count} is {checks.shown(value)}; give a whole number from 0 on")


def _begun(mechanism: Mechanism, like: np.ndarray, rng: np.random.Generator) -> list[str]:
    """Names of the entries that ``initial`` gives; what they hold has to move with the game from NumPy to torch."""
    draws = rng.random(mechanism.reset_draws) if mechanism.reset_draws else None
    for given in (None, draws):
        for name, value in _table(mechanism, "initial", mechanism.initial(given)).items():
            array = isinstance(value, (np.ndarray, np.generic))
            what = f"{kind(mechanism)}.initial[{name!r}] is {checks.shown(value)}"
            require(array, f"{what}, a {kind(value)}; give an array, best a field of {kind(mechanism)}")
    if installed("torch"):
        import torch

        tensor = torch.as_tensor(like, dtype=torch.float64)
        twin = bind(mechanism, tensor)
        for name, value in twin.initial(None if draws is None else torch.as_tensor(draws)).items():
            text = (
                f"{kind(mechanism)}.initial[{name!r}] stays a NumPy array where the game is one of torch; give a field "
                f"of {kind(mechanism)}, or a formula of its fields: they move between the libraries by themselves"
            )
            require(is_torch(value), text)
    return list(mechanism.initial(None))


def _observed(mechanism: Mechanism, names: list[str]) -> None:
    where = f"{kind(mechanism)}.observed"
    for name, bounds in _table(mechanism, "observed", mechanism.observed).items():
        hint = checks.nearest(name, names)
        known = f"the state has {', '.join(names) or 'no such entries'}"
        require(name in names, f"{where} names {name!r}, which no mechanism's initial gives;{hint} {known}")
        pair = isinstance(bounds, (tuple, list)) and len(bounds) == 2
        require(pair, f"{where}[{name!r}] is {checks.shown(bounds)}; give a pair (lowest, highest)")


def _step(game: Game, state: State, actions: np.ndarray, noise: np.ndarray | None) -> None:
    payoffs: Any = 0.0 * actions
    given = {"actions": actions, "baseline": game.baseline, "draws": noise}
    given |= {f"state.{name}": value for name, value in state._asdict().items() if name != "extra"}
    given |= {f"state.extra[{name!r}]": value for name, value in state.extra.items()}
    for mechanism in game.mechanisms:
        with _untouched(mechanism, "payoffs", given | {"payoffs": payoffs}):
            added = mechanism.payoffs(state, actions, payoffs)
        payoffs = added
        _shaped(mechanism, "payoffs", payoffs, actions.shape)
        with _untouched(mechanism, "baseline", given):
            expected = mechanism.baseline(state, actions, game.baseline)
        _broadcasts(mechanism, "baseline", expected, actions.shape)
    move = Transition(state, actions, actions, state.trust, state.damage, noise)
    for mechanism in game.mechanisms:
        own = list(mechanism.initial(None))
        with _untouched(mechanism, "update", given):
            changed = mechanism.update(move)
        for name, value in _table(mechanism, "update", changed).items():
            hint = checks.nearest(name, own)
            mine = f"its initial gives {', '.join(own) or 'nothing'}"
            require(name in own, f"{kind(mechanism)}.update gives {name!r}, which its initial does not;{hint} {mine}")
            _shaped(mechanism, f"update[{name!r}]", value, np.shape(state.extra[name]))
    after = game.advance(state, actions, actions, noise)
    for mechanism in game.mechanisms:
        with _untouched(mechanism, "info", given):
            told = mechanism.info(state, after, actions)
        _table(mechanism, "info", told)


@contextlib.contextmanager
def _untouched(mechanism: Mechanism, hook: str, given: Mapping[str, Any]) -> Iterator[None]:
    """AssertionError if one of the arrays that a hook was given, by name, holds something else after it."""
    before = {name: np.array(value) for name, value in given.items() if value is not None}
    yield
    for name, value in before.items():
        text = (
            f"{kind(mechanism)}.{hook} changes its argument {name} in place; make a new array of it and leave it alone"
        )
        require(np.array_equal(value, given[name], equal_nan=True), text)


def _table(mechanism: Mechanism, hook: str, found: Any) -> Mapping[str, Any]:
    good = isinstance(found, Mapping) and all(isinstance(name, str) for name in found)
    require(good, f"{kind(mechanism)}.{hook} gives {checks.shown(found)}; give a dict by name")
    table: Mapping[str, Any] = found
    return table


def _shaped(mechanism: Mechanism, hook: str, found: Any, shape: tuple[int, ...]) -> None:
    array = isinstance(found, (np.ndarray, np.generic)) or is_torch(found)
    what = f"{kind(mechanism)}.{hook} gives"
    require(array, f"{what} a {kind(found)}, {checks.shown(found)}; give an array of shape {list(shape)}")
    same = tuple(found.shape) == tuple(shape)
    require(same, f"{what} an array of shape {list(found.shape)}; it must be {list(shape)}, batch axes first")


def _broadcasts(mechanism: Mechanism, hook: str, found: Any, shape: tuple[int, ...]) -> None:
    try:
        fits = np.broadcast_shapes(np.shape(found), shape) == tuple(shape)
    except (TypeError, ValueError):
        fits = False
    text = f"{kind(mechanism)}.{hook} gives {checks.shown(found)}; give one number for each agent"
    require(fits, text)


def require(condition: bool, text: str) -> None:
    """AssertionError with a sentence unless the condition holds."""
    if not condition:
        raise AssertionError(text)


def kind(value: Any) -> str:
    """The name of a value's class."""
    return type(value).__name__


def sentence(error: BaseException) -> str:
    """What went wrong, in one line: of an error inside a game's own code where, and which name may have been meant."""
    text = " ".join(ANSI.sub("", str(error)).split())
    if isinstance(error, (AssertionError, Warning)):
        return text or "an assertion failed"
    found = _own_frame(error)
    where = f"{found[0]} ({Path(found[1]).name}, line {found[2]}) fails: " if found else ""
    hint = ""
    if isinstance(error, KeyError) and found:
        known = _state_of(found[3])
        key = error.args[0] if error.args else ""
        hint = f";{checks.nearest(key, known)} the state has {', '.join(known) or 'no entries of its own'}"
        text = f"there is no {text}"
        return f"{where}{text}{hint}"
    return f"{where}{kind(error)}: {text}" if where or not isinstance(error, ValueError) else text


def _own_frame(error: BaseException) -> tuple[str, str, int, FrameType] | None:
    """(Class.method, file, line, frame) of the innermost call of a game or mechanism."""
    found = None
    for frame, line in traceback.walk_tb(error.__traceback__):
        owner = frame.f_locals.get("self")
        if isinstance(owner, Mechanism) or (isinstance(owner, Game) and type(owner) is not Game):
            found = (f"{kind(owner)}.{frame.f_code.co_name}", frame.f_code.co_filename, line, frame)
    return found


def _state_of(frame: FrameType) -> list[str]:
    """Names of the entries of the state that a hook was given."""
    for value in frame.f_locals.values():
        state = value.before if isinstance(value, Transition) else value
        if isinstance(state, State):
            return list(state.extra)
    return []
