"""Which learner under which reward mode behaves like the documented actors: a table over a folder of records."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from coopgym.study.identity import Labels, labels
from coopgym.study.records import Row
from coopgym.study.stored import policies_of, stored
from coopgym.study.summary import Estimate, estimate
from coopgym.validation.conduct.audit import Conduct, audit_case
from coopgym.validation.conduct.record import documented_games

MEASURES = ("score", "band_share", "rmse", "r2", "tau", "turns", "r2_percentile", "score_percentile")


@dataclass(frozen=True)
class Likeness:
    """One learner under one reward mode in one game: each measure's mean over runs, with its interval.

    beating_constants: share of runs whose r2 no constants reach.
    """

    game: str
    algorithm: str
    reward_mode: str
    runs: int
    measures: Mapping[str, Estimate]
    beating_constants: float

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, for JSON."""
        return asdict(self)


def audit_folder(folder: str | Path, *, news: Callable[[str, float], None] | None = None) -> list[Row]:
    """One row for each trained policy in ``folder`` whose game a case study documents, as ``audit_case`` finds it.

    Folders are those that ``stored`` reads. Raises FileNotFoundError where no such policy is.
    """
    tell, rows = news or (lambda name, share: None), list[Row]()
    cases = documented_games()
    programs = [(place, runs) for place, runs in stored(folder) if runs[0]["game"].rpartition("-")[0] in cases]
    if not programs:
        raise FileNotFoundError(f"no trained policy in {str(folder)!r} plays one of {', '.join(cases)}")
    named = labels(run for _, runs in programs for run in runs)
    for i, (place, runs) in enumerate(programs):
        policies = policies_of(place, runs)
        rows += identified(runs, audit_case(policies, policies[0].game), named)
        tell("auditing", (i + 1) / len(programs))
    return rows


def identified(runs: Sequence[Mapping[str, Any]], found: Conduct, among: Labels | None = None) -> list[Row]:
    """Rows of what was found of the policies of these runs, with what identifies each.

    among: names made for more runs than these, so that game and algorithm say what differs among all of them.
    """
    named = among or labels(runs)
    beats, rows = found.beats_constants(), []
    for run, row, beat in zip(runs, found.rows(), beats, strict=True):
        game, algorithm, mode = named.cell(run)
        identity = {"run_id": run["run_id"], "algorithm": algorithm, "seed": run["seed"], "reward_mode": mode}
        rows.append(identity | row | {"game": game, "beats_constants": bool(beat)})
    return rows


def likeness(rows: Iterable[Mapping[str, Any]]) -> list[Likeness]:
    """One line for each game, learner and reward mode, the nearest to the record first in each game (by r2)."""
    grouped: dict[tuple[str, str, str], list[Mapping[str, Any]]] = {}
    for row in rows:
        grouped.setdefault((row["game"], row["algorithm"], row["reward_mode"]), []).append(row)
    lines = [
        Likeness(
            *key,
            runs=len(own),
            measures={name: estimate([row[name] for row in own]) for name in MEASURES},
            beating_constants=sum(row["beats_constants"] for row in own) / len(own),
        )
        for key, own in grouped.items()
    ]
    return sorted(lines, key=lambda line: (line.game, -line.measures["r2"].mean))
