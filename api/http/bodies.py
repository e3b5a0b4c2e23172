"""The body of a request: read within a bound, then read as JSON so that it means one thing only."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from starlette.requests import ClientDisconnect, Request

from api.graphql.documents import GraphQLRequest
from api.graphql.limits import MAX_BODY, too_large
from api.http.answers import Declined
from domain.errors import Malformed, Overloaded

READ_SECONDS = 15
"""How long a body may take to arrive."""
_LENGTH_DIGITS = 12
_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)
CLOSE = {"Connection": "close"}
"""Said where the rest of a body is not waited for."""


async def read_body(request: Request) -> bytes:
    """The whole body.

    Raises: Declined when it is too large, too slow, or breaks off.
    """
    length = request.headers.get("content-length", "0")
    if len(length) > _LENGTH_DIGITS or not length.isascii() or not length.isdecimal() or int(length) > MAX_BODY:
        raise _too_large()
    body = bytearray()
    try:
        async with asyncio.timeout(READ_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MAX_BODY:
                    raise _too_large()
    except TimeoutError:
        error = Overloaded("The body did not arrive in time.", advice="Send it at once.")
        raise Declined(HTTPStatus.REQUEST_TIMEOUT, error, CLOSE) from None
    except ClientDisconnect:
        raise Declined(HTTPStatus.BAD_REQUEST, Malformed("The body breaks off.")) from None
    return bytes(body)


def read_request(body: bytes, request: str) -> GraphQLRequest:
    """The one request a body holds.

    Raises: Declined where it is not JSON, or not one request.
    """
    return request_of(read_json(body), request)


def request_of(asked: object, request: str) -> GraphQLRequest:
    """The one request an object holds.

    Raises: Declined where it is not one.
    """
    if isinstance(asked, list):
        raise _wrong("Several requests in one body are not served.", advice="Send one request at a time.")
    if not isinstance(asked, dict):
        raise _wrong("The body is not an object.")
    query, name, document = asked.get("query"), asked.get("operationName"), _document(asked)
    if query is None and document is not None:
        query = ""
    if not isinstance(query, str) or not (query or document):
        raise _wrong("The body has no query, which is text.", ("query",))
    if name is not None and not isinstance(name, str):
        raise _wrong("The operation's name is text.", ("operationName",))
    for part in ("variables", "extensions"):
        if asked.get(part) is not None and not isinstance(asked[part], dict):
            raise _wrong("Variables and extensions are objects.", (part,))
    variables: Mapping[str, Any] | None = asked.get("variables")
    return GraphQLRequest(
        query=query, operation_name=name or None, variables=variables, request_id=request, document=document
    )


def _document(asked: Mapping[str, Any]) -> str | None:
    """The digest of the trusted document that is asked for, as `documentId` or the way persisted queries name one.

    Raises: Declined where it is no SHA-256.
    """
    named = asked.get("documentId")
    if isinstance(named, str):
        named = named.removeprefix("sha256:")
    extensions = asked.get("extensions")
    if named is None and isinstance(extensions, dict) and isinstance(extensions.get("persistedQuery"), dict):
        named = extensions["persistedQuery"].get("sha256Hash")
    if named is None or (isinstance(named, str) and _DIGEST.fullmatch(named)):
        return named
    raise _wrong("A document is named by its SHA-256.", ("documentId",), 'Send "documentId": "sha256:…", 64 digits.')


class _Twice(ValueError):
    """A name stands twice in one object, so that two readers may read two things."""


def read_json(body: bytes) -> Any:
    """JSON that means one thing only.

    Raises: Declined.
    """
    try:
        text = body.decode("utf-8")
        found = json.loads(text, object_pairs_hook=_once, parse_constant=_no_number)
        if "\\ud" in text.lower():
            # Halves of characters can be written in JSON alone; nothing behind this line could keep them.
            json.dumps(found, ensure_ascii=False).encode()
    except _Twice:
        problem = _wrong("A name stands twice in one object of the body.")
    except (ValueError, RecursionError):
        problem = _wrong("The body is not JSON in UTF-8.")
    else:
        return found
    raise problem


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Twice
    return found


def _no_number(_name: str) -> Any:
    raise ValueError


def _wrong(sentence: str, path: tuple[str, ...] = (), advice: str | None = None) -> Declined:
    advice = advice or 'Send {"query": "…", "variables": {…}} as JSON.'
    return Declined(HTTPStatus.BAD_REQUEST, Malformed(sentence, advice=advice, path=path))


def _too_large() -> Declined:
    error = too_large(f"A body has at most {MAX_BODY} bytes.", "Send values in several requests.")
    return Declined(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, error, CLOSE)
