"""The head of a request is bounded in size and in time: the server's own parser waits for it for ever, and keeps it."""

from __future__ import annotations

from asyncio import BaseTransport, Event, TimerHandle
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from api.http.streams.events import ENDING

MAX_HEAD = 64 * 1024
"""How many bytes a request may have besides its body: its line, its headers, and the frame around chunks."""
HEAD_SECONDS = 15
"""How long a head may take to arrive, counted from the connection or from its first byte."""


class BoundedHeads(HttpToolsProtocol):
    """One connection, over before a head has cost much."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._besides = 0
        self._late: TimerHandle | None = None
        self._ending = Event()

    def shutdown(self) -> None:
        """The server ends: what would go on for ever hears of it."""
        self._ending.set()
        super().shutdown()

    def connection_made(self, transport: BaseTransport) -> None:
        """The first head is waited for."""
        super().connection_made(transport)  # type: ignore[arg-type]  # the server says it is never another
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for."""
        self._arrived()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Takes what came; what is no part of a body is counted."""
        self._besides += len(data)
        super().data_received(data)
        if self._besides > MAX_HEAD and not self.transport.is_closing():
            self.send_400_response("The head of the request is too large.")

    def on_message_begin(self) -> None:
        """A head begins."""
        super().on_message_begin()
        if self._late is None:
            self._wait()

    def on_headers_complete(self) -> None:
        """The head is there."""
        self._arrived()
        super().on_headers_complete()
        cast("dict[str, Any]", self.scope).setdefault("extensions", {})[ENDING] = self._ending

    def on_body(self, body: bytes) -> None:
        """Its readers bound the body."""
        self._besides -= len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """What follows is another request."""
        self._besides = 0
        super().on_message_complete()

    def _wait(self) -> None:
        self._late = self.loop.call_later(HEAD_SECONDS, self._end)

    def _arrived(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _end(self) -> None:
        self._late = None
        self.transport.close()
