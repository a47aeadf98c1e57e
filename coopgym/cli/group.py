"""How a command ends: one line for an error (JSON too, where it was asked for), and an exit code that says its kind."""

from __future__ import annotations

import json as json_
import os
import re
import select
import sys
import warnings
from collections.abc import Callable
from typing import Any, NoReturn

import typer
from typer.core import TyperGroup

from coopgym.algorithms.interrupts import Terminated, terminable
from coopgym.extras import sentence

FAILED, WRONG, INTERRUPTED, BROKEN_PIPE, TERMINATED = 1, 2, 130, 141, 143
LONGEST = 2000  # characters of a line
UsageError: Any = typer.BadParameter.__mro__[1]  # where it is imported from differs between versions of typer
RESUMED = ("train", "ablate", "audit", "study")
KEPT = "what was finished is kept; the same command goes on from there"
LOST = "the command was stopped before its end"


def plain(text: object) -> str:
    """Text for a terminal: control and formatting characters, such as escape sequences, are written out as escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(text))


def one_line(text: object) -> str:
    """Text without breaks, and no longer than somebody would read."""
    line = " ".join(str(text).split())
    return line if len(line) <= LONGEST else f"{line[:LONGEST]} ... ({len(line):,} characters)"


def say(kind: str, text: object) -> None:
    """One line on stderr."""
    print(f"{kind}: {plain(one_line(text))}", file=sys.stderr)


def print_json(content: Any) -> None:
    """JSON and nothing else."""
    print(json_.dumps(content, indent=2, default=str, allow_nan=False))


def error_object(text: object, code: int) -> dict[str, Any]:
    """What ``--json`` prints of an error."""
    return {"message": one_line(text), "exit_code": code}


class Commands(TyperGroup):
    """The group of all commands; turns the errors that users can cause into one line each."""

    def parse_args(self, ctx: Any, args: list[str]) -> Any:
        """Remember whether JSON is wanted, in case that the command itself is never reached."""
        words = args[: args.index("--")] if "--" in args else args
        ctx.meta["coopgym.json"] = "--json" in words
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run the command. Exit code 1: the work failed; 2: a value is wrong; 130: interrupted; 143: terminated."""
        try:
            with warnings.catch_warnings(), terminable():
                warnings.showwarning = lambda message, *_, **__: say("warning", message)
                found = super().invoke(ctx)
                sys.stdout.flush()
                return found
        except UsageError as error:
            if ctx.meta["coopgym.json"]:
                print_json({"error": error_object(error.format_message(), WRONG)})
            raise
        except (KeyboardInterrupt, Exception) as error:
            if isinstance(error, OSError) and reader_is_gone():
                silence()
                raise typer.Exit(BROKEN_PIPE) from None
            known = _ending(error, ctx.invoked_subcommand)
            if known is None:
                if ctx.meta["coopgym.json"] and not isinstance(error, (typer.Exit, typer.Abort)):
                    print_json({"error": error_object(f"{type(error).__name__}: {error}", FAILED)})
                raise
            _end(*known, ctx.meta["coopgym.json"])


def _ending(error: BaseException, command: str | None) -> tuple[str, str, int] | None:
    """What is said of an error, what it is, and the exit code; None for one that no user can cause."""
    match error:
        case typer.Exit() | typer.Abort():
            return None
        case Terminated():
            return "terminated", KEPT if command in RESUMED else LOST, TERMINATED
        case KeyboardInterrupt():
            return "interrupted", KEPT if command in RESUMED else LOST, INTERRUPTED
        case ModuleNotFoundError():
            known = "pip install" in str(error)
            return "error", str(error) if known else sentence(error.name, f"coopgym {command or ''}".strip()), FAILED
        case ValueError() | FileNotFoundError() | NotADirectoryError():
            return "error", _said(error), WRONG
        case OSError():
            return "error", _said(error), FAILED
    return None


def _end(kind: str, text: str, code: int, json: bool) -> NoReturn:
    say(kind, text)
    try:
        if json:
            print_json({"error": error_object(text, code)})
        sys.stdout.flush()
    except OSError:  # a full disk, perhaps, which may be what the error says
        silence()
    raise typer.Exit(code) from None


def _said(error: Exception) -> str:
    """An error's words; of the system's own what happened and to which file, without its number."""
    if isinstance(error, OSError) and error.strerror and error.filename is not None:
        return commands_for(f"{error.filename}: {error.strerror}")
    return commands_for(str(error))


def _learners() -> str:
    from coopgym.algorithms.registry import list_algorithms

    return f"the learners are {', '.join(list_algorithms('learner'))}"


WORDS: dict[str, str | Callable[[re.Match[str]], str]] = {  # of Python, and of the command line
    r"coopgym\.list_games\(\)": "`coopgym list`",
    r"coopgym\.list_algorithms\(\) names them all": lambda found: _learners(),
    r"; a policy without training comes from coopgym\.policy": "",
    r"coopgym\.train\('(\w+)', '([\w-]+)'\)": r"`coopgym train \1 \2`",
    r"coopgym\.(train|evaluate|solve|audit|validate)\b(?! [A-Z]|/)": r"`coopgym \1`",
}


def commands_for(text: str) -> str:
    """An error with commands in place of the Python functions that it names."""
    for pattern, words in WORDS.items():
        text = re.sub(pattern, words, text)
    return text


def reader_is_gone() -> bool:
    """Whether stdout is a pipe that nobody reads any more."""
    try:
        poll = select.poll()
        poll.register(sys.stdout.fileno(), select.POLLOUT)
        return any(state & select.POLLERR for _, state in poll.poll(0))
    except (AttributeError, OSError, ValueError):  # no poll on Windows; no file number in tests
        return False


def silence() -> None:
    """Send what is still to be printed nowhere, so that the interpreter's own end does not fail as well."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
