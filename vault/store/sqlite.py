"""The store on SQLite: one writing thread with group commit, and readers beside it.

Whoever waits while a commit is on its way to the disk is carried out together in the next transaction, each in a
savepoint of its own, and one durable commit answers them all. The entries of one commit share one row of the log.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from asyncio import AbstractEventLoop, Future, Task, get_running_loop
from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, TypeVar, cast

import sqlalchemy as sa
import structlog
from sqlalchemy.pool import NullPool

from domain.audit import Entry, EntryProof, Receipt
from domain.custody.erasures import Erasure
from domain.errors import AuditUnavailable, Overloaded, Unavailable
from domain.ids import Id
from domain.ports import Committed, Draft, Fetch, Rows, Work
from vault.store import transaction
from vault.store.calm import calm
from vault.store.engines import sqlite_reader, sqlite_writer
from vault.store.keeping.residue import clean_sqlite, forget_blobs
from vault.store.ledger import lookups
from vault.store.ledger.heads import Heads
from vault.store.ledger.logbook import Leaf, integrate
from vault.store.ledger.proving import proven
from vault.store.ledger.spent import Spending
from vault.store.run import run_sqlite
from vault.store.tables import tenant_register
from vault.store.transaction import Room

T = TypeVar("T")

TOGETHER = 256
"""How many works one commit carries at most."""
TICK_SECONDS = 1.0
"""How long entries wait for a signed checkpoint, or to be findable, at most."""
IDLE_SECONDS = 0.05
"""After this time without work, what is behind is done."""

_LOG = structlog.get_logger("credence.store")


@dataclass(slots=True)
class _Job:
    """One work that waits for the writing thread, or the leaf of an entry that comes alone."""

    work: Callable[[sa.Connection], tuple[Any, Leaf | None]] | Leaf
    loop: AbstractEventLoop
    future: Future[Any]
    result: Any = None
    error: Exception | None = None


class SqliteStore:
    """Records, sealed values and the audit log in one file."""

    def __init__(self, url: str, room: Room) -> None:
        self._room = room
        self._url = url
        self._engine = sqlite_writer(url)
        self._connect = sqlite_reader(url)
        self._reading: sqlite3.Connection | None = None
        self._heads = Heads(room)
        self._spending = Spending()
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._thread: Thread | None = None
        self._near: dict[AbstractEventLoop, list[_Job]] = {}
        """What comes now, before it is handed to the writing thread together."""
        self._handing: Task[None] | None = None
        self._behind: dict[Id, float] = {}
        """The tenants with entries that nobody finds yet, and since when."""

    async def start(self) -> None:
        """Starts the writing thread."""
        self._thread = Thread(target=self._serve, name="credence-writer", daemon=True)
        self._thread.start()

    async def close(self) -> None:
        """Carries out what still waits, signs the heads, and lets everything go."""
        if self._thread is not None:
            for loop in list(self._near):
                self._hand_now(loop)
            self._jobs.put(None)
            self._thread.join()
            self._thread = None
        self._engine.dispose()
        self._let_go()

    async def write(self, work: Work[T]) -> Committed[T]:
        """Runs the work in one transaction and returns when it is durable.

        Raises: Stale, unrecorded; Unavailable when it could not be made durable: then nothing of it remains.
        """
        return cast("Committed[T]", await self._submit(partial(transaction.carry_out, room=self._room, work=work)))

    async def put(self, entry: Entry, *, placed: bool = False) -> Receipt:
        """Records one entry alone, durable when it returns."""
        del placed  # an entry has its place when its commit has
        receipt = Receipt(entry=entry.id, tenant=entry.tenant)
        if entry.side_payload():
            await self._submit(lambda connection: (None, transaction.record(connection, self._room, entry)))
        else:
            await self._submit(Leaf.of(entry))
        return receipt

    async def prove(self, tenant: Id, entry: Id) -> EntryProof:
        """What shows that an entry stands in the log, under the first signed checkpoint that covers it."""
        return await proven(self, tenant, entry, self._room.quorum)

    async def spend(self, tenant: Id, once: str, until: int) -> bool:
        """Whether what may be used once is used for the first time now; durable when it returns."""
        now = int(self._room.clock.now().timestamp())
        return await self.beside(tenant, partial(self._spending.spend, tenant=tenant, once=once, until=until, now=now))

    async def beside(self, tenant: Id, run: Callable[[sa.Connection], T]) -> T:
        """What a work beside the records gives, durable when it returns; it is about nobody and leaves no entry."""
        del tenant
        return cast("T", await self._submit(lambda connection: (run(connection), None)))

    async def read(
        self, tenant: Id, steps: Generator[Fetch, Rows, Draft], *, alone: bool = False, ledger: bool = False
    ) -> Draft:
        """Runs the steps of a reading in one snapshot, inline: a hop to a thread costs more than most reads."""
        if self._thread is None:
            raise _closed()
        try:
            if ledger:
                await self.bring_up(tenant)
            return run_sqlite(self._reader(), steps, alone=alone)
        except sqlite3.Error as error:
            # What state the connection is in is not known: the next reading takes a fresh one.
            self._let_go()
            if not _is_away(error):
                raise
            raise Overloaded("The database cannot be read now.") from None

    async def inspect(self, tenant: Id | None, look: Callable[[sa.Connection], T]) -> T:
        """What a look at one snapshot of the database finds; it changes nothing."""
        try:
            if tenant is not None and self._thread is not None:
                await self.bring_up(tenant)
            with self._snapshot() as connection:
                return look(connection)
        except (sa.exc.DBAPIError, sqlite3.Error) as error:
            if not _is_away(getattr(error, "orig", error)):
                raise
            raise Overloaded("The database cannot be read now.") from None

    async def bring_up(self, tenant: Id) -> None:
        """Makes every entry of a tenant's log findable that is durable now."""
        if not self._reader().execute(lookups.BEHIND, {"tenant": tenant}).fetchone()[0]:
            return

        def run(connection: sa.Connection) -> tuple[None, None]:
            lookups.bring_all_up(connection, tenant)
            return None, None

        await self._submit(run)

    async def checkpoint(self, tenant: Id) -> str:
        """The signed checkpoint of a tenant's log as it is now."""
        return cast("str", await self._submit(lambda connection: (self._heads.sign(connection, tenant), None)))

    async def forget(self, tenant: Id, erasure: Erasure) -> None:
        """Removes what lies beside the database of what was erased: the bytes of documents."""
        await forget_blobs(self._room.blobs, tenant, erasure)

    async def scrub(self) -> None:
        """Removes what the file and its log still hold of what was deleted; whoever writes waits meanwhile.

        Raises: Overloaded while a reader holds a snapshot from before.
        """
        await asyncio.to_thread(clean_sqlite, self._url)

    async def tenants(self) -> list[Id]:
        """The tenants that are served here."""
        return await self.inspect(
            None, lambda connection: list(connection.scalars(sa.select(tenant_register.c.tenant)))
        )

    async def _submit(self, work: Callable[[sa.Connection], tuple[Any, Leaf | None]] | Leaf) -> Any:
        if self._thread is None:
            raise _closed()
        loop = get_running_loop()
        job = _Job(work, loop, loop.create_future())
        near = self._near.get(loop)
        if near is None:
            self._near[loop] = [job]
            self._handing = loop.create_task(self._hand(loop), name="credence-hand")
        else:
            near.append(job)
        return await job.future

    async def _hand(self, loop: AbstractEventLoop) -> None:
        """Hands the writing thread what comes together."""
        try:
            await calm(self._near.get(loop, ()), TOGETHER)
        finally:
            self._hand_now(loop)

    def _hand_now(self, loop: AbstractEventLoop) -> None:
        for job in self._near.pop(loop, ()):
            self._jobs.put(job)

    def _reader(self) -> sqlite3.Connection:
        if self._reading is None:
            self._reading = self._connect()
        return self._reading

    def _let_go(self) -> None:
        if self._reading is not None:
            self._reading.close()
            self._reading = None

    @contextmanager
    def _snapshot(self) -> Iterator[sa.Connection]:
        engine = sa.create_engine("sqlite://", creator=self._connect, poolclass=NullPool, hide_parameters=True)
        sa.event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
        with engine.connect() as connection:
            yield connection
            connection.rollback()

    def _serve(self) -> None:
        """Takes what waits, until it is told to end."""
        self._resume()
        ended = False
        while not ended:
            jobs, ended = self._waiting()
            if jobs or self._heads.due(idle=True):
                self._together([job for job in jobs if not job.future.cancelled()], last=ended)
            self._bring_up(idle=not jobs)
        self._together([], last=True)
        self._bring_up(idle=True)

    def _resume(self) -> None:
        """Finds what an earlier process did not come to: heads to sign, entries nobody finds; else they are late."""
        try:
            with self._committed() as connection:
                for tenant in connection.scalars(sa.select(tenant_register.c.tenant)).all():
                    self._heads.resume(connection, tenant)
                    if connection.scalar(sa.text(lookups.BEHIND), {"tenant": tenant}):
                        self._behind.setdefault(tenant, time.monotonic())
        except Exception as error:  # noqa: BLE001 - being late is no failure
            self._heads.forget()
            _LOG.warning("The log is late.", type=type(error).__qualname__)
            return
        self._heads.kept()

    def _bring_up(self, *, idle: bool) -> None:
        """Makes entries findable while nothing else is to do, or once they have waited long enough."""
        now = time.monotonic()
        for tenant, since in list(self._behind.items()):
            if not idle and now - since < TICK_SECONDS:
                continue
            try:
                with self._committed() as connection:
                    more = lookups.bring_up(connection, tenant)
            except Exception as error:  # noqa: BLE001 - being late is no failure
                self._behind[tenant] = now
                _LOG.warning("The log is late.", type=type(error).__qualname__)
                continue
            if not more:
                self._behind.pop(tenant, None)

    def _waiting(self) -> tuple[list[_Job], bool]:
        """The works that wait now; after a while without any, none, so that what is behind is done in time."""
        jobs: list[_Job] = []
        patience = IDLE_SECONDS if self._behind else TICK_SECONDS if self._heads.unsigned else None
        try:
            job = self._jobs.get(timeout=patience)
            while job is not None:
                jobs.append(job)
                if len(jobs) == TOGETHER:
                    return jobs, False
                job = self._jobs.get_nowait()
        except Empty:
            return jobs, False
        return jobs, True

    def _together(self, jobs: list[_Job], *, last: bool = False) -> None:
        """Carries out works in one transaction; they are answered only after its commit."""
        done: list[_Job] = []
        leaves: dict[Id, list[Leaf]] = {}
        try:
            with self._committed() as connection:
                for job in jobs:
                    self._one(connection, job, done, leaves)
                for tenant, written in leaves.items():
                    integrate(connection, tenant, written, self._room.clock.now())
                    self._heads.grown(tenant, len(written))
                for tenant in self._heads.waiting():
                    self._heads.sign_due(connection, tenant, idle=last or not jobs)
        except Exception as error:  # noqa: BLE001 - whatever it was, nothing of this transaction remains
            self._heads.forget()
            _tell(jobs, {id(job) for job in done}, error)
            _LOG.error("A commit failed.", type=type(error).__qualname__)
        else:
            self._heads.kept()
            now = time.monotonic()
            for tenant in leaves:
                self._behind.setdefault(tenant, now)
                self._room.growth.told(tenant)
        _answer(jobs)

    def _one(self, connection: sa.Connection, job: _Job, done: list[_Job], leaves: dict[Id, list[Leaf]]) -> None:
        """Carries out one work; one that fails leaves nothing and the others go on."""
        leaf: Leaf | None
        if isinstance(job.work, Leaf):
            leaf = job.work
        else:
            try:
                job.result, leaf = job.work(connection)
            except Exception as error:
                job.error = _told(error)
                if isinstance(error, sa.exc.DBAPIError) or not _in_transaction(connection):
                    raise  # whether the database undid this work alone is not known: the whole transaction goes
                return
        done.append(job)
        if leaf is not None:
            leaves.setdefault(leaf.tenant, []).append(leaf)

    @contextmanager
    def _committed(self) -> Iterator[sa.Connection]:
        """A transaction that is durable when the block has ended; a connection whose commit failed is thrown away."""
        connection = self._engine.connect()
        try:
            connection.begin()
            yield connection
            connection.commit()
        except BaseException:
            connection.invalidate()
            raise
        finally:
            connection.close()


def _tell(jobs: Sequence[_Job], done: Collection[int], error: Exception) -> None:
    """What everyone hears whose work went with a failed transaction; nobody hears what went wrong with another's."""
    for job in jobs:
        if job.error is not None:
            continue
        told = _told(error)
        if isinstance(told, Overloaded) and id(job) not in done:
            job.error = told
        else:
            job.error = AuditUnavailable("The audit log could not be written; nothing was changed.")


def _answer(jobs: Sequence[_Job]) -> None:
    """Answers everyone who waited, each event loop woken once."""
    loops: dict[AbstractEventLoop, list[_Job]] = {}
    for job in jobs:
        loops.setdefault(job.loop, []).append(job)
    for loop, theirs in loops.items():
        with suppress(RuntimeError):  # a loop that is closed has nobody left who waits
            loop.call_soon_threadsafe(_settle, theirs)


def _settle(jobs: Sequence[_Job]) -> None:
    for job in jobs:
        if job.future.done():
            continue  # whoever asked has left
        if job.error is not None:
            job.future.set_exception(job.error)
        else:
            job.future.set_result(job.result)


def _is_away(error: BaseException | None) -> bool:
    """Whether the database cannot do its work now: locked, full, broken; a statement that is wrong is a bug."""
    wrong = getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR
    return isinstance(error, sqlite3.OperationalError) and not wrong


def _closed() -> Unavailable:
    return Unavailable("The store is closed.")


def _in_transaction(connection: sa.Connection) -> bool:
    driver = cast("sqlite3.Connection", connection.connection.dbapi_connection)
    return driver.in_transaction


def _told(error: Exception) -> Exception:
    """The error as the caller gets it: one of ours, or what the database refused without its text."""
    if isinstance(error, sa.exc.DBAPIError) and _is_away(error.orig):
        return Overloaded("The database cannot be written now.", advice="Try again; look for a full disk or a lock.")
    return error
