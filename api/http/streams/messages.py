"""The messages of `graphql-transport-ws`, read strictly: what is none of them closes the socket with its code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from api.graphql.documents import GraphQLRequest
from api.graphql.limits import MAX_BODY
from api.http.answers import Declined
from api.http.bodies import read_json, request_of

PROTOCOL = "graphql-transport-ws"
MAX_ID = 64
"""How long the id of an operation may be."""


class Close(IntEnum):
    """Why a socket is closed, as the protocol counts."""

    TOO_LARGE = 1009
    TRY_LATER = 1013
    BAD_MESSAGE = 4400
    UNAUTHORIZED = 4401
    FORBIDDEN = 4403
    NO_PROTOCOL = 4406
    TOO_LATE = 4408
    TWICE = 4409
    INITIALISED = 4429
    FAILED = 4500


class Closing(Exception):
    """The socket is closed with a code."""

    def __init__(self, code: Close, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a client."""

    type: str
    id: str
    payload: Mapping[str, Any] | None

    def request(self, request: str) -> GraphQLRequest:
        """The request of a `subscribe`.

        Raises: Closing where it holds none.
        """
        try:
            return request_of(self.payload, request)
        except Declined:
            raise _bad("The payload is no GraphQL request.") from None


_WITH_ID = frozenset({"subscribe", "complete"})
_TYPES = _WITH_ID | {"connection_init", "ping", "pong"}


def read_message(event: Mapping[str, Any]) -> Message:
    """The message that a socket received.

    Raises: Closing where it is none of the protocol.
    """
    text = event.get("text")
    if text is None:
        raise _bad("Messages are text.")
    content = text.encode()
    if len(content) > MAX_BODY:
        raise Closing(Close.TOO_LARGE, f"A message has at most {MAX_BODY} bytes.")
    try:
        found = read_json(content)
    except Declined:
        raise _bad("The message is not JSON.") from None
    if not isinstance(found, dict) or found.get("type") not in _TYPES:
        raise _bad("The message is none of the protocol.")
    payload, id_ = found.get("payload"), found.get("id", "")
    if payload is not None and not isinstance(payload, dict):
        raise _bad("A payload is an object.")
    if found["type"] in _WITH_ID and not (isinstance(id_, str) and 0 < len(id_) <= MAX_ID and id_.isprintable()):
        raise _bad(f"An id is a printable text of 1 to {MAX_ID} characters.")
    return Message(found["type"], id_ if found["type"] in _WITH_ID else "", payload)


def _bad(reason: str) -> Closing:
    return Closing(Close.BAD_MESSAGE, reason)
