"""A report from a folder: its panels, in the order in which they are read, drawn into one HTML page."""

from __future__ import annotations

from collections.abc import Callable

from coopgym.report.page.material import Material
from coopgym.report.page.panel import Panel

PANELS: tuple[Callable[[Material], Panel | None], ...] = ()  # None: the folder has nothing to show there


def panels(material: Material) -> list[Panel]:
    """All that the folder has something for."""
    return [panel for make in PANELS if (panel := make(material))]
