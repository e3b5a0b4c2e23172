"""The store on PostgreSQL: every work in a transaction of its own, its entry in an outbox, the outbox in the tree.

No entry, no commit: the outbox row and the change are durable together. A sequencer moves the outbox into the tree
under a lock, so that no writer waits for the head of the log.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Generator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar, cast

import asyncpg
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from domain.audit import Entry, EntryProof, Receipt
from domain.custody.erasures import Erasure
from domain.errors import AuditUnavailable, CreditError, Overloaded, Stale, Unavailable
from domain.ids import Id
from domain.ports import Committed, Draft, Fetch, Rows, Work
from vault.store import transaction
from vault.store.engines import TENANT, postgres_engine, postgres_pool
from vault.store.keeping.residue import clean_postgres, forget_blobs
from vault.store.ledger import lookups
from vault.store.ledger.logbook import Leaf
from vault.store.ledger.outbox import Outbox
from vault.store.ledger.proving import proven
from vault.store.ledger.sequencer import Sequencer
from vault.store.ledger.spent import Spending
from vault.store.run import run_postgres
from vault.store.tables import audit_outbox, tenant_register
from vault.store.transaction import Room

T = TypeVar("T")

_RACES = frozenset({"40001", "40P01"})
"""Serialization failure and deadlock: the work is decided again."""
_AWAY = frozenset({"08", "53", "57", "58"})
"""Classes of refusals that are about the server and not the statement: out of reach, full, stopped, broken."""
CLOSE_SECONDS = 10
"""How long readings under way may take when everything is let go."""


class PostgresStore:
    """Records, sealed values and the audit log in one database, for any number of processes."""

    def __init__(self, url: str, room: Room) -> None:
        self._url = url
        self._room = room
        self._engine: AsyncEngine = postgres_engine(url)
        self._pool: asyncpg.Pool | None = None
        self._sequencer = Sequencer(self.transaction, room)
        self._outbox = Outbox(_unwritten)
        self._spending = Spending()

    async def start(self) -> None:
        """Connects, and takes into the trees what an earlier process left in the outbox."""
        self._pool = await postgres_pool(self._url)
        self._outbox.open(self._pool)
        await self._sequencer.start(await self.tenants())

    async def close(self) -> None:
        """Signs the heads, and lets everything go."""
        await self._outbox.close()
        await self._sequencer.close()
        await self._engine.dispose()
        pool, self._pool = self._pool, None
        if pool is not None:
            try:
                async with asyncio.timeout(CLOSE_SECONDS):
                    await pool.close()
            except TimeoutError:
                pool.terminate()

    async def write(self, work: Work[T]) -> Committed[T]:
        """Runs the work in one transaction and returns when it is durable.

        Raises: Stale, unrecorded; Unavailable when it could not be made durable: then nothing of it remains.
        """

        def run(connection: sa.Connection) -> tuple[Committed[T], Leaf]:
            return transaction.carry_out(connection, self._room, work)

        committed = await self._recorded(work.tenant, run)
        placed = await self._sequencer.integrated(work.tenant)
        return replace(committed, receipt=replace(committed.receipt, placed=placed))

    async def put(self, entry: Entry, *, placed: bool = False) -> Receipt:
        """Records one entry alone, durable when it returns; where it is asked for, it also waits for its place."""
        if entry.side_payload():
            await self._recorded(
                entry.tenant, lambda connection: (None, transaction.record(connection, self._room, entry))
            )
        else:
            await self._outbox.put(Leaf.of(entry))
        if placed:
            return Receipt(entry.id, entry.tenant, await self._sequencer.integrated(entry.tenant))
        self._sequencer.note(entry.tenant)
        return Receipt(entry.id, entry.tenant, placed=False)

    async def prove(self, tenant: Id, entry: Id) -> EntryProof:
        """What shows that an entry stands in the log, under the first signed checkpoint that covers it."""
        return await proven(self, tenant, entry, self._room.quorum)

    async def spend(self, tenant: Id, once: str, until: int) -> bool:
        """Whether what may be used once is used for the first time now; durable when it returns."""
        now = int(self._room.clock.now().timestamp())
        return await self.beside(tenant, partial(self._spending.spend, tenant=tenant, once=once, until=until, now=now))

    async def beside(self, tenant: Id, run: Callable[[sa.Connection], T]) -> T:
        """What a work beside the records gives, durable when it returns; it is about nobody and leaves no entry."""
        try:
            async with self.transaction(tenant) as connection:
                return await connection.run_sync(run)
        except sa.exc.DBAPIError as error:
            raise _told(error) from None
        except (sa.exc.TimeoutError, asyncpg.PostgresError, OSError):
            raise _unreachable() from None

    async def read(
        self, tenant: Id, steps: Generator[Fetch, Rows, Draft], *, alone: bool = False, ledger: bool = False
    ) -> Draft:
        """Runs the steps of a reading in one snapshot."""
        if ledger:
            await self.bring_up(tenant)
        if self._pool is None:
            raise Overloaded("The store is closed.")
        try:
            return await run_postgres(self._pool, tenant, steps, alone=alone)
        except asyncpg.PostgresError as error:
            if str(error.sqlstate)[:2] not in _AWAY and error.sqlstate not in _RACES:
                raise
            raise _unreachable() from None
        except (asyncpg.InterfaceError, OSError):
            raise _unreachable() from None

    async def inspect(self, tenant: Id | None, look: Callable[[sa.Connection], T]) -> T:
        """What a look at one snapshot of the database finds; it changes nothing."""
        if tenant is not None and self._pool is not None:
            await self.bring_up(tenant)
        try:
            async with self._engine.connect() as connection:
                await connection.execute(sa.text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"))
                await _enter(connection, tenant)
                found = await connection.run_sync(look)
                await connection.rollback()
                return found
        except sa.exc.DBAPIError as error:
            if isinstance(_told(error), Unavailable):
                raise _unreachable() from None
            raise
        except (sa.exc.TimeoutError, asyncpg.PostgresError, OSError):
            raise _unreachable() from None

    async def bring_up(self, tenant: Id) -> None:
        """Makes every entry of a tenant's log findable that is durable now."""
        try:
            async with self._engine.connect() as connection:
                await _enter(connection, tenant)
                late = await connection.scalar(lookups.LATE, {"tenant": tenant})
                await connection.rollback()
            if not late:
                return
            await self._sequencer.integrated(tenant)
            await self._sequencer.bring_up(tenant)
        except (sa.exc.SQLAlchemyError, asyncpg.PostgresError, OSError):
            raise _unreachable() from None

    async def checkpoint(self, tenant: Id) -> str:
        """The signed checkpoint of a tenant's log, with everything in it that is durable now."""
        await self._sequencer.integrated(tenant)
        return await self._sequencer.sign(tenant)

    async def forget(self, tenant: Id, erasure: Erasure) -> None:
        """Removes what lies beside the database of what was erased: the bytes of documents."""
        await forget_blobs(self._room.blobs, tenant, erasure)

    async def scrub(self) -> None:
        """Removes what the tables still hold of what was deleted; readers of them wait meanwhile.

        Raises: Overloaded when the user may not.
        """
        await clean_postgres(self._url)

    async def tenants(self) -> list[Id]:
        """The tenants that are served here."""
        return await self.inspect(
            None, lambda connection: list(connection.scalars(sa.select(tenant_register.c.tenant)))
        )

    @asynccontextmanager
    async def transaction(self, tenant: Id) -> AsyncIterator[AsyncConnection]:
        """A transaction of one tenant that is durable when the block has ended.

        A connection whose commit failed is thrown away: whether the commit happened is not known to it.
        """
        async with self._engine.connect() as connection:
            try:
                await connection.begin()
                await _enter(connection, tenant)
                yield connection
                await connection.commit()
            except BaseException:
                await connection.invalidate()
                raise

    async def _recorded(self, tenant: Id, run: Callable[[sa.Connection], tuple[T, Leaf]]) -> T:
        """Carries out a work and puts its entry into the outbox, in one transaction."""

        def both(connection: sa.Connection) -> T:
            result, leaf = run(connection)
            connection.execute(sa.insert(audit_outbox).values(tenant=tenant, id=leaf.entry, entry=leaf.pack()))
            return result

        try:
            async with self.transaction(tenant) as connection:
                return await connection.run_sync(both)
        except CreditError:
            raise
        except sa.exc.IntegrityError:
            raise Stale("Somebody else was faster.") from None
        except sa.exc.DBAPIError as error:
            raise _told(error) from None
        except (sa.exc.TimeoutError, asyncpg.PostgresError, OSError):
            # Without SQLAlchemy's coat it is from connecting: no connection was free, or none was given.
            raise _unreachable() from None


async def _enter(connection: AsyncConnection, tenant: Id | None) -> None:
    """Names the tenant of the transaction: without it no row is there."""
    if tenant is not None:
        await connection.execute(sa.select(sa.func.set_config(TENANT, tenant, True)))  # noqa: FBT003 - is_local


def _unwritten(error: Exception) -> Exception:
    """Why an entry could not be made durable, without the words of the database; a bug stays a bug."""
    away = isinstance(error, asyncpg.InterfaceError | OSError)
    if isinstance(error, asyncpg.PostgresError):
        away = str(error.sqlstate)[:2] in _AWAY
    return AuditUnavailable("The database could not be written; nothing is known to have changed.") if away else error


def _unreachable() -> Overloaded:
    return Overloaded("The database cannot be reached now.")


def _told(error: sa.exc.DBAPIError) -> Exception:
    """What the database refused, without its text; a bug stays a bug."""
    state = cast("Any", getattr(error.orig, "sqlstate", None) or getattr(error.orig, "pgcode", None))
    if state in _RACES:
        return Stale("Somebody else was faster.")
    kinds = sa.exc.OperationalError | sa.exc.InterfaceError
    if error.connection_invalidated or isinstance(error, kinds) or str(state)[:2] in _AWAY:
        return AuditUnavailable("The database could not be written; nothing is known to have changed.")
    return error
