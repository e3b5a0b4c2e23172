"""One socket that was opened: its messages in and out, and what runs on it."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Coroutine, Mapping
from contextlib import aclosing, suppress
from typing import Any

import orjson
from starlette.types import Receive, Send

from api.graphql import errors
from api.graphql.documents import GraphQLRequest
from api.graphql.subscriptions.watching import Caller, Watchers
from api.http.streams.events import SEND_SECONDS
from api.http.streams.messages import Close, Closing, Message, read_message
from domain.errors import NotAuthenticated, Overloaded

MAX_RUNNING = 20
"""How many operations run on one socket at a time."""


class Gone(Exception):
    """Nobody is there any more."""


class Session:
    """What one socket says and hears."""

    def __init__(self, watchers: Watchers, receive: Receive, send: Send) -> None:
        self.id = secrets.token_hex(8)
        self.caller: Caller | None = None
        self._watchers = watchers
        self._receive = receive
        self._send = send
        self._turn = asyncio.Lock()
        self._closed = False
        self._running: dict[str, asyncio.Task[None]] = {}
        self._finishing: set[asyncio.Task[None]] = set()
        """Queries and mutations whose answers nobody waits for; they are not broken off."""
        self._over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def next(self) -> Message:
        """The next message.

        Raises: Closing where it is none of the protocol; Gone.
        """
        event = await self._receive()
        if event["type"] == "websocket.disconnect":
            raise Gone
        return read_message(event)

    async def say(self, message: Mapping[str, Any]) -> None:
        """Sends one message.

        Raises: Gone where nobody takes it.
        """
        await self._put(orjson.dumps(message))

    async def pong(self, ping: Message) -> None:
        """Answers a ping."""
        await self.say({"type": "pong"} | ({} if ping.payload is None else {"payload": ping.payload}))

    async def close(self, closing: Closing) -> None:
        """Closes the socket with a code."""
        with suppress(OSError):  # also where nobody takes it
            async with asyncio.timeout(SEND_SECONDS), self._turn:
                self._closed = True
                await self._send({"type": "websocket.close", "code": int(closing.code), "reason": closing.reason})

    async def run(self, check: Coroutine[Any, Any, None]) -> None:
        """Hears messages until somebody ends it.

        Raises: Closing; Gone.
        """
        tasks = [asyncio.create_task(self._hear()), asyncio.create_task(check)]
        try:
            done, _ = await asyncio.wait([*tasks, self._over], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for ended in done:
            ended.result()

    async def end(self) -> None:
        """Ends the streams, and lets changes under way come to their end."""
        for id_ in list(self._running):
            self._drop(id_)
        await asyncio.gather(*self._finishing, return_exceptions=True)
        if self._over.done() and not self._over.cancelled():
            self._over.exception()
        self._over.cancel()

    async def _hear(self) -> None:
        while True:
            message = await self.next()
            match message.type:
                case "connection_init":
                    raise Closing(Close.INITIALISED, "Too many initialisation requests")
                case "ping":
                    await self.pong(message)
                case "complete":
                    self._drop(message.id)
                case "subscribe":
                    await self._begin(message)

    async def _begin(self, message: Message) -> None:
        request = message.request(secrets.token_hex(8))
        if message.id in self._running:
            raise Closing(Close.TWICE, f"Subscriber for {message.id} already exists"[:100])
        if len(self._running) + len(self._finishing) >= MAX_RUNNING:
            error = Overloaded(f"A socket runs at most {MAX_RUNNING} operations.", advice="Wait for one to end.")
            await self._fail(message.id, [errors.told(error, request.request_id)])
            return
        self._running[message.id] = asyncio.create_task(self._operate(message.id, request))

    def _drop(self, id_: str) -> None:
        """Nobody waits for an operation any more: a stream ends at once, a query or a change by itself."""
        task = self._running.pop(id_, None)
        if task is None:
            return
        self._finishing.add(task)
        task.add_done_callback(self._finishing.discard)
        if task.get_name() == _STREAM:
            task.cancel()

    async def _operate(self, id_: str, request: GraphQLRequest) -> None:
        task = asyncio.current_task()
        if self.caller is None or task is None:
            raise TypeError("An operation runs in a task, for somebody.")
        if self._running.get(id_) is not task:
            return
        task.set_name(_STREAM if self._watchers.goes_on(request) else _ONE)
        try:
            async with aclosing(self._watchers.answers(self.caller, request)) as answers:
                async for response in answers:
                    if self._running.get(id_) is not task:
                        return
                    if not response.executed:
                        del self._running[id_]
                        await self._fail(id_, response.errors)
                        return
                    head = b'{"id":' + orjson.dumps(id_) + b',"type":"next","payload":'
                    await self._put(head + response.text() + b"}")
            if self._running.get(id_) is task:
                del self._running[id_]
                await self.say({"id": id_, "type": "complete"})
        except NotAuthenticated:
            self._end(Closing(Close.FORBIDDEN, "Forbidden"))
        except Gone as gone:
            self._end(gone)

    async def _fail(self, id_: str, found: list[dict[str, Any]]) -> None:
        await self.say({"id": id_, "type": "error", "payload": found})

    async def _put(self, text: bytes) -> None:
        try:
            async with asyncio.timeout(SEND_SECONDS), self._turn:
                if self._closed:
                    raise Gone
                await self._send({"type": "websocket.send", "text": text.decode()})
        except OSError:  # also where nobody took it in time
            raise Gone from None

    def _end(self, how: Exception) -> None:
        if not self._over.done():
            self._over.set_exception(how)


_STREAM, _ONE = "stream", "one"
