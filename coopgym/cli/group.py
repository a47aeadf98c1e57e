"""How a command ends: one line for an error, and an exit code that says which kind it was."""

from __future__ import annotations

import sys
import warnings
from typing import Any

import typer
from typer.core import TyperGroup


def say(kind: str, text: object) -> None:
    """One line on stderr."""
    print(f"{kind}: {' '.join(str(text).split())}", file=sys.stderr)


class Commands(TyperGroup):
    """The group of all commands; turns the errors that users can cause into one line each."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command. Exit code 1: the work failed; 2: a value is wrong; 130: interrupted."""
        try:
            with warnings.catch_warnings():
                warnings.showwarning = lambda message, *_, **__: say("warning", message)
                return super().invoke(ctx)
        except KeyboardInterrupt:
            say("interrupted", "what was finished is kept; the same command goes on from there")
            raise typer.Exit(130) from None
        except ModuleNotFoundError as missing:
            cure = 'install the learners with: pip install "coopgym[learn]"'
            say("error", f"the module {missing.name!r} is not installed; {cure}")
            raise typer.Exit(1) from None
        except (ValueError, FileNotFoundError, NotADirectoryError) as error:
            say("error", error)
            raise typer.Exit(2) from None
        except OSError as error:
            say("error", error)
            raise typer.Exit(1) from None
