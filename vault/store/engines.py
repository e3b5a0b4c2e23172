"""Connections to the two databases, each set up the same way every time.

SQLite: one writer, whose transactions take the write lock when they begin and are on the disk when they have ended,
and as many readers beside it as wanted. PostgreSQL: everything runs as the role `credence_app`, which can neither
change the tables nor see a row of another tenant than the one its transaction names.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import asyncpg
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import QueuePool

from domain.errors import Malformed, Unavailable
from vault.store.run import TenantConnection

SQLITE: Final = "sqlite"
POSTGRESQL: Final = "postgresql"
ROLE: Final = "credence_app"
"""What the application is to PostgreSQL, whoever it logs in as; the migrations make it."""
TENANT: Final = "credence.tenant"
"""The setting that names the tenant of a transaction: without it no row is seen."""
BUSY_MILLISECONDS: Final = 10_000
"""How long a connection waits for another process's lock."""
MAPPED_BYTES: Final = 1 << 30
"""How much of a SQLite file a reader maps, where its library can."""
CONNECTIONS: Final = 10
"""How many connections a process keeps to PostgreSQL, for writing and for reading each."""
STATEMENTS: Final = 500
"""How many prepared statements a reading connection keeps."""
ANSWER_SECONDS: Final = 120
"""How long one statement on PostgreSQL may take, its locks included: whoever asked is not left waiting for ever."""

_ADVICE: Final = (
    "Set CREDENCE_DATABASE_URL to sqlite:///relative/path.db, sqlite:////absolute/path.db "
    "or postgresql://user:password@host/database."
)
_DRIVERS: Final = {
    "sqlite": SQLITE,
    "sqlite+pysqlite": SQLITE,
    "postgresql": POSTGRESQL,
    "postgres": POSTGRESQL,
    "postgresql+asyncpg": POSTGRESQL,
}

Reader = Callable[[], sqlite3.Connection]


def parse(url: str) -> sa.URL:
    """The address of a database, its driver name `sqlite` or `postgresql`.

    Raises: Malformed, with advice, for any other kind of address; it never holds the password.
    """
    try:
        parsed = sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError):
        raise _refused("The database URL is not a URL.") from None
    dialect = _DRIVERS.get(parsed.drivername)
    if dialect is None:
        raise _refused(f"The database URL is of a kind that is not known: {parsed.drivername}.")
    if dialect == SQLITE:
        if parsed.host or parsed.query:
            raise _refused("A SQLite URL has a path and nothing else.")
        if parsed.database in {None, "", ":memory:"}:
            raise _refused("A database in memory is gone with its process.")
    return parsed.set(drivername=dialect)


def shown(url: str) -> str:
    """The address as it may be shown: without its password."""
    return parse(url).render_as_string(hide_password=True)


def sqlite_path(url: str) -> Path:
    """The file of a SQLite database."""
    return Path(str(parse(url).database))


def sqlite_writer(url: str) -> sa.Engine:
    """The engine of the one writing thread; a transaction takes the write lock when it begins.

    A file that is not there yet is made for its owner alone; its log and its shared memory get the same mode.

    Raises: Unavailable, on the first connection, where the library cannot keep what it has to promise.
    """
    path = sqlite_path(url)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # A file that is there is not touched: to close it would end every lock this process holds on it, and another
    # process would then take the log away from under a connection. What is wrong here the first connection tells.
    with suppress(OSError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDONLY | os.O_CLOEXEC, 0o600))
    engine = sa.create_engine(
        sa.URL.create("sqlite+pysqlite", database=str(path)),
        hide_parameters=True,
        poolclass=QueuePool,
        pool_size=1,
        max_overflow=0,
        # The driver opens no transactions of its own: the engine does, below.
        connect_args={"isolation_level": None, "check_same_thread": False},
    )

    @sa.event.listens_for(engine, "connect")
    def _connected(connection: Any, record: object) -> None:
        del record
        _prepare_writer(connection)

    @sa.event.listens_for(engine, "begin")
    def _begun(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def sqlite_reader(url: str) -> Reader:
    """Makes connections that only read; each belongs to the thread that uses it at a time."""
    address = f"{sqlite_path(url).absolute().as_uri()}?mode=ro"

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(address, uri=True, isolation_level=None, check_same_thread=False)
        _pragma(connection, "busy_timeout", BUSY_MILLISECONDS)
        # Pages are read where the file is mapped: every commit of the writer empties the reader's own cache.
        connection.execute(f"PRAGMA mmap_size = {MAPPED_BYTES}").close()
        _pragma(connection, "query_only", 1)
        _pragma(connection, "trusted_schema", 0)
        return connection

    return connect


def postgres_engine(url: str, *, size: int = CONNECTIONS, role: str | None = ROLE) -> AsyncEngine:
    """The engine that writes; migrations alone run without the role."""
    dsn = _dsn(url)

    async def connect() -> asyncpg.Connection:
        timeout = None if role is None else ANSWER_SECONDS
        return await asyncpg.connect(dsn, server_settings=_settings(role), command_timeout=timeout)

    return create_async_engine(
        "postgresql+asyncpg://", async_creator=connect, hide_parameters=True, pool_size=size, max_overflow=0
    )


async def postgres_pool(url: str, *, size: int = CONNECTIONS) -> asyncpg.Pool:
    """The pool that reads."""
    return await asyncpg.create_pool(
        _dsn(url),
        min_size=1,
        max_size=size,
        connection_class=TenantConnection,
        reset=_as_it_is,
        statement_cache_size=STATEMENTS,
        max_cached_statement_lifetime=0,
        server_settings=_settings(ROLE) | {"jit": "off"},
        command_timeout=ANSWER_SECONDS,
    )


async def _as_it_is(connection: TenantConnection) -> None:
    """A reader leaves nothing behind that the next one would have to undo: a round trip less for every reading."""
    del connection


def _prepare_writer(connection: sqlite3.Connection) -> None:
    _pragma(connection, "busy_timeout", BUSY_MILLISECONDS)
    _pragma(connection, "journal_mode", "wal")
    _pragma(connection, "synchronous", 2)  # FULL: a commit that returned is on the disk
    _pragma(connection, "foreign_keys", 1)
    _pragma(connection, "secure_delete", 1)  # deleted keys are overwritten; builds differ in the default
    _pragma(connection, "recursive_triggers", 1)  # else INSERT OR REPLACE deletes past the triggers
    _pragma(connection, "trusted_schema", 0)


def _pragma(connection: sqlite3.Connection, name: str, value: int | str) -> None:
    """Sets a pragma and reads it back: SQLite ignores what its build does not know."""
    connection.execute(f"PRAGMA {name} = {value}").close()
    (kept,) = connection.execute(f"PRAGMA {name}").fetchone() or (None,)
    if kept != value:
        raise Unavailable(
            f"SQLite does not take {name} = {value}.",
            advice="Use the SQLite library of Debian 12 or newer, and a file system with locks and shared memory.",
        )


def _dsn(url: str) -> str:
    return parse(url).render_as_string(hide_password=False)


def _settings(role: str | None) -> dict[str, str]:
    settings = {"application_name": "credence", "timezone": "UTC", "datestyle": "ISO"}
    # Given when connecting, the role is also what RESET ROLE leads back to.
    return settings if role is None else settings | {"role": role}


def _refused(sentence: str) -> Malformed:
    return Malformed(sentence, advice=_ADVICE)
