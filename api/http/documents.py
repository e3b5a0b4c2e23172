"""`POST /graphql`: authenticated before the body is read, answered by GraphQL over HTTP."""

from __future__ import annotations

import re
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response

from api.graphql.context import House
from api.graphql.execute import execute
from api.http.answers import GRAPHQL, JSON, Declined, declined, status_of, written
from api.http.bodies import CLOSE, read_body, read_request
from api.http.negotiation import answer_type, is_json
from api.http.ports import Authenticator
from domain.actors import Actor
from domain.errors import Malformed, NotAuthenticated, Unavailable

_BEARER = re.compile(r"bearer +([A-Za-z0-9._~+/-]+=*)", re.ASCII | re.IGNORECASE)


class Documents:
    """Carries out documents for whoever a token names."""

    def __init__(self, house: House, authenticator: Authenticator) -> None:
        self._house = house
        self._authenticator = authenticator

    async def answer(self, request: Request) -> Response:
        """The answer to one request."""
        id_, headers = request.state.request_id, request.headers
        media = answer_type(headers.getlist("accept"))
        try:
            actor = await self._authenticated(_bearer(headers), id_)
            _check_forms(headers, media)
            asked = read_request(await read_body(request), id_)
        except Declined as no:
            return declined(no, id_, media or JSON)
        response = await execute(self._house, actor, asked)
        form = media or JSON
        return written(response.text(), status_of(response, form), form, {"Vary": "Accept"})

    async def _authenticated(self, bearer: str, request: str) -> Actor:
        """The actor whose token came with the request.

        Raises: Declined, always with the same words; the cause is recorded and told to nobody.
        """
        try:
            actor, refusal = await self._verified(bearer)
            if actor is not None:
                return actor
            await self._authenticator.refused(refusal, bearer, request=request)
        except Unavailable as error:
            raise Declined(HTTPStatus.SERVICE_UNAVAILABLE, error, CLOSE) from None
        constant = NotAuthenticated("The request is not authenticated.")
        raise Declined(HTTPStatus.UNAUTHORIZED, constant, {"WWW-Authenticate": "Bearer", **CLOSE})

    async def _verified(self, bearer: str) -> tuple[Actor | None, NotAuthenticated]:
        """The actor, or why there is none."""
        nobody = NotAuthenticated("No bearer token came with the request.", cause="NO_TOKEN")
        if not bearer:
            return None, nobody
        try:
            return await self._authenticator(bearer), nobody
        except NotAuthenticated as error:
            return None, error


def _bearer(headers: Headers) -> str:
    """The token of the one Authorization header; empty where there is none, or none that could be one."""
    given = headers.getlist("authorization")
    match = _BEARER.fullmatch(given[0]) if len(given) == 1 else None
    return match[1] if match else ""


def _check_forms(headers: Headers, media: str | None) -> None:
    """Refuses an answer in another form, and every body but JSON as it is: no form post, no text, nothing packed.

    Raises: Declined.
    """
    if media is None:
        error = Malformed("No form of the answer is accepted.", advice=f"Send Accept: {GRAPHQL}, {JSON}.")
        raise Declined(HTTPStatus.NOT_ACCEPTABLE, error, CLOSE)
    packed = headers.get("content-encoding", "identity").strip().lower() != "identity"
    if packed or not is_json(headers.getlist("content-type")):
        error = Malformed("The body is not said to be JSON.", advice=f"Send Content-Type: {JSON}, not packed.")
        raise Declined(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, error, CLOSE)
