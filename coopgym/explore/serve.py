"""Listening: on this machine alone, unless somebody asks for more in so many words."""

from __future__ import annotations

import errno
import ipaddress
import socket
import threading
import warnings
import webbrowser
from collections.abc import Callable, Sequence
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from coopgym.envs.catalogue import entry
from coopgym.explore.connections import Connection
from coopgym.explore.guard import LOOPBACK, Doors
from coopgym.explore.players import saved_in
from coopgym.explore.server import make_app
from coopgym.mechanisms import checks

HERE, FIRST = "127.0.0.1", "TrustDilemma-v1"


def serve(
    game: str | None = None,
    host: str = HERE,
    port: int = 8000,
    *,
    allow_remote: bool = False,
    runs: Sequence[str | Path] = (),
    browser: bool = False,
    tell: Callable[[str], None] = print,
) -> None:
    """Serve the page in this thread until it is interrupted; raises KeyboardInterrupt then.

    game: with which the page opens, by default that of the runs, or the TrustDilemma; port 0 takes any free one; runs:
    folders or files of policies that may sit in seats. ``tell`` is given the page's address. Raises ValueError for an
    unknown game, an address beyond this machine without ``allow_remote`` and a port that is taken, FileNotFoundError
    for a run without policies.
    """
    address = checked(host, allow_remote)
    saved = [each for place in runs for each in saved_in(Path(place))]
    found, version = entry(game or next((each.game for each in saved), FIRST))
    listening = bound(address, port)
    port = listening.getsockname()[1]
    doors = doors_of(address, port)
    server = made(make_app(f"{found.name}-{version}", doors=doors, saved=saved))
    url = f"http://{doors.names[0]}:{port}/"
    tell(url)
    if browser:
        threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()
    with listening:
        server.run(sockets=[listening])


def checked(host: str, allow_remote: bool) -> str:
    """The address to bind; ValueError for one that other machines reach, unless they may: then a warning."""
    if host == "localhost":
        return HERE
    if not loopback(host):
        if not allow_remote:
            raise ValueError(
                f"host={host!r} can be reached from other machines; give 127.0.0.1, or --allow-remote as well if "
                "anybody who reaches it may play"
            )
        warnings.warn(f"the page at {host} has no password: anybody who reaches it can play", stacklevel=2)
    return host


def loopback(host: str) -> bool:
    """Whether only this machine reaches an address: 127.0.0.0/8 or ::1."""
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        return False
    return found in ipaddress.ip_network("127.0.0.0/8") or found == ipaddress.ip_address("::1")


def bound(address: str, port: int) -> socket.socket:
    """A socket that listens; ValueError where the port is taken or the address is not this machine's."""
    checks.whole("port", port, 0, 65535)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        return socket.create_server((address, port), family=family)
    except OSError as error:
        cures = {
            errno.EADDRINUSE: "another program has it; give another with --port, or --port 0 for any that is free",
            errno.EACCES: "only the administrator may use it; give one above 1023 with --port",
        }
        cure = cures.get(error.errno or 0, "give an address of this machine with --host")
        raise ValueError(f"port {port} of {address} cannot be used ({error.strerror}): {cure}") from None


def made(app: Starlette) -> uvicorn.Server:
    """A server for the application that says nothing but errors."""
    config = uvicorn.Config(
        app, log_level="error", access_log=False, lifespan="off", ws="none", http=Connection, server_header=False,
        limit_concurrency=64, timeout_keep_alive=30, timeout_graceful_shutdown=1,
    )  # fmt: skip
    return uvicorn.Server(config)


def doors_of(address: str, port: int) -> Doors:
    """By which names the page at a bound address may be asked for; the first is the one to tell."""
    shown = f"[{address}]" if ":" in address else address
    if loopback(address):
        return Doors(port, tuple(dict.fromkeys((shown, *LOOPBACK))))
    name = socket.gethostname().lower()
    everywhere = address in ("0.0.0.0", "::")
    return Doors(port, (name if everywhere else shown.lower(), name, *LOOPBACK), addresses=True)
