"""The heads of the logs: how far each has grown since its last signed checkpoint, and when one is due.

A checkpoint is at most a second or 256 entries late.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
import structlog

from domain.errors import CreditError
from domain.ids import Id
from vault.store.ledger.logbook import SYSTEM, sign_head, unsigned
from vault.store.transaction import Room

MOST_ENTRIES = 256
LONGEST = timedelta(seconds=1)

_LOG = structlog.get_logger("credence.store")


@dataclass(slots=True)
class _Growth:
    entries: int
    since: datetime


class Heads:
    """The logs that grew and are not signed yet; one transaction at a time uses it."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._growth: dict[Id, _Growth] = {}
        self._pending: dict[Id, int] = {}
        self._signed: set[Id] = set()

    @property
    def unsigned(self) -> bool:
        """Whether a log waits for its checkpoint."""
        return bool(self._growth)

    def due(self, *, idle: bool) -> bool:
        """Whether a checkpoint is to be signed now; when idle, whenever a log waits for one."""
        return any(self._is_due(tenant, idle=idle) for tenant in self._growth)

    def grown(self, tenant: Id, entries: int) -> None:
        """Notes entries of the transaction that is under way."""
        self._pending[tenant] = self._pending.get(tenant, 0) + entries
        self._signed.discard(tenant)  # what was signed earlier in this transaction does not cover them

    def resume(self, connection: sa.Connection, tenant: Id) -> None:
        """Notes entries that are there already and that nobody signed: a process ended before it came to that."""
        left = unsigned(connection, tenant)
        if left:
            self.grown(tenant, left)

    def waiting(self) -> tuple[Id, ...]:
        """The tenants whose log grew and is not signed yet, in this transaction too."""
        return tuple(dict.fromkeys((*self._growth, *self._pending)))

    def sign_due(self, connection: sa.Connection, tenant: Id, *, idle: bool) -> None:
        """Signs a head that is due. A key that cannot be reached makes it late, and stops no write."""
        if not self._is_due(tenant, idle=idle):
            return
        try:
            with connection.begin_nested():
                self.sign(connection, tenant)
        except CreditError as error:
            _LOG.warning("A checkpoint is late.", tenant=tenant, code=error.code.value)

    def sign(self, connection: sa.Connection, tenant: Id) -> str:
        """The checkpoint of a log as this transaction sees it."""
        hand = self._room.hand(tenant, SYSTEM)
        text = sign_head(connection, self._room.keys(connection, hand), tenant)
        self._signed.add(tenant)
        return text

    def kept(self) -> None:
        """The transaction is durable."""
        now = self._room.clock.now()
        for tenant, entries in self._pending.items():
            growth = self._growth.setdefault(tenant, _Growth(0, now))
            growth.entries += entries
        for tenant in self._signed:
            self._growth.pop(tenant, None)
        self.forget()

    def forget(self) -> None:
        """The transaction is gone."""
        self._pending.clear()
        self._signed.clear()

    def _is_due(self, tenant: Id, *, idle: bool) -> bool:
        growth = self._growth.get(tenant)
        waiting = (growth.entries if growth else 0) + self._pending.get(tenant, 0)
        if not waiting:
            return False
        late = growth is not None and self._room.clock.now() - growth.since >= LONGEST
        return idle or late or waiting >= MOST_ENTRIES
