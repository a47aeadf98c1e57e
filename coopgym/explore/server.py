"""The web application: the page, and one POST for each message. Sessions are held by random tokens, so many at most."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from coopgym.explore.facts import catalogue
from coopgym.explore.guard import Doors, Guard
from coopgym.explore.marks import marks
from coopgym.explore.messages import MAX_BODY, Held, Message, New, Reset, Seats, Step, Switch, read
from coopgym.explore.page import charts, page
from coopgym.explore.players import Saved
from coopgym.explore.session import Session

PATIENCE = 10.0  # seconds that a message may take to arrive
SESSIONS = 32  # open at a time; the one that was used least recently gives way

Answer = Callable[[Session, Any], dict[str, Any]]
API: dict[str, tuple[type[Held], Answer]] = {
    "state": (Held, lambda session, asked: session.state()),
    "step": (Step, Session.step),
    "reset": (Reset, Session.reset),
    "mode": (Switch, lambda session, asked: session.switch(asked.mode)),
    "seats": (Seats, Session.sit),
}


class UnknownSessionError(ValueError):
    """It was never opened, or gave way to others."""


class Sessions:
    """Open sessions by token, each with the lock that whoever uses it has to hold."""

    def __init__(self, saved: Sequence[Saved] = (), limit: int = SESSIONS) -> None:
        self.saved, self.limit = saved, limit
        self._open: OrderedDict[str, tuple[Session, threading.Lock]] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._open)

    def new(self, asked: New) -> dict[str, Any]:
        """Open one; the token, what does not change, and the state."""
        session, token = Session(asked, self.saved), secrets.token_hex(16)
        with self._lock:
            self._open[token] = session, threading.Lock()
            while len(self._open) > self.limit:
                self._open.popitem(last=False)
        return {"session": token, "facts": session.facts(), "state": session.state()}

    def answer(self, handle: Answer, asked: Held) -> dict[str, Any]:
        """What a session says to a message; UnknownSessionError for one that is not open."""
        session, lock = self._held(asked)
        with lock:
            return handle(session, asked)

    def marks(self, asked: Held) -> dict[str, Any]:
        """The marks of a session's game. Solving may take long, so it goes on meanwhile."""
        session, lock = self._held(asked)
        with lock:
            game, mode = session.game, session.mode.reward
        return marks(game, mode)

    def _held(self, asked: Held) -> tuple[Session, threading.Lock]:
        with self._lock:
            if asked.session not in self._open:
                raise UnknownSessionError("this session is not open any more; open the game anew")
            self._open.move_to_end(asked.session)
            return self._open[asked.session]


def make_app(
    game: str = "TrustDilemma-v1", *, doors: Doors | None = None, saved: Sequence[Saved] = (), limit: int = SESSIONS
) -> Starlette:
    """The application. game: that with which the page opens; saved: policies of a run; limit: sessions at a time."""
    library_of_charts = charts()  # now, so that its absence is said before anybody waits for the page
    shown, sessions = page({"games": catalogue(), "game": game}), Sessions(saved, limit)

    def front(request: Request) -> Response:
        return HTMLResponse(shown.html)

    def library(request: Request) -> Response:
        return Response(library_of_charts, media_type="text/javascript; charset=utf-8")

    routes = [Route("/", front), Route("/charts.js", library), _route("new", New, sessions.new)]
    routes.append(_route("marks", Held, sessions.marks))
    routes += [_route(name, kind, partial(sessions.answer, handle)) for name, (kind, handle) in API.items()]
    guard = Middleware(Guard, doors=doors or Doors(8000), policy=shown.policy)
    app = Starlette(routes=routes, middleware=[guard], exception_handlers={HTTPException: _http_error})
    app.state.sessions = sessions
    return app


def _route(name: str, kind: type[Message], work: Callable[[Any], dict[str, Any]]) -> Route:
    async def endpoint(request: Request) -> Response:
        message = _message(request, kind, await _body(request))
        try:
            return JSONResponse(await aside(partial(work, message)))
        except UnknownSessionError as unknown:
            raise HTTPException(404, str(unknown)) from None
        except (ValueError, OSError, ImportError) as refused:  # OSError: the file of a saved policy is gone
            raise HTTPException(422, " ".join(str(refused).split())) from None

    return Route(f"/api/{name}", endpoint, methods=["POST"])


def _message(request: Request, kind: type[Message], body: bytes) -> Message:
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
        raise HTTPException(415, "the message is not JSON; send it with Content-Type: application/json")
    try:
        return read(kind, body)
    except ValueError as refused:
        raise HTTPException(422, str(refused)) from None


async def _body(request: Request) -> bytes:
    """The body, as long as it is short; nothing beyond the limit is kept."""
    body = b""
    try:
        async with asyncio.timeout(PATIENCE):
            async for piece in request.stream():
                body += piece
                if len(body) > MAX_BODY:
                    raise HTTPException(413, f"the message is longer than {MAX_BODY} bytes; send less")
    except TimeoutError:
        raise HTTPException(408, f"the message was not there after {PATIENCE:g} seconds; send it at once") from None
    except ClientDisconnect:
        raise HTTPException(400, "the message ended before it was whole") from None
    return body


async def aside(work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What ``work`` gives, from a thread that does not keep the process from ending."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[dict[str, Any]] = loop.create_future()

    def settle(give: Callable[[Any], None], result: Any) -> None:
        if not answer.done():
            give(result)

    def run() -> None:
        given: tuple[Callable[[Any], None], Any]
        try:
            given = (answer.set_result, work())
        except Exception as error:
            given = (answer.set_exception, error)
        with contextlib.suppress(RuntimeError):  # the server has ended, and nobody waits for this any more
            loop.call_soon_threadsafe(settle, *given)

    threading.Thread(target=run, daemon=True).start()
    try:
        return await answer
    except asyncio.CancelledError:
        raise HTTPException(503, "the server has ended") from None


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return JSONResponse({"error": error.detail}, error.status_code, headers=error.headers)
