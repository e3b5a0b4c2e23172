"""`/audit/{company}/checkpoint` and `/audit/{company}/tile/…`: the log of a company as files (C2SP tlog-tiles v0.1.0).

Checkpoints and tiles of hashes tell of no entry, and anybody may fetch them. Bundles of entries are fetched with an
auditor's token, each under an entry of its own, and no cache may keep them: whoever reads them is known.
"""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from api.graphql.context import House
from api.http.admission import Admission
from api.http.answers import Declined, declined
from api.http.contents.handing import ENTRY
from api.http.contents.statuses import no
from api.http.ports import PublicLog
from domain.errors import CreditError, NotFound
from domain.files.trail import FetchAuditEntries
from domain.ids import Id

CHECKPOINT: Final = "/audit/{company}/checkpoint"
TILE: Final = "/audit/{company}/tile/{path:path}"
OWN_CHECKPOINT: Final = "/audit/checkpoint"
OWN_TILE: Final = "/audit/tile/{path:path}"
"""The installation's own log, which belongs to no company."""
ACTION: Final = "audit:export"
FRESH_SECONDS: Final = 1
"""How long a cache may hand out a checkpoint; the next one comes within a second."""
PARTIAL_SECONDS: Final = 300
"""How long a cache may hand out a tile that is not full: what is in it never changes, and soon nobody asks for it."""
YEAR_SECONDS: Final = 31_536_000
BYTES: Final = "application/octet-stream"
TEXT: Final = "text/plain; charset=utf-8"
_OPEN: Final[Mapping[str, str]] = {
    "Access-Control-Allow-Origin": "*",  # it is the same for everybody, and signed
    "Cross-Origin-Resource-Policy": "cross-origin",
}


class Tiles:
    """Answers whoever verifies a log."""

    def __init__(self, house: House, admission: Admission, log: PublicLog) -> None:
        self._house = house
        self._admission = admission
        self._log = log

    async def checkpoint(self, request: Request) -> Response:
        """The newest signed checkpoint."""
        try:
            found = await self._log.checkpoint(_company(request))
        except CreditError as error:
            return declined(no(error), _id(request))
        if found is None:
            return declined(no(_nothing()), _id(request))
        return Response(found, headers={"Content-Type": TEXT, **_kept(FRESH_SECONDS), **_OPEN})

    async def file(self, request: Request) -> Response:
        """A tile of hashes, or a bundle of entries."""
        path = f"tile/{request.path_params['path']}"
        try:
            if self._log.is_bundle(path):
                return await self._bundle(request, path)
            found = await self._log.file(_company(request), path)
            if found is None:
                raise _nothing()
        except Declined as refusal:
            return declined(refusal, _id(request))
        except CreditError as error:
            return declined(no(error), _id(request))
        full = self._log.is_full(path)
        kept = _kept(YEAR_SECONDS, ", immutable") if full else _kept(PARTIAL_SECONDS)
        return Response(found, headers={"Content-Type": BYTES, **kept, **_OPEN})

    async def _bundle(self, request: Request, path: str) -> Response:
        """Entries of the caller's own company, once it is recorded who takes them."""
        actor, _ = await self._admission.of(request)
        company, id_ = _company(request), _id(request)
        if actor.tenant != self._log.tenant(company):
            error = _nothing()
            await self._house.gate.decline(actor, error, ACTION, request=id_)
            raise error
        performed = await self._house.gate.perform(FetchAuditEntries(path=Id(path)), actor, request=id_)
        found = await self._log.file(company, path)
        if found is None:
            raise _nothing()
        headers = {"Content-Type": BYTES, "Vary": "Accept-Encoding", ENTRY: performed.receipt.entry}
        if "gzip" in request.headers.get("Accept-Encoding", ""):
            found, headers["Content-Encoding"] = gzip.compress(found, mtime=0), "gzip"
        return Response(found, headers=headers)


def _company(request: Request) -> str:
    return str(request.path_params.get("company", ""))


def _kept(seconds: int, more: str = "") -> dict[str, str]:
    return {"Cache-Control": f"public, max-age={seconds}{more}"}


def _nothing() -> NotFound:
    return NotFound(
        "The log has no such file.", advice="Ask for the files of a checkpoint of this log that was signed."
    )


def _id(request: Request) -> str:
    return str(request.scope["state"]["request_id"])
