"""Steps are run in one snapshot: inline on sqlite3, or in a read-only transaction through asyncpg."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator
from typing import cast

import asyncpg

from domain.ids import Id
from domain.ports import Draft, Fetch, Rows

WAIT_SECONDS = 30
"""How long a reading waits for a connection while all are busy."""

Run = Generator[Fetch, Rows, Draft]


def run_sqlite(connection: sqlite3.Connection, steps: Run) -> Draft:
    """The draft of a reading; the connection is in autocommit mode and in no transaction."""
    connection.execute("BEGIN")
    try:
        fetch = next(steps)
        while True:
            fetch = steps.send(connection.execute(fetch.sql, fetch.parameters).fetchall())
    except StopIteration as end:
        return cast("Draft", end.value)
    finally:
        connection.execute("COMMIT")


async def run_postgres(pool: asyncpg.Pool, tenant: Id, steps: Run) -> Draft:
    """The draft of a reading; row security knows the tenant before the first statement."""
    async with (
        pool.acquire(timeout=WAIT_SECONDS) as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        await connection.execute("SELECT set_config('credence.tenant', $1, true)", tenant)
        try:
            fetch = next(steps)
            while True:
                fetch = steps.send(await connection.fetch(fetch.sql, *fetch.parameters))
        except StopIteration as end:
            return cast("Draft", end.value)
