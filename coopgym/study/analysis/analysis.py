"""All of it: from the folder of a study to plain numbers."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from coopgym.study.analysis import health, modes, paradigms, power, rankings, scores
from coopgym.study.analysis.rankings import Field
from coopgym.study.analysis.runs import Runs, coded, load
from coopgym.study.records import Records
from coopgym.study.stored import places_in


def analyse(folder: str | Path) -> dict[str, Any]:
    """What the records of a study say; plain data, the same each time. FileNotFoundError where there are none.

    folder: of a study, or one of several such folders, which are kept apart by their names.
    """
    places = [Records(place) for place in _places(folder)]
    runs = load(*places)
    learners = runs.learners
    if not len(learners):
        raise ValueError(f"{str(folder)!r} has no run of a learner; there is nothing to rank")
    curves = [row for records in places for row in records.read("curves")]
    return analysis(runs) | {"instability": health.instability(learners.distinct, curves)}


def _places(folder: str | Path) -> list[str | Path]:
    """The folder itself, or the folders in it that hold records."""
    inner = [] if "://" in str(folder) else places_in(Path(folder))
    return list(inner) or [folder]


def analysis(runs: Runs) -> dict[str, Any]:
    """The same without curves."""
    by = scores.rulers(runs)
    learners = runs.learners
    points = scores.score(learners, by)
    fields = {
        mode: Field.of(learners.where(learners.mode == mode), points[learners.mode == mode]) for mode in learners.modes
    }
    return {
        "runs": len(runs), "learner_runs": len(learners), "duplicates": int(learners.repeat.sum()),
        "players": coded(learners.player)[0],
        "status": dict(sorted(Counter(runs.status.tolist()).items())),
        "modes": learners.modes, "games": learners.games,
        "rulers": {game: vars(ruler) for game, ruler in by.items()},
        "rankings": {mode: rankings.ranking(field, learners, by) for mode, field in fields.items()},
        "references": references(runs, by),
        "paradigms": contrasts(learners, fields),
        "modes_compared": modes.compared(learners), "modes_by_class": modes.by_class(learners, points),
        "power": {mode: power.leader_claims(field, list(range(len(field.players)))) for mode, field in fields.items()},
        "failures": health.failures(learners.distinct),
    }  # fmt: skip


def contrasts(learners: Runs, fields: dict[str, Field]) -> dict[str, Any]:
    """Of the paradigms, in every mode; a mode in which all of a game's runs are repeats is no second test."""
    families = dict(zip(learners.player.tolist(), learners.family.tolist(), strict=True))
    mutuality = dict(zip(learners.mode.tolist(), learners.mutuality.tolist(), strict=True))
    team = dict(zip(learners.player.tolist(), learners.team.tolist(), strict=True))
    return paradigms.crossovers(fields, families, mutuality, learners.repeated(), team)


def references(runs: Runs, by: dict[str, scores.Ruler]) -> list[dict[str, Any]]:
    """By game: scores of what needs no training, the best constant first; of an oracle, by mode."""
    others = runs.where(runs.kind != "learner")
    points = scores.score(others, by) if len(others) else np.array([])
    found = []
    for game in runs.games:
        best = runs.best_constant[(runs.game == game) & np.isfinite(runs.best_constant)]
        ruler = by[game]
        named = {"BestConstant": float((best[0] - ruler.zero) / (ruler.one - ruler.zero))} if len(best) else {}
        own = (others.game == game) & (others.kind != "constant")
        for player, mode, point in zip(others.player[own], others.mode[own], points[own], strict=True):
            named[player if mode == "none" else f"{player} ({mode})"] = float(point)
        found.append({"game": game, "scores": named})
    return found
