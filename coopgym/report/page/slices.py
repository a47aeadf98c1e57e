"""What is drawn of audits that are many: all of them pooled, then each game, or each learner of a single game."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from coopgym.report.page.audited import MOST, Audited, game, gathered, learners
from coopgym.report.page.cells import of_player, player, several
from coopgym.study.records import Row
from coopgym.study.summary import mode_label

FEW = 3  # slices that are all shown at once


@dataclass(frozen=True, eq=False)
class Slice:
    """Rows that are pooled: every learner in every game counts the same.

    name: how it is called in titles and in the choice of what is shown; group: "" where there is no choice; games: how
    many are pooled; link: the filter of the table of runs; lead: what sentences on it begin with.
    """

    name: str
    group: str
    games: int
    link: dict[str, str]
    rows: Sequence[Row]
    lead: str = ""

    def strata(self, mode: str) -> list[list[Row]]:
        """Rows of a reward mode by game and learner."""
        return list(gathered([row for row in self.rows if mode_label(row) == mode], game, player).values())


def slices(found: Audited) -> tuple[list[Slice], str]:
    """Slices, the pooled one first, and what was left out in a sentence, or ""; learners of several designs by each."""
    by_game = gathered(found.rows, game)
    if len(by_game) > 1 and not several(map(player, found.rows)):
        parts = [(name, {"game": name}, rows) for (name,), rows in by_game.items()]
        return _grouped(found, "all games", parts, len(by_game)), ""
    return by_learner(found)


def by_learner(found: Audited) -> tuple[list[Slice], str]:
    """The same with a slice for each learner, over all games."""
    own, ranked = gathered(found.rows, player), learners(found)
    parts = [(name, of_player(name), own[(name,)]) for name in ranked[:MOST]]
    left = ranked[MOST:]
    games = len(gathered(found.rows, game))
    told = (
        f"Drawn one by one: the {MOST} learners with the highest efficiency; pooled and in tables: all." if left else ""
    )
    return _grouped(found, "all learners", parts, games), told


def _grouped(
    found: Audited, pooled: str, parts: Sequence[tuple[str, dict[str, str], list[Row]]], games: int
) -> list[Slice]:
    apart = several(map(player, found.rows))
    first = [(pooled, dict[str, str](), found.rows)] if len(parts) > 1 and not apart else []
    whole = [*first, *parts]
    choice = len(whole) > FEW
    return [
        Slice(
            name, name if choice else "", games if "game" not in link else 1, link, rows, f"{name}: " if apart else ""
        )
        for name, link, rows in whole
    ]
