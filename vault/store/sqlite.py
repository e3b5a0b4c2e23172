"""The store on SQLite: one writing thread with group commit, and readers beside it.

Whoever waits while a commit is on its way to the disk is carried out together in the next transaction, each in a
savepoint of its own, and one durable commit answers them all. The entries of one commit share one row of the log.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, TypeVar, cast

import sqlalchemy as sa
import structlog
from sqlalchemy.pool import NullPool

from domain.audit import Entry, Receipt
from domain.errors import AuditUnavailable, Overloaded, Unavailable
from domain.ids import Id
from domain.ports import Committed, Draft, Fetch, Rows, Work
from vault.store import transaction
from vault.store.engines import sqlite_reader, sqlite_writer
from vault.store.ledger.heads import Heads
from vault.store.ledger.logbook import Leaf, integrate
from vault.store.run import run_sqlite
from vault.store.tables import tenant_register
from vault.store.transaction import Room

T = TypeVar("T")

TOGETHER = 256
"""How many works one commit carries at most."""
TICK_SECONDS = 1.0
"""How long entries wait for a signed checkpoint at most."""

_LOG = structlog.get_logger("credence.store")


@dataclass(slots=True)
class _Job:
    """One work that waits for the writing thread."""

    run: Callable[[sa.Connection], tuple[Any, Leaf | None]]
    future: Future[Any] = field(default_factory=Future)


class SqliteStore:
    """Records, sealed values and the audit log in one file."""

    def __init__(self, url: str, room: Room) -> None:
        self._room = room
        self._engine = sqlite_writer(url)
        self._connect = sqlite_reader(url)
        self._reading: sqlite3.Connection | None = None
        self._heads = Heads(room)
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._thread: Thread | None = None

    async def start(self) -> None:
        """Starts the writing thread."""
        self._thread = Thread(target=self._serve, name="credence-writer", daemon=True)
        self._thread.start()

    async def close(self) -> None:
        """Carries out what still waits, signs the heads, and lets everything go."""
        if self._thread is not None:
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

    async def put(self, entry: Entry) -> Receipt:
        """Records one entry alone, durable when it returns."""

        def run(connection: sa.Connection) -> tuple[Receipt, Leaf]:
            leaf = transaction.record(connection, self._room, entry)
            return Receipt(entry=entry.id, tenant=entry.tenant), leaf

        return cast("Receipt", await self._submit(run))

    async def read(
        self, tenant: Id, steps: Generator[Fetch, Rows, Draft], *, alone: bool = False, ledger: bool = False
    ) -> Draft:
        """Runs the steps of a reading in one snapshot, inline: a hop to a thread costs more than most reads."""
        del tenant, ledger  # every statement of the steps names its tenant
        if self._thread is None:
            raise _closed()
        try:
            if self._reading is None:
                self._reading = self._connect()
            return run_sqlite(self._reading, steps, alone=alone)
        except sqlite3.Error as error:
            # What state the connection is in is not known: the next reading takes a fresh one.
            self._let_go()
            if not _is_away(error):
                raise
            raise Overloaded("The database cannot be read now.") from None

    async def inspect(self, tenant: Id | None, look: Callable[[sa.Connection], T]) -> T:
        """What a look at one snapshot of the database finds; it changes nothing."""
        del tenant
        try:
            with self._snapshot() as connection:
                return look(connection)
        except sa.exc.DBAPIError as error:
            if not _is_away(error.orig):
                raise
            raise Overloaded("The database cannot be read now.") from None

    async def checkpoint(self, tenant: Id) -> str:
        """The signed checkpoint of a tenant's log as it is now."""
        return cast("str", await self._submit(lambda connection: (self._heads.sign(connection, tenant), None)))

    async def tenants(self) -> list[Id]:
        """The tenants that are served here."""
        return await self.inspect(
            None, lambda connection: list(connection.scalars(sa.select(tenant_register.c.tenant)))
        )

    async def _submit(self, run: Callable[[sa.Connection], tuple[Any, Leaf | None]]) -> Any:
        from asyncio import wrap_future  # noqa: PLC0415 - the thread below knows no event loop

        if self._thread is None:
            raise _closed()
        job = _Job(run)
        self._jobs.put(job)
        return await wrap_future(job.future)

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
                self._together([job for job in jobs if job.future.set_running_or_notify_cancel()], last=ended)
        self._together([], last=True)

    def _resume(self) -> None:
        """Finds the heads that an earlier process did not come to sign; while that cannot be, they are late."""
        try:
            with self._committed() as connection:
                for tenant in connection.scalars(sa.select(tenant_register.c.tenant)).all():
                    self._heads.resume(connection, tenant)
        except Exception as error:  # noqa: BLE001 - being late is no failure
            self._heads.forget()
            _LOG.warning("The log is late.", type=type(error).__qualname__)
            return
        self._heads.kept()

    def _waiting(self) -> tuple[list[_Job], bool]:
        """The works that wait now; after a while without any, none, so that heads are signed in time."""
        jobs: list[_Job] = []
        try:
            job = self._jobs.get(timeout=TICK_SECONDS if self._heads.unsigned else None)
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
        done: list[tuple[_Job, Any]] = []
        try:
            with self._committed() as connection:
                leaves: dict[Id, list[Leaf]] = {}
                for job in jobs:
                    self._one(connection, job, done, leaves)
                for tenant, written in leaves.items():
                    integrate(connection, tenant, written, self._room.clock.now())
                    self._heads.grown(tenant, len(written))
                for tenant in self._heads.waiting():
                    self._heads.sign_due(connection, tenant, idle=last or not jobs)
        except Exception as error:  # noqa: BLE001 - whatever it was, nothing of this transaction remains
            self._heads.forget()
            _tell(jobs, {id(job) for job, _ in done}, error)
            _LOG.error("A commit failed.", type=type(error).__qualname__)
            return
        self._heads.kept()
        for job, result in done:
            job.future.set_result(result)

    def _one(
        self, connection: sa.Connection, job: _Job, done: list[tuple[_Job, Any]], leaves: dict[Id, list[Leaf]]
    ) -> None:
        """Carries out one work; one that fails leaves nothing and the others go on."""
        try:
            result, leaf = job.run(connection)
        except Exception as error:
            job.future.set_exception(_told(error))
            if isinstance(error, sa.exc.DBAPIError) or not _in_transaction(connection):
                raise  # whether the database undid this work alone is not known: the whole transaction goes
            return
        done.append((job, result))
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
    """Tells everyone whose work went with a transaction that failed; nobody hears what went wrong with another's."""
    for job in jobs:
        if job.future.done():
            continue
        told = _told(error)
        if isinstance(told, Overloaded) and id(job) not in done:
            job.future.set_exception(told)
        else:
            job.future.set_exception(AuditUnavailable("The audit log could not be written; nothing was changed."))


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
