"""One work inside one transaction: decide, then record; what is refused is rolled back and only its entry remains.

Both stores run this over a connection whose transaction they begin and end themselves.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.util.concurrency import await_only, in_greenlet

from domain.audit import Entry, Receipt, Trace
from domain.errors import CreditError, Stale
from domain.ids import Id
from domain.ports import Clock, Committed, Ids, Work
from vault.documents.blobs import Blobs
from vault.keys import Keyring
from vault.store.ledger.cosigning import Quorum
from vault.store.ledger.growth import Growth
from vault.store.ledger.logbook import Leaf, write_entry
from vault.store.tenantkeys import TenantKeys
from vault.store.unit import Hand, SqlUnit

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What every transaction of a store needs."""

    ring: Keyring
    clock: Clock
    make: Ids
    blobs: Blobs
    """Where the contents of documents are kept."""
    growth: Growth = field(default_factory=Growth)
    """Who waits for a log to grow."""
    quorum: Quorum = field(default_factory=Quorum)
    """The witnesses of the logs."""

    def hand(self, tenant: Id, actor: str) -> Hand:
        """Who writes, from now on."""
        return Hand(tenant=tenant, actor=actor, now=self.clock.now(), make=self.make)

    def keys(self, connection: sa.Connection, hand: Hand) -> TenantKeys:
        """The keys of the tenant, as this transaction sees them."""
        return TenantKeys(connection, self.ring, hand.tenant, hand.id)


def carry_out(connection: sa.Connection, room: Room, work: Work[T]) -> tuple[Committed[T], Leaf]:
    """Decides and writes the entry; the caller makes both durable together.

    Raises: Stale when a race was lost, and whatever is a bug; of either nothing remains.
    """
    hand = room.hand(work.tenant, work.actor)
    keys = room.keys(connection, hand)
    unit = SqlUnit(connection, keys, hand)
    try:
        with connection.begin_nested():
            decided = work.decide(unit)
            entry = work.conclude(unit.finish(), decided)
            leaf = write_entry(connection, keys, entry)
    except Stale:
        raise
    except CreditError as error:
        return refuse(connection, room, work, error, unit.seen())
    except sa.exc.IntegrityError:
        # Somebody else wrote a row that must be unique after this unit looked: the Gate decides again.
        raise Stale("Somebody else was faster.") from None
    return Committed(result=decided, receipt=Receipt(entry=entry.id, tenant=work.tenant)), leaf


def refuse(
    connection: sa.Connection, room: Room, work: Work[T], error: CreditError, seen: Trace
) -> tuple[Committed[T], Leaf]:
    """The entry of work that was rolled back, on the same connection: whose data it was about, and nothing written."""
    entry = work.conclude(seen, error)
    return Committed(result=error, receipt=Receipt(entry=entry.id, tenant=work.tenant)), record(connection, room, entry)


def record(connection: sa.Connection, room: Room, entry: Entry) -> Leaf:
    """Writes one entry alone."""
    with connection.begin_nested():
        return write_entry(connection, room.keys(connection, room.hand(entry.tenant, entry.actor)), entry)


def aside(call: Callable[[], T]) -> T:
    """What a call returns that may take a while, such as one to whoever keeps the root keys.

    Between the statements of a transaction that an event loop carries, the loop goes on meanwhile. Anywhere else, such
    as on the thread that writes to SQLite, it is called as it stands.
    """
    if not in_greenlet():
        return call()
    return await_only(asyncio.get_running_loop().run_in_executor(None, call))
