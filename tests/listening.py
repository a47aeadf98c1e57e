"""A server of ``coopgym explore`` that runs beside a test."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from coopgym.explore import serve as serving
from coopgym.explore.guard import Doors
from coopgym.explore.server import make_app


@contextmanager
def listening() -> Iterator[str]:
    """Its address, without a slash at the end, while it runs in a thread."""
    door = serving.bound("127.0.0.1", 0)
    port = door.getsockname()[1]
    server = serving.made(make_app(doors=Doors(port)))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [door]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()
        door.close()
