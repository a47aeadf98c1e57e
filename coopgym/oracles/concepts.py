"""The seven concepts that ``coopgym.solve`` knows: what each asks, of which games, and who answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache

from coopgym.envs.game import Game
from coopgym.envs.reward import RewardMode
from coopgym.oracles import bounded_reciprocity, trust_aware
from coopgym.oracles.equilibrium import stage_equilibrium
from coopgym.oracles.open_loop_equilibrium import open_loop_equilibrium
from coopgym.oracles.planner import open_loop_optimum
from coopgym.oracles.result import Solution
from coopgym.oracles.stage import StageGame

Limit = Callable[[Game], str | None]


@dataclass(frozen=True)
class Concept:
    """name; oracle: the algorithm that plays the answer; source: where it comes from; question: what it answers, in a
    sentence; mode: the reward mode that is meant where none is given; find(game, mode): the solver; limit(game): why it
    has no answer, or None."""

    name: str
    oracle: str
    source: str
    question: str
    mode: str
    find: Callable[[Game, RewardMode], Solution]
    limit: Limit


def _nash(game: Game, mode: RewardMode) -> Solution:
    return stage_equilibrium(StageGame.of(game, mode))


@dataclass(frozen=True)
class _Question:
    """A game and a mode, whatever the name of the concept that asks. Compared by what they say."""

    game: Game = field(compare=False)
    game_hash: str
    mode: RewardMode


@lru_cache(maxsize=128)
def _nobody_gains(question: _Question) -> Solution:
    return open_loop_equilibrium(question.game, question.mode, every=False)[0]


def _open_loop(game: Game, mode: RewardMode) -> Solution:
    return _nobody_gains(_Question(game, game.hash, mode))


def _trust_aware(game: Game, mode: RewardMode) -> Solution:
    return trust_aware.solve(game, mode, advice(game, "coopetitive", "loyalty"))


def _any(game: Game) -> str | None:
    return None


def _of_reports(*reports: int, instead: tuple[str, ...] = (), reason: str = "") -> Limit:
    """Only games of these reports; ``instead`` names concepts that the others may have an answer to."""

    def limit(game: Game) -> str | None:
        if game.report in reports:
            return None
        belongs = f"it is of TR-{game.report}, and the concept belongs to TR-{', TR-'.join(map(str, reports))}"
        return f"{belongs}{reason}{advice(game, *instead)}"

    return limit


def _answers_trust(game: Game) -> str | None:
    if game.trust is not None and (game.report == 2 or game.exit is not None):
        return None
    reason = "neither trust nor an end that depends on it is what its report is about"
    return reason + advice(game, "coopetitive", "loyalty")


def advice(game: Game, *names: str) -> str:
    """Words that say what to ask instead: those of the named concepts that apply to the game; empty if none does."""
    open_to = [repr(name) for name in names if CONCEPTS[name].limit(game) is None]
    return f"; ask for {' or '.join(open_to)}" if open_to else ""


CONCEPTS = {
    concept.name: concept
    for concept in (
        Concept(
            "nash", "Nash", "Nash 1951", "In one step from the first state: nobody gains by another action.", "private",
            _nash, _any,
        ),
        Concept(
            "coopetitive", "Equilibrium", "TR-1, equations of the coopetitive equilibrium, over an episode",
            "Over an episode: nobody gains by another sequence of actions, each caring for others as the mode says.",
            "integrated", _open_loop, _of_reports(1, 2, 4, instead=("loyalty",)),
        ),
        Concept(
            "trust_aware", "TrustAware", "TR-2, as rules in trust and time",
            "Over an episode: rules in trust and time, each the best that was found against the others' rules.",
            "integrated", _trust_aware, _answers_trust,
        ),
        Concept(
            "social_optimum", "SocialOptimum", "planner of the sum of rewards",
            "Over an episode: the largest sum of rewards that a planner can reach.",
            "private", open_loop_optimum, _any,
        ),
        Concept(
            "loyalty", "Loyalty", "TR-3 with the dynamics of loyalty",
            "Over an episode of a team: nobody gains by another sequence, knowing how effort builds loyalty.",
            "integrated", _open_loop, _of_reports(3, instead=("coopetitive",)),
        ),
        Concept(
            "reciprocity", "ReciprocityEquilibrium", "TR-4 with memory",
            "Over an episode with partners that answer: nobody gains by another sequence of actions.",
            "integrated", _open_loop, _of_reports(4, instead=("coopetitive", "loyalty")),
        ),
        Concept(
            "bounded_reciprocity", "BoundedReciprocity", "TR-4, section 8.4",
            "The law of TR-4 by which everybody answers the others, within bounds; no claim that it is best.",
            "integrated", bounded_reciprocity.solve, _of_reports(4, reason="; there is nothing to answer in it"),
        ),
    )
}  # fmt: skip
