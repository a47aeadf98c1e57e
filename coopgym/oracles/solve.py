"""``coopgym.solve``: an answer with a certificate, or a refusal with a reason."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coopgym.algorithms.record import digest
from coopgym.envs.catalogue import game as make_game
from coopgym.envs.game import Game
from coopgym.envs.reward import RewardMode
from coopgym.extras import explains
from coopgym.files import write_atomically
from coopgym.mechanisms import checks
from coopgym.oracles.concepts import CONCEPTS, Concept
from coopgym.oracles.result import RefusedError, Solution

FORMAT = "coopgym-solution-2"
_SOLVED: dict[str, Solution] = {}  # of this process


@explains("coopgym.solve")
def solve(
    game: Game | str,
    concept: str = "nash",
    reward_mode: str | RewardMode | None = None,
    *,
    cache: str | Path | None = None,
    **game_options: Any,
) -> Solution:
    """The answer of a game to one of seven concepts, frozen, with its certificate.

    concept: "nash", "coopetitive", "trust_aware", "social_optimum", "loyalty", "reciprocity" or "bounded_reciprocity";
    ``coopgym.oracles.concepts.CONCEPTS`` says what each asks. reward_mode: what agents want; by default "private" for
    "nash" and "social_optimum" and "integrated" for the others. cache: a folder in which answers are kept as JSON, by
    a hash of all that decides them; within a process they are kept anyway. ``game_options`` as for ``coopgym.game``.

    A Solution says in ``status`` whether a proof closes the question ("certified"), a search found nothing
    ("unrefuted"; ``searched`` says what was searched), or a gain is known or left open ("approximate"), in
    ``uniqueness`` what is known about other answers, and in ``policy()`` how to play it. Raises RefusedError (a
    ValueError) where the concept does not apply, saying what to ask instead; ValueError for unknown names and options.
    """
    checks.choice("concept", concept, tuple(CONCEPTS))
    asked, made = CONCEPTS[concept], make_game(game, **game_options).to("numpy")
    mode = RewardMode.of(asked.mode if reward_mode is None else reward_mode)
    reason = asked.limit(made)
    if reason is not None:
        raise RefusedError(f"{concept!r} has no answer for {made.id}: {reason}")
    key = _key(asked, made, mode)
    if key not in _SOLVED:
        place = None if cache is None else Path(cache) / f"{key}.json"
        _SOLVED[key] = _kept(place) or _found(asked, made, mode)
        if place is not None:
            _keep(_SOLVED[key], place)
    return _SOLVED[key]


@dataclass(frozen=True, eq=False)
class Answers:
    """What a game answers to several concepts: solutions, and by concept the reasons of those that were refused."""

    solutions: tuple[Solution, ...]
    refused: dict[str, str]

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and names, for JSON."""
        return {"solutions": [solution.to_dict() for solution in self.solutions], "refused": self.refused}


@explains("coopgym.solve")
def solve_all(
    game: Game | str,
    concepts: Sequence[str] | None = None,
    reward_mode: str | RewardMode | None = None,
    *,
    cache: str | Path | None = None,
    news: Callable[[str, float], None] | None = None,
) -> Answers:
    """``solve`` for several concepts, by default all; of those that were asked for by name a refusal is raised."""
    made, solutions, refused = make_game(game), [], dict[str, str]()
    chosen = [checks.choice("concept", name, tuple(CONCEPTS)) for name in concepts or CONCEPTS]
    for k, name in enumerate(chosen):
        if news:
            news("solving", k / len(chosen))
        try:
            solutions.append(solve(made, name, reward_mode, cache=cache))
        except RefusedError as reason:
            if concepts is not None:
                raise
            refused[name] = str(reason)
    return Answers(tuple(solutions), refused)


def _found(asked: Concept, game: Game, mode: RewardMode) -> Solution:
    solution = asked.find(game, mode)
    return dataclasses.replace(solution, concept=asked.name, game_options=dict(game.options))


def _key(asked: Concept, game: Game, mode: RewardMode) -> str:
    import coopgym

    weights = [float(w) for w in mode.weights]
    return digest([FORMAT, coopgym.__version__, game.id, game.hash, asked.name, mode.kind, weights])


def _kept(place: Path | None) -> Solution | None:
    """What a file holds; None for a missing or unreadable one, which will be written again."""
    try:
        return None if place is None else Solution.from_dict(json.loads(place.read_text()))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _keep(solution: Solution, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(place, json.dumps(solution.to_dict()).encode())
