"""Who is let in: whoever a token names. What does not get in is recorded, and told nothing but that."""

from __future__ import annotations

import re
from contextlib import suppress
from hashlib import sha256
from http import HTTPStatus
from urllib.parse import quote

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import Scope

from api.http.answers import Declined
from api.http.bodies import CLOSE
from api.http.ports import Authenticator
from domain.actors import Actor, Credentials
from domain.errors import NotAuthenticated, Unavailable

GLASS = "Credence-Break-Glass"
"""The header that names the broken glass a request is made under."""
_GLASS = re.compile(r"bg_[0-9a-z]{26}", re.ASCII)
UNFIT = "bg_" + "0" * 26
"""Stands for what names no broken glass: it gives nothing, and is refused as one that is over."""
NONCE = "DPoP-Nonce"
STATE = "dpop_nonce"
"""Where a request keeps the nonce that goes out with its answer."""
_AUTHORIZATION = re.compile(r"(bearer|dpop) +([A-Za-z0-9._~+/-]+=*)", re.ASCII | re.IGNORECASE)


class Admission:
    """Authenticates before anything else is looked at."""

    def __init__(self, authenticator: Authenticator, public_url: str = "") -> None:
        self._authenticator = authenticator
        self._public_url = public_url

    async def of(self, request: Request) -> tuple[Actor, Credentials]:
        """The actor whose token came with a request, and with what it came.

        Raises: Declined.
        """
        given = credentials_of(request.headers, request.method, request.scope, self._public_url)
        state = request.scope["state"]
        actor = await self.actor(given, state["request_id"])
        if given.bound:
            state[STATE] = await self._authenticator.nonce()
        return actor, given

    async def actor(self, given: Credentials, request: str) -> Actor:
        """The actor of what came with a request.

        Raises: Declined, always with the same words; the cause is recorded and told to nobody.
        """
        try:
            actor, refusal = await self._verified(given)
            if actor is not None:
                return actor
            challenge = await self._authenticator.refused(refusal, given, request=request)
        except Unavailable as error:
            raise Declined(HTTPStatus.SERVICE_UNAVAILABLE, error, CLOSE) from None
        constant = NotAuthenticated("The request is not authenticated.")
        raise Declined(HTTPStatus.UNAUTHORIZED, constant, {**challenge, **CLOSE})

    def holder(self, given: Credentials, actor: Actor, request: str) -> Holder:
        """Whoever was let in, for as long as the token is good."""
        return Holder(self._authenticator, given, actor, request)

    async def _verified(self, given: Credentials) -> tuple[Actor | None, NotAuthenticated]:
        """The actor, or why there is none."""
        nobody = NotAuthenticated("No token came with the request.", cause="NO_TOKEN")
        if not given.token:
            return None, nobody
        try:
            return await self._authenticator(given), nobody
        except NotAuthenticated as error:
            return None, error


class Holder:
    """Whoever holds a token that was let in, for as long as it is good."""

    def __init__(self, authenticator: Authenticator, given: Credentials, actor: Actor, request: str) -> None:
        self._authenticator = authenticator
        self._given = given
        self._actor = actor
        self._request = request
        self.token = sha256(given.token.encode()).hexdigest()
        """What tells the token from others, and cannot be used as one."""

    async def actor(self) -> Actor:
        """The actor of the token, verified now.

        Raises: NotAuthenticated once it is over, which is recorded.
        """
        try:
            return await self._authenticator.again(self._given, self._actor)
        except NotAuthenticated as error:
            with suppress(Unavailable):
                await self._authenticator.refused(error, self._given, request=self._request)
            raise


def credentials_of(headers: Headers, method: str, scope: Scope, public_url: str) -> Credentials:
    """What came for authorization with a request; without a token where there is no, or more than one, such header."""
    given = headers.getlist("authorization")
    match = _AUTHORIZATION.fullmatch(given[0]) if len(given) == 1 else None
    if match is None:
        return Credentials()
    broken = headers.get(GLASS, "")
    glass = broken if _GLASS.fullmatch(broken) else UNFIT if broken else ""
    if match[1].lower() == "bearer":
        return Credentials(token=match[2], glass=glass)
    return Credentials(
        token=match[2],
        bound=True,
        glass=glass,
        proofs=tuple(headers.getlist("dpop")),
        method=method,
        url=(public_url or _listening(scope)) + quote(scope["path"], safe="/%"),
    )


def bearer_in(authorization: object) -> Credentials:
    """What was said for authorization in a message, which no proof of a key can come with."""
    match = _AUTHORIZATION.fullmatch(authorization) if isinstance(authorization, str) else None
    return Credentials(token=match[2]) if match and match[1].lower() == "bearer" else Credentials()


def _listening(scope: Scope) -> str:
    """The address a request came in on: the one of the socket, and not what a header says."""
    host, port = scope["server"]
    named = f"[{host}]" if ":" in host else host
    return f"{scope['scheme']}://{named}" + (f":{port}" if port else "")
