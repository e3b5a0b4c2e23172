"""Answers as JSON, and the way to say no before a document is carried out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import Enum
from http import HTTPStatus
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api.graphql import errors
from api.graphql import execute as graphql
from domain.errors import Code, CreditError

JSON = "application/json"
GRAPHQL = "application/graphql-response+json"
EVENTS = "text/event-stream"

_UNAVAILABLE = frozenset(
    code.value for code in (Code.AUDIT_UNAVAILABLE, Code.KEY_UNAVAILABLE, Code.TAMPERED, Code.OVERLOADED)
)


_TYPES = {media: (b"content-type", f"{media}; charset=utf-8".encode()) for media in (JSON, GRAPHQL)}
_VARY = (b"vary", b"Accept")


class Declined(Exception):
    """The request is answered without being carried out."""

    def __init__(self, status: HTTPStatus, error: CreditError, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status.phrase)
        self.status = status
        self.error = error
        self.headers = dict(headers or {})


def printed(
    body: Mapping[str, Any], status: int, media: str = JSON, headers: Mapping[str, str] | None = None
) -> Response:
    """A JSON answer in UTF-8."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return written(text.encode(), status, media, headers)


def written(text: bytes, status: int, media: str = JSON, headers: Mapping[str, str] | None = None) -> Response:
    """An answer that is JSON already."""
    return Response(text, status, headers=dict(headers or {}), media_type=f"{media}; charset=utf-8")


class Answer:
    """The answer to a document that was carried out, sent as it is: what a response could do besides is never asked."""

    def __init__(self, text: bytes, status: int, media: str) -> None:
        self._text = text
        self._status = status
        self._type = _TYPES[media]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends it."""
        del scope, receive
        length = (b"content-length", b"%d" % len(self._text))
        await send({"type": "http.response.start", "status": self._status, "headers": [length, self._type, _VARY]})
        await send({"type": "http.response.body", "body": self._text})


def declined(no: Declined, request: str, media: str = JSON) -> Response:
    """The answer to a request that is not carried out: the form of GraphQL errors, whatever was asked."""
    return printed({"errors": [errors.told(no.error, request)]}, no.status, media, no.headers)


class Edition(Enum):
    """Whose status codes answer a request for `application/graphql-response+json` (docs/adr/0007)."""

    CLASSIC = "classic"
    """What clients and audits of the drafts until 2025 expect."""
    EDITION_2026 = "2026"
    """The edition of September 2026: a partial success has a status of its own, and so has what is not understood."""


class Ended(Enum):
    """How far a request came that was not stopped by what it may or by a failure of ours."""

    DONE = "DONE"
    PARTIAL = "PARTIAL"
    """There are data and errors."""
    UNPARSED = "UNPARSED"
    """The document is no GraphQL."""
    UNFIT = "UNFIT"
    """The document, its operation or its variables do not fit, or they are too large."""


PARTIAL_SUCCESS = 294
STATUSES: Mapping[Edition, Mapping[Ended, int]] = {
    Edition.CLASSIC: {Ended.DONE: 200, Ended.PARTIAL: 200, Ended.UNPARSED: 400, Ended.UNFIT: 400},
    Edition.EDITION_2026: {Ended.DONE: 200, Ended.PARTIAL: PARTIAL_SUCCESS, Ended.UNPARSED: 400, Ended.UNFIT: 422},
}


def status_of(response: graphql.Response, media: str, edition: Edition = Edition.CLASSIC) -> int:
    """The status of an answer of GraphQL over HTTP: the older media type is 200 for all that was understood."""
    codes = {error["extensions"]["code"] for error in response.errors}
    if not response.executed and errors.INTERNAL in codes:
        return HTTPStatus.INTERNAL_SERVER_ERROR
    if not response.executed and codes & _UNAVAILABLE:
        return HTTPStatus.SERVICE_UNAVAILABLE
    if media == JSON:
        return HTTPStatus.OK
    if not response.executed and Code.NOT_PERMITTED.value in codes:
        return HTTPStatus.FORBIDDEN
    return STATUSES[edition][_ended(response)]


def _ended(response: graphql.Response) -> Ended:
    if response.executed:
        return Ended.PARTIAL if response.errors else Ended.DONE
    return Ended.UNFIT if response.parsed else Ended.UNPARSED
