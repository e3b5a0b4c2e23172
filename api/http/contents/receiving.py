"""`PUT /documents/{id}`: a document is sealed as it comes; it is refused at the first byte that does not fit."""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response

from api.graphql.context import House
from api.http.admission import Admission
from api.http.answers import Declined, declined, printed
from api.http.contents.statuses import no, unfit
from domain import ids
from domain.actors import Actor
from domain.documents.content import MAX_BYTES, Received, Slot
from domain.documents.documents import Document
from domain.documents.filing import BeginUpload, StoreDocument, too_large
from domain.documents.media import Inspection
from domain.errors import CreditError, Invalid, Malformed, Overloaded, Refused, Unavailable
from domain.ids import Id
from domain.operations import Performed

STALL_SECONDS = 30
"""How long the next bytes of a document are waited for."""
SHA_BYTES = 32
ACTION = BeginUpload.actions[0]
_LENGTH = re.compile(r"[0-9]{1,18}", re.ASCII)
_DIGEST = re.compile(r"(?:.*,)?\s*sha-256=:([A-Za-z0-9+/]{43}=):\s*(?:,.*)?", re.ASCII)


class Receiving:
    """Takes the contents of documents."""

    def __init__(self, house: House, admission: Admission) -> None:
        self._house = house
        self._admission = admission

    async def take(self, request: Request) -> Response:
        """The answer to one upload."""
        id_ = request.state.request_id
        try:
            actor, _ = await self._admission.of(request)
            stored = await self._stored(request, actor, id_)
        except Declined as refusal:
            return declined(refusal, id_)
        document = stored.value
        told = {"document": document.id, "size": document.size, "digest": document.digest}
        return printed(told | {"auditEntry": stored.receipt.entry}, HTTPStatus.CREATED)

    async def _stored(self, request: Request, actor: Actor, id_: str) -> Performed[Document]:
        """The stored document.

        Raises: Declined.
        """
        try:
            document = ids.check(request.path_params["document"], Document.shape.prefix)
            inspection, digest = _head(request.headers)
            begun = await self._house.gate.perform(BeginUpload(document=document), actor, request=id_)
        except CreditError as error:
            raise no(error) from None
        (slot,) = begun.opened
        received = await self._received(request, actor, id_, slot, inspection, digest)
        return await self._kept(actor, id_, document, slot, received, inspection.media_type)

    async def _received(
        self, request: Request, actor: Actor, id_: str, slot: Slot, inspection: Inspection, digest: str | None
    ) -> Received:
        """The document, whole and durable.

        Raises: Declined, recorded; nothing of it remains.
        """
        kept = False
        try:
            await _fill(request, slot, inspection)
            received = await slot.keep()
            kept = True
            _same(received, digest)
        except CreditError as error:
            await self._leave(slot, kept=kept)
            await self._decline(actor, error, id_)
            raise no(error) from None
        except BaseException:
            await self._leave(slot, kept=kept)
            raise
        return received

    async def _kept(
        self, actor: Actor, id_: str, document: Id, slot: Slot, received: Received, media_type: str
    ) -> Performed[Document]:
        """The document with its content.

        Raises: Declined.
        """
        store = StoreDocument(document=document, received=received, media_type=media_type)
        try:
            return await self._house.gate.perform(store, actor, request=id_)
        except (Refused, Invalid) as error:
            await slot.undo()
            raise no(error) from None
        except Unavailable as error:
            # Whether the record is durable is not known: its content stays, and a sweep finds out.
            raise no(error) from None

    async def _leave(self, slot: Slot, *, kept: bool) -> None:
        await (slot.undo() if kept else slot.drop())

    async def _decline(self, actor: Actor, error: CreditError, id_: str) -> None:
        with suppress(Unavailable):  # that it began is recorded, and that it ended is not
            await self._house.gate.decline(actor, error, ACTION, request=id_)


def _head(headers: Headers) -> tuple[Inspection, str | None]:
    """How the document is to be looked at, and the digest that its sender says it has.

    Raises: Declined; Malformed.
    """
    if headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise unfit("A document is sent as it is.", "Leave Content-Encoding out.", "contentEncoding")
    length = headers.get("content-length")
    if length is not None and (not _LENGTH.fullmatch(length) or int(length) > MAX_BYTES):
        raise too_large()
    given = headers.get("content-digest")
    found = _DIGEST.fullmatch(given) if given else None
    if given and found is None:
        raise unfit("The digest cannot be read.", "Send Content-Digest: sha-256=:base64:, or leave it out.", "digest")
    digest = base64.b64decode(found[1]).hex() if found else None
    return Inspection.of(headers.get("content-type", "")), digest


async def _fill(request: Request, slot: Slot, inspection: Inspection) -> None:
    """Brings the whole body into the slot.

    Raises: Malformed; Unavailable.
    """
    size = 0
    async for piece in _pieces(request):
        size += len(piece)
        if size > MAX_BYTES:
            raise too_large()
        await _looked(inspection, piece)
        await slot.write(piece)
    if not size:
        raise Malformed("The document is empty.", advice="Send its bytes as the body.")
    inspection.end()


async def _looked(inspection: Inspection, piece: bytes) -> None:
    """Looks at a piece; others go on meanwhile where that takes long.

    Raises: Malformed.
    """
    if inspection.lasting:
        await asyncio.to_thread(inspection.look, piece)
    else:
        inspection.look(piece)


async def _pieces(request: Request) -> AsyncIterator[bytes]:
    more = True
    while more:
        try:
            async with asyncio.timeout(STALL_SECONDS):
                message = await request.receive()
        except TimeoutError:
            raise Overloaded("The document did not arrive in time.", advice="Send it again, without a pause.") from None
        if message["type"] == "http.disconnect":
            raise Malformed("The document breaks off.", advice="Send it again.")
        more = message.get("more_body", False)
        if message.get("body"):
            yield message["body"]


def _same(received: Received, digest: str | None) -> None:
    if digest is not None and digest != received.sha256:
        raise Malformed("The document is not the one its digest names.", advice="Send it again.", path=("digest",))
