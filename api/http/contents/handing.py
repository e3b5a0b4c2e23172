"""`GET /documents/{id}`: a document leaves after its entry is durable and after it verified, and as a file alone."""

from __future__ import annotations

import asyncio
import base64
import re
from contextlib import suppress
from http import HTTPStatus
from typing import Final
from urllib.parse import quote, unquote

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from api.graphql.context import House
from api.http.admission import Admission
from api.http.answers import Declined, declined
from api.http.contents.statuses import no, unfit
from domain import ids
from domain.actors import Actor
from domain.documents.content import Passage
from domain.documents.documents import Document
from domain.documents.reading import OpenDocument
from domain.errors import CreditError, Unavailable
from domain.reading import Purpose

REASON: Final = "Credence-Reason"
ENTRY: Final = "Credence-Audit-Entry"
SEND_SECONDS: Final = 60
"""How long a piece may take to be taken."""
ACTION: Final = "reveal:documents"
_PURPOSES: Final = {purpose.value: purpose for purpose in Purpose}
_PLAIN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._ -]{0,99}", re.ASCII)


class Handing:
    """Gives the contents of documents."""

    def __init__(self, house: House, admission: Admission) -> None:
        self._house = house
        self._admission = admission

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        response = await self.give(Request(scope, receive))
        await response(scope, receive, send)

    async def give(self, request: Request) -> ASGIApp:
        """The answer to one request for a document."""
        id_ = request.scope["state"]["request_id"]
        try:
            actor, _ = await self._admission.of(request)
            if request.method != "GET":
                raise unfit("A document is fetched with GET.", "Read its size and kind through GraphQL.")
            try:
                opened = await self._house.gate.perform(_asked(request), actor, request=id_)
            except CreditError as error:
                raise no(error) from None
        except Declined as refusal:
            return declined(refusal, id_)
        name, media_type, sha256, passage = opened.opened
        headers = {
            "Content-Type": f"{media_type}; charset=utf-8" if media_type.startswith("text/") else media_type,
            "Content-Length": str(passage.size),
            "Content-Disposition": disposition(name),
            "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
            "Repr-Digest": f"sha-256=:{base64.b64encode(bytes.fromhex(sha256)).decode()}:",
            "Accept-Ranges": "none",
            ENTRY: opened.receipt.entry,
        }
        return _Flow(self._house, actor, id_, passage, headers)


class _Flow:
    """A document that leaves piece by piece."""

    def __init__(self, house: House, actor: Actor, id_: str, passage: Passage, headers: dict[str, str]) -> None:
        self._house = house
        self._actor = actor
        self._id = id_
        self._passage = passage
        self._headers = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends it; where it no longer verifies, the connection breaks off before its end, and that is recorded."""
        del scope, receive
        try:
            raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in self._headers.items()]
            await send({"type": "http.response.start", "status": HTTPStatus.OK, "headers": raw})
            async for piece in self._passage.pieces():
                async with asyncio.timeout(SEND_SECONDS):
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        except Unavailable as error:
            with suppress(Unavailable):
                await self._house.gate.decline(self._actor, error, ACTION, request=self._id)
            raise
        finally:
            await self._passage.close()


def _asked(request: Request) -> OpenDocument:
    """Which document is asked for, what for and why.

    Raises: Declined; Malformed.
    """
    given = request.query_params.getlist("purpose")
    purpose = _PURPOSES.get(given[0]) if len(given) == 1 else None
    if purpose is None:
        raise unfit(
            "A document is read for a purpose.", f"Add ?purpose= with one of {', '.join(_PURPOSES)}.", "purpose"
        )
    reason = _words(request.headers.get(REASON, ""))
    if reason is None:
        raise unfit("A document is read for a reason.", f"Say it in the header {REASON}, as UTF-8 with %XX.", "reason")
    document = ids.check(request.path_params["document"], Document.shape.prefix)
    return OpenDocument(document=document, purpose=purpose, reason=reason)


def _words(value: str) -> str | None:
    """The text of a header, where it is one."""
    try:
        return unquote(value, errors="strict").strip() or None
    except UnicodeDecodeError:
        return None


def disposition(name: str) -> str:
    """Says that a file is to be kept and not shown, under its name (RFC 6266)."""
    plain = name if _PLAIN.fullmatch(name) else "document"
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
