"""Writes the generated parts of docs/moving.md: ``python docs/moving_tables.py [--write]``.

The rules of -v0 come from the docstrings of ``coopgym/envs/released.py``, options and info from the games, figures from
playing them. Without ``--write`` it says whether the page is up to date (exit code 1 if not).
"""

from __future__ import annotations

import inspect
import re
from typing import NamedTuple

import numpy as np
from learner_tables import ROOT, table
from readme_tables import keep, replaced

import coopgym
from coopgym.envs import released
from coopgym.envs.catalogue import ENTRIES
from coopgym.envs.game import Game
from coopgym.envs.reward import KINDS

PAGE = ROOT / "docs" / "moving.md"
NAME = re.compile(r"\*([^*]+)\*")
RATE = 0.6  # of the play by which both versions are compared


class Rule(NamedTuple):
    """names: as the docstring marks them; says: its sentence; home: the class."""

    names: tuple[str, ...]
    says: str
    home: type


def rules() -> list[Rule]:
    """Every named rule of the released games, in the order of their file."""
    homes = [x for x in vars(released).values() if inspect.isclass(x) and x.__module__ == released.__name__]
    return [rule for home in homes for rule in rules_of(home)]


def rules_of(home: type) -> list[Rule]:
    """The paragraphs and lines of a class's docstring that begin with "Rule" or "Rules"."""
    text = re.sub(r"\n(?=Rules? \*)", "\n\n", inspect.cleandoc(home.__doc__ or ""))
    found = []
    for paragraph in re.split(r"\n\s*\n", text):
        said = " ".join(paragraph.split())
        if re.match(r"Rules? \*", said):
            found.append(Rule(tuple(NAME.findall(said)), re.sub(r"^Rules? ", "", said), home))
    return found


def games_of(home: type) -> list[str]:
    """The -v0 games that have a rule."""
    made = {name: coopgym.game(f"{name}-v0") for name in ENTRIES}
    return [name for name, game in made.items() if any(isinstance(part, home) for part in (game, *game.mechanisms))]


def rule_table() -> str:
    """One line a rule: what it says, where it is, whom it concerns."""
    lines = [[rule.says, f"`{rule.home.__name__}`", told(games_of(rule.home))] for rule in rules()]
    return table(["rule", "in `coopgym/envs/released.py`", "games"], lines, left=3)


def told(games: list[str]) -> str:
    """Names, or "all"."""
    return "all" if len(games) == len(ENTRIES) else ", ".join(games)


def option_table() -> str:
    """One line a game: its own options in both versions, those of -v1 alone, and the horizons."""
    lines = []
    for name, entry in ENTRIES.items():
        old, new = entry.options("v0"), entry.options("v1")
        shared = [key for key in old if key not in ("max_steps", "interdependence", "shares")]
        horizons = {coopgym.game(f"{name}-{version}").horizon for version in ("v0", "v1")}
        lines.append([
            name, code(shared), code([key for key in new if key not in old]),
            " / ".join(map(str, sorted(horizons))),
        ])  # fmt: skip
    return table(["game", "in both versions", "in -v1 alone", "steps, v0 / v1"], lines, left=3)


def code(names: list[str]) -> str:
    """Names as code, or a dash."""
    return ", ".join(f"`{name}`" for name in names) or "-"


def reports(game: Game) -> set[str]:
    """Keys of ``info`` after a step."""
    state = game.reset()
    after, _, _ = game.step(state, game.baseline)
    return set(game.info(state, after, game.baseline))


def info_table() -> str:
    """One line a game whose info differs between versions."""
    lines = []
    for name in ENTRIES:
        old, new = (reports(coopgym.game(f"{name}-{version}")) for version in ("v0", "v1"))
        if old != new:
            lines.append([name, code(sorted(old - new)), code(sorted(new - old))])
    return table(["game", "in -v0 alone", "in -v1 alone"], lines, left=3)


def figure_table() -> str:
    """One line a game: sums of rewards when everybody plays 60 %, in both versions."""
    lines = []
    for name in ENTRIES:
        line = [name]
        for version in ("v0", "v1"):
            played = coopgym.evaluate(RATE, f"{name}-{version}", episodes=1)
            line += [str(int(played.lengths[0])), f"{played.welfare[0]:,.0f}"]
            line += [f"{np.sum(played.returns(kind)):,.0f}" for kind in KINDS]
        lines.append(line)
    head = [f"{what}, {version}" for version in ("v0", "v1") for what in ("steps", "payoffs", *KINDS)]
    return table(["game", *head], lines)


def page(text: str) -> str:
    """The page with every part made again."""
    for name, make in PARTS.items():
        text = replaced(text, name, make())
    return text


PARTS = {"rules": rule_table, "options": option_table, "info": info_table, "figures": figure_table}


if __name__ == "__main__":
    keep(PAGE, page, __doc__)
