"""What the HTTP interface asks of the composition root."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from domain.actors import Actor
from domain.errors import NotAuthenticated


class Authenticator(Protocol):
    """Turns a bearer token into the actor it names, and records the tokens that were refused."""

    async def __call__(self, bearer: str) -> Actor:
        """The actor.

        Raises: NotAuthenticated, its cause for the audit log alone.
        """
        ...

    async def refused(self, error: NotAuthenticated, bearer: str, *, request: str = "") -> None:
        """Records a refusal; the bearer is empty where none came with the request.

        Raises: Unavailable when it cannot be recorded.
        """
        ...


Probe = Callable[[], Awaitable[None]]
"""Asks one part of the house whether it can serve; it raises where it cannot."""

PublicKeys = Callable[[str], Awaitable[Mapping[str, Any]]]
"""The public keys that verify what was signed for one company, or for the installation where none is named.

Raises: Malformed for what names no company.
"""
