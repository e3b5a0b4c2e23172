"""`GET /grants/matrix`: who may do what in the caller's company, as a page, for whoever may read the grants."""

from __future__ import annotations

import base64
from hashlib import sha256
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from api import matrix
from api.graphql.context import House
from api.http.admission import Admission
from api.http.answers import Declined, declined
from api.http.contents.handing import ENTRY
from api.http.contents.statuses import no
from domain.errors import CreditError
from domain.grants.explaining import ReadGrantsMatrix

PATH: Final = "/grants/matrix"
_STYLE: Final = base64.b64encode(sha256(f"\n{matrix.STYLE}\n".encode()).digest()).decode()
_POLICY: Final = f"default-src 'none'; style-src 'sha256-{_STYLE}'; base-uri 'none'; frame-ancestors 'none'; sandbox"


class Matrix:
    """Answers whoever examines the grants."""

    def __init__(self, house: House, admission: Admission) -> None:
        self._house = house
        self._admission = admission

    async def page(self, request: Request) -> Response:
        """The page, once it is recorded who reads it."""
        id_ = str(request.scope["state"]["request_id"])
        try:
            actor, _ = await self._admission.of(request)
            try:
                performed = await self._house.gate.perform(ReadGrantsMatrix(), actor, request=id_)
                table = await self._house.grants.table(actor.tenant)
            except CreditError as error:
                raise no(error) from None
        except Declined as refusal:
            return declined(refusal, id_)
        headers = {"Content-Security-Policy": _POLICY, "Cache-Control": "no-store", ENTRY: performed.receipt.entry}
        return Response(matrix.page(table, f"Grants of {actor.tenant}"), media_type="text/html", headers=headers)
