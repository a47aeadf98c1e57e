"""Directive ``measures``: every measure of an audit, with its unit, range and definition."""

from __future__ import annotations

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from coopgym.audit.measures import CATALOGUE, Measure


def row(name: str, measure: Measure) -> str:
    """A line of the table."""
    where = f"{measure.low:g} to {measure.high:g}".replace("inf", "∞")
    what = measure.what.replace("|", "\\|").replace("*", "\\*").replace("<", "&lt;")
    return f"| `{name}` | {what} | {measure.unit} | {where} | {'agent' if measure.agents else 'policy'} |"


class Measures(SphinxDirective):
    """All of them in one table."""

    def run(self) -> list[nodes.Node]:
        """The table."""
        head = ["| measure | is | unit | range | one for each |", "|---|---|---|---|---|"]
        return self.parse_text_to_nodes("\n".join([*head, *(row(*each) for each in CATALOGUE.items())]))


def setup(app: Sphinx) -> dict[str, bool]:
    """Enter the directive."""
    app.add_directive("measures", Measures)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
