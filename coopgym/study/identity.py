"""What a run is: everything that decides its result, in one place for all who average, match or name runs.

Two records of equal ``configuration`` and different seeds are repeats of one experiment, and nothing else is: only
repeats are averaged. ``labels`` names configurations by what differs among those that would otherwise share a name.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from coopgym.algorithms.record import canonical, digest, series
from coopgym.envs.catalogue import game as make_game
from coopgym.envs.game import Game
from coopgym.mechanisms.checks import shown

FOLDER = "folder"  # the column of a row that says which of several folders it was read from; it is never stored
COLUMNS = (  # of a table of runs: what a configuration is made of, and the seed
    "kind", "algorithm", "variant", "game", "game_hash", "game_options", "reward_mode", "mutuality", "seed",
    "observation", "objective", "hyperparameters", "env_steps", "evaluations", "episodes_stochastic",
    "package_version", "torch_version",
)  # fmt: skip
LEARNER, FAILED = "learner", "failed"
UNKNOWN = "unknown"
MOST = 4  # parts of a label; of more, the first ones and a checksum
LONGEST = 40  # characters of a value in a label
Row = Mapping[str, Any]
Key = TypeVar("Key", bound=Hashable)


class Configuration(NamedTuple):
    """All that decides a result but the seed; None where a record does not say it, which equals only itself.

    parameters: hash of the game's parameters and rules, or its options where a record has no hash. settings: of the
    algorithm [JSON], with the steps, the trainer, and the seat and its partners where only one agent learns. points,
    episodes: the plan of evaluation. package, torch: series such as "0.2". folder: of rows that were read from several.
    effort: of an audit's row.
    """

    kind: str | None
    algorithm: str | None
    game: str | None
    parameters: str | None
    reward_mode: str | None
    mutuality: float | None
    observation: str | None
    objective: str | None
    settings: str | None
    steps: int | None
    points: int | None
    episodes: int | None
    package: str | None
    torch: str | None
    folder: str | None
    effort: str | None

    @property
    def trained(self) -> bool:
        """Whether it is of a learner."""
        return self.kind == LEARNER

    def differing(self, other: Configuration) -> int:
        """In how many facts two configurations differ; of settings each counts, and all parameters of a game as one."""
        own, theirs = ({**_facts(x), **x._asdict(), "settings": None} for x in (self, other))
        names = {*own, *theirs} - {FOLDER}
        return sum(canonical(own.get(name)) != canonical(theirs.get(name)) for name in names)


def configuration(row: Row) -> Configuration:
    """The configuration of a row of ``runs``, or of ``audits``, which name the run's version apart from their own."""
    get = row.get
    learns = get("kind", LEARNER) == LEARNER
    settings = _settings(get("hyperparameters"), None if learns else "{}")
    if learns and settings in (None, "{}") and get("variant"):  # a record without settings still has their name
        settings = canonical({"variant": get("variant")})
    told = object_in(settings)
    package = get("run_version") if "run_version" in row or get("effort") else get("package_version")
    return Configuration(
        get("kind", LEARNER), get("algorithm"), get("game"), get("game_hash") or _settings(get("game_options"), None),
        get("reward_mode"), _mutuality(row), get("observation") or None, get("objective") or None, settings,
        (told.get("total_steps") or get("env_steps")) if learns else None,
        get("evaluations") if learns else None, get("episodes_stochastic") if learns else None,
        series(package), series(get("torch_version")) if learns else None, get(FOLDER),
        get("effort"),
    )  # fmt: skip


def repeats(rows: Iterable[Row]) -> dict[Configuration, list[Row]]:
    """Rows by configuration, in the order of first appearance; of one seed the last row that ended well."""
    groups: dict[Configuration, dict[Hashable, Row]] = {}
    for row in rows:
        own = groups.setdefault(configuration(row), {})
        seed = row.get("seed")
        place = ("seed", seed) if seed is not None else ("run", row.get("run_id", len(own)))
        if place not in own or row.get("status", "ok") == "ok":
            own[place] = row
    return {key: list(own.values()) for key, own in groups.items()}


def completed(audit: Row, run: Row) -> dict[str, Any]:
    """A row of an audit with all that identifies the run that it is of."""
    own = {name: run.get(name) for name in COLUMNS if name != "package_version"}
    folder = {FOLDER: run[FOLDER]} if FOLDER in run else {}
    return {**audit, **own, "run_version": run.get("package_version"), **folder}


def beside(rows: Iterable[Row]) -> list[list[Row]]:
    """Repeats under all reward modes together: what one program trains, and what is measured side by side."""
    groups: dict[Configuration, list[Row]] = {}
    for own, found in repeats(rows).items():
        groups.setdefault(own._replace(reward_mode=None, mutuality=None), []).extend(found)
    return list(groups.values())


def mode_label(row: Row) -> str:
    """``integrated``, or ``integrated(0.5)`` where mutuality is not 1."""
    kind, mutuality = row["reward_mode"], _mutuality(row)
    return str(kind) if mutuality is None else f"{kind}({mutuality:g})"


@dataclass(frozen=True)
class Labels:
    """Names of configurations, each unique among those that it was made for."""

    games: Mapping[Hashable, str]
    players: Mapping[Configuration, str]

    def game(self, row: Row) -> str:
        """``TrustDilemma-v1``, or ``TrustDilemma-v1 [max_steps=20]``."""
        own = configuration(row)
        return self.games.get(_game_key(own), str(own.game))

    def player(self, row: Row) -> str:
        """``IPPO``, or ``IPPO [20,000 steps]``."""
        own = configuration(row)
        key = _player_key(own)
        if key not in self.players and row.get("status") == FAILED:
            return self._of_failed(key, str(own.algorithm))
        return self.players.get(key, str(own.algorithm))

    def _of_failed(self, key: Configuration, name: str) -> str:
        """Records of earlier versions say little of a run that failed: the only player that it can have been."""
        fits = {
            label for other, label in self.players.items()
            if all(x is None or x == y for x, y in zip(key, other, strict=True))
        }  # fmt: skip
        return fits.pop() if len(fits) == 1 else name

    def cell(self, row: Row) -> tuple[str, str, str]:
        """(game, player, mode): rows that share it, and no others, are repeats."""
        return self.game(row), self.player(row), mode_label(row)

    def __call__(self, row: Row) -> str:
        """All of it in one text."""
        game, player, mode = self.cell(row)
        return f"{player} on {game}, {mode}"


def labels(rows: Iterable[Row]) -> Labels:
    """Names for these rows, made of what differs among rows that would otherwise share a name."""
    distinct: dict[Configuration, Row] = {}
    variants: dict[Configuration, set[str]] = {}
    for row in rows:
        own = configuration(row)
        if own.trained and own.settings is None and row.get("status") == FAILED:
            continue
        distinct.setdefault(own, row)
        if row.get("variant"):
            variants.setdefault(own, set()).add(str(row["variant"]))
    return Labels(_games(distinct), _players(list(distinct), variants))


# --- games


def _games(distinct: Mapping[Configuration, Row]) -> dict[Hashable, str]:
    by_id: dict[Any, dict[Hashable, dict[str, Any]]] = {}
    for own, row in distinct.items():
        told = object_in(row.get("game_options"))
        by_id.setdefault(own.game, {}).setdefault(_game_key(own), told)
    found: dict[Hashable, str] = {}
    for name, each in by_id.items():
        parts = {key: list(_differing(list(each.values()), told)) for key, told in each.items()}
        more = {key: [f"parameters {key[1] or UNKNOWN}"] for key in each}  # type: ignore[index]
        found |= _named(str(name), parts, more, {key: set(each) - {key} for key in each})
    return found


# --- players


ANYWHERE = (FOLDER, "package", "settings.")  # told wherever they differ; other facts, where one game's runs differ


def _players(distinct: Sequence[Configuration], variants: Mapping[Configuration, set[str]]) -> dict[Configuration, str]:
    by_name: dict[Any, list[Configuration]] = {}
    for own in distinct:
        by_name.setdefault(own.algorithm, []).append(own)
    found: dict[Configuration, str] = {}
    for name, each in by_name.items():
        found |= _of_algorithm(str(name), each, variants)
    return found


def _of_algorithm(
    name: str, each: Sequence[Configuration], variants: Mapping[Configuration, set[str]]
) -> dict[Configuration, str]:
    """Labels of one algorithm's configurations by ``_player_key``."""
    facts = {_player_key(own): _facts(own) for own in each}
    names: dict[Configuration, set[str]] = {key: set() for key in facts}
    cells: dict[Hashable, set[Configuration]] = {}
    for own in each:
        names[_player_key(own)] |= variants.get(own, set())
        cells.setdefault(own.game, set()).add(_player_key(own))  # one player is compared over modes
    called = {key: "/".join(sorted(own)) for key, own in names.items()}
    varied = _varied(facts, cells)
    settings = [fact for fact in varied if fact.startswith("settings.")]
    if len(set(called.values())) > 1:
        meant: dict[str, set[str]] = {}
        for key, told in facts.items():
            meant.setdefault(called[key], set()).add(canonical([told.get(fact) for fact in settings]))
        if all(len(values) == 1 for values in meant.values()):  # names of variants tell as much as their settings
            varied = [fact for fact in varied if fact not in settings]
    else:
        called = dict.fromkeys(called, "")
    parts, more = {}, {}
    for key, told in facts.items():
        known = [_written(fact, told[fact]) for fact in varied if told.get(fact) is not None]
        parts[key] = [*([called[key]] if called[key] else []), *known]
        lacking = [fact.removeprefix("settings.") for fact in varied if told.get(fact) is None]
        more[key] = [f"{fact} {UNKNOWN}" for fact in lacking]
    rivals: dict[Configuration, set[Configuration]] = {key: set() for key in facts}
    for keys in cells.values():
        for key in keys:
            rivals[key] |= keys - {key}
    return _named(name, parts, more, rivals)


def _varied(facts: Mapping[Configuration, Mapping[str, Any]], cells: Mapping[Any, set[Configuration]]) -> list[str]:
    """Names of facts that differ among an algorithm's configurations in one game, or anywhere."""
    order = list(dict.fromkeys(name for one in facts.values() for name in one))

    def differ(name: str, keys: Iterable[Configuration]) -> bool:
        return len({canonical(facts[key].get(name)) for key in keys}) > 1

    together = [keys for keys in cells.values() if len(keys) > 1]
    return [
        name for name in order
        if (name.startswith(ANYWHERE) and differ(name, facts)) or any(differ(name, keys) for keys in together)
    ]  # fmt: skip


def _facts(own: Configuration) -> dict[str, Any]:
    """What may stand in a player's label, in this order."""
    settings = object_in(own.settings)
    for told in ("total_steps", "variant", "objective"):
        settings.pop(told, None)
    return {
        FOLDER: own.folder, "package": own.package, "steps": own.steps,
        **{f"settings.{name}": value for name, value in settings.items()},
        "observation": own.observation, "objective": own.objective, "points": own.points, "episodes": own.episodes,
        "torch": own.torch, "kind": own.kind, "effort": own.effort,
    }  # fmt: skip


# --- text


def _named(
    name: str,
    parts: Mapping[Key, list[str]],
    more: Mapping[Key, list[str]],
    rivals: Mapping[Key, set[Key]],
) -> dict[Key, str]:
    """``name [part, part]``; where rivals share it, with more parts, and at last with a checksum."""
    found = {key: _joined(name, own) for key, own in parts.items()}
    for longer in (more, {key: [*more[key], digest(key, 3)] for key in more}):
        twice = [key for key, label in found.items() if any(found[other] == label for other in rivals[key])]
        if not twice:
            break
        found |= {key: _joined(name, [*longer[key], *parts[key]]) for key in twice}
    return found


def _joined(name: str, parts: Sequence[str]) -> str:
    shown = [*parts[: MOST - 1], f"{len(parts) - MOST + 1} more"] if len(parts) > MOST else list(parts)
    return f"{name} [{', '.join(shown)}]" if shown else name


def _differing(all_: Sequence[Mapping[str, Any]], own: Mapping[str, Any]) -> Iterable[str]:
    """Options that some have otherwise, as ``max_steps=20``; what is at its default is not said."""
    for name, value in own.items():
        if any(canonical(other.get(name)) != canonical(value) for other in all_):
            yield f"{name}={_value(value)}"


def _written(name: str, value: Any) -> str:
    if name.startswith("settings."):
        return f"{name.removeprefix('settings.')}={_value(value)}"
    if name == "steps":
        return f"{value:,} steps"
    words = {
        "package": "coopgym {}", "torch": "torch {}", "points": "{} evaluations", "episodes": "{} episodes drawn",
        "effort": "{} audit",
    }  # fmt: skip
    plain = words.get(name, "{}" if name in (FOLDER, "kind") else f"{name}={{}}")
    return plain.format(value)


def _value(value: Any) -> str:
    """As Python writes it, cut where it is long."""
    text = repr(tuple(_plain(x) for x in value)) if isinstance(value, list) else str(_plain(value))
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 9]}... {digest(value, 3)}"


def _plain(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 1e15 else value


# --- keys


def _game_key(own: Configuration) -> Hashable:
    return own.game, own.parameters


def _player_key(own: Configuration) -> Configuration:
    """All that a player's label tells: the configuration without game, mode and what they hold."""
    return own._replace(game=None, parameters=None, reward_mode=None, mutuality=None)


def _mutuality(row: Row) -> float | None:
    """None for the three pure modes."""
    value = row.get("mutuality")
    plain = value is None or value == 1.0 or row.get("reward_mode") in ("private", "none")
    return None if plain else float(value)  # type: ignore[arg-type]


def object_in(text: str | None) -> dict[str, Any]:
    """The JSON object in a column of a record, whose entry is "unreadable" where it holds anything else."""
    return dict(json.loads(_settings(text, "{}") or "{}"))


def game_of(game: str, options: str | None) -> Game:
    """The game that a record names, with the options in its column; ValueError where there is no such game."""
    try:
        return make_game(game, **object_in(options))
    except TypeError as error:
        raise ValueError(f"game_options={shown(options)} of a run cannot be used: {error}") from None


@functools.lru_cache(maxsize=4096)
def _settings(text: str | None, default: str | None) -> str | None:
    """A JSON object with its keys in order; what is none is taken as it is written."""
    if not text:
        return default
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    return canonical(found if isinstance(found, dict) else {"unreadable": text})
