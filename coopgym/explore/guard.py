"""Who may speak to the server: this page alone. Other sites that a browser has open are kept out.

A site elsewhere can make a browser send requests to this machine, under its own name (Origin) or, after DNS rebinding,
to its own name (Host). So a request must name the address that was bound, and a POST must come from the page itself.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(?::(\d{1,5}))?")
ALWAYS = {
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


@dataclass(frozen=True)
class Doors:
    """What the header Host may be: one of ``names``, at ``port``; with ``addresses`` also any IP address.

    No name can be made to point to an address that stands in the header as a number, so addresses are safe from
    rebinding; they are allowed where the server listens to other machines.
    """

    port: int
    names: tuple[str, ...] = LOOPBACK
    addresses: bool = False

    def open_to(self, host: str) -> bool:
        """Whether a request with this Host header is meant for this server."""
        found = HOST.fullmatch(host.lower())
        if found is None or int(found[2] or 80) != self.port:
            return False
        return found[1] in self.names or (self.addresses and _is_address(found[1].strip("[]")))


class Guard:
    """ASGI middleware: checks Host on every request and Origin on every POST, and adds headers to every answer."""

    def __init__(self, app: ASGIApp, doors: Doors, policy: str) -> None:
        self.app, self.doors, self.headers = app, doors, ALWAYS | {"content-security-policy": policy}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer in the application's place, or hand over to it."""
        if scope["type"] != "http":  # lifespan; the server speaks no websockets
            await self.app(scope, receive, send)
            return

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                told = MutableHeaders(scope=message)
                for name, value in self.headers.items():
                    told.setdefault(name, value)
            await send(message)

        reason = self._refused(scope["method"], Headers(scope=scope))
        app = self.app if reason is None else JSONResponse({"error": reason}, 403)
        await app(scope, receive, answer)

    def _refused(self, method: str, headers: Headers) -> str | None:
        hosts, origins = headers.getlist("host"), headers.getlist("origin")
        if len(hosts) != 1 or not self.doors.open_to(hosts[0]):
            return f"the header Host is {_shown(hosts)}; open the address that `coopgym explore` has printed"
        if method not in ("GET", "HEAD") and [origin.lower() for origin in origins] != [f"http://{hosts[0].lower()}"]:
            return f"the header Origin is {_shown(origins)}; only the page of this server may send this"
        return None


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _shown(values: Sequence[str]) -> str:
    return ascii(", ".join(values))[:80] if values else "missing"
