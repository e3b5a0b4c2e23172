"""`/graphql` as a WebSocket: `graphql-transport-ws`, for queries, mutations and subscriptions on one connection.

The first message carries the token; until it is let in, no document is looked at.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from urllib.parse import urlsplit

import structlog
from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from api.graphql import errors
from api.graphql.subscriptions.places import Places
from api.graphql.subscriptions.watching import Watchers
from api.http.admission import Admission, Holder, bearer_in
from api.http.answers import Declined
from api.http.streams.messages import PROTOCOL, Close, Closing
from api.http.streams.sessions import Gone, Session
from domain.actors import Credentials
from domain.errors import NotAuthenticated, Overloaded, Unavailable

INIT_SECONDS = 3
"""How long a socket may take to say whose it is."""
CHECK_SECONDS = 30
"""How often the token of a socket is verified again while nothing is asked."""

_LOG = structlog.get_logger("credence.http")


class Sockets:
    """Every socket of one server."""

    def __init__(self, watchers: Watchers, admission: Admission, origins: Collection[str]) -> None:
        self._watchers = watchers
        self._admission = admission
        self._origins = frozenset(origins)
        self._places = Places("sockets")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one socket until either side ends it."""
        await receive()
        if not self._may_open(Headers(scope=scope)):
            await send({"type": "websocket.close"})
            return
        spoken = PROTOCOL if PROTOCOL in scope.get("subprotocols", ()) else None
        await send({"type": "websocket.accept", "subprotocol": spoken})
        session, code = Session(self._watchers, receive, send), 0
        try:
            if spoken is None:
                raise Closing(Close.NO_PROTOCOL, "Subprotocol not acceptable")  # noqa: TRY301 - it closes like the others
            await self._serve(session)
        except Gone:
            pass
        except Closing as closing:
            code = int(closing.code)
            await session.close(closing)
        except Exception as error:  # noqa: BLE001 - a bug is masked and logged; the server would log its text
            errors.masked(error, session.id)
            await session.close(Closing(Close.FAILED, "Internal server error"))
        finally:
            await session.end()
        _LOG.info("A socket is closed.", code=code, request=session.id)

    async def _serve(self, session: Session) -> None:
        try:
            async with asyncio.timeout(INIT_SECONDS):
                given = await _introduction(session)
                actor = await self._admission.actor(given, session.id)
        except TimeoutError:
            raise Closing(Close.TOO_LATE, "Connection initialisation timeout") from None
        except Declined as no:
            raise _let_in_no_longer(no.error) from None
        holder = self._admission.holder(given, actor, session.id)
        try:
            with self._places.taken(holder.token, actor.tenant):
                session.caller = holder
                await session.say({"type": "connection_ack"})
                await session.run(self._check(holder))
        except Overloaded as error:
            raise Closing(Close.TRY_LATER, error.message) from None

    async def _check(self, holder: Holder) -> None:
        """Verifies the token again and again; it ends with it.

        Raises: Closing.
        """
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            try:
                await holder.actor()
            except NotAuthenticated as error:
                raise _let_in_no_longer(error) from None
            except Unavailable:
                continue

    def _may_open(self, headers: Headers) -> bool:
        """Whether a page of this site, or of one that is named, asks; programs that are no pages name none."""
        origin = headers.get("origin")
        if origin is None or origin in self._origins:
            return True
        return len(headers.getlist("origin")) == 1 and urlsplit(origin).netloc == headers.get("host", "")


async def _introduction(session: Session) -> Credentials:
    """The token of the first message that counts; empty where there is none."""
    while True:
        message = await session.next()
        match message.type:
            case "connection_init":
                said = message.payload or {}
                return bearer_in(said.get("Authorization", said.get("authorization")))
            case "subscribe":
                raise Closing(Close.UNAUTHORIZED, "Unauthorized")
            case "ping":
                await session.pong(message)


def _let_in_no_longer(error: Exception) -> Closing:
    if isinstance(error, Unavailable):
        return Closing(Close.TRY_LATER, error.message)
    return Closing(Close.FORBIDDEN, "Forbidden")
