"""The web server: sockets, patience with slow clients, a graceful end."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.h11_impl import H11Protocol

_LARGEST_HEADER = 64 << 10


def serve(app: Starlette, listening: socket.socket, seconds: float) -> None:
    """Serves an application until SIGTERM or Ctrl-C; requests that are being answered then are answered.

    Args:
        app: The application.
        listening: A socket that is bound.
        seconds: The longest that a request may take to come, and to be answered.
    """
    # To come, to be answered, and to be taken.
    patience = 3 * seconds

    class Connection(H11Protocol):
        """A connection that is cut where an exchange takes longer than all limits together.

        The application never sees clients that send half a header, or do not take their answer.
        """

        _cut: asyncio.TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._watch()

        def on_response_complete(self) -> None:
            super().on_response_complete()
            self._watch()

        def connection_lost(self, error: Exception | None) -> None:
            super().connection_lost(error)
            self._unwatch()

        def _watch(self) -> None:
            self._unwatch()
            self._cut = self.loop.call_later(patience, self.transport.abort)

        def _unwatch(self) -> None:
            if self._cut is not None:
                self._cut.cancel()

    config = uvicorn.Config(
        app,
        http=Connection,
        ws="none",
        lifespan="on",
        loop="asyncio",
        access_log=False,
        log_level="error",
        server_header=False,
        h11_max_incomplete_event_size=_LARGEST_HEADER,
        timeout_graceful_shutdown=max(1, round(seconds)),
    )
    uvicorn.Server(config).run(sockets=[listening])
