"""Check the options of a study's file by name and by value, with the code that training itself uses."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from coopgym.algorithms import registry
from coopgym.envs.catalogue import entry
from coopgym.envs.catalogue import game as make_game
from coopgym.envs.game import Game
from coopgym.mechanisms import checks

ALL = "all"
Options = dict[str, Any]
Tables = Mapping[str, Options]


def settings_of(algorithm: str) -> set[str]:
    """Names of the hyperparameters of a learner; of anything else there are none."""
    settings = registry.algorithm(algorithm).settings
    return set() if settings is None else {field.name for field in dataclasses.fields(settings)}


def check_settings(algorithm: str, layers: Tables, game: Game) -> Options:
    """Put the hyperparameters of a learner together, and make its settings of them as training does.

    Args:
        algorithm: A learner.
        layers: Options by the table of the file that they stand in; later tables go before earlier ones.
        game: What it is to learn, with its options.

    Returns:
        The options.

    Raises:
        ValueError: For a value that the learner refuses, at all or on this game; it names the table.
    """
    settings = registry.algorithm(algorithm).settings
    assert settings is not None
    given: Options = {}
    for options in layers.values():
        given |= options
    try:
        made = settings(**given)
        if hasattr(made, "check_game"):  # a user's own algorithm may lack it
            made.check_game(game)
    except (TypeError, ValueError, OverflowError) as error:
        text = " ".join(str(error).split())
        named = [table for table, options in layers.items() if any(text.startswith(f"{name}=") for name in options)]
        where = [*(table for table, options in layers.items() if options), *named]
        raise ValueError(f"{where[-1]}: {text}") from None
    return given


def make(game: str, options: Options, where: str) -> Game:
    """The game with its options; ValueError naming the place in the file for a value that it refuses."""
    made: Game = with_place(lambda: make_game(game, **options), where)
    return made


def with_place(call: Any, where: str) -> Any:
    """What ``call()`` gives; anything that it refuses is a ValueError that begins with the place in the file."""
    try:
        return call()
    except (TypeError, ValueError, OverflowError) as error:
        text = " ".join(str(error).split())
        raise ValueError(text if text.startswith(where) else f"{where}: {text}") from None


def game_name(name: str, version: str, games: Sequence[str], where: str) -> str:
    """The full name of a game that something in the file is said of.

    Raises:
        ValueError: For an unknown game, another version of a game that the study plays, and a game it does not play.
    """
    if not isinstance(name, str):
        raise ValueError(f"{where}: {checks.shown(name)} is no name of a game; names are text")
    full: str = with_place(lambda: full_name(name, version), where)
    other = [game for game in games if full not in games and game.rpartition("-")[0] == full.rpartition("-")[0]]
    if other:
        raise ValueError(f"{where}.{name}: this study plays {other[0]}, not {full}; write {other[0]}")
    if full not in games:
        raise ValueError(f"{where}.{name}: this study does not play {full}; add it to games, or leave this out")
    return full


def full_name(name: str, version: str = "v1") -> str:
    """An id with its version: ``version`` where none is given."""
    found, given = entry(name)
    return f"{found.name}-{given if str(name).endswith(f'-{given}') else version}"


def by_game(tables: Tables, version: str, games: Sequence[str], where: str) -> dict[str, Options]:
    """Options by the full name of the game, those for all aside; ValueError for a game that has two tables."""
    found: dict[str, Options] = {}
    for name, options in tables.items():
        if name == ALL:
            continue
        full = game_name(name, version, games, where)
        if full in found:
            raise ValueError(f"{where} has two tables for {full}; keep one")
        known = entry(full)[0].options(entry(full)[1])
        for option in options:
            check_name(option, known, f"{where}.{name}", f"{full} has no such option")
        found[full] = options
    return found


def by_learner(tables: Tables, algorithms: Sequence[str]) -> dict[str, Options]:
    """Hyperparameters by learner, those for all aside; ValueError for a name that is no learner's of the study."""
    for name, options in tables.items():
        if name != ALL:
            with_place(lambda name=name: learner(name), "hyperparameters")
            check_trained(name, algorithms, "hyperparameters")
            known = settings_of(name)
            for option in options:
                check_name(option, known, f"hyperparameters.{name}", f"{name} has no such hyperparameter")
    return {name: options for name, options in tables.items() if name != ALL}


def learner(name: str) -> str:
    """``name`` if it is a learner; ValueError naming the nearest otherwise."""
    return registry.algorithm(name, "learner").name


def check_trained(name: str, algorithms: Sequence[str], where: str) -> None:
    """ValueError for a learner that the study does not train, of which something in the file is said."""
    if name not in algorithms:
        raise ValueError(f"{where}.{name}: this study does not train {name}; add it to algorithms, or leave this out")


def check_name(option: Any, known: Iterable[str], where: str, problem: str) -> None:
    """ValueError naming the nearest known option, and the table that the option belongs to, unless it is known."""
    names = sorted(known)
    if option in names:
        return
    hint = checks.nearest(option, names)
    raise ValueError(f"{where}.{option}: {problem};{hint} it has {', '.join(names)}")
