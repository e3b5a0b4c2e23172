"""What the HTTP interface asks of the composition root."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from domain.actors import Actor, Credentials
from domain.errors import NotAuthenticated
from domain.ids import Id


class Authenticator(Protocol):
    """Turns a token and its proof into the actor it names, and records what was refused."""

    async def __call__(self, given: Credentials) -> Actor:
        """The actor; a proof is used up.

        Raises: NotAuthenticated, its cause for the audit log alone; Unavailable.
        """
        ...

    async def again(self, given: Credentials, actor: Actor) -> Actor:
        """The actor of a token that was let in before, verified now.

        Raises: NotAuthenticated once it is over.
        """
        ...

    async def nonce(self) -> str:
        """The nonce that proofs are to hold from now on."""
        ...

    async def refused(self, error: NotAuthenticated, given: Credentials, *, request: str = "") -> Mapping[str, str]:
        """Records a refusal, and tells the headers of its answer; the token is empty where none came.

        Raises: Unavailable when it cannot be recorded.
        """
        ...


Probe = Callable[[], Awaitable[None]]
"""Asks one part of the house whether it can serve; it raises where it cannot."""

PublicKeys = Callable[[str], Awaitable[Mapping[str, Any]]]
"""The public keys that verify what was signed for one company, or for the installation where none is named.

Raises: Malformed for what names no company.
"""

StatusLists = Callable[[str, int], Awaitable[str | None]]
"""A status list of a company by its number, signed; None where there is none.

Raises: Malformed for what names no company; Unavailable.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicLog:
    """The audit logs as files. Companies are named by their ids, the installation by nothing."""

    tenant: Callable[[str], Id | None]
    """The tenant that is named; none where it is nobody."""
    checkpoint: Callable[[str], Awaitable[bytes | None]]
    """The newest signed checkpoint. Raises: Unavailable."""
    file: Callable[[str, str], Awaitable[bytes | None]]
    """What lies at a path under the newest checkpoint. Raises: Malformed; Unavailable."""
    is_bundle: Callable[[str], bool]
    """Whether a path is one of entries. Raises: Malformed."""
    is_full: Callable[[str], bool]
    """Whether what lies at a path never gets more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What anybody may fetch: keys, and the status lists of statements and the logs where there are any."""

    keys: PublicKeys
    statuses: StatusLists | None = None
    log: PublicLog | None = None
    witnesses: Callable[[], Mapping[str, str]] | None = None
    """How the witnesses of the logs stand, by name; one that is late or refuses stops nobody from being served."""
