"""The register of algorithms: what exists, what it needs, and how to find it by name."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from coopgym.envs.game import Game
from coopgym.envs.reward import RewardMode
from coopgym.extras import explains, installed, sentence
from coopgym.mechanisms import checks

KINDS = ("learner", "oracle", "heuristic", "constant")
FAMILIES = {  # of paradigms, as benchmarks group them; CTDE: centralised training, decentralised execution
    "independent": "independent",
    "self_play": "population",
    "centralised_critic": "CTDE",
    "value_decomposition": "CTDE",
    "mean_field": "CTDE",
    "none": "none",
}
PARADIGMS = tuple(FAMILIES)
ORACLES = "coopgym.oracles.policies"  # a floor above: they register themselves when names are looked up
OPTIONAL = ("torch", "safetensors")  # what the learners need, and a core install does not have
B = TypeVar("B", bound=Callable[..., Any])


@dataclass(frozen=True)
class Algorithm:
    """One entry: ``build`` makes a learner, or a policy for a game (all others).

    settings: the dataclass of hyperparameters of a learner. limit(game): why it cannot play a game, or None.
    seated: it can learn in one seat among partners that do not. by_mode: a policy that depends on the reward mode.
    """

    name: str
    kind: str
    build: Callable[..., Any]
    paradigm: str = "none"
    paper: str = ""
    actions: str = "continuous"
    settings: type | None = None
    seated: bool = True
    by_mode: bool = False
    limit: Callable[[Game], str | None] = lambda game: None
    module: str = ""  # that registered it

    @property
    def ours(self) -> bool:
        """Whether this package registered it, so that every process knows it."""
        return self.module.partition(".")[0] == __name__.partition(".")[0]

    @property
    def family(self) -> str:
        """The group of its paradigm: "independent", "population", "CTDE" or "none"."""
        return FAMILIES[self.paradigm]

    def policy(self, game: Game, mode: RewardMode | None = None) -> Any:
        """The policy of a heuristic, constant or oracle; ``mode`` is what an oracle's agents want (None: its own)."""
        return self.build(game, mode) if self.by_mode else self.build(game)

    def check(self, game: Game) -> None:
        """ValueError with the reason if this algorithm cannot play ``game``."""
        reason = self.limit(game)
        if reason:
            raise ValueError(f"{self.name} cannot be used on {game.id}: {reason}")


ALGORITHMS: dict[str, Algorithm] = {}


def register(name: str, **entry: Any) -> Callable[[B], B]:
    """Decorator that enters a learner class or a policy maker under ``name``; see Algorithm for the entries."""
    module = str(sys._getframe(1).f_globals.get("__name__", "__main__"))

    def enter(build: B) -> B:
        algorithm = Algorithm(name=name, build=build, **{"module": module, **entry})
        checks.choice("kind", algorithm.kind, KINDS)
        checks.choice("paradigm", algorithm.paradigm, PARADIGMS)
        ALGORITHMS[name] = algorithm
        return build

    return enter


def _load() -> None:
    """Import every file of this room, so that each has registered itself; without torch, those that do without."""
    package = importlib.import_module("coopgym.algorithms")
    for module in pkgutil.iter_modules(package.__path__):
        try:
            importlib.import_module(f"coopgym.algorithms.{module.name}")
        except ModuleNotFoundError as missing:
            if missing.name not in OPTIONAL:
                raise
    importlib.import_module(ORACLES)


@explains("coopgym.list_algorithms")
def list_algorithms(kind: str | None = None) -> list[str]:
    """Names of what exists: learners, then oracles, heuristics and constants; ``kind`` limits to one of these four."""
    if kind is not None:
        checks.choice("kind", kind, KINDS)
    _load()
    found = [a for a in ALGORITHMS.values() if kind in (None, a.kind)]
    return [a.name for a in sorted(found, key=_place)]


def _place(a: Algorithm) -> tuple[int, bool, str]:
    """Sorts by kind, then ours by file, then a user's as they came: what was imported first changes nothing."""
    return KINDS.index(a.kind), not a.ours, a.module if a.ours else ""


def algorithm(name: str, kind: str | None = None) -> Algorithm:
    """The entry of a name, of the given kind if one is given; ValueError naming the nearest otherwise."""
    importlib.import_module("coopgym.algorithms.heuristics")  # found without waiting for torch
    found = ALGORITHMS.get(name) if isinstance(name, str) else None
    if found is None:
        known = list_algorithms()
        found = ALGORITHMS.get(name) if isinstance(name, str) else None
    if found is None:
        cure = "" if installed("torch") else f" ({sentence('torch', 'a learner')})"
        near = checks.nearest(name, known)
        raise ValueError(
            f"unknown algorithm {checks.shown(name)};{near} coopgym.list_algorithms() names them all{cure}"
        )
    if kind is not None and found.kind != kind:
        raise ValueError(
            f"{name!r} is a {found.kind}, not a {kind}; choose one of {', '.join(list_algorithms(kind))}"
            + ("; a policy without training comes from coopgym.policy" if kind == "learner" else "")
        )
    return found
