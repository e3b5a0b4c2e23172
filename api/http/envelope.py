"""Around every request: its id, the headers of every answer, one line in the log, and nothing of a bug outside."""

from __future__ import annotations

import re
import secrets
import time
from http import HTTPStatus

import structlog
from starlette.datastructures import Headers
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.graphql import errors
from api.http.admission import NONCE, STATE
from api.http.answers import printed

REQUEST_ID = "X-Request-Id"
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""No answer is kept, framed, sniffed or read by another site."""
_HEADERS = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
_NONCE = NONCE.lower().encode()
_REQUEST_ID = REQUEST_ID.lower().encode()
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}", re.ASCII)
_LOG = structlog.get_logger("credence.http")


class Envelope:
    """The outermost layer of ours: the server behind it never sees an exception, whose text it would log."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on and an answer back."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        id_ = request_id(Headers(scope=scope))
        scope.setdefault("state", {})["request_id"] = id_
        begun, status = time.perf_counter(), 0

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = int(message["status"])
                given = {name for name, _ in message["headers"]}
                ours = [header for header in _HEADERS if header[0] not in given]
                nonce = scope["state"].get(STATE)
                if nonce and _NONCE not in given:
                    ours.append((_NONCE, nonce.encode()))
                message["headers"] = [*message["headers"], *ours, (_REQUEST_ID, id_.encode())]
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except Exception as error:  # noqa: BLE001 - a bug is masked and logged; the server would log its text
            body = {"errors": [errors.masked(error, id_)]}
            if not status:
                await printed(body, HTTPStatus.INTERNAL_SERVER_ERROR)(scope, receive, sending)
        _LOG.info(
            "Answered.",
            method=scope["method"] if scope["method"] in METHODS else "OTHER",
            path=_template(scope),
            status=status,
            ms=round((time.perf_counter() - begun) * 1000, 1),
            request=id_,
        )


def request_id(headers: Headers) -> str:
    """The id the caller gave the request where it is one, or a new one; it stands in answer, log and audit entry."""
    given = headers.getlist(REQUEST_ID)
    return given[0] if len(given) == 1 and _ID.fullmatch(given[0]) else secrets.token_hex(8)


def _template(scope: Scope) -> str:
    """The path as it is routed, so that nothing a caller wrote into it reaches the log."""
    route = scope.get("route")
    return route.path if isinstance(route, Route) else "unmatched"
