"""The keys of issuers, fetched from where they publish them and kept for a while, so that an issuer may turn its keys.

A key that is not known yet is asked for at once, but not again and again for whoever invents names of keys. While an
issuer is out of reach its last keys serve for an hour; after that its tokens are refused, and it is said why.
"""

from __future__ import annotations

import asyncio
import json
import time
import urllib.error
import urllib.request
from asyncio import Lock, Task
from collections.abc import Callable, Mapping
from typing import Any, Final

import structlog

from authz.keys import public_keys
from domain.errors import KeyUnavailable, Malformed

FRESH_SECONDS: Final = 300
"""After so long the keys are fetched again, beside the requests: a key that was withdrawn serves no longer."""
KEPT_SECONDS: Final = 3_600
"""How long the last keys of an issuer that is out of reach serve."""
AGAIN_SECONDS: Final = 10
"""How long after an attempt no other is made, whoever asks."""
FETCH_SECONDS: Final = 5
MAX_ANSWER: Final = 256 * 1024
DISCOVERY: Final = "/.well-known/openid-configuration"

_LOG = structlog.get_logger("credence.issuers")

Fetch = Callable[[str], Any]
"""Gets the JSON under an address.

Raises: OSError, ValueError.
"""


class RemoteKeys:
    """The keys of one issuer as it publishes them."""

    def __init__(self, issuer: str, address: str = "", fetch: Fetch | None = None) -> None:
        self._issuer = issuer
        self._address = address
        self._fetch = fetch or fetched
        self._turn = Lock()
        self._jwks: Mapping[str, Any] | None = None
        self._fetched_at = 0.0
        self._tried_at = -float(KEPT_SECONDS)
        self._beside: Task[None] | None = None

    async def current(self) -> Mapping[str, Any]:
        """The keys to verify with now.

        Raises: KeyUnavailable where there are none that may still serve.
        """
        age = time.monotonic() - self._fetched_at
        if self._jwks is None or age >= KEPT_SECONDS:
            await self._again()
            age = time.monotonic() - self._fetched_at
        elif age >= FRESH_SECONDS and (self._beside is None or self._beside.done()):
            self._beside = asyncio.create_task(self._again(), name="credence-issuer-keys")
        if self._jwks is None or age >= KEPT_SECONDS:
            raise KeyUnavailable(
                "The keys of the token's issuer cannot be had now.",
                advice="Try again shortly; if it stays, let the operator look whether the issuer can be reached.",
            )
        return self._jwks

    async def renewed(self) -> Mapping[str, Any] | None:
        """The keys after another look, for a key that is not known; None where it is too early, or it failed."""
        before = self._fetched_at
        await self._again()
        return self._jwks if self._fetched_at != before else None

    async def _again(self) -> None:
        """Fetches the keys, once for all who wait, and not shortly after the last attempt."""
        async with self._turn:
            if time.monotonic() - self._tried_at < AGAIN_SECONDS:
                return
            self._tried_at = time.monotonic()
            try:
                jwks = await asyncio.to_thread(self._fetch_keys)
            except (OSError, ValueError, Malformed) as error:
                _LOG.warning("The keys of an issuer were not fetched.", issuer=self._issuer, type=type(error).__name__)
                return
            self._jwks, self._fetched_at = jwks, time.monotonic()

    def _fetch_keys(self) -> Mapping[str, Any]:
        address = self._address
        if not address:
            told = self._fetch(self._issuer.rstrip("/") + DISCOVERY)
            # What it says of itself must be what it is trusted as (OpenID Connect Discovery, section 4.3).
            if not isinstance(told, dict) or told.get("issuer") != self._issuer:
                raise ValueError("another issuer")
            address = str(told.get("jwks_uri"))
        if not is_safe(address):
            raise ValueError("an address that is not safe")
        jwks = self._fetch(address)
        if not isinstance(jwks, dict) or not isinstance(jwks.get("keys"), list):
            raise ValueError("no set of keys")  # noqa: TRY004 - of what was fetched, not of a caller
        list(public_keys(jwks))
        return jwks


def is_safe(address: str) -> bool:
    """Whether what comes from an address comes from whom it names: over TLS, or from this machine."""
    return address.startswith(("https://", "http://127.0.0.1:", "http://[::1]:", "http://localhost:"))


def fetched(address: str) -> Any:
    """The JSON under an address; another address is not followed to.

    Raises: OSError, ValueError.
    """
    request = urllib.request.Request(address, headers={"Accept": "application/json"})  # noqa: S310 - is_safe
    with _opener.open(request, timeout=FETCH_SECONDS) as answer:
        text = answer.read(MAX_ANSWER + 1)
    if len(text) > MAX_ANSWER:
        raise ValueError("too large")
    return json.loads(text)


class _Straight(urllib.request.HTTPRedirectHandler):
    """Follows nobody elsewhere."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """What moved is an error, as any status that is no success."""


_opener = urllib.request.build_opener(_Straight)
