"""Directive ``commands``: every command of the command line, as its own help says it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from typer.main import get_command

from coopgym.cli.commands import app as coopgym_app


def commands(group: Any, path: str = "coopgym") -> Iterator[tuple[str, Any]]:
    """(what is typed, the command) of all commands under a group."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command


def section(typed: str, command: Any) -> str:
    """A heading, the help, an example, and a table of arguments and options."""
    help, _, example = command.help.partition("Example:")
    rows = [f"| {name_of(each)} | {default_of(each)} | {each.help or ''} |" for each in command.params]
    return "\n".join(
        [
            f"## {typed}", "", re.sub(r"\s*\n\s*", "\n", help).strip(), "", "```console", f"$ {example.strip()}", "```",
            "", "| | by default | |", "|---|---|---|", *rows, "",
        ]
    )  # fmt: skip


def name_of(parameter: Any) -> str:
    """An argument's name in capitals, or an option as it is typed."""
    option = parameter.param_type_name == "option"
    return f"`{', '.join(parameter.opts)}`" if option else f"`{parameter.name.upper()}`"


def default_of(parameter: Any) -> str:
    """What is taken where nothing is given; empty for flags and what must be given."""
    return "" if parameter.default in (None, False, "") or parameter.required else f"`{parameter.default}`"


class Commands(SphinxDirective):
    """All commands, one section each."""

    def run(self) -> list[nodes.Node]:
        """The sections."""
        text = "\n".join(section(*each) for each in commands(get_command(coopgym_app)))
        return self.parse_text_to_nodes(text, allow_section_headings=True)


def setup(app: Sphinx) -> dict[str, bool]:
    """Enter the directive."""
    app.add_directive("commands", Commands)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
