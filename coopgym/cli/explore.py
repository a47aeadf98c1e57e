"""``coopgym explore``: a page on which a person plays a game."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from coopgym.cli.group import say
from coopgym.cli.parameters import file, game_id


def explore(
    game: Annotated[
        str | None,
        typer.Argument(
            help="The game that is open at first: else that of the run, or TrustDilemma-v1.", callback=game_id
        ),
    ] = None,
    port: Annotated[int, typer.Option(help="Port of the page; 0 takes any that is free.")] = 8000,
    host: Annotated[str, typer.Option(help="Address to listen on: of this machine alone.")] = "127.0.0.1",
    allow_remote: Annotated[
        bool, typer.Option("--allow-remote", help="Listen on an address that other machines reach. No password!")
    ] = False,
    run: Annotated[
        list[Path] | None, file("A folder of `coopgym train` or `ablate`: its policies may sit in seats.")
    ] = None,
    open_: Annotated[bool, typer.Option("--open/--no-open", help="Open the page in the browser.")] = False,
) -> None:
    """Play a game in the browser: sliders, payoffs, trust and rewards step by step, under any reward mode.

    Only this machine can reach the page. Ctrl-C ends it.

    Example: coopgym explore TrustDilemma-v1 --open
    """

    def tell(url: str) -> None:
        typer.echo(f"play at {url} (Ctrl-C ends)")

    try:
        from coopgym.explore.serve import serve

        serve(game, host, port, allow_remote=allow_remote, runs=run or (), browser=open_, tell=tell)
    except ModuleNotFoundError as missing:
        say("error", f'the module {missing.name!r} is not installed; install it with: pip install "coopgym[explore]"')
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
