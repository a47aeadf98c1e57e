"""Writes docs/games, a page a game and an index: ``python docs/game_pages.py [--write] [--pictures [GAME ...]]``.

Words come from ``coopgym/report/games.toml``, formulas from ``coopgym/mechanisms/formulas.toml``, numbers from the
games, ``coopgym/report/dilemmas.json`` and ``benchmarks/results/oracles.json``. With ``--pictures`` pictures and
animations are drawn again too, of all games (minutes) or of some.
Without ``--write`` it says whether the pages are up to date (exit code 1 if not).
"""

from __future__ import annotations

import argparse
import inspect
import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from learner_tables import ROOT, table
from oracle_tables import RESULTS, answers, dilemma_rows

import coopgym
from coopgym.algorithms.evaluation import best_constant
from coopgym.envs import released
from coopgym.envs.catalogue import VERSIONS, entry, tr2, tr3
from coopgym.envs.catalogue.tension import presets
from coopgym.envs.game import Game
from coopgym.mechanisms.value import Synergy
from coopgym.report.alt import describe, describe_animation
from coopgym.report.animation import animate_game
from coopgym.report.catalogue import TITLES, mechanism
from coopgym.report.portrait import plot_game
from coopgym.report.scripts import script
from coopgym.report.sheet import Equation, differences, equations, parameters, rewards, rules, words

FOLDER = ROOT / "docs" / "games"
PHASES = {"RenaultNissan": tr2.ALLIANCE_PHASES, "ApacheProject": tr3.APACHE_PHASES}
MADE = "<!-- Made by docs/game_pages.py; do not edit. -->"


def page(game: Game, told: tuple[str, str], known: list[dict[str, Any]]) -> str:
    """Everything about one game. told: its picture and its animation in words; known: the answers of the oracles."""
    parts = [f"# {game.name}", MADE, *_head(game), *_pictures(game, told), "## Parameters", *_parameters(game)]
    parts += ["## What it pays", *_formulas(equations(game)), *_nothing_else(game), "## What a learner is trained on"]
    parts += [*_formulas(rewards(game)), "## How much of a dilemma it is", *_dilemma(game), *_answers(game, known)]
    parts += [*_case(game), "## Options", *_options(game), "## As released (`-v0`)", *_released(game)]
    return "\n\n".join([*parts, "## References", _references(game)]) + "\n"


def _head(game: Game) -> Iterator[str]:
    yield words()["story"][game.name]
    title = f"TR-{game.report}, {TITLES[game.report]}"
    yield f"`{game.id}` · {title} · {mechanism(game)} · {game.n} agents · {game.horizon} steps"
    yield f'```python\nimport coopgym\n\nenv = coopgym.make_parallel("{game.id}", reward_mode="integrated")\n```'


def _pictures(game: Game, told: tuple[str, str]) -> Iterator[str]:
    yield f"![{told[0]}]({game.name}.png)"
    yield (
        "Top: what one step pays all together, over the efforts of the first agent and of the others (contours: shares "
        "of the best welfare), and who depends on whom. Bottom: an episode in which the first agent follows a script "
        "(shaded). What is the first agent's is orange, what is the others' blue; dotted: a level where something "
        "changes; thin dashes: the ceiling that damage puts on trust in the first agent."
    )
    yield f"![{told[1]}]({game.name}.webp)"
    yield f"The same episode step by step. {script(game).moral}"


def _parameters(game: Game) -> Iterator[str]:
    yield _agents(game)
    yield _matrix(game)
    rows = [[_math(p.symbol), p.words, p.text] for p in parameters(game)]
    yield table(["symbol", "parameter", "value"], rows, left=2)


def _math(symbol: str) -> str:
    return f"${symbol}$" if symbol else ""


def _agents(game: Game) -> str:
    """A row for each agent; agents beside each other that are alike share one. Shares where a surplus is shared."""
    columns = {"endowment $e_i$": game.endowment, "baseline $b_i$": game.baseline}
    if any(isinstance(part, Synergy) for part in game.mechanisms):
        columns[r"share $\alpha_i$"] = game.shares
    rows: list[list[str]] = []
    for name, *numbers in zip(game.agents, *columns.values(), strict=True):
        cells = [f"{x:.4g}" for x in numbers]
        if rows and rows[-1][1:] == cells:
            rows[-1][0] = f"{rows[-1][0].split(' to ')[0]} to {name}"
        else:
            rows.append([name, *cells])
    return table(["agent", *columns], rows)


def _matrix(game: Game) -> str:
    """How much the row's agent depends on the column's."""
    linked = game.interdependence[~np.eye(game.n, dtype=bool)]
    if (linked == linked[0]).all():
        return f"Every agent depends on every other by $D_{{ij}} = {linked[0]:g}$."
    rows = [[name, *(f"{x:g}" for x in row)] for name, row in zip(game.agents, game.interdependence, strict=True)]
    return "How much the row's agent depends on the column's, $D_{ij}$:\n\n" + table(["", *game.agents], rows)


def _formulas(found: list[Equation]) -> Iterator[str]:
    """A formula and a sentence each."""
    for one in found:
        yield f"{one.words} ({one.source})"
        yield f"$$\n{one.latex}\n$$"


def _nothing_else(game: Game) -> Iterator[str]:
    """Where no formula names the payoff p, it is the private payoff pi."""
    if not any(one.latex.startswith("p_i") for one in equations(game)):
        yield r"Nothing else is paid: $p_i = \pi_i$."


def _dilemma(game: Game) -> Iterator[str]:
    yield (
        "One step from the first state. *Lost*: the share of the optimum's welfare that selfish play loses; *greed*: "
        "the most an agent gains by leaving the optimum alone; *fear*: the most it loses by playing its part alone; "
        "both as shares of its reward. [What the labels mean](../oracles.md)."
    )
    head = ["rewards", "label", "Nash / optimum", "lost", "price of anarchy", "greed", "fear"]
    yield table(head, [row[1:] for row in dilemma_rows(game.id)], left=2)
    found = best_constant(game)
    rows = [
        [mode, f"{row['level']} %", f"{row['return']:,.0f}", f"{row['welfare']:,.0f}"] for mode, row in found.items()
    ]
    yield "The best of 101 constant common rates, over an episode:"
    yield table(["rewards", "rate", "sum of rewards", "welfare"], rows)


def _answers(game: Game, known: list[dict[str, Any]]) -> Iterator[str]:
    own = [row for row in known if row["game"] == game.id]
    if any(row["status"] != "refused" for row in own):
        yield "## Equilibria and optima"
        yield (
            "`nash` is of one step, the others of an episode. *Gain*: the largest relative gain of an agent by leaving "
            "that was found; of `social_optimum` what the bound leaves open. Several actions: first, middle and last "
            "step. [How the answers are certified](../oracles.md)."
        )
        lines = [line.split(" | ", 1)[1] for line in answers(own, "v1").splitlines()]
        yield "\n".join(f"| {line}" for line in lines)


def _case(game: Game) -> Iterator[str]:
    case = words()["case"].get(game.name)
    if case:
        yield "## Case study"
        yield (
            f"The game stands for {case['what']}. What the report's validation shows when it is run again, and what it "
            f"does not show: [TR-{game.report}](../validation.md#{case['page']}). Whether trained policies behave like "
            f"the documented actors: [case by case](../case_conduct.md#{case['conduct']})."
        )
        yield f"![The record of {case['what']} beside the report's model and random models](../{case['picture']})"


def _options(game: Game) -> Iterator[str]:
    found, version = entry(game.id)
    rows = [[f"`{k}`", f"`{v!r}`", words()["options"][k]] for k, v in found.options(version).items()]
    yield table(["option", "default", "meaning"], rows, left=3)
    if "tension" in found.options(version):
        yield f'`tension="high"`: {presets()[game.name].sentence}.'
    for option, choices in (("phase", PHASES.get(game.name, ())), ("calibration", ("environment", "report"))):
        if option in found.options(version):
            yield from _compared(option, {c: coopgym.game(game.id, **{option: c}) for c in choices})


def _compared(option: str, games: Mapping[str, Game]) -> Iterator[str]:
    rows = [[_math(symbol), *row] for symbol, *row in differences(games)]
    yield f"What `{option}` changes:" if rows else f"`{option}` changes nothing in this game: its choices agree."
    if rows:
        yield table(["symbol", "parameter", *games], rows, left=2)


def _released(game: Game) -> Iterator[str]:
    old = coopgym.game(f"{game.name}-v0")
    yield " ".join((inspect.getdoc(released) or "").split("\n\n")[1].split()).partition(". ")[0] + "."
    yield "\n".join(f"- {rule}" for rule in rules(old))
    found = differences(dict(zip(VERSIONS, (game, old), strict=True)))
    yield table(["symbol", "parameter", "v1", "v0"], [[_math(s), *row] for s, *row in found if "-" not in row], left=2)
    for k, version in ((1, "v1"), (2, "v0")):
        own = [f"{_math(s) or name} {row[k - 1]}" for s, name, *row in found if row[2 - k] == "-"]
        if own:
            yield f"What counts only in {version}: {'; '.join(own)}."


def _references(game: Game) -> str:
    """The report of the game, and those whose equations it uses."""
    used = {int(k) for one in equations(game) for k in "1234" if f"TR-{k}" in one.source} | {game.report, 1}
    known = words()["reports"]
    return "\n".join(
        f"- TR-{k}, {known[str(k)]['about']}: [arXiv {known[str(k)]['arxiv']}](https://arxiv.org/abs/{known[str(k)]['arxiv']})"
        for k in sorted(used)
    )


def index(games: list[Game], told: list[tuple[str, str]]) -> str:
    """All games with their animations, by report."""
    parts = ["# The twenty games", MADE, "Every picture and every number here comes from the games themselves."]
    for report, title in TITLES.items():
        parts.append(f"## TR-{report}: {title}")
        for game, (_, moving) in zip(games, told, strict=True):
            if game.report == report:
                parts.append(f"### [{game.name}]({game.name}.md)")
                parts.append(f"{words()['story'][game.name]} {game.n} agents, {game.horizon} steps.")
                parts.append(f"[![{moving}]({game.name}.webp)]({game.name}.md)")
    return "\n\n".join(parts) + "\n"


def pages() -> dict[str, str]:
    """File name -> text."""
    known = json.loads(RESULTS.read_text())["rows"]
    games = [coopgym.game(name) for name in coopgym.list_games()]
    told = [(describe(game), describe_animation(game)) for game in games]
    made = {f"{game.name}.md": page(game, two, known) for game, two in zip(games, told, strict=True)}
    return {**made, "index.md": index(games, told)}


def draw(names: list[str]) -> None:
    """Pictures and animations."""
    for game in map(coopgym.game, names):
        for old in (FOLDER / f"{game.name}.png", FOLDER / f"{game.name}.webp"):
            old.unlink(missing_ok=True)
        plot_game(game, FOLDER / f"{game.name}.png")
        animate_game(game, FOLDER / f"{game.name}.webp")


def main() -> None:
    """Check, or with --write replace."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--pictures", nargs="*", metavar="GAME")
    options = parser.parse_args()
    FOLDER.mkdir(exist_ok=True)
    if options.pictures is not None:
        draw(options.pictures or coopgym.list_games())
    made = pages()
    if options.write:
        for name, text in made.items():
            (FOLDER / name).write_text(text)
    old = [name for name, text in made.items() if not (FOLDER / name).exists() or (FOLDER / name).read_text() != text]
    if old:
        raise SystemExit(f"out of date in docs/games: {', '.join(old)}; run `make tables`")


if __name__ == "__main__":
    main()
