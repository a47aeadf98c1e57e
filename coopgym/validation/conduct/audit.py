"""Do policies behave like the actors of the case study that their game stands for? Measures beside their nulls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from coopgym.algorithms.evaluation import line_up
from coopgym.algorithms.policy import Policy
from coopgym.envs.catalogue import game as make_game
from coopgym.envs.game import Game
from coopgym.validation.conduct.measures import BETTER_LOW, conduct_score, measures, tau
from coopgym.validation.conduct.nulls import best_constants, shuffled, untrained
from coopgym.validation.conduct.play import Played, play_phases
from coopgym.validation.conduct.record import Record, record_of
from coopgym.validation.nulls import percentile_in
from coopgym.validation.scoring import Scored

CAUTION = (
    "The game has no phases of its own: its rules are the same at every step, and no documented event happens in it. "
    "A policy can match documented levels; that it moves when the actors did is no evidence that it knows why."
)


@dataclass(frozen=True, eq=False)
class Conduct:
    """Likeness of P policies to a record of K phases and A actors.

    levels ``[P, K, A]`` mean rates; measures: name -> ``[P]``, see ``conduct.measures``; tau ``[P, A]`` by actor;
    scored: the rubric's points. best_constants: name -> what constants reach; shuffled: name -> (mean, 5 %, 95 %) of
    the record out of order; percentiles: name -> ``[P]`` of each policy among those, and constants_at of the constants;
    untrained: name -> mean over policies that have not learned.
    """

    game: str
    policies: tuple[str, ...]
    record: Record
    levels: np.ndarray
    measures: Mapping[str, np.ndarray]
    tau: np.ndarray
    scored: Scored
    best_constants: Mapping[str, float]
    shuffled: Mapping[str, tuple[float, float, float]]
    percentiles: Mapping[str, np.ndarray]
    constants_at: Mapping[str, float]
    untrained: Mapping[str, float]
    caution: str = CAUTION

    def beats_constants(self, measure: str = "r2") -> np.ndarray:
        """Which policies ``[P]`` are more like the record than any constants are, on one measure."""
        ours, theirs = self.measures[measure], self.best_constants[measure]
        return np.asarray(ours < theirs - 1e-9 if measure in BETTER_LOW else ours > theirs + 1e-9)

    def rows(self) -> list[dict[str, Any]]:
        """One flat row a policy: measures, sections of the rubric as shares, percentiles."""
        sections = self.scored.by_section()
        full = {name: sum(x.points for x in self.scored.rubric.items if x.section == name) for name in sections}
        columns = {
            **self.measures,
            **{f"{name}_share": points / full[name] for name, points in sections.items()},
            **{f"{name}_percentile": x for name, x in self.percentiles.items()},
        }
        return [
            {"policy": policy, "game": self.game} | {name: float(x[p]) for name, x in columns.items()}
            for p, policy in enumerate(self.policies)
        ]

    def to_dict(self) -> dict[str, Any]:
        """Plain data: the record, what stands beside, and a row with the levels for each policy."""
        record = self.record
        return {
            "game": self.game,
            "caution": self.caution,
            "note": record.note,
            "actors": list(record.actors),
            "phases": list(record.phases),
            "first_steps": record.bounds.tolist(),
            "documented": record.levels.tolist(),
            "half_widths": record.widths.tolist(),
            "best_constants": dict(self.best_constants),
            "constants_at": dict(self.constants_at),
            "shuffled": {name: list(x) for name, x in self.shuffled.items()},
            "untrained": dict(self.untrained),
            "policies": [
                row | {"levels": levels.tolist(), "tau_by_actor": order.tolist()}
                for row, levels, order in zip(self.rows(), self.levels, self.tau, strict=True)
            ],
        }


def audit_case(
    policies: Any,
    game: Game | str | None = None,
    *,
    seed: int = 0,
    untrained_as: str = "IPPO",
    permutations: int = 1000,
    **game_options: Any,
) -> Conduct:
    """Play policies in the game of a case study and lay what they do beside what its actors are documented to do.

    policies: what ``coopgym.policy`` takes, a list of it, a stack, or what ``coopgym.train`` returns, whose own game
    and learner are then meant. untrained_as: the learner whose first networks are a null. Raises ValueError for a game
    that no case study documents.
    """
    if hasattr(policies, "runs"):  # what training returned
        untrained_as, game = getattr(policies, "algorithm", untrained_as), game or policies.game
        policies = list(policies.policies)
    if game is None:
        raise ValueError("game is missing; name the game that the policies play, say 'SLCD-v1'")
    made = make_game(game, **game_options)
    record = record_of(made)
    lined = line_up(policies, made)
    played, fresh = play_phases(lined, made, record, seed), play_phases(untrained(made, untrained_as), made, record)
    return lay_beside(_names(lined), played, fresh, record, permutations)


def lay_beside(names: tuple[str, ...], played: Played, fresh: Played, record: Record, permutations: int) -> Conduct:
    """What was played beside the record and the three nulls; fresh is what untrained policies played."""
    found, constants = measures(played.levels, record, played.agents), best_constants(record)
    null = {name: x.round(9) for name, x in measures(shuffled(record, permutations), record).items()}
    return Conduct(
        game=record.game,
        policies=names,
        record=record,
        levels=played.levels,
        measures=found,
        tau=tau(played.levels, record),
        scored=conduct_score(played.levels, record, played.agents),
        best_constants=constants,
        shuffled={name: _spread(x) for name, x in null.items()},
        percentiles={name: np.array([_place(null, name, y) for y in x]) for name, x in found.items()},
        constants_at={name: _place(null, name, x) for name, x in constants.items()},
        untrained={name: float(x.mean()) for name, x in measures(fresh.levels, record, fresh.agents).items()},
    )


def _spread(x: np.ndarray) -> tuple[float, float, float]:
    low, high = np.percentile(x, (5, 95))
    return float(x.mean().round(9)), float(low), float(high)


def _place(null: Mapping[str, np.ndarray], name: str, own: float) -> float:
    """Percentile among the shuffled records, 100 being most like the record; half of the ties count."""
    found = percentile_in(null[name], round(float(own), 9))
    return 100.0 - found if name in BETTER_LOW else found


def _names(policies: list[Policy]) -> tuple[str, ...]:
    """One name for each policy; those of a stack are numbered."""
    return tuple(
        name
        for p in policies
        for name in ([f"{p.name}[{i}]" for i in range(len(p))] if p.stacked else [p.name])  # type: ignore[arg-type]
    )
