"""Answers as server-sent events: one stream for each request, in the manner of `graphql-sse` with distinct connections.

Every answer is a `next` event, and `complete` says that there are no more. A stream that ends without it was broken
off, by the client or by a server that ends, and may be taken up again behind its last cursor.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import orjson
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api.graphql import errors
from api.graphql.documents import GraphQLRequest
from api.graphql.subscriptions.watching import Caller, Watchers
from api.http.answers import EVENTS
from domain.errors import NotAuthenticated

ENDING = "credence.ending"
"""The extension of a connection's scope that tells when the server ends: an `asyncio.Event`."""
QUIET_SECONDS = 12
"""After so long without an event a comment keeps the connection open."""
SEND_SECONDS = 30
"""How long a client may take nothing of what is sent; then it is let go."""
_QUIET = b":\n\n"
_COMPLETE = b"event: complete\ndata:\n\n"


class EventStream(Response):
    """The answers to one request as they come."""

    def __init__(self, watchers: Watchers, caller: Caller, asked: GraphQLRequest) -> None:
        super().__init__(headers={"Vary": "Accept", "X-Accel-Buffering": "no"}, media_type=EVENTS)
        del self.headers["content-length"]
        self._watchers = watchers
        self._caller = caller
        self._asked = asked
        self._turn = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends every answer; a subscription ends with the client, and with the server."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        answering = asyncio.create_task(self._answer(send))
        others = [asyncio.create_task(self._keep_open(send))]
        if self._watchers.goes_on(self._asked):
            others.append(asyncio.create_task(_left(receive)))
            ending = scope.get("extensions", {}).get(ENDING)
            if ending is not None:
                others.append(asyncio.create_task(ending.wait()))
        tasks = [answering, *others]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            ends = await asyncio.gather(*tasks, return_exceptions=True)
        if not any(isinstance(end, TimeoutError) for end in ends):
            await send({"type": "http.response.body", "body": b""})

    async def _answer(self, send: Send) -> None:
        try:
            async with aclosing(self._watchers.answers(self._caller, self._asked)) as answers:
                async for response in answers:
                    await self._event(send, b"event: next\ndata: " + response.text() + b"\n\n")
        except NotAuthenticated as error:
            body = orjson.dumps({"errors": [errors.told(error, self._asked.request_id)]})
            await self._event(send, b"event: next\ndata: " + body + b"\n\n")
        await self._event(send, _COMPLETE)

    async def _keep_open(self, send: Send) -> None:
        while True:
            await asyncio.sleep(QUIET_SECONDS)
            await self._event(send, _QUIET)

    async def _event(self, send: Send, event: bytes) -> None:
        """Sends one event.

        Raises: TimeoutError where the client takes nothing.
        """
        async with self._turn, asyncio.timeout(SEND_SECONDS):
            await send({"type": "http.response.body", "body": event, "more_body": True})


async def _left(receive: Receive) -> None:
    """Returns when the client has left."""
    while (await receive())["type"] != "http.disconnect":
        pass
