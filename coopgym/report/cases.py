"""The picture of a case study: what is documented, what the model says, and what random models say."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from coopgym.report.plots import DASHES, INK, STYLE, save
from coopgym.validation.panels import CasePicture, Panel, Stretch

MODELS = ("#0072B2", "#D55E00")  # Okabe and Ito (2008), as below; a second model is dashed too
BAND, NULL = "#E69F00", "#BBBBBB"
LINES: Any = ("solid", DASHES)
POINTS = "oD^"
LETTER = 0.008  # of the width of a panel


def plot_cases(reports: Iterable[int], folder: str | Path) -> list[Path]:
    """Save ``case_<name>.png`` for the case study of each report in the folder, and return their paths."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    pictures = [importlib.import_module(f"coopgym.validation.report{k}.picture").picture() for k in reports]
    return [plot_case(picture, Path(folder) / f"case_{picture.case}.png") for picture in pictures]


def plot_case(picture: CasePicture, path: str | Path) -> Path:
    """Save one picture as PNG."""
    timeless = [panel for panel in picture.panels if panel.forms]
    timed = [panel for panel in picture.panels if not panel.forms]
    heights = [2.6] * bool(timeless) + [0.4 + 2.2 * len(timed)]
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(9.0, sum(heights) + 0.9), dpi=100, layout="constrained")
        parts = figure.subfigures(len(heights), 1, height_ratios=heights, squeeze=False)[:, 0]
        if timeless:
            for axis, panel in zip(parts[0].subplots(1, len(timeless), squeeze=False)[0], timeless, strict=True):
                _draw_forms(axis, panel)
        axes = parts[-1].subplots(len(timed), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
        for axis, panel in zip(axes, timed, strict=True):
            _draw_course(axis, panel, picture.phases)
        _name_phases(axes[0], picture.phases)
        axes[-1].set_xlabel(picture.x_label)
        figure.suptitle(picture.title, fontsize=13, fontweight="bold")
        _draw_key(figure, picture)
        return save(figure, path)


def _draw_forms(axis: Axes, panel: Panel) -> None:
    """A marker for each form on a bar that shows its null, over the documented range."""
    for band in panel.bands:
        axis.axhspan(band.low, band.high, color=BAND, alpha=0.3, linewidth=0.0)
    axis.vlines(panel.x, *panel.envelope, color=NULL, linewidth=14.0)
    for y in panel.models.values():
        axis.plot(panel.x, y, "o", color=MODELS[0], markersize=8, markeredgecolor="white")
    axis.set_xticks(panel.x, panel.forms)
    axis.set_xlim(-0.5, len(panel.forms) - 0.5)
    axis.set_title(panel.title, loc="left")
    axis.grid(False, axis="x")


def _draw_course(axis: Axes, panel: Panel, phases: Sequence[Stretch]) -> None:
    axis.fill_between(panel.x, *panel.envelope, color=NULL, alpha=0.6, linewidth=0.0)
    for band in panel.bands:
        axis.fill_between([band.start, band.end], band.low, band.high, color=BAND, alpha=0.4, linewidth=0.0)
    for y, colour, line in zip(panel.models.values(), MODELS, LINES, strict=False):
        axis.plot(panel.x, y, color=colour, linewidth=2.0, linestyle=line)
    for (x, y), marker in zip((panel.documented or {}).values(), POINTS, strict=False):
        axis.plot(
            x, y, marker, color=INK, markersize=6, markeredgecolor="white", markeredgewidth=0.6, clip_on=False, zorder=3
        )
    for phase in phases[1:]:
        axis.axvline(phase.start, color=INK, linewidth=0.8, linestyle=":")
    axis.set_xlim(phases[0].start, phases[-1].end)
    axis.margins(y=0.06)
    if panel.log:
        axis.set_yscale("log")
    axis.set_ylabel(panel.title)
    axis.grid(False, axis="x")


def _name_phases(axis: Axes, phases: Sequence[Stretch]) -> None:
    """Names above the first panel; every second one higher if one is wider than its phase."""
    whole = phases[-1].end - phases[0].start
    crowded = any(len(phase.name) * LETTER > (phase.end - phase.start) / whole for phase in phases)
    for i, phase in enumerate(phases):
        axis.annotate(
            phase.name, ((phase.start + phase.end) / 2.0, 1.0), (0, 4 + 12 * (crowded and i % 2)),
            ("data", "axes fraction"), "offset points", ha="center", va="bottom", fontsize=8, color=INK,
        )  # fmt: skip


def _draw_key(figure: Figure, picture: CasePicture) -> None:
    panels = [panel for panel in picture.panels if not panel.forms]
    handles: list[Line2D | Patch] = [
        Line2D([], [], color=colour, linewidth=2.0, linestyle=line, label=name)
        for name, colour, line in zip(panels[0].models, MODELS, LINES, strict=False)
    ]
    handles += [
        Line2D([], [], color=INK, marker=marker, linestyle="", markersize=5, label=name)
        for name, marker in zip(panels[0].documented or {}, POINTS, strict=False)
    ]
    if any(panel.bands for panel in picture.panels):
        handles.append(Patch(color=BAND, alpha=0.4, linewidth=0.0, label="documented range"))
    handles.append(Patch(color=NULL, alpha=0.6, linewidth=0.0, label="random models, 5 to 95 %"))
    figure.legend(
        handles=handles, loc="outside lower center", ncols=min(len(handles), 4), frameon=False, fontsize=9,
        title=f"Random models: {picture.null}", title_fontsize=9,
    )  # fmt: skip
