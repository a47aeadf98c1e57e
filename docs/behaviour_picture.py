"""Draws docs/behaviour.png: the changes of docs/behaviour.md, with their intervals, class by class.

``python docs/behaviour_picture.py`` writes the picture.
"""

from __future__ import annotations

import matplotlib
from behaviour_tables import PAGE, SHOWN, Found, cells, comparable, compared, rows
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from coopgym.report.plots import COLOURS, DASHES, FAINT, INK, STYLE

CLASSES = ("all games", "TR-1", "TR-2", "TR-3", "TR-4")
AFTER = {"integrated": -0.13, "cooperative": 0.13}  # modes that are compared with private, and their places on a line


def draw(axis: Axes, found: Found, measure: str) -> None:
    """One measure: a dot and an interval for each change, over all games (by game) and in each class (by pair)."""
    for c in (*found.together.changes, *found.pairs.changes):
        if c.measure == measure and c.before == "private" and c.difference is not None:
            y, colour = CLASSES.index(c.game) + AFTER[c.after], COLOURS[c.after]
            axis.plot([c.low, c.high], [y, y], color=colour, linewidth=1.8)
            axis.plot(c.difference, y, "o", color=colour, markerfacecolor=colour if c.found else "white")
    axis.axvline(0.0, color=FAINT, linewidth=1.0, linestyle=DASHES)
    axis.set_yticks(range(len(CLASSES)), CLASSES)
    axis.set_ylim(len(CLASSES) - 0.5, -0.5)
    axis.set_title(measure, loc="left")
    axis.locator_params(axis="x", nbins=5)


def main() -> None:
    """All measures of the page."""
    found = compared(cells(comparable(rows())))
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(11.0, 7.4), dpi=90, layout="constrained")
        for axis, shown in zip(figure.subplots(3, 4).flat, SHOWN, strict=True):
            draw(axis, found, shown.title)
        handles = [Line2D([], [], color=COLOURS[mode], label=f"private → {mode}") for mode in AFTER]
        handles += [
            Line2D([], [], color=INK, marker="o", linestyle="", markerfacecolor=face, label=label)
            for face, label in ((INK, "found after the correction"), ("white", "not found"))
        ]
        figure.legend(handles=handles, loc="outside lower center", ncols=4, frameon=False)
        figure.savefig(PAGE.with_suffix(".png"), metadata={"Software": None})


if __name__ == "__main__":
    main()
