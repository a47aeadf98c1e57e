"""A report from a folder: its panels, in the order in which they are read, drawn into one HTML page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import coopgym
from coopgym.extras import sentence
from coopgym.files import check_own, output_path, write_atomically
from coopgym.report.page import (
    answers,
    cases,
    crossover,
    episodes,
    fingerprints,
    headline,
    landscape,
    learning,
    making,
    measures,
    outcomes,
    rankings,
    runs,
)  # fmt: skip
from coopgym.report.page.material import Material
from coopgym.report.page.panel import Panel
from coopgym.report.page.words import counted, listed

FILE = "report.html"
PANELS: tuple[Callable[[Material], Panel | None], ...] = (  # None: the folder has nothing to show there
    headline.panel, outcomes.panel, rankings.panel, crossover.panel, learning.panel, landscape.panel,
    measures.panel, episodes.panel, answers.panel, fingerprints.panel, cases.panel,
)  # fmt: skip
LAST: tuple[Callable[[Material], Panel | None], ...] = (runs.panel, making.panel)


@dataclass(frozen=True)
class Report:
    """A page that was written. bytes: its size; csv: all runs, where the page has no room for a line each."""

    path: Path
    bytes: int
    kind: str
    runs: int
    panels: tuple[str, ...]
    csv: Path | None = None

    def to_dict(self) -> Mapping[str, Any]:
        """Plain data, for JSON."""
        return asdict(self) | {"path": str(self.path), "csv": self.csv and str(self.csv), "panels": list(self.panels)}


def report(folder: str | Path, out: str | Path | None = None, title: str | None = None) -> Report:
    """Make the page of a folder and write it, whole or not at all; the folder is not changed.

    Args:
        folder: Records of an ablation, a study or an audit.
        out: The page; NAME-report.html in the working folder by default, after the folder. An earlier page is replaced.
        title: Of the page.

    Raises:
        FileNotFoundError: Where there are no records.
        OverwriteError: If ``out`` is a file that is no report.
        OSError: Where the page cannot be made or written.
    """
    page = _renderer()
    material = Material.read(folder)
    path = Path.cwd() / f"{material.name}-{FILE}" if out is None else output_path(out)
    check_own(path, lambda content: b"coopgym report" in content)
    shown = panels(material)
    name = title or f"{material.kind.capitalize()}: {material.name}"
    beside = [runs.CSV] if runs.large(material) else []
    content = page(name, about(material), shown, _made(material), beside)
    if beside:
        check_own(path.with_name(runs.CSV), lambda content: content.startswith(b"run_id,"))
    path.parent.mkdir(parents=True, exist_ok=True)
    if beside:
        write_atomically(path.with_name(runs.CSV), runs.as_csv(material))
    write_atomically(path, content)
    csv = path.with_name(runs.CSV) if beside else None
    return Report(path, len(content), material.kind, len(material.rows()), tuple(x.anchor for x in shown), csv)


class ReportError(OSError):
    """A report cannot be made here, and why."""


def _renderer() -> Callable[..., bytes]:
    """What draws pages, where its libraries are installed."""
    try:
        import_module("plotly.offline")
        from coopgym.report.page.render import page
    except ModuleNotFoundError as missing:
        raise ReportError(sentence(missing.name, "a report")) from None
    return page


def panels(material: Material) -> Sequence[Panel]:
    """All that the folder has something for."""
    return [panel for make in (*PANELS, *LAST) if (panel := make(material))]


def about(material: Material) -> str:
    """What the folder holds, in a line."""
    what = "run" if material.runs else "audited run"
    parts = [counted(len(material.rows()), what), listed(material.algorithms(), 5), listed(material.games(), 3)]
    return " \N{MIDDLE DOT} ".join(
        [*parts, f"rewards {listed([mode for mode in material.modes() if mode != 'none'], 5)}"]
    )


def _made(material: Material) -> str:
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    command = f"coopgym report {material.folder}"
    return f"Made by `{command}` of coopgym {coopgym.__version__}, {now}, from stored records alone."
