"""Directive ``learners``: every learner of the register, with its paper and its hyperparameters."""

from __future__ import annotations

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from coopgym.algorithms import registry


def section(name: str) -> str:
    """A heading, where it is from, and its two classes."""
    found = registry.algorithm(name, "learner")
    classes = [f"{kind.__module__}.{kind.__qualname__}" for kind in (found.build, found.settings)]
    shown = "\n".join(f".. autoclass:: {each}\n   :no-members:\n" for each in classes)
    paradigm = found.paradigm.replace("_", " ")
    return f"## {name}\n\n{found.paper}. Paradigm: {paradigm}.\n\n```{{eval-rst}}\n{shown}\n```\n"


class Learners(SphinxDirective):
    """All learners, one section each."""

    def run(self) -> list[nodes.Node]:
        """The sections."""
        text = "\n".join(section(name) for name in registry.list_algorithms("learner"))
        return self.parse_text_to_nodes(text, allow_section_headings=True)


def setup(app: Sphinx) -> dict[str, bool]:
    """Enter the directive."""
    app.add_directive("learners", Learners)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
