"""Who is told how a study goes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from coopgym.study.program import Program
    from coopgym.study.records import Row


class Watcher:
    """Who wants to know how it goes; each method does nothing here."""

    def begin(self, programs: Sequence[Program], slots: int) -> None:
        """These are to be done, in this order."""

    def share(self, index: int, program: Program, share: float) -> None:
        """A program, by its place among those of ``begin``, has come so far."""

    def finished(self, program: Program, rows: Sequence[Row]) -> None:
        """Its records are written."""

    def failed(self, program: Program, reason: str) -> None:
        """It did not finish."""

    def waiting(self, programs: Sequence[Program], holders: Sequence[str]) -> None:
        """All that is left is being done by others, who are named; called once each time that they change."""
