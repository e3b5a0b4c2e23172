"""Who is let in: whoever a token names. What does not get in is recorded, and told nothing but that."""

from __future__ import annotations

import re
from contextlib import suppress
from hashlib import sha256
from http import HTTPStatus

from starlette.datastructures import Headers

from api.http.answers import Declined
from api.http.bodies import CLOSE
from api.http.ports import Authenticator
from domain.actors import Actor
from domain.errors import NotAuthenticated, Unavailable

_BEARER = re.compile(r"bearer +([A-Za-z0-9._~+/-]+=*)", re.ASCII | re.IGNORECASE)


class Admission:
    """Authenticates before anything else is looked at."""

    def __init__(self, authenticator: Authenticator) -> None:
        self._authenticator = authenticator

    async def actor(self, bearer: str, request: str) -> Actor:
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


class Holder:
    """Whoever holds a token that was let in, for as long as it is good."""

    def __init__(self, authenticator: Authenticator, bearer: str, request: str) -> None:
        self._authenticator = authenticator
        self._bearer = bearer
        self._request = request
        self.token = sha256(bearer.encode()).hexdigest()
        """What tells the token from others, and cannot be used as one."""

    async def actor(self) -> Actor:
        """The actor of the token, verified now.

        Raises: NotAuthenticated once it is over, which is recorded.
        """
        try:
            return await self._authenticator(self._bearer)
        except NotAuthenticated as error:
            with suppress(Unavailable):
                await self._authenticator.refused(error, self._bearer, request=self._request)
            raise


def bearer_of(headers: Headers) -> str:
    """The token of the one Authorization header; empty where there is none, or none that could be one."""
    given = headers.getlist("authorization")
    return token_in(given[0]) if len(given) == 1 else ""


def token_in(authorization: object) -> str:
    """The token in what was said for authorization; empty where there is none, or none that could be one."""
    match = _BEARER.fullmatch(authorization) if isinstance(authorization, str) else None
    return match[1] if match else ""
