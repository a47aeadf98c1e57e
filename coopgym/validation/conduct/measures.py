"""How like the record a course of levels is: in bands, in distance, in order, in turns, and as a rubric's evidence."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from coopgym.validation.conduct.record import Record
from coopgym.validation.files import read_data
from coopgym.validation.scoring import Rubric, Scored, read_rubric, score

DIGITS = 3  # a thousandth of an endowment is no difference when levels are put in order
BETTER_LOW = ("rmse",)  # of all other measures more is more like the record


def rubric(record: Record) -> Rubric:
    """The rubric that scores conduct in the record's case."""
    return read_rubric(read_data(f"conduct_{record.case}_rubric"))


def measures(levels: np.ndarray, record: Record, agents: np.ndarray | None = None) -> dict[str, np.ndarray]:
    """Of levels ``[..., K, A]``, each ``[...]``: all measures and the share of the rubric's points.

    band_share of phases and actors; rmse; r2 over all entries, which can be negative; tau, Kendall's tau-b of the order
    of phases, mean over actors, 0 for a level that never moves; turns, share of changes from phase to phase that have
    the documented sign.
    """
    error, spread = levels - record.levels, record.levels - record.levels.mean()
    scored = conduct_score(levels, record, agents)
    return {
        "band_share": (misses(levels, record) <= 1.0).mean((-2, -1)),
        "rmse": np.sqrt((error**2).mean((-2, -1))),
        "r2": 1.0 - (error**2).sum((-2, -1)) / (spread**2).sum(),
        "tau": tau(levels, record).mean(-1),
        "turns": same_turns(levels, record).mean((-2, -1)),
        "score": scored.total / scored.rubric.out_of,
    }


def misses(levels: np.ndarray, record: Record) -> np.ndarray:
    """Distance from the documented level in half-widths of the band, ``[..., K, A]``; its edge counts as inside."""
    return np.asarray((abs(levels - record.levels) / record.widths).round(9))


def tau(levels: np.ndarray, record: Record) -> np.ndarray:
    """Kendall's tau-b of the order of phases of each actor, ``[..., A]``; 0 where all phases are level."""
    ours, theirs = (_signs(np.swapaxes(x, -1, -2)) for x in (levels, record.levels))
    pairs = np.sqrt(abs(ours).sum((-2, -1)) * abs(theirs).sum((-2, -1)))
    return np.asarray((ours * theirs).sum((-2, -1)) / np.where(pairs > 0, pairs, 1.0))


def same_turns(levels: np.ndarray, record: Record) -> np.ndarray:
    """Whether the change from the phase before has the documented sign, ``[..., K - 1, A]``."""
    ours, theirs = (np.sign(np.diff(x.round(DIGITS), axis=-2)) for x in (levels, record.levels))
    return np.asarray(ours == theirs)


def conduct_score(levels: np.ndarray, record: Record, agents: np.ndarray | None = None) -> Scored:
    """The rubric on levels ``[..., K, A]``; ``agents [..., N]`` are their mean rates, alike within actors if None."""
    return score(rubric(record), evidence(levels, record, agents))


def evidence(levels: np.ndarray, record: Record, agents: np.ndarray | None = None) -> Mapping[str, np.ndarray]:
    """What the rubric asks of levels ``[..., K, A]``, each ``[...]``.

    ``phase.actor.miss`` and ``.same_turn``, ``actor.tau``; of each pair of actors ``phase.first-second.same_leader``,
    whether the documented one contributes more, and ``.gap``, their distance in half-widths; contribution_ratio, the
    most over the least active agent.
    """
    agents = record.by_agent(levels.mean(-2)) if agents is None else agents
    far, order, turn = misses(levels, record), tau(levels, record), same_turns(levels, record)
    ours, theirs = (_signs(x) for x in (levels, record.levels))
    facts = {"contribution_ratio": _ratio(agents.max(-1), agents.min(-1))}
    for i, first in enumerate(record.actors):
        facts[f"{first}.tau"] = order[..., i]
        for k, phase in enumerate(record.phases):
            facts[f"{phase}.{first}.miss"] = far[..., k, i]
            if k:
                facts[f"{phase}.{first}.same_turn"] = turn[..., k - 1, i]
            for j in range(i + 1, len(record.actors)):
                pair = f"{phase}.{first}-{record.actors[j]}"
                gap = abs(levels[..., k, i] - levels[..., k, j]) / record.widths[k, [i, j]].max()
                facts[f"{pair}.same_leader"] = ours[..., k, i, j] == theirs[k, i, j]
                facts[f"{pair}.gap"] = gap.round(9)
    return facts


def _signs(x: np.ndarray) -> np.ndarray:
    """Signs of the differences of all pairs of the last axis, ``[..., n]`` to ``[..., n, n]``."""
    level = x.round(DIGITS)
    return np.asarray(np.sign(level[..., :, None] - level[..., None, :]))


def _ratio(most: np.ndarray, least: np.ndarray) -> np.ndarray:
    """most / least; infinite where some give nothing, not a number where all do."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(most / least)
