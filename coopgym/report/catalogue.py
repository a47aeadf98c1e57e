"""The catalogue for people: the table of all games, and everything about one."""

from __future__ import annotations

import dataclasses
import functools
import json
from pathlib import Path
from typing import Any

from coopgym.envs.catalogue import entry, game, list_games
from coopgym.envs.catalogue.tension import presets
from coopgym.envs.game import Game
from coopgym.envs.reward import KINDS
from coopgym.mechanisms.base import Mechanism

TITLES = {1: "interdependence", 2: "trust and reputation", 3: "loyalty in teams", 4: "reciprocity"}


def games(report: int | None = None, version: str = "v1") -> list[dict[str, Any]]:
    """One row a game: id, report, mechanism, agents, horizon [steps], summary. Arguments as of ``list_games``."""
    return [_row(game(name)) for name in list_games(report, version)]


def describe(name: str) -> dict[str, Any]:
    """Everything about one game as plain data; ValueError for an unknown name.

    endowment, baseline [action units] and shares hold one entry for each agent; interdependence ``[N][N]`` says how
    much the row's agent depends on the column's. one_step: by reward mode, how much of a dilemma a step is. tension:
    what the option tension="high" means, None without it.
    """
    found, version = entry(name)
    made = game(name)
    return {
        **_row(made),
        "agent_names": list(made.agents),
        "endowment": made.endowment.tolist(),
        "baseline": made.baseline.tolist(),
        "shares": made.shares.tolist(),
        "interdependence": made.interdependence.tolist(),
        "initial_trust": made.initial_trust.tolist(),
        "observability": made.default_observability,
        "options": found.options(version),
        "one_step": {mode: dilemmas()[made.id, mode] for mode in KINDS},
        "tension": _tension(found.name, found.options(version)),
        "hash": made.hash,
    }


@functools.cache
def dilemmas() -> dict[tuple[str, str], dict[str, Any]]:
    """What ``coopgym.dilemma`` found, by game and reward mode: label, lost [share of the optimum's welfare], greed,
    fear [shares of an agent's reward], nash, optimum [mean rates]; ``benchmarks/dilemmas.py`` makes it."""
    rows = json.loads(Path(__file__).with_name("dilemmas.json").read_text())
    return {(row["game"], row["reward_mode"]): row for row in rows}


def markdown(version: str = "v1", pages: str = "") -> str:
    """The table of games as GitHub's Markdown, for the README; names link to pages in the folder ``pages``."""
    lines = ["| game | report | mechanism | agents | horizon |", "|---|---|---|---:|---:|"]
    for row in games(version=version):
        title = f"TR-{row['report']} {TITLES[row['report']]}"
        name = f"[`{row['id']}`]({pages}/{row['id'].split('-')[0]}.md)" if pages else f"`{row['id']}`"
        lines.append(f"| {name} | {title} | {row['mechanism']} | {row['agents']} | {row['horizon']} |")
    return "\n".join(lines)


def mechanism(made: Game) -> str:
    """What drives a game, from its own parts: ``synergy, reciprocity, trust, exit when trust is lost``."""
    parts = [m.label for m in made.mechanisms if _acts(m)]
    if made.trust is not None:
        parts.append("trust")
    if made.exit is not None:
        parts.append("ends when trust is restored" if made.exit.success else "ends when trust is lost")
    return ", ".join(parts)


def _row(made: Game) -> dict[str, Any]:
    return {
        "id": made.id,
        "report": made.report,
        "mechanism": mechanism(made),
        "agents": made.n,
        "horizon": made.horizon,
        "summary": made.summary.split("\n")[0],
    }


def _tension(name: str, options: dict[str, Any]) -> dict[str, Any] | None:
    """The preset of a game that has the option, with a sentence about it."""
    if "tension" not in options:
        return None
    preset = presets()[name]
    return {**dataclasses.asdict(preset), "in_words": preset.sentence}


def _acts(part: Mechanism) -> bool:
    """False for a mechanism that only keeps count: it changes no payoff and nobody sees it."""
    hooks = ("payoffs", "baseline", "observed")
    return any(getattr(type(part), name) is not getattr(Mechanism, name) for name in hooks)
