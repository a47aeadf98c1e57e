"""Connections of the explorer: one that only waits makes way for a new one."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol


class Connection(H11Protocol):
    """A connection that, when there are as many as the server allows, closes the one that has waited the longest.

    A connection waits while its client has not sent a whole request, has its answer, or does not read it.
    """

    heard = 0.0

    def connection_made(self, transport: Any) -> None:
        """See asyncio.Protocol."""
        super().connection_made(transport)
        self.heard = asyncio.get_running_loop().time()
        if self.limit_concurrency is None or len(self.connections) < self.limit_concurrency:
            return
        waiting = [other for other in self.connections if isinstance(other, Connection) and other.waits]
        for other in sorted((other for other in waiting if other is not self), key=lambda other: other.heard)[:1]:
            self.connections.discard(other)
            other.transport.abort()

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        self.heard = asyncio.get_running_loop().time()
        super().data_received(data)

    @property
    def waits(self) -> bool:
        """Whether the next move is the client's."""
        cycle = self.cycle
        return cycle is None or cycle.response_complete or cycle.more_body or self.flow.write_paused
