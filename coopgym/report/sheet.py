"""The data sheet of a game: its parameters with the reports' symbols, its equations, and how versions differ."""

from __future__ import annotations

import functools
import inspect
import operator
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from coopgym import mechanisms
from coopgym.envs import released
from coopgym.envs.catalogue import game as make_game
from coopgym.envs.catalogue.tr4 import NUMBERS, REPORTED
from coopgym.envs.game import Game

FEW = 3  # agents whose numbers are given one by one
RECIPROCITY = {
    "rho": (r"\rho_0", "base of the sensitivity"),
    "eta": (r"\eta", "how sensitivity grows with dependence"),
    "strength": (r"\lambda_R", "strength of reciprocity"),
    "omega": (r"\omega", "amplification of reciprocity by dependence"),
}
TRUST = {
    "building": (r"\lambda^{+}", "building of trust"),
    "erosion": (r"\lambda^{-}", "erosion of trust"),
    "harm": (r"\mu", "damage done by a bad signal"),
    "forgetting": (r"\delta", "forgetting of damage"),
    "amplification": (r"\xi", "amplification of erosion by dependence"),
    "sensitivity": (r"\kappa", "sensitivity of the signal"),
}


@dataclass(frozen=True)
class Parameter:
    """symbol: LaTeX, or "" without one; words: what it is; value: a number, some numbers, or words."""

    symbol: str
    words: str
    value: float | tuple[float, ...] | str

    @property
    def text(self) -> str:
        """The value as it is printed."""
        return shown(self.value)


@dataclass(frozen=True)
class Equation:
    """latex, where it is from, and what it says."""

    latex: str
    source: str
    words: str


@functools.cache
def words() -> dict[str, Any]:
    """The sentences and symbols of ``games.toml``."""
    return tomllib.loads(Path(__file__).with_name("games.toml").read_text())


@functools.cache
def formulas() -> dict[str, list[dict[str, Any]]]:
    """The formulas that stand beside the mechanisms, by the name of a mechanism's class."""
    return tomllib.loads(Path(mechanisms.__file__).with_name("formulas.toml").read_text())


def shown(value: float | tuple[float, ...] | str) -> str:
    """A value as it is printed."""
    if isinstance(value, tuple):
        return ", ".join(f"{x:.6g}" for x in value)
    return value if isinstance(value, str) else f"{value:.6g}"


def parameters(game: Game) -> list[Parameter]:
    """Every scalar of a game, read from its own parts."""
    own = [p for part in game.mechanisms for p in _scalars(part)]
    return [*_general(game), *own, *_reciprocity(game), *_trust(game), *_exit(game)]


def _general(game: Game) -> list[Parameter]:
    weigh = "dependence and trust" if game.trust_weighted else "dependence"
    return [
        Parameter("N", "agents", game.n),
        Parameter("", "steps of an episode at most", game.horizon),
        Parameter("e_i", "endowments", _each(game.endowment, game.n)),
        Parameter("b_i", "baselines", _each(game.baseline, game.n)),
        Parameter("D_{ij}", "interdependence", _pairs(game.interdependence)),
        Parameter("", "integrated rewards weigh partners by", weigh),
        Parameter("", "what agents see by default", game.default_observability),
    ]


def _each(found: np.ndarray, n: int) -> float | tuple[float, ...]:
    """The one number where all are alike; in their order for few agents; else each number once, by size."""
    alike = (found == found[0]).all()
    return float(found[0]) if alike else tuple(map(float, found if n <= FEW else np.unique(found)))


def _pairs(matrix: np.ndarray) -> float | tuple[float, ...]:
    """The entries off the diagonal, row by row for few agents."""
    return _each(matrix[~np.eye(len(matrix), dtype=bool)], len(matrix))


def _scalars(part: Any) -> Iterator[Parameter]:
    """What ``games.toml`` lists for the classes of a part, from the base downwards."""
    for kind in reversed(type(part).__mro__):
        for path, symbol, meaning, *unless in words()["parameters"].get(kind.__name__, ()):
            if not any(hasattr(part, name) for name in unless):
                yield Parameter(symbol, meaning, _value(operator.attrgetter(path)(part)))


def _value(found: Any) -> float | tuple[float, ...]:
    """A number, or numbers; of an array each value once."""
    if isinstance(found, np.ndarray):
        values = np.unique(found)
        return float(values[0]) if len(values) == 1 else tuple(map(float, values))
    return tuple(map(float, found)) if isinstance(found, tuple) else float(found)


def _reciprocity(game: Game) -> list[Parameter]:
    """What the weights of reciprocity are made from: a game keeps only the product."""
    numbers = dict(NUMBERS.get(game.name, {}))
    if numbers and game.options.get("calibration") == "report":
        numbers |= REPORTED
    return [Parameter(*RECIPROCITY[k], float(numbers[k])) for k in RECIPROCITY if k in numbers]


def trust_rates(game: Game) -> dict[str, float]:
    """lambda+, lambda-, mu, delta, xi, kappa of a game that has trust.

    Erosion is kept as lambda- (1 + xi D): lambda- is what the same game has without interdependence.
    """
    trust, pairs = game.trust, ~np.eye(game.n, dtype=bool)
    if trust is None:
        return {}
    options = {**game.options, "interdependence": np.zeros((game.n, game.n))}
    free = make_game(game.id, **options).trust
    assert free is not None
    erosion, linked = float(free.erosion[pairs][0]), np.unravel_index(game.interdependence.argmax(), (game.n, game.n))
    xi = (trust.erosion[linked] / erosion - 1.0) / game.interdependence[linked]
    scaled = game.options.get("trust_signal", "raw") == "scaled"
    kappa = trust.gain[0] * (game.endowment[0] / 10.0 if scaled else 1.0)
    rates = {"building": trust.building[pairs][0], "erosion": erosion, "harm": trust.harm[pairs][0]}
    rates |= {"forgetting": trust.forgetting[pairs][0], "amplification": xi, "sensitivity": kappa}
    return {name: float(f"{x:.9g}") for name, x in rates.items()}


def _trust(game: Game) -> list[Parameter]:
    found = [Parameter(*TRUST[name], value) for name, value in trust_rates(game).items()]
    if found:
        signal = "scaled by the endowment" if game.options.get("trust_signal") == "scaled" else "in raw action units"
        found.append(Parameter("s_j", "the signal of trust is", signal))
        found.append(Parameter("", "trust rises at most to", _ceiling(game)))
    found.append(Parameter("T_{ij}(0)", "trust at the start", _pairs(game.initial_trust)))
    return [*found, Parameter("R_{ij}(0)", "damage at the start", _pairs(game.initial_damage))]


def _ceiling(game: Game) -> str:
    trust = game.trust
    if trust is None or trust.cap is None:
        return "1 - R"
    return f"min({trust.cap[~np.eye(game.n, dtype=bool)][0]:g}, 1 - {trust.slope:g} R)"


def _exit(game: Game) -> list[Parameter]:
    if game.exit is None:
        return []
    whose = (
        "mean trust"
        if np.count_nonzero(game.exit.weights) == game.n * (game.n - 1)
        else (f"mean trust of the others in {game.agents[0]}")
    )
    side = "at or above which" if game.exit.success else "below which"
    return [Parameter("", f"{whose} {side} the game ends", float(game.exit.threshold))]


def equations(game: Game) -> list[Equation]:
    """The formulas of what a game pays, part by part, then of its trust."""
    parts = [*game.mechanisms, *([game.trust] if game.trust is not None else [])]
    return [one for part in parts for one in _equations(part, game)]


def _equations(part: Any, game: Game) -> Iterator[Equation]:
    """What ``formulas.toml`` lists for the classes of a part, from the base downwards."""
    for kind in reversed(type(part).__mro__):
        yield from _fitting(part, kind.__name__, game)


def rewards(game: Game) -> list[Equation]:
    """The three reward modes."""
    return list(_fitting(game, "rewards", game))


def _fitting(part: Any, name: str, game: Game) -> Iterator[Equation]:
    kinds = {kind.__name__ for mechanism in game.mechanisms for kind in type(mechanism).__mro__}
    for one in formulas().get(name, ()):
        there = all(_has(part, x) for x in _listed(one, "when")) and kinds.issuperset(_listed(one, "beside"))
        barred = any(_has(part, x) for x in _listed(one, "unless")) or not kinds.isdisjoint(_listed(one, "without"))
        if there and not barred:
            yield Equation(one["latex"], one["source"], one["words"])


def _listed(one: Mapping[str, Any], key: str) -> list[str]:
    found = one.get(key, [])
    return [found] if isinstance(found, str) else found


def _has(part: Any, path: str) -> bool:
    """Whether something that is not false, nor all zeros, stands where the path leads."""
    try:
        return bool(np.any(operator.attrgetter(path)(part)))
    except AttributeError:
        return False


def differences(games: Mapping[str, Game]) -> list[list[str]]:
    """Parameters that are not the same in all of some games: symbol, words, then one value for each of them."""
    sheets = [{(p.symbol, p.words): p.text for p in parameters(game)} for game in games.values()]
    keys = list(dict.fromkeys(key for sheet in sheets for key in sheet))
    rows = [[*key, *(sheet.get(key, "-") for sheet in sheets)] for key in keys]
    return [row for row in rows if len(set(row[2:])) > 1]


def rules(game: Game) -> list[str]:
    """The named rules of the 1.0.6 release that a -v0 game follows, in the words of their own documentation."""
    found = []
    for part in (game, *game.mechanisms):
        for kind in type(part).__mro__:
            if kind.__module__ == released.__name__:
                found += _rules(inspect.getdoc(kind) or "", part)
    return list(dict.fromkeys(found))


def _rules(text: str, part: Any) -> list[str]:
    """Sentences that begin with "Rule"; a paragraph that begins with "With ``x``" replaces them where x is set."""
    head, _, special = text.partition("\n\nWith ``")
    flag = special.partition("``")[0]
    lines = re.split(r"\n+(?=Rule)", head)
    kept = [" ".join(line.split()) for line in lines if line.startswith("Rule")]
    if flag and getattr(part, flag):
        name = re.findall(r"\*[^*]+\*", kept[0])[0]
        return [f"Rule {name}: " + " ".join(f"with `{special}".replace("``", "`").split())]
    return [line.replace("``", "`") for line in kept]
