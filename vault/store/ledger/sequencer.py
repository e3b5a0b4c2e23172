"""The sequencer moves entries from the outbox into the tree, for whichever process holds the tenant's lock.

Entries that become durable while it works are taken together by its next round. It may be late and it loses nothing:
what it has not moved is still in the outbox, after a crash too.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager, suppress
from functools import partial
from typing import Any, TypeVar

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.ids import Id
from vault.store.ledger import lookups
from vault.store.ledger.heads import LONGEST, Heads
from vault.store.ledger.logbook import Leaf, hold_log, integrate
from vault.store.tables import audit_outbox
from vault.store.transaction import Room

AT_ONCE = 1_000
"""How many entries one round moves at most."""
LINGER_SECONDS = 0.25
"""How long entries that nobody waits for are gathered before a round takes them."""
PATIENCE_SECONDS = 5.0
"""How long a writer whose entry is durable waits for its place in the tree; being late is no failure."""

T = TypeVar("T")
Begin = Callable[[Id], AbstractAsyncContextManager[AsyncConnection]]

_LOG = structlog.get_logger("credence.store")


class Sequencer:
    """One per process; a lock in the database lets one of them at a time work on a tenant's log."""

    def __init__(self, begin: Begin, room: Room) -> None:
        self._begin = begin
        self._room = room
        self._heads = Heads(room)
        self._turn = asyncio.Lock()
        self._waiting: dict[Id, list[asyncio.Future[bool]]] = {}
        self._late: set[Id] = set()
        self._noted: set[Id] = set()
        self._behind: dict[Id, float] = {}
        self._resumed: set[Id] = set()
        self._worker: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()

    async def start(self, tenants: Iterable[Id]) -> None:
        """Begins to work, first on what was left behind."""
        self._waiting = {tenant: [] for tenant in tenants}
        self._wake.set()
        self._worker = asyncio.create_task(self._work(), name="credence-sequencer")

    async def close(self) -> None:
        """Finishes what waits, signs the heads and stops."""
        if self._worker is not None:
            self._worker.cancel()
            await asyncio.wait([self._worker])
            self._worker = None
        await self._round(idle=True)

    def note(self, tenant: Id) -> None:
        """Something of a tenant is durable, and nobody waits for its place: the next round comes soon."""
        if not self._noted:
            asyncio.get_running_loop().call_later(LINGER_SECONDS, self._wake.set)
        self._noted.add(tenant)

    async def bring_up(self, tenant: Id) -> None:
        """Makes every entry of a tenant's tree findable."""
        more = True
        while more:
            more = await self._in_turn(tenant, partial(_bring_up, tenant=tenant))

    async def integrated(self, tenant: Id) -> bool:
        """Whether everything of a tenant that is durable now stands in its tree; it waits for that, for a while."""
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(tenant, []).append(future)
        self._wake.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await future
        return False

    async def sign(self, tenant: Id) -> str:
        """The checkpoint of a tenant's log as it is now."""

        def run(connection: sa.Connection) -> str:
            hold_log(connection, tenant)
            return self._heads.sign(connection, tenant)

        return await self._in_turn(tenant, run)

    async def _work(self) -> None:
        while True:
            try:
                unfinished = self._heads.unsigned or self._late or self._behind
                async with asyncio.timeout(LONGEST.total_seconds() if unfinished else None):
                    await self._wake.wait()
                idle = False
            except TimeoutError:
                idle = True
            self._wake.clear()
            await self._round(idle=idle)
            await self._catch_up(idle=idle)

    async def _round(self, *, idle: bool) -> None:
        """Moves what waits; a tenant whose round fails is tried again soon."""
        waiting, self._waiting = self._waiting, {}
        self._late.update(waiting, self._noted)  # a round that is broken off leaves nobody out of the next one
        noted, self._noted = self._noted, set()
        late = (*self._late, *self._heads.waiting()) if idle else ()
        try:
            for tenant in dict.fromkeys((*waiting, *noted, *late)):
                await self._move_all(tenant, idle=idle)
                for future in waiting.pop(tenant, ()):
                    if not future.done():
                        future.set_result(tenant not in self._late)
        finally:
            for tenant, futures in waiting.items():
                self._waiting.setdefault(tenant, []).extend(futures)

    async def _move_all(self, tenant: Id, *, idle: bool) -> None:
        try:
            while await self._move(tenant, idle=idle) == AT_ONCE:
                pass
            self._late.discard(tenant)
            self._behind.setdefault(tenant, time.monotonic())
        except Exception as error:  # noqa: BLE001 - being late is no failure: the outbox keeps the entries
            self._late.add(tenant)
            _LOG.warning("The log is late.", tenant=tenant, type=type(error).__qualname__)

    async def _catch_up(self, *, idle: bool) -> None:
        """Makes entries findable while nothing else is to do, or once they have waited long enough."""
        now = time.monotonic()
        for tenant, since in list(self._behind.items()):
            if not idle and now - since < LONGEST.total_seconds():
                continue
            try:
                if not await self._in_turn(tenant, partial(_bring_up, tenant=tenant)):
                    self._behind.pop(tenant, None)
            except Exception as error:  # noqa: BLE001 - being late is no failure
                self._behind[tenant] = now
                _LOG.warning("The log is late.", tenant=tenant, type=type(error).__qualname__)

    async def _move(self, tenant: Id, *, idle: bool) -> int:
        """One transaction: as many entries as fit from the outbox into the tree."""

        def run(connection: sa.Connection) -> int:
            hold_log(connection, tenant)
            if tenant not in self._resumed:
                self._heads.resume(connection, tenant)
            rows = _pending(connection, tenant)
            if rows:
                leaves = [Leaf.unpack(tenant, id_, bytes(entry)) for _, id_, entry in rows]
                size = integrate(connection, tenant, leaves, self._room.clock.now())
                lookups.list_entries(connection, tenant, size - len(leaves), leaves)
                positions = [row[0] for row in rows]
                connection.execute(sa.delete(audit_outbox).where(audit_outbox.c.position.in_(positions)))
                self._heads.grown(tenant, len(rows))
            self._heads.sign_due(connection, tenant, idle=idle)
            return len(rows)

        moved = await self._in_turn(tenant, run)
        self._resumed.add(tenant)
        if moved:
            self._room.growth.told(tenant)
        return moved

    async def _in_turn(self, tenant: Id, run: Callable[[sa.Connection], T]) -> T:
        """One transaction at a time: the heads know what it grew and signed only when it is durable."""
        async with self._turn:
            try:
                async with self._begin(tenant) as connection:
                    found = await connection.run_sync(run)
            except BaseException:
                self._heads.forget()
                raise
            self._heads.kept()
        return found


def _bring_up(connection: sa.Connection, tenant: Id) -> bool:
    hold_log(connection, tenant)
    return lookups.bring_up(connection, tenant)


def _pending(connection: sa.Connection, tenant: Id) -> list[Any]:
    select = (
        sa.select(audit_outbox.c.position, audit_outbox.c.id, audit_outbox.c.entry)
        .where(audit_outbox.c.tenant == tenant)
        .order_by(audit_outbox.c.position)
        .limit(AT_ONCE)
    )
    return list(connection.execute(select))
