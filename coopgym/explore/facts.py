"""What the page says about a game: its agents, its closed forms with their numbers, and what can be chosen."""

from __future__ import annotations

import dataclasses
import html
import inspect
import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from coopgym.envs.catalogue import ENTRIES, VERSIONS, entry
from coopgym.envs.catalogue.tension import TENSIONS
from coopgym.envs.catalogue.tr2 import ALLIANCE_PHASES
from coopgym.envs.catalogue.tr3 import APACHE_PHASES
from coopgym.envs.game import Game
from coopgym.envs.symmetry import roles
from coopgym.explore.players import Saved, offered
from coopgym.report.catalogue import TITLES, mechanism

PHASES = {"RenaultNissan": tuple(ALLIANCE_PHASES), "ApacheProject": tuple(APACHE_PHASES)}
INNER = ("endowment", "shares", "weights", "slope")  # in the table of agents, or of no interest to a reader
LETTERS = ("alpha", "beta", "gamma", "delta", "theta", "kappa", "lambda", "mu", "xi", "pi", "rho", "phi", "omega")
GREEK = {name: html.unescape(f"&{name};") for name in LETTERS}
SYMBOLS = {
    "scale": "theta", "synergy": "gamma", "productivity": "omega", "exponent": "beta", "cost": "c", "response": "kappa",
    "building": "lambda+", "erosion": "lambda-", "forgetting": "delta", "harm": "mu", "penalty": "m",
}  # fmt: skip
BELOW = str.maketrans("ij", "ᵢⱼ")
ALONE = 8  # up to so many agents each has a row and a line of its own; above, those of one role share them


def catalogue() -> list[dict[str, Any]]:
    """Every game with the options that the page offers: id, report, title, options by name."""
    return [
        {"id": f"{name}-{version}", "report": found.report, "title": TITLES[found.report], "version": version,
         "options": choices(f"{name}-{version}")}
        for version in VERSIONS for name, found in ENTRIES.items()
    ]  # fmt: skip


def choices(game: str) -> dict[str, Sequence[str]]:
    """Options of a game that the page offers, the default first."""
    found, version = entry(game)
    known = found.options(version)
    every = {"phase": PHASES.get(found.name, ()), "tension": TENSIONS}
    return {name: sorted(every[name], key=lambda x: x != known[name]) for name in every if name in known}


def facts(game: Game, saved: Sequence[Saved] = ()) -> dict[str, Any]:
    """All that does not change during an episode, as plain data."""
    agents = [
        {"name": name, "endowment": float(e), "baseline": float(b), "share": float(s)}
        for name, e, b, s in zip(game.agents, game.endowment, game.baseline, game.shares, strict=True)
    ]
    return {
        "id": game.id, "report": game.report, "title": TITLES[game.report], "summary": game.summary.split("\n")[0],
        "mechanism": mechanism(game), "horizon": game.horizon, "agents": agents, "rows": rows(game),
        "interdependence": np.asarray(game.interdependence).tolist() if game.n <= ALONE else None,
        "interdependence_mean": float(game.interdependence.sum() / (game.n * (game.n - 1))),
        "trust_weighted": game.trust_weighted, "parts": list(parts(game)), "options": dict(game.options),
        "policies": offered(game, saved), "draws": bool(game.reset_draws or game.step_draws),
        "facts": {name: value for name, value in game.facts.items() if isinstance(value, (str, int, float))},
    }  # fmt: skip


def rows(game: Game) -> list[dict[str, Any]]:
    """The rows of the page: agents one by one; of many, the first alone and the others of each role together."""
    if game.n <= ALONE:
        return [{"label": name, "members": [i]} for i, name in enumerate(game.agents)]
    role = roles(game)
    groups = [[0], *(np.flatnonzero(role == r).tolist() for r in range(int(role.max()) + 1))]
    groups[1].remove(0)
    return [{"label": _range([game.agents[i] for i in group]), "members": group} for group in groups if group]


def parts(game: Game) -> Iterator[dict[str, Any]]:
    """Each mechanism: its name, the formulas that its class and its parts state, and its numbers."""
    for part in (*game.mechanisms, game.trust, game.exit):
        if part is not None:
            inner = [x for x in vars(part).values() if dataclasses.is_dataclass(x)]
            says = [text for x in (part, *inner) for text in _says(type(x))]
            yield {"name": _words(type(part).__name__), "says": says, "numbers": list(_numbers(part))}


def _says(kind: type) -> list[str]:
    """What a class states first, and the equations that follow it."""
    first, *more = (inspect.getdoc(kind) or "").split("\n\n")
    equations = [text for text in more[:1] if " += " in text or first.endswith(":")]
    return [_greek(text.replace("`", "").replace("*", "")) for text in (" ".join(first.split()), *equations)]


def _numbers(part: Any) -> Iterator[list[str]]:
    """[name, value] of each parameter that is one number, or the least and the largest of several."""
    for field in dataclasses.fields(part):
        value, name = getattr(part, field.name), _called(field.name)
        if dataclasses.is_dataclass(value):
            yield from _numbers(value)
        elif field.name in INNER or isinstance(value, bool):
            continue
        elif isinstance(value, np.ndarray) and value.dtype.kind == "f" and value.size:
            yield [name, _spread(value)]
        elif isinstance(value, (int, float, str)):
            yield [name, value if isinstance(value, str) else f"{value:.4g}"]


def _called(field: str) -> str:
    """A parameter's name, with the letter that the formulas have for it."""
    letter = SYMBOLS.get(field)
    return field.replace("_", " ") + (f" {_greek(letter)}" if letter else "")


def _spread(values: np.ndarray) -> str:
    """The number, or the least and the largest; zeros of a diagonal do not count."""
    if values.ndim == 2 and not np.diag(values).any():
        values = values[~np.eye(len(values), dtype=bool)]
    low, high = float(values.min()), float(values.max())
    return f"{low:.4g}" if np.isclose(low, high) else f"{low:.4g} to {high:.4g}"


def _greek(text: str) -> str:
    """A formula with its letters, and its indices below the line."""
    text = re.sub(r"(?<![a-z])([a-z]+)(?=_|\b)", lambda found: GREEK.get(found[1], found[1]), text)
    text = re.sub(r"\b(\w)_([ij]+)\b", lambda found: found[1] + found[2].translate(BELOW), text)
    return re.sub(" {2,}", " ", text.replace("pibar", "π̄")).replace("<-", "←")


def _range(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} to {names[-1]} ({len(names)})"


def _words(name: str) -> str:
    return "".join(f" {c.lower()}" if c.isupper() else c for c in name).strip()
