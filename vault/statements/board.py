"""What a company says in public about its statements, and the one place where they are signed.

Keys and lists are asked for by strangers: an answer is kept for a moment, so that many who ask cost as much as one.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from domain.audit import Warrant
from domain.errors import KeyUnavailable
from domain.ids import Id
from domain.ports import Attested, Challenge, Handover, ToSign
from vault.delivery.handing import challenge, hand_over
from vault.delivery.receipts import attest
from vault.statements.issuing import issue
from vault.statements.publishing import Issuer
from vault.statements.statuslist import sign_list
from vault.store.postgres import PostgresStore
from vault.store.sqlite import SqliteStore
from vault.store.statements import statuses
from vault.store.transaction import Room

KEPT_SECONDS: Final = 5.0
"""How long a list is handed out before it is made again: so long a revocation is not told."""
TTL_SECONDS: Final = 300
"""How long others may keep a list before they fetch it again."""
LIFETIME_SECONDS: Final = 24 * 3600
"""How long a list says anything at all."""
KEPT_LISTS: Final = 256
PERSON: Final = "system:statements"


class Kept(NamedTuple):
    """A list as it was signed, and until when it is handed out."""

    text: str | None
    until: float


class Board:
    """Signs statements and status lists, and tells the keys that verify them."""

    def __init__(
        self,
        store: SqliteStore | PostgresStore,
        room: Room,
        public_url: str,
        *,
        moment: Callable[[], float] = time.monotonic,
    ) -> None:
        """Takes the address under which others reach this server, and a monotonic clock in seconds."""
        self._store = store
        self._room = room
        self._url = public_url.rstrip("/")
        self._moment = moment
        self._lists: OrderedDict[tuple[Id, int], Kept] = OrderedDict()

    async def sign(self, warrant: Warrant, statement: ToSign) -> str:
        """The statement as its holder gets it, signed by the company the warrant is of; sealed where it is handed over.

        Raises: KeyUnavailable; Tampered.
        """
        if isinstance(statement, Challenge):
            return challenge(warrant, statement)
        issuer = await self._issuer(warrant.tenant)
        if issuer is None:
            raise KeyUnavailable("The company has no key for statements.", advice="Ask again; if it stays, run fsck.")
        if isinstance(statement, Handover):
            return hand_over(issuer, warrant, statement)
        if isinstance(statement, Attested):
            return attest(issuer, warrant, statement)
        return issue(issuer, statement)

    async def metadata(self, tenant: Id) -> dict[str, Any] | None:
        """What others verify a company's statements with; None where it cannot have issued any.

        Raises: KeyUnavailable; Tampered.
        """
        issuer = await self._issuer(tenant)
        return None if issuer is None else issuer.metadata()

    async def status_list(self, tenant: Id, number: int) -> str | None:
        """A signed list that says which statements are revoked; None where there is none of this number.

        Raises: KeyUnavailable; Tampered.
        """
        place, now = (tenant, number), self._moment()
        kept = self._lists.get(place)
        if kept is None or kept.until <= now:
            kept = Kept(await self._signed_list(tenant, number), now + KEPT_SECONDS)
            self._lists[place] = kept
            self._lists.move_to_end(place)
            while len(self._lists) > KEPT_LISTS:
                self._lists.popitem(last=False)
        return kept.text

    async def _signed_list(self, tenant: Id, number: int) -> str | None:
        issued = int(self._room.clock.now().timestamp())  # before the key is looked up: it may end behind that
        marked = await self._store.inspect(tenant, statuses.marked(tenant, number))
        issuer = await self._issuer(tenant) if marked else None
        if marked is None or issuer is None:
            return None
        return sign_list(
            issuer.key,
            issuer.kid,
            uri=issuer.list_uri(number),
            size=marked.size,
            revoked=marked.revoked,
            issued=issued,
            ttl=TTL_SECONDS,
            lifetime=LIFETIME_SECONDS,
        )

    async def _issuer(self, tenant: Id) -> Issuer | None:
        return await self._store.inspect(tenant, statuses.issuer(self._room, tenant, PERSON, self._url))
