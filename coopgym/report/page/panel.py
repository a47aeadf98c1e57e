"""What a report is made of: panels of plain data. Whoever draws them escapes all text; nothing here is HTML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Chart:
    """One picture. ``figure`` is a Plotly figure as a JSON-able mapping with "data" and "layout".

    alt: what a reader who cannot see it needs to know, in a sentence or two. caption: what is drawn, of how many runs,
    and what bands and bars are.
    """

    figure: Mapping[str, Any]
    alt: str
    caption: str = ""
    group: str = ""


@dataclass(frozen=True)
class Table:
    """Numbers that people read. A cell is a text, a number, a truth or None (drawn as a dash).

    links: for each row, the filter of the table of runs that shows the records behind it, such as
    ``{"algorithm": "IPPO", "reward_mode": "private"}``; empty where there is none.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str | float | int | bool | None, ...], ...]
    caption: str = ""
    links: tuple[Mapping[str, str], ...] = ()


@dataclass(frozen=True)
class Panel:
    """One section of a report: what it shows in a sentence, then charts, tables and remarks.

    anchor: the id in the page, of lower-case letters and dashes. lead: the finding, with its uncertainty. verbatim: a
    text that is shown as it is, line by line.
    """

    anchor: str
    title: str
    lead: str
    charts: tuple[Chart, ...] = ()
    tables: tuple[Table, ...] = ()
    notes: tuple[str, ...] = field(default=())
    verbatim: str = ""
